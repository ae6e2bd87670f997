"""Retrieving instances in the transfer syntax, form and part that a client asks for (PS3.18 8.7, 10.4.1)."""

import io
import zipfile
from itertools import pairwise

import numpy as np
import pydicom
import pytest
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array

from gateway.dicomweb.http.media import parse_media_type
from kernel.archive.blobs import spool
from kernel.dicom.pixels.codestream import stream_size
from tests.dicomweb.test_wado import EXPLICIT, dataset_of, frames_as_stored, parts_of, stored, url_of
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes, as_file

JPEG, SV1, JPEG_LS = "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.80"
J2K, HTJ2K, RPCL, RLE = (
    "1.2.840.10008.1.2.4.90",
    "1.2.840.10008.1.2.4.201",
    "1.2.840.10008.1.2.4.202",
    "1.2.840.10008.1.2.5",
)
IMPLICIT = "1.2.840.10008.1.2"
DICOM = "application/dicom; transfer-syntax="
COMPRESSED = ["ct_rle.dcm", "ct_jpeg_ls.dcm", "ct_jpeg_2000.dcm", "ct_jpeg_lossless.dcm", "ct_htj2k.dcm"]


def read(content: bytes):
    return pydicom.dcmread(io.BytesIO(content))


# --- transfer syntaxes ------------------------------------------------------------------------------------------------


TARGETS = (EXPLICIT, IMPLICIT, SV1, JPEG_LS, J2K, HTJ2K, RPCL, RLE)


@pytest.mark.parametrize("name", [*COMPRESSED, "ct_implicit_le.dcm", "ct_big_endian.dcm", "ct_deflated.dcm"])
def test_an_instance_comes_in_the_transfer_syntax_that_was_asked_for(node, name):
    _, ds = stored(node, name)
    expected = pixel_array(ds)

    for target in TARGETS:
        response = node.get(url_of(ds), Accept=DICOM + target)

        found = read(response.content)
        assert response.headers["content-type"] == DICOM + target == DICOM + found.file_meta.TransferSyntaxUID
        assert np.array_equal(pixel_array(found), expected)
        assert found.PatientName == ds.PatientName


def test_what_needs_more_disk_than_the_reserve_leaves_is_refused_before_it_begins(node, monkeypatch):
    small, large = a_ct(seed="small"), a_ct(seed="large", rows=128, columns=128)
    assert node.store(small, large).status_code == 200
    monkeypatch.setattr(spool, "IN_MEMORY_BYTES", 8192)
    monkeypatch.setattr(node.blobs, "_free_bytes_min", 2**62)

    refused = node.get(url_of(large), Accept=DICOM + JPEG_LS)

    assert (refused.status_code, refused.json()["code"], refused.headers["retry-after"]) == (503, "StorageFull", "10")
    assert node.get(url_of(small), Accept=DICOM + JPEG_LS).status_code == 200
    assert node.get(url_of(large), Accept=DICOM + "*").status_code == 200
    monkeypatch.setattr(node.blobs, "_free_bytes_min", 0)
    assert np.array_equal(
        pixel_array(read(node.get(url_of(large), Accept=DICOM + JPEG_LS).content)), pixel_array(read(as_file(large)))
    )
    assert node.stages() == []


@pytest.mark.parametrize("accept", ["", "*/*", "application/dicom", 'multipart/related; type="application/dicom"'])
def test_explicit_little_endian_is_meant_when_no_transfer_syntax_is_named(archive, accept):
    _, ds = stored(archive, "ct_jpeg_ls.dcm")

    response = archive.get(url_of(ds), Accept=accept)

    content = response.content if accept == "application/dicom" else parts_of(response)[0][1]
    assert read(content).file_meta.TransferSyntaxUID == EXPLICIT


def test_a_lossy_copy_is_made_for_who_asks_for_it_and_is_another_instance(archive):
    _, ds = stored(archive, "us_cine_native.dcm")

    found = read(archive.get(url_of(ds), Accept=DICOM + JPEG).content)

    assert found.file_meta.TransferSyntaxUID == JPEG
    assert found.file_meta.MediaStorageSOPInstanceUID == found.SOPInstanceUID != ds.SOPInstanceUID
    assert found.LossyImageCompression == "01"


