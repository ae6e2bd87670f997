"""WADO-RS against a running node: instances and frames come back as they were sent, pictures are drawn."""

import io
import json
import re
import socket
import threading
from itertools import pairwise
from pathlib import Path

import numpy as np
import pydicom
import pytest
from PIL import Image
from pydicom.encaps import generate_frames
from pydicom.pixels import pixel_array

from gateway.dicomweb.http.media import parse_media_type
from gateway.dicomweb.http.multipart import MultipartParser, PartBegin, PartData, boundary_of
from kernel.dicom.scanning.part10 import read_file_meta
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes, as_file

FIXTURES = Path(__file__).parents[2] / "fixtures" / "dicom"
CORNERSTONE = "multipart/related; type=application/octet-stream; transfer-syntax=*"
EXPLICIT = "1.2.840.10008.1.2.1"
STORABLE = sorted(
    entry["name"]
    for entry in json.loads((FIXTURES / "manifest.json").read_text(encoding="utf-8"))
    if "refused" not in entry
)
WITH_FRAMES = [name for name in STORABLE if name != "pdf_report.dcm"]


def parts_of(response):
    """(headers, content) of every part of a multipart answer."""
    media_type = parse_media_type(response.headers["content-type"])
    parser, parts = MultipartParser(boundary_of(media_type)), []
    for event in parser.feed(response.content):
        match event:
            case PartBegin(headers):
                parts.append((headers, bytearray()))
            case PartData(data):
                parts[-1][1].extend(data)
    parser.finish()
    return [(headers, bytes(content)) for headers, content in parts]


def url_of(ds) -> str:
    return f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/{ds.SOPInstanceUID}"


def stored(node, name: str):
    """A fixture that the node has, as bytes and as pydicom reads it."""
    content = (FIXTURES / name).read_bytes()
    assert node.store(content).status_code == 200
    return content, pydicom.dcmread(io.BytesIO(content))


def dataset_of(file: bytes) -> bytes:
    return file[read_file_meta(file).dataset_offset :]


# --- instances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STORABLE)
def test_what_was_stored_comes_back_with_the_same_data_set(node, name):
    content, ds = stored(node, name)

    single = node.get(url_of(ds), Accept="application/dicom; transfer-syntax=*")
    asked = 'multipart/related; type="application/dicom"; transfer-syntax=*'
    ((headers, part),) = parts_of(node.get(url_of(ds), Accept=asked))

    syntax = ds.file_meta.TransferSyntaxUID
    assert single.headers["content-type"] == f"application/dicom; transfer-syntax={syntax}"
    assert single.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert dataset_of(single.content) == dataset_of(part) == dataset_of(content)
    assert headers["content-type"] == f"application/dicom; transfer-syntax={syntax}"
    assert pydicom.dcmread(io.BytesIO(part)).file_meta.TransferSyntaxUID == syntax


def test_a_study_and_a_series_come_whole(node):
    slices = list(a_ct_series(5))
    node.store(*slices)
    study = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"

    for path in (study, f"{study}/series/{slices[0].SeriesInstanceUID}"):
        response = node.get(path)
        found = {pydicom.dcmread(io.BytesIO(part)).SOPInstanceUID: dataset_of(part) for _, part in parts_of(response)}
        assert int(response.headers["content-length"]) == len(response.content)
        assert found == {ds.SOPInstanceUID: as_dataset_bytes(ds) for ds in slices}


@pytest.mark.parametrize("what", ["study", "series", "instance", "frame"])
def test_what_is_not_there_is_not_found(archive, what):
    ds = a_ct()
    archive.store(ds)
    path = {
        "study": "/dicom-web/studies/1.2.3",
        "series": f"/dicom-web/studies/{ds.StudyInstanceUID}/series/1.2.3",
        "instance": f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}/instances/1.2.3",
        "frame": url_of(ds) + "/frames/2",
    }[what]

    response = archive.get(path)

    assert response.status_code == 404
    assert response.json()["code"] == "NotFound"


def test_an_instance_under_another_series_or_study_is_not_found(node):
    first, second = a_ct(seed="one"), a_ct(seed="two")
    node.store(first, second)
    path = f"/dicom-web/studies/{first.StudyInstanceUID}/series/{first.SeriesInstanceUID}/instances/"

    assert node.get(path + second.SOPInstanceUID).status_code == 404
    assert node.get(path + second.SOPInstanceUID + "/frames/1").status_code == 404


