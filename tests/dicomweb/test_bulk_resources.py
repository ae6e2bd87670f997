"""All bulk data, and all pixel data, of a study, series or instance (PS3.18 10.4.1.1.5, 10.4.1.1.6)."""

import pytest
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.pixels import pixel_array

from gateway.dicomweb.retrieve import bulkdata
from tests.dicomweb.test_retrieve import J2K, JPEG_LS, a_report
from tests.dicomweb.test_wado import EXPLICIT, frames_as_stored, parts_of, stored, url_of
from tests.support.builders import a_ct, a_ct_series, as_file

OCTETS = "application/octet-stream"
AS_STORED = f'multipart/related; type="{OCTETS}"; transfer-syntax=*'
BIG = bytes(range(256)) * 40


def levels_of(ds) -> list[str]:
    study = f"/dicom-web/studies/{ds.StudyInstanceUID}"
    return [study, f"{study}/series/{ds.SeriesInstanceUID}", url_of(ds)]


def uris_in(model) -> list[str]:
    """Return what metadata name as bulk data, in their order."""
    if isinstance(model, list):
        return [uri for one in model for uri in uris_in(one)]
    if not isinstance(model, dict):
        return []
    here = [model["BulkDataURI"]] if "BulkDataURI" in model else []
    return here + [uri for value in model.values() for uri in uris_in(value)]


def a_report_beside(ds):
    report = a_report(ds)
    report.SOPInstanceUID = f"{ds.SOPInstanceUID}.1"
    report.SeriesInstanceUID = f"{ds.SeriesInstanceUID}.1"
    return report


def put(node, *instances) -> None:
    assert node.store(*instances).status_code == 200


def with_private_values(ds):
    ds.add_new(0x00090010, "LO", "OURS")
    ds.add_new(0x00091001, "OB", BIG)
    inner = Dataset()
    inner.add_new(0x00090010, "LO", "OURS")
    inner.add_new(0x00091002, "OB", BIG[::-1])
    ds.add_new(0x00091003, "SQ", [inner])
    return ds


def a_video(seed: str, **attributes):
    video = a_ct(seed=seed, NumberOfFrames="1", **attributes)
    video.PixelData = encapsulate([b"\0\0\1\xb3 pretended MPEG"])
    video["PixelData"].VR = "OB"
    video["PixelData"].is_undefined_length = True
    return video


@pytest.mark.parametrize("level", [0, 1, 2])
def test_all_bulk_data_are_what_metadata_name_each_as_its_own_uri_gives_it(archive, level):
    ds = with_private_values(a_ct(seed="private values"))
    put(archive, ds, a_ct(seed="private values", instance=2), a_report_beside(ds))
    url = levels_of(ds)[level]

    response = archive.get(url + "/bulkdata")

    parts = parts_of(response)
    named = uris_in(archive.get(url + "/metadata").json())
    assert response.headers["content-type"].startswith(f'multipart/related; type="{OCTETS}"; boundary=')
    assert [headers["content-location"] for headers, _ in parts] == named
    assert len(named) == (3 if level == 2 else 4)
    for headers, content in parts:
        alone = archive.get(headers["content-location"].removeprefix(archive.url))
        assert (headers["content-type"], content) == (alone.headers["content-type"], alone.content)


