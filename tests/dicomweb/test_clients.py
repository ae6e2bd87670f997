"""Clients as they come: dicomweb-client with its defaults, wsidicom, and the requests that OHIF and Cornerstone3D send."""

import io
from pathlib import Path

import numpy as np
import pydicom
import pytest
import requests
from dicomweb_client.api import DICOMwebClient
from PIL import Image
from pydicom.pixels import pixel_array
from wsidicom import WsiDicom, WsiDicomWebClient

from gateway.dicomweb.http.media import parse_media_type
from tests.dicomweb.conftest import Node
from tests.dicomweb.test_wado import frames_as_stored, parts_of, stored, url_of
from tests.support.builders import a_ct, a_ct_series

EXPLICIT, JPEG_LS, J2K = "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.80", "1.2.840.10008.1.2.4.90"
CORNERSTONE = "multipart/related; type=application/octet-stream; transfer-syntax=*"


# --- dicomweb-client --------------------------------------------------------------------------------------------------


def test_everything_that_dicomweb_client_iterates_over(node):
    slices = list(a_ct_series(4))
    node.store(*slices)
    client, study, series = node.dicomweb(), slices[0].StudyInstanceUID, slices[0].SeriesInstanceUID
    first = slices[0].SOPInstanceUID

    uids = {ds.SOPInstanceUID for ds in slices}
    pixels = client.retrieve_instance_metadata(study, series, first)["7FE00010"]["BulkDataURI"]

    assert {ds.SOPInstanceUID for ds in client.iter_study(study)} == uids
    assert {ds.SOPInstanceUID for ds in client.iter_series(study, series)} == uids
    assert list(client.iter_instance_frames(study, series, first, [1])) == [slices[0].PixelData]
    assert list(client.iter_bulkdata(pixels)) == [slices[0].PixelData]
    assert len(client.retrieve_study_metadata(study)) == len(client.retrieve_series_metadata(study, series)) == 4


@pytest.mark.parametrize(
    "name", ["us_cine_jpeg.dcm", "ct_jpeg_ls.dcm", "ct_htj2k.dcm", "ct_rle.dcm", "ct_deflated.dcm"]
)
def test_dicomweb_client_gets_compressed_instances_as_they_are_stored_or_decoded(node, name):
    _, ds = stored(node, name)
    client, as_stored = node.dicomweb(), (("application/dicom", "*"),)
    uids = ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID

    instance = client.retrieve_instance(*uids)  # asks for `*`
    (starred,) = client.retrieve_series(*uids[:2], media_types=as_stored)
    (plain,) = client.retrieve_study(uids[0])  # asks for nothing: Explicit VR Little Endian

    for found in (instance, starred):
        assert found.file_meta.TransferSyntaxUID == ds.file_meta.TransferSyntaxUID
        assert found.PixelData == ds.PixelData
    assert plain.file_meta.TransferSyntaxUID == EXPLICIT
    difference = np.abs(plain.pixel_array.astype(int) - pixel_array(ds).astype(int))
    assert difference.mean() < 1 if "jpeg.dcm" in name else not difference.any()  # decoders of lossy JPEG may differ


def test_dicomweb_client_asks_for_transfer_syntaxes(node):
    ds = a_ct()
    node.store(ds)
    client, uids = node.dicomweb(), (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)

    instance = client.retrieve_instance(*uids, media_types=(("application/dicom", JPEG_LS),))
    series = client.retrieve_series(*uids[:2], media_types=(("application/dicom", J2K),))
    (frame,) = client.retrieve_instance_frames(*uids, [1], media_types=(("image/jls", JPEG_LS),))

    assert instance.file_meta.TransferSyntaxUID == JPEG_LS
    assert series[0].file_meta.TransferSyntaxUID == J2K
    assert frame[:2] == b"\xff\xd8"


def test_dicomweb_client_gets_pictures(archive):
    _, ds = stored(archive, "us_cine_native.dcm")
    client, uids = archive.dicomweb(), (ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID)

    for media_type in ("image/jpeg", "image/png", "image/gif", "image/jp2"):
        one = client.retrieve_instance_rendered(*uids, media_types=(media_type,))
        frame = client.retrieve_instance_frames_rendered(*uids, [2], media_types=(media_type,))
        for picture in (one, frame):
            assert Image.open(io.BytesIO(picture)).size == (ds.Columns, ds.Rows)
    small = client.retrieve_instance_rendered(*uids, params={"viewport": "16,16"})
    assert max(Image.open(io.BytesIO(small)).size) == 16