def test_a_study_comes_in_one_transfer_syntax_but_for_what_cannot_be_in_it(node):
    _, ds = stored(node, "ct_jpeg_ls.dcm")
    report = a_report(ds)
    node.store(report)

    parts = parts_of(
        node.get(
            f"/dicom-web/studies/{ds.StudyInstanceUID}",
            Accept=f'multipart/related; type="application/dicom"; transfer-syntax={J2K}',
        )
    )

    given = {read(part).SOPInstanceUID: headers["content-type"] for headers, part in parts}
    assert given == {ds.SOPInstanceUID: DICOM + J2K, report.SOPInstanceUID: DICOM + EXPLICIT}
    assert [read(part).file_meta.TransferSyntaxUID for _, part in parts] == [
        headers["content-type"].removeprefix(DICOM) for headers, _ in parts
    ]


def a_report(ds):
    """A structured report, without pixels, in the study of `ds`."""
    report = a_ct(seed="report", StudyInstanceUID=ds.StudyInstanceUID, SOPClassUID="1.2.840.10008.5.1.4.1.1.88.11")
    for keyword in ("PatientID", "PatientName", "PatientBirthDate", "PatientSex"):
        report[keyword] = ds[keyword]
    del report.PixelData
    return report


def test_a_damaged_instance_comes_as_it_is_stored_and_does_not_stop_the_others(node):
    good, damaged = list(a_ct_series(2))
    damaged.PixelData = encapsulate([b"\xff\xd8 no JPEG-LS at all"])
    damaged["PixelData"].VR = "OB"
    damaged["PixelData"].is_undefined_length = True
    node.store(good, as_file(damaged, JPEG_LS))

    parts = parts_of(node.get(f"/dicom-web/studies/{good.StudyInstanceUID}"))

    assert [headers["content-type"] for headers, _ in parts] == [DICOM + EXPLICIT, DICOM + JPEG_LS]
    assert dataset_of(parts[1][1]) == as_dataset_bytes(damaged, JPEG_LS)


def test_what_nobody_can_decode_comes_as_it_is_stored_or_not_at_all(node):
    video = a_ct(NumberOfFrames="1")
    video.PixelData = encapsulate([b"\0\0\1\xb3 pretended MPEG"])
    video["PixelData"].VR = "OB"
    video["PixelData"].is_undefined_length = True
    node.store(as_file(video, "1.2.840.10008.1.2.4.102"))

    assert node.get(url_of(video), Accept="application/dicom").headers["content-type"].endswith("4.102")
    refused = node.get(url_of(video), Accept=DICOM + J2K)
    assert refused.status_code == 406
    assert DICOM + "1.2.840.10008.1.2.4.102" in refused.json()["detail"]


@pytest.mark.parametrize("accept", [DICOM + "1.2.840.10008.1.2.4.81", "image/png", "application/dicom;q=0"])
def test_what_is_not_on_offer_is_not_acceptable_and_the_answer_says_what_is(archive, accept):
    _, ds = stored(archive, "ct_jpeg_ls.dcm")

    response = archive.get(url_of(ds), Accept=accept)

    assert response.status_code == 406
    detail = response.json()["detail"]
    assert 'multipart/related; type="application/dicom"; transfer-syntax=1.2.840.10008.1.2.4.80' in detail
    assert "application/zip" in detail


def test_the_accept_parameter_goes_before_the_header(archive):
    _, ds = stored(archive, "ct_jpeg_ls.dcm")

    response = archive.get(url_of(ds) + f"?accept=application/dicom;transfer-syntax={RLE}", Accept="image/png")

    assert response.headers["content-type"] == DICOM + RLE


def test_quality_values_decide(archive):
    _, ds = stored(archive, "ct_jpeg_ls.dcm")
    accept = f"{DICOM}{RLE};q=0.5, {DICOM}{J2K};q=0.9, multipart/related;q=0.1"

    assert archive.get(url_of(ds), Accept=accept).headers["content-type"] == DICOM + J2K


# --- ZIP --------------------------------------------------------------------------------------------------------------