def test_frames_among_bulk_data_are_parts_of_one_location_in_their_order(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")

    parts = parts_of(archive.get(url_of(ds) + "/bulkdata"))

    frames = [content.rstrip(b"\0") for headers, content in parts if headers["content-location"].endswith("/7FE00010")]
    assert frames == [frame.rstrip(b"\0") for frame in frames_as_stored(ds)]


@pytest.mark.parametrize(
    "name", ["ct_jpeg_ls.dcm", "ct_rle.dcm", "ct_htj2k.dcm", "ct_big_endian.dcm", "ct_deflated.dcm"]
)
def test_what_is_encoded_without_loss_is_decoded_unless_another_transfer_syntax_is_asked_for(node, name):
    _, ds = stored(node, name)
    native = pixel_array(ds).astype("<i2" if ds.PixelRepresentation else "<u2").tobytes()
    encapsulated = "big" not in name and "deflated" not in name
    asked = (
        (f'multipart/related; type="{OCTETS}"', native, EXPLICIT),
        (f'multipart/related; type="{OCTETS}"; transfer-syntax={EXPLICIT}', native, EXPLICIT),
        (AS_STORED, None, ds.file_meta.TransferSyntaxUID if encapsulated else EXPLICIT),
    )

    for path in ("/bulkdata", "/bulkdata/7FE00010"):
        for accept, expected, syntax in asked:
            ((headers, content),) = parts_of(node.get(url_of(ds) + path, Accept=accept))

            assert headers["content-type"] == f"{OCTETS}; transfer-syntax={syntax}"
            assert expected is None or content == expected
    assert node.get(url_of(ds) + "/bulkdata/7FE00010").content == native
    assert node.get(url_of(ds) + "/bulkdata/7FE00010", Accept=OCTETS).content == native


def test_what_may_have_lost_something_is_decoded_only_where_that_is_asked_for(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")
    accept = f'multipart/related; type="{OCTETS}"; transfer-syntax={EXPLICIT}'

    for path in ("/bulkdata", "/bulkdata/7FE00010"):
        ((_, content),) = parts_of(archive.get(url_of(ds) + path, Accept=accept))

        assert len(content) == ds.Rows * ds.Columns * ds.NumberOfFrames * ds.SamplesPerPixel
        assert len(parts_of(archive.get(url_of(ds) + path))) == ds.NumberOfFrames


def test_the_pixel_data_of_a_uri_come_frame_by_frame_in_the_media_type_that_is_asked_for(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")
    frames = [frame.rstrip(b"\0") for frame in frames_as_stored(ds)]
    url = url_of(ds) + "/bulkdata/7FE00010"

    as_stored, others = (
        parts_of(archive.get(url, Accept=f'multipart/related; type="{kind}"')) for kind in ("image/jpeg", "image/jls")
    )
    refused = archive.get(url_of(ds) + "/bulkdata/00100010", Accept='multipart/related; type="image/jpeg"')

    assert [content.rstrip(b"\0") for _, content in as_stored] == frames
    assert as_stored[0][0]["content-type"] == "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"
    assert len(others) == len(frames)
    assert others[0][0]["content-type"] == f"image/jls; transfer-syntax={JPEG_LS}"
    assert refused.status_code == 406


def test_bulk_data_that_cannot_be_decoded_come_as_they_are_stored_to_who_takes_them_so(archive):
    damaged = a_ct(seed="damaged")
    damaged.PixelData = encapsulate([b"\xff\xd8 no JPEG-LS at all"])
    damaged["PixelData"].VR = "OB"
    damaged["PixelData"].is_undefined_length = True
    put(archive, as_file(damaged, JPEG_LS))
    url = url_of(damaged) + "/bulkdata/7FE00010"

    as_it_is = archive.get(url)
    native = archive.get(url, Accept=f"{OCTETS}; transfer-syntax={EXPLICIT}")

    assert as_it_is.headers["content-type"] == f"{OCTETS}; transfer-syntax={JPEG_LS}"
    assert as_it_is.content.startswith(b"\xff\xd8 no JPEG-LS at all")
    assert native.status_code == 406


@pytest.mark.parametrize("name", ["ct_jpeg_ls.dcm", "ct_implicit_le.dcm", "ct_big_endian.dcm", "ct_deflated.dcm"])
def test_pixel_data_are_native_in_one_part_unless_another_transfer_syntax_is_asked_for(node, name):
    _, ds = stored(node, name)
    native = pixel_array(ds).astype("<i2" if ds.PixelRepresentation else "<u2").tobytes()

    for level in levels_of(ds)[1:]:
        response = node.get(level + "/pixeldata", Accept=f'multipart/related; type="{OCTETS}"')

        ((headers, content),) = parts_of(response)
        assert content == native
        assert headers["content-type"] == f"{OCTETS}; transfer-syntax={EXPLICIT}"
        assert headers["content-location"] == f"{node.url}{url_of(ds)}/bulkdata/7FE00010"


def test_encoded_frames_are_a_part_each_stored_ones_as_they_are(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")
    frames = [frame.rstrip(b"\0") for frame in frames_as_stored(ds)]

    for accept, kind in (
        (AS_STORED, "transfer-syntax=1.2.840.10008.1.2.4.50"),
        ("*/*", "image/jpeg"),
        ('multipart/related; type="image/jls"', "image/jls"),
    ):
        parts = parts_of(archive.get(url_of(ds) + "/pixeldata", Accept=accept))

        assert len(parts) == len(frames)
        assert all(kind in headers["content-type"] for headers, _ in parts)
        assert ([content.rstrip(b"\0") for _, content in parts] == frames) == (kind != "image/jls")


def test_what_cannot_be_had_as_asked_comes_as_it_is_stored_and_does_not_stop_the_others(archive):
    good, damaged = a_ct_series(2, seed="mixed")
    damaged.PixelData = encapsulate([b"\xff\xd8 no JPEG-LS at all"])
    damaged["PixelData"].VR = "OB"
    damaged["PixelData"].is_undefined_length = True
    video = a_video("mixed", instance=3)
    video_file = as_file(video, "1.2.840.10008.1.2.4.102")
    put(archive, good, as_file(damaged, JPEG_LS), video_file, a_report_beside(good))
    study = levels_of(good)[0]

    native = parts_of(archive.get(study + "/pixeldata"))
    made = parts_of(
        archive.get(study + "/pixeldata", Accept=f'multipart/related; type="image/jp2"; transfer-syntax={J2K}')
    )

    syntaxes = [headers["content-type"].partition("=")[2] for headers, _ in native]
    assert syntaxes == [EXPLICIT, JPEG_LS, "1.2.840.10008.1.2.4.102"]
    assert native[0][1] == good.PixelData
    assert [headers["content-type"].partition(";")[0] for headers, _ in made] == ["image/jp2", OCTETS, OCTETS]
    assert native[1:] == made[1:]


def test_a_stored_video_is_one_part(archive):
    video = a_video("a video alone")
    put(archive, as_file(video, "1.2.840.10008.1.2.4.102"))

    ((headers, content),) = parts_of(archive.get(url_of(video) + "/pixeldata"))

    assert headers["content-type"] == "video/mp4; transfer-syntax=1.2.840.10008.1.2.4.102"
    assert content.startswith(b"\0\0\1\xb3 pretended MPEG")


def test_where_there_are_none_nothing_is_found(archive):
    report = a_report_beside(a_ct(seed="no pixels at all"))
    put(archive, report)

    for level in levels_of(report):
        for what in ("bulk", "pixel"):
            response = archive.get(f"{level}/{what}data")

            assert (response.status_code, response.headers["content-type"]) == (404, "application/problem+json")
            assert f"{what} data" in response.json()["detail"]
    assert archive.get("/dicom-web/studies/1.2.3.4.5/bulkdata").status_code == 404


@pytest.mark.parametrize("what", ["bulkdata", "pixeldata"])
def test_what_is_not_on_offer_is_refused_with_what_is(archive, what):
    ds = a_ct()
    put(archive, ds)

    for level in levels_of(ds):
        refused = archive.get(f"{level}/{what}", Accept=OCTETS)  # they are never a part alone
        asked = archive.get(f"{level}/{what}?accept=multipart/related", Accept="text/html")

        assert refused.status_code == 406
        assert f'multipart/related; type="{OCTETS}"; transfer-syntax=' in refused.json()["detail"]
        assert asked.status_code == 200


def test_a_client_that_has_them_is_told_so(archive):
    ds = a_ct(seed="known")
    put(archive, ds)
    tags = set()

    for level in levels_of(ds)[:2]:
        for what, accept in (
            ("bulkdata", "*/*"),
            ("pixeldata", "*/*"),
            ("pixeldata", 'multipart/related; type="image/jls"'),
        ):
            tag = archive.get(f"{level}/{what}", Accept=accept).headers["etag"]
            known = archive.get(f"{level}/{what}", Accept=accept, **{"If-None-Match": tag})

            assert (known.status_code, known.content) == (304, b"")
            tags.add(tag)
    put(archive, a_ct(seed="known", instance=2))
    assert len(tags) == 3  # the series is the whole study
    assert archive.get(levels_of(ds)[0] + "/bulkdata").headers["etag"] not in tags


def test_who_has_a_decoded_value_is_told_so_without_decoding_it_again(node, monkeypatch):
    _, ds = stored(node, "ct_jpeg_ls.dcm")
    url = url_of(ds) + "/bulkdata/7FE00010"
    first = node.get(url)
    made: list[object] = []
    monkeypatch.setattr(bulkdata, "_made", made.append)

    again = node.get(url, **{"If-None-Match": first.headers["etag"]})

    assert (first.status_code, first.headers["content-type"]) == (200, f"{OCTETS}; transfer-syntax={EXPLICIT}")
    assert (again.status_code, again.content, made) == (304, b"", [])
    assert again.headers["etag"] == first.headers["etag"]


def test_dicomweb_client_reads_them(archive):
    ds = with_private_values(a_ct(seed="for a client"))
    put(archive, ds)
    client = archive.dicomweb()

    for level in levels_of(ds):
        assert client.retrieve_bulkdata(f"{archive.url}{level}/bulkdata") == [BIG, BIG[::-1], ds.PixelData]
        assert client.retrieve_bulkdata(f"{archive.url}{level}/pixeldata") == [ds.PixelData]