def test_a_slow_reader_gets_the_whole_study_in_bounded_memory(node):
    big = list(a_ct_series(40, rows=1024, columns=1024))  # 80 MB
    for ds in big:
        node.store(ds)
    host, port = node.url.removeprefix("http://").split(":")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    before = resident_kib("VmRSS")
    with socket.create_connection((host, int(port)), timeout=20) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        request = f"GET /dicom-web/studies/{big[0].StudyInstanceUID} HTTP/1.1\r\nHost: {host}:{port}\r\n"
        connection.sendall((request + f"Authorization: Bearer {node.token}\r\nConnection: close\r\n\r\n").encode())
        threading.Event().wait(0.5)  # nobody reads: the node must not read on either
        stalled = resident_kib("VmHWM") - before
        total = 0
        while chunk := connection.recv(65536):
            total += len(chunk)

    assert total > 80 * 2**20
    assert stalled < 20 * 1024
    assert resident_kib("VmHWM") - before < 40 * 1024


def resident_kib(field: str) -> int:
    found = re.search(rf"{field}:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    assert found
    return int(found[1])


# --- frames -----------------------------------------------------------------------------------------------------------


def frames_as_stored(ds) -> list[bytes]:
    """The frames by pydicom's own reckoning."""
    count = int(ds.get("NumberOfFrames", 1))
    if ds.file_meta.TransferSyntaxUID.is_compressed and not ds.file_meta.TransferSyntaxUID.is_deflated:
        table = (
            {"extended_offsets": (ds.ExtendedOffsetTable, ds.ExtendedOffsetTableLengths)}
            if "ExtendedOffsetTable" in ds
            else {}
        )
        return list(generate_frames(ds.PixelData, number_of_frames=count, **table))
    samples = pixel_array(ds, raw=True).reshape(count, -1)
    if ds.BitsAllocated == 1:
        return [np.packbits(frame, bitorder="little").tobytes() for frame in samples]
    if ds.get("PlanarConfiguration") == 1:
        size = len(ds.PixelData) // count
        return [ds.PixelData[start : start + size] for start in range(0, size * count, size)]
    return [frame.astype(frame.dtype.newbyteorder("<")).tobytes() for frame in samples]


@pytest.mark.parametrize("name", WITH_FRAMES)
def test_every_frame_comes_as_it_is_stored(node, name):
    _, ds = stored(node, name)
    count = int(ds.get("NumberOfFrames", 1))
    numbers = ",".join(str(number) for number in range(1, count + 1))

    response = node.get(f"{url_of(ds)}/frames/{numbers}", Accept=CORNERSTONE)

    syntax = ds.file_meta.TransferSyntaxUID
    given = syntax if syntax.is_compressed and not syntax.is_deflated else EXPLICIT
    outer = parse_media_type(response.headers["content-type"])
    parts = parts_of(response)
    assert outer.parameters["transfer-syntax"] == given
    assert [headers["content-type"] for headers, _ in parts] == [
        f"application/octet-stream; transfer-syntax={given}"
    ] * count
    for (_, part), expected in zip(parts, frames_as_stored(ds), strict=True):
        assert part.rstrip(b"\0") == expected.rstrip(b"\0")


@pytest.mark.parametrize(
    "name", ["ct_rle.dcm", "ct_jpeg_ls.dcm", "ct_jpeg_2000.dcm", "ct_jpeg_lossless.dcm", "ct_htj2k.dcm"]
)
def test_a_compressed_frame_is_decoded_for_a_client_that_wants_native_samples(archive, name):
    _, ds = stored(archive, name)

    ((headers, part),) = parts_of(
        archive.get(url_of(ds) + "/frames/1", Accept='multipart/related; type="application/octet-stream"')
    )

    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={EXPLICIT}"
    assert part == pixel_array(ds).astype("<u2" if ds.PixelRepresentation == 0 else "<i2").tobytes()


@pytest.mark.parametrize(
    ("name", "accept", "kind"),
    [
        ("us_cine_jpeg.dcm", "image/jpeg", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.50"),
        ("ct_jpeg_2000.dcm", "image/*", "image/jp2; transfer-syntax=1.2.840.10008.1.2.4.90"),
        ("ct_jpeg_ls.dcm", "image/jls", "image/jls; transfer-syntax=1.2.840.10008.1.2.4.80"),
        ("ct_explicit_le.dcm", "application/octet-stream", f"application/octet-stream; transfer-syntax={EXPLICIT}"),
        ("ct_rle.dcm", "application/octet-stream", f"application/octet-stream; transfer-syntax={EXPLICIT}"),
    ],
)
def test_one_frame_comes_as_a_single_part_when_asked(node, name, accept, kind):
    _, ds = stored(node, name)

    response = node.get(url_of(ds) + "/frames/1", Accept=accept)

    assert response.status_code == 200
    assert response.headers["content-type"] == kind
    if accept == "image/jpeg":
        assert Image.open(io.BytesIO(response.content)).size == (ds.Columns, ds.Rows)


@pytest.mark.parametrize(
    ("frames", "accept", "status"),
    [
        ("1,2", "image/jpeg", 406),
        ("1", "image/png", 406),
        ("1", "image/jpeg; transfer-syntax=1.2.840.10008.1.2.4.90", 406),
        ("0", "*/*", 400),
        ("1,,2", "*/*", 400),
        ("x", "*/*", 400),
        ("²", "*/*", 400),
        ("6", "*/*", 404),
        ("1" + ",1" * 1000, "*/*", 413),
        ("1" * 20, "*/*", 400),
    ],
)
def test_frames_that_cannot_be_given_are_refused(archive, frames, accept, status):
    _, ds = stored(archive, "us_cine_jpeg.dcm")

    assert archive.get(f"{url_of(ds)}/frames/{frames}", Accept=accept).status_code == status


def test_frames_come_in_the_order_asked_and_may_repeat(archive):
    _, ds = stored(archive, "us_cine_native.dcm")
    expected = frames_as_stored(ds)

    parts = parts_of(archive.get(url_of(ds) + "/frames/3,1,3"))

    assert [part for _, part in parts] == [expected[2], expected[0], expected[2]]


def test_an_instance_without_pixels_has_no_frames(archive):
    _, ds = stored(archive, "pdf_report.dcm")

    response = archive.get(url_of(ds) + "/frames/1")

    assert response.status_code == 404
    assert response.json()["code"] == "NoPixelData"
    assert "no pixel data" in response.json()["detail"]


def test_a_large_frame_is_streamed(node):
    ds = a_ct(rows=2048, columns=2048)
    node.store(ds)

    ((_, part),) = parts_of(node.get(url_of(ds) + "/frames/1"))

    assert part == ds.PixelData


def test_frames_of_a_revoked_token_are_not_served_from_memory(node):
    ds = a_ct()
    node.store(ds)
    token = node.a_token("dicomweb:read")
    assert node.get(url_of(ds) + "/frames/1", token).status_code == 200

    node.access.tokens.revoke(token.split("_")[1], by="test")

    assert node.get(url_of(ds) + "/frames/1", token).status_code == 401


# --- pictures ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/rendered", "/frames/1/rendered", "/thumbnail", "/frames/1/thumbnail"])
@pytest.mark.parametrize("kind", ["image/jpeg", "image/png"])
def test_a_picture_is_drawn(archive, path, kind):
    _, ds = stored(archive, "us_cine_jpeg.dcm")

    response = archive.get(url_of(ds) + path, Accept=kind)

    picture = Image.open(io.BytesIO(response.content))
    assert response.headers["content-type"] == kind
    assert picture.format == kind.removeprefix("image/").upper()
    assert picture.size == (ds.Columns, ds.Rows)


def test_study_and_series_have_thumbnails_of_one_of_their_instances(node):
    slices = list(a_ct_series(3, rows=512, columns=256))
    node.store(*slices)
    study = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"

    for path in (study, f"{study}/series/{slices[0].SeriesInstanceUID}"):
        picture = Image.open(io.BytesIO(node.get(path + "/thumbnail").content))
        assert picture.size == (64, 128)


def test_window_viewport_and_quality_are_obeyed(node):
    ds = a_ct(rows=256, columns=256)
    node.store(ds)

    def picture(query: str) -> bytes:
        return node.get(f"{url_of(ds)}/rendered?{query}").content

    assert Image.open(io.BytesIO(picture("viewport=64,64"))).size == (64, 64)
    assert len(picture("quality=5")) < len(picture("quality=95"))
    assert Image.open(io.BytesIO(picture("viewport=512,700"))).size == (512, 512)
    assert Image.open(io.BytesIO(picture("viewport=32,32,0,0,-128,64"))).size == (32, 16)
    dark = np.asarray(Image.open(io.BytesIO(picture("window=3000,10,linear&accept=image/png"))))
    bright = np.asarray(Image.open(io.BytesIO(picture("window=-3000,10,linear&accept=image/png"))))
    assert dark.max() == 0
    assert bright.min() == 255


@pytest.mark.parametrize(
    "query",
    [
        "window=a,b", "window=1", "window=1,0", "window=1,2,gauss", "window=1,2,linear,x", "viewport=0,1",
        "viewport=99999,1", "viewport=1,1,2,2,3,3,4", "viewport=x", "viewport=1,1,-1,0", "viewport=1,1,0,0,0,5", "viewport=,1",
        "viewport=1", "viewport=1,1,1000,0", "annotation=name", "iccprofile=adobergb", "quality=0", "quality=101", "quality=x",
    ],
)  # fmt: skip
def test_parameters_of_a_picture_that_cannot_be_are_refused(archive, query):
    ds = a_ct()
    archive.store(ds)

    response = archive.get(f"{url_of(ds)}/rendered?{query}")

    assert response.status_code == 400
    assert response.json()["code"] == "InvalidRequest"


# --- dicomweb-client --------------------------------------------------------------------------------------------------


def test_dicomweb_client_reads_a_study_back(node):
    slices = list(a_ct_series(4))
    node.store(*slices)
    client, study, series = node.dicomweb(), slices[0].StudyInstanceUID, slices[0].SeriesInstanceUID

    whole = client.retrieve_study(study)
    one_series = client.retrieve_series(study, series)
    instance = client.retrieve_instance(study, series, slices[2].SOPInstanceUID)
    metadata = client.retrieve_series_metadata(study, series)
    frames = client.retrieve_instance_frames(study, series, slices[1].SOPInstanceUID, [1])
    drawn = client.retrieve_instance_rendered(study, series, slices[1].SOPInstanceUID)

    assert {ds.SOPInstanceUID for ds in whole} == {ds.SOPInstanceUID for ds in one_series}
    assert len(whole) == len(metadata) == 4
    assert str(instance.PatientName) == "Nguyễn^Thị Hương"
    assert instance.PixelData == slices[2].PixelData
    assert frames == [slices[1].PixelData]
    assert drawn[:2] == b"\xff\xd8"
    numbers = [item["00200013"]["Value"][0] for item in metadata]
    assert all(a < b for a, b in pairwise(numbers))


def test_bulk_data_are_read_by_the_uri_that_the_metadata_name(node):
    ds = a_ct()
    ds.add_new(0x00091001, "OB", bytes(range(256)) * 40)
    ds.add_new(0x00090010, "LO", "VIENANH TEST")
    content = as_file(ds)
    node.store(content)
    client = node.dicomweb()

    for metadata in (
        client.retrieve_instance_metadata(ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID),
        client.retrieve_series_metadata(ds.StudyInstanceUID, ds.SeriesInstanceUID)[0],
        client.retrieve_study_metadata(ds.StudyInstanceUID)[0],
    ):
        private, pixels = metadata["00091001"]["BulkDataURI"], metadata["7FE00010"]["BulkDataURI"]
        assert private == f"{node.url}{url_of(ds)}/bulkdata/00091001"
        assert client.retrieve_bulkdata(private) == [bytes(range(256)) * 40]
        assert client.retrieve_bulkdata(pixels) == [ds.PixelData]


@pytest.mark.parametrize("path", ["00081199", "00100010/0/00100020", "nothing", "0009", "7FE00010/0", "0" * 2000])
def test_bulk_data_that_are_not_there_are_not_found(archive, path):
    ds = a_ct()
    archive.store(ds)

    assert archive.get(f"{url_of(ds)}/bulkdata/{path}").status_code == 404


def test_encapsulated_pixel_data_come_frame_by_frame_as_bulk_data(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")

    parts = parts_of(archive.get(url_of(ds) + "/bulkdata/7FE00010", Accept="multipart/related"))
    refused = archive.get(url_of(ds) + "/bulkdata/7FE00010", Accept="application/octet-stream")

    assert [part.rstrip(b"\0") for _, part in parts] == [frame.rstrip(b"\0") for frame in frames_as_stored(ds)]
    assert refused.status_code == 406