def test_a_study_comes_as_a_zip_file_of_stored_instances(node):
    slices = list(a_ct_series(3))
    node.store(*slices)

    response = node.get(f"/dicom-web/studies/{slices[0].StudyInstanceUID}", Accept="application/zip")

    with zipfile.ZipFile(io.BytesIO(response.content)) as archive:
        assert archive.testzip() is None
        assert sorted(archive.namelist()) == sorted(f"{d.SeriesInstanceUID}/{d.SOPInstanceUID}.dcm" for d in slices)
        found = {name.split("/")[1]: dataset_of(archive.read(name)) for name in archive.namelist()}
    assert found == {f"{d.SOPInstanceUID}.dcm": as_dataset_bytes(d) for d in slices}
    assert response.headers["content-type"] == "application/zip"
    assert "content-length" not in response.headers


def test_a_zip_file_may_be_in_another_transfer_syntax(archive):
    _, ds = stored(archive, "ct_jpeg_ls.dcm")

    response = archive.get(url_of(ds), Accept=f"application/zip; transfer-syntax={EXPLICIT}")

    with zipfile.ZipFile(io.BytesIO(response.content)) as packed:
        (name,) = packed.namelist()
        assert read(packed.read(name)).file_meta.TransferSyntaxUID == EXPLICIT


# --- frames -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("image/jls", f"image/jls; transfer-syntax={JPEG_LS}"),
        ("image/jp2", f"image/jp2; transfer-syntax={J2K}"),
        ("image/jphc", f"image/jphc; transfer-syntax={HTJ2K}"),
        (f"image/jphc; transfer-syntax={RPCL}", f"image/jphc; transfer-syntax={RPCL}"),
        ("image/jpeg", f"image/jpeg; transfer-syntax={SV1}"),
        ("image/dicom-rle", f"image/dicom-rle; transfer-syntax={RLE}"),
        (
            f"application/octet-stream; transfer-syntax={JPEG_LS}",
            f"application/octet-stream; transfer-syntax={JPEG_LS}",
        ),
        ("application/octet-stream", f"application/octet-stream; transfer-syntax={EXPLICIT}"),
        ("application/octet-stream; transfer-syntax=*", f"application/octet-stream; transfer-syntax={EXPLICIT}"),
        ("image/*", f"image/jls; transfer-syntax={JPEG_LS}"),
    ],
)
def test_a_native_frame_comes_as_the_media_type_that_was_asked_for(archive, accept, kind):
    ds = a_ct(seed="native")
    archive.store(ds)

    response = archive.get(url_of(ds) + "/frames/1", Accept=accept)

    assert response.headers["content-type"] == kind
    if "RLE" not in kind and kind.startswith("image/") and "rle" not in kind:
        size = stream_size(response.content)
        assert (size.rows, size.columns) == (ds.Rows, ds.Columns)


@pytest.mark.parametrize("name", ["us_cine_native.dcm", "us_cine_jpeg.dcm"])
def test_frames_and_instance_agree_about_color(archive, name):
    _, ds = stored(archive, name)

    whole = read(archive.get(url_of(ds), Accept=DICOM + EXPLICIT).content)
    parts = parts_of(
        archive.get(url_of(ds) + "/frames/1-3", Accept='multipart/related; type="application/octet-stream"')
    )

    size = len(parts[0][1])
    assert whole.PhotometricInterpretation == "RGB"
    assert b"".join(part for _, part in parts) == whole.PixelData[: 3 * size]


def test_frames_are_asked_for_by_ranges_and_lists(archive):
    _, ds = stored(archive, "us_cine_native.dcm")
    expected = frames_as_stored(ds)

    parts = parts_of(archive.get(url_of(ds) + "/frames/4-5,1"))

    assert [part for _, part in parts] == [expected[3], expected[4], expected[0]]


@pytest.mark.parametrize("frames", ["3-1", "1-", "-3", "0-2", "1-2-3"])
def test_a_range_of_frames_that_is_none_is_refused(archive, frames):
    _, ds = stored(archive, "us_cine_native.dcm")

    assert archive.get(f"{url_of(ds)}/frames/{frames}").status_code == 400