# --- OHIF and Cornerstone3D -------------------------------------------------------------------------------------------


def test_cornerstone_finds_the_transfer_syntax_outside_and_inside(archive):
    _, ds = stored(archive, "ct_htj2k.dcm")

    response = archive.get(url_of(ds) + "/frames/1", Accept=CORNERSTONE)

    syntax = ds.file_meta.TransferSyntaxUID
    ((headers, part),) = parts_of(response)
    assert parse_media_type(response.headers["content-type"]).parameters["transfer-syntax"] == syntax
    assert headers["content-type"] == f"application/octet-stream; transfer-syntax={syntax}"
    assert part == frames_as_stored(ds)[0]
    assert "content-encoding" not in response.headers


def test_cornerstone_loads_a_frame_in_steps_by_ranges_of_the_multipart_message(archive):
    ds = a_ct(seed="in steps", rows=256, columns=256)
    archive.store(ds)
    url = url_of(ds) + "/frames/1"
    whole = archive.get(url, Accept=CORNERSTONE)

    first = archive.get(url, Accept=CORNERSTONE, Range="bytes=0-65535")
    rest = archive.get(url, Accept=CORNERSTONE, Range="bytes=65536-", **{"If-Range": first.headers["etag"]})

    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["content-range"] == f"bytes 0-65535/{len(whole.content)}"
    assert first.content + rest.content == whole.content


def test_ohif_reads_a_series_with_one_request_and_its_thumbnails(node):
    slices = list(a_ct_series(3))
    node.store(*slices)
    study = f"/dicom-web/studies/{slices[0].StudyInstanceUID}"
    series = f"{study}/series/{slices[0].SeriesInstanceUID}"

    items = node.get(f"{series}/metadata", Accept="application/dicom+json").json()
    picture = node.get(url_of(slices[1]) + "/rendered", Accept="image/jpeg")
    thumbnail = node.get(f"{series}/thumbnail", Accept="image/jpeg")

    assert [item["00080018"]["Value"][0] for item in items] == [ds.SOPInstanceUID for ds in slices]
    assert items[0]["7FE00010"]["BulkDataURI"].startswith(node.url)
    assert picture.headers["content-type"] == thumbnail.headers["content-type"] == "image/jpeg"


def test_openseadragon_gets_tiles_as_single_jpegs(archive):
    _, ds = stored(archive, "us_cine_jpeg.dcm")

    response = archive.get(url_of(ds) + "/frames/2", Accept="image/jpeg")

    assert Image.open(io.BytesIO(response.content)).size == (ds.Columns, ds.Rows)


# --- wsidicom ---------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def slide(archive: Node, samples: Path) -> list[pydicom.Dataset]:
    """The levels of a real slide, stored; the largest are left out."""
    paths = sorted(samples.glob("wsi-cmu1-dicom/*.dcm"), key=lambda path: path.stat().st_size)
    found = [path for path in paths if path.stat().st_size < 30_000_000]
    for path in found:
        assert archive.store(path.read_bytes()).status_code == 200
    return [pydicom.dcmread(path, stop_before_pixels=True) for path in found]


@pytest.mark.filterwarnings("ignore:No bulk data URI handler")
def test_wsidicom_opens_a_slide_over_the_web(archive, slide, samples):
    session = requests.Session()
    session.headers["Authorization"] = f"Bearer {archive.token}"
    client = WsiDicomWebClient(DICOMwebClient(archive.url + "/dicom-web", session=session))

    with WsiDicom.open_web(client, slide[0].StudyInstanceUID, slide[0].SeriesInstanceUID) as opened:
        level = opened.levels[0]
        thumbnail = opened.read_thumbnail((200, 200))
        tile = opened.read_tile(level.level, (0, 0))

    assert np.asarray(thumbnail).std() > 1
    assert tile.size == (level.tile_size.width, level.tile_size.height)