def test_a_long_range_of_frames_is_refused_before_anything_is_counted_out(archive):
    _, ds = stored(archive, "us_cine_native.dcm")

    assert archive.get(f"{url_of(ds)}/frames/1-99999999").status_code == 413


def test_wildcards_as_dicomweb_client_sends_them(archive):
    ds = a_ct(seed="wildcard")
    archive.store(ds)

    response = archive.get(url_of(ds) + "/frames/1", Accept='multipart/related; type="*/*"; transfer-syntax=*')

    ((headers, part),) = parts_of(response)
    assert part == ds.PixelData
    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"


# --- byte ranges, ETags, HEAD -----------------------------------------------------------------------------------------


def single(node, ds):
    """The three things that have byte ranges, and what each of them is."""
    bulk = f"{url_of(ds)}/bulkdata/7FE00010"
    return [
        (url_of(ds), "application/dicom", node.get(url_of(ds), Accept="application/dicom").content),
        (url_of(ds) + "/frames/1", "application/octet-stream", ds.PixelData),
        (bulk, "application/octet-stream", ds.PixelData),
    ]


def test_byte_ranges_of_instances_frames_and_bulk_data(node):
    ds = a_ct()
    node.store(ds)

    for url, accept, whole in single(node, ds):
        one = node.get(url, Accept=accept, Range="bytes=100-199")
        several = node.get(url, Accept=accept, Range="bytes=0-9, -10")
        none = node.get(url, Accept=accept, Range=f"bytes={len(whole)}-")
        every = node.get(url, Accept=accept)

        assert (one.status_code, one.content) == (206, whole[100:200])
        assert one.headers["content-range"] == f"bytes 100-199/{len(whole)}"
        assert several.status_code == 206
        assert parse_media_type(several.headers["content-type"]).name == "multipart/byteranges"
        assert [part for _, part in parts_of(several)] == [whole[:10], whole[-10:]]
        assert parts_of(several)[0][0]["content-range"] == f"bytes 0-9/{len(whole)}"
        assert (none.status_code, none.headers["content-range"]) == (416, f"bytes */{len(whole)}")
        assert (every.status_code, every.headers["accept-ranges"], every.content) == (200, "bytes", whole)


def test_a_range_is_given_only_of_what_the_client_began_with(node):
    ds = a_ct()
    node.store(ds)

    for url, accept, whole in single(node, ds):
        etag = node.get(url, Accept=accept).headers["etag"]
        same = node.get(url, Accept=accept, Range="bytes=0-9", **{"If-Range": etag})
        other = node.get(url, Accept=accept, Range="bytes=0-9", **{"If-Range": '"other"'})

        assert (same.status_code, same.content) == (206, whole[:10])
        assert (other.status_code, other.content) == (200, whole)


@pytest.mark.parametrize("accept", ["application/dicom", "application/zip", "*/*", DICOM + JPEG_LS])
def test_a_client_that_has_an_instance_is_told_so(node, accept):
    ds = a_ct()
    node.store(ds)
    first = node.get(url_of(ds), Accept=accept)

    again = node.get(url_of(ds), Accept=accept, **{"If-None-Match": first.headers["etag"]})

    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]


def test_representations_have_etags_of_their_own(node):
    ds = a_ct()
    node.store(ds)
    accepts = ("application/dicom", DICOM + JPEG_LS, DICOM + J2K, "application/zip", "multipart/related")

    tags = [node.get(url_of(ds), Accept=accept).headers["etag"] for accept in accepts]

    assert all(a != b for a, b in pairwise(sorted(tags)))


def test_head_says_what_get_would_without_its_bytes(node):
    ds = a_ct()
    node.store(ds)
    with node.http() as client:
        for path in ("", "/frames/1", "/metadata", "/bulkdata/7FE00010", "/bulkdata", "/pixeldata", "/rendered"):
            got, asked = client.get(url_of(ds) + path), client.head(url_of(ds) + path)
            assert (asked.status_code, asked.content) == (200, b"")
            for name in ("content-type", "content-length", "etag"):
                if name != "content-type" or "boundary" not in got.headers[name]:
                    assert asked.headers.get(name) == got.headers.get(name), (path, name)
