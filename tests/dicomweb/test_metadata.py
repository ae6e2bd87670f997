"""WADO-RS metadata against a running node: the same as pydicom says, compressed once, told apart by ETag."""

import gzip
import io
import json

import pydicom
import pytest
import zstandard

from gateway.dicomweb.http.conditional import is_known
from gateway.dicomweb.http.content_coding import chosen, coded
from kernel.archive.derived import metadata as archive_metadata
from tests.dicomweb.test_wado import FIXTURES, parts_of
from tests.support.builders import a_ct, a_ct_series

JSON = "application/dicom+json; transfer-syntax="


def series_url(ds) -> str:
    return f"/dicom-web/studies/{ds.StudyInstanceUID}/series/{ds.SeriesInstanceUID}"


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_metadata_are_what_pydicom_says_of_the_instance(node, level):
    ds = a_ct()
    node.store(ds)
    path = {
        "study": f"/dicom-web/studies/{ds.StudyInstanceUID}/metadata",
        "series": f"{series_url(ds)}/metadata",
        "instance": f"{series_url(ds)}/instances/{ds.SOPInstanceUID}/metadata",
    }[level]

    response = node.get(path)

    (found,) = response.json()
    expected = json.loads(
        pydicom.Dataset(ds).to_json(bulk_data_threshold=4096, bulk_data_element_handler=lambda _: "x")
    )
    pixels = found.pop("7FE00010")
    expected.pop("7FE00010")
    assert response.headers["content-type"] == "application/dicom+json"
    assert found == expected
    assert pixels == {
        "vr": "OW",
        "BulkDataURI": f"{node.url}{series_url(ds)}/instances/{ds.SOPInstanceUID}/bulkdata/7FE00010",
    }


def test_a_series_comes_as_it_was_compressed_or_plain_as_the_client_likes(node):
    slices = list(a_ct_series(4))
    node.store(*slices)
    with node.http() as client:
        url = f"{series_url(slices[0])}/metadata"
        with client.stream("GET", url, headers={"Accept-Encoding": "gzip"}) as packed:
            raw = b"".join(packed.iter_raw())
        plain = client.get(url, headers={"Accept-Encoding": "identity"})

    assert packed.headers["content-encoding"] == "gzip"
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(raw) == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert packed.headers["vary"] == "Accept, Accept-Encoding, Authorization, Cookie"
    assert len(plain.json()) == 4


def test_a_client_that_has_the_answer_is_told_so_until_an_instance_is_added(node):
    first, second = a_ct_series(2)
    node.store(first)
    url = f"{series_url(first)}/metadata"
    etag = node.get(url).headers["etag"]

    known = node.get(url, **{"If-None-Match": f'"other", W/{etag}'})
    node.store(second)
    changed = node.get(url, **{"If-None-Match": etag})

    assert (known.status_code, known.content, known.headers["etag"]) == (304, b"", etag)
    assert (changed.status_code, len(changed.json())) == (200, 2)


def test_what_is_too_large_to_fold_comes_in_pieces(node, monkeypatch):
    slices = list(a_ct_series(5))
    node.store(*slices)
    monkeypatch.setattr(archive_metadata, "FOLD_INSTANCES_MAX", 2)
    monkeypatch.setattr(archive_metadata, "PIECE_INSTANCES", 2)

    for path in (series_url(slices[0]), f"/dicom-web/studies/{slices[0].StudyInstanceUID}"):
        response = node.get(path + "/metadata")
        assert response.headers["transfer-encoding"] == "chunked"
        assert [item["00200013"]["Value"][0] for item in response.json()] == [1, 2, 3, 4, 5]


def test_names_come_as_utf_8_whatever_they_were_stored_in(node):
    node.store(a_ct(SpecificCharacterSet="ISO_IR 192", PatientName="Đặng^Thị Hương"))
    ds = a_ct()

    (found,) = node.get(f"{series_url(ds)}/metadata").json()

    assert found["00080005"]["Value"] == ["ISO_IR 192"]
    assert found["00100010"]["Value"] == [{"Alphabetic": "Đặng^Thị Hương"}]


@pytest.mark.parametrize("path", ["", "/series/1.2.3", "/series/1.2.3/instances/1.2.4"])
def test_metadata_of_what_is_not_there_are_not_found(node, path):
    ds = a_ct()
    node.store(ds)

    assert node.get(f"/dicom-web/studies/1.2{path}/metadata").status_code == 404
    if path:
        assert node.get(f"/dicom-web/studies/{ds.StudyInstanceUID}{path}/metadata").status_code == 404


@pytest.mark.parametrize("level", ["study", "series", "instance"])
def test_metadata_come_as_xml_one_part_for_each_instance(node, level):
    slices = list(a_ct_series(3))
    node.store(*slices)
    path = {
        "study": f"/dicom-web/studies/{slices[0].StudyInstanceUID}/metadata",
        "series": f"{series_url(slices[0])}/metadata",
        "instance": f"{series_url(slices[0])}/instances/{slices[0].SOPInstanceUID}/metadata",
    }[level]

    response = node.get(path, Accept='multipart/related; type="application/dicom+xml"')

    expected = slices[:1] if level == "instance" else slices
    parts = parts_of(response)
    assert [headers["content-type"] for headers, _ in parts] == ["application/dicom+xml"] * len(expected)
    for (_, part), ds in zip(parts, expected, strict=True):
        assert f'<Value number="1">{ds.SOPInstanceUID}</Value>'.encode() in part
        assert f'{ds.SOPInstanceUID}/bulkdata/7FE00010"'.encode() in part
    again = node.get(
        path, Accept='multipart/related; type="application/dicom+xml"', **{"If-None-Match": response.headers["etag"]}
    )
    assert again.status_code == 304


def test_metadata_in_a_transfer_syntax_tell_of_its_colors(node):
    content = (FIXTURES / "us_cine_jpeg.dcm").read_bytes()
    ds = pydicom.dcmread(io.BytesIO(content))
    node.store(content)
    url = f"{series_url(ds)}/metadata"

    def color(accept: str) -> str:
        return node.get(url, Accept=accept).json()[0]["00280004"]["Value"][0]

    stored = ds.PhotometricInterpretation
    assert color("application/dicom+json") == color(f"{JSON}{ds.file_meta.TransferSyntaxUID}") == stored
    assert color(f"{JSON}1.2.840.10008.1.2.1") == "RGB"
    assert color(f"{JSON}1.2.840.10008.1.2.4.90") == "YBR_RCT"
    assert stored.startswith("YBR")
    refused = node.get(url, Accept=f"{JSON}1.2.840.10008.1.2.4.102")
    assert refused.status_code == 406
    assert "On offer: application/dicom+json, application/json" in refused.json()["detail"]


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity"])
def test_every_way_of_giving_metadata_is_compressed_as_the_client_likes(node, coding, monkeypatch):
    slices = list(a_ct_series(3))
    node.store(*slices)
    urls = [
        f"{series_url(slices[0])}/metadata",
        f"{series_url(slices[0])}/instances/{slices[0].SOPInstanceUID}/metadata",
    ]

    for url in urls:
        for accept in ("application/dicom+json", f"{JSON}1.2.840.10008.1.2.1"):
            plain = node.get(url, Accept=accept, **{"Accept-Encoding": "identity"})
            with (
                node.http() as client,
                client.stream("GET", url, headers={"Accept-Encoding": coding, "Accept": accept}) as response,
            ):
                raw = b"".join(response.iter_raw())
            assert response.headers.get("content-encoding", "identity") == coding
            assert {"gzip": gzip.decompress, "zstd": unzstd, "identity": bytes}[coding](raw) == plain.content


def unzstd(data: bytes) -> bytes:
    return zstandard.ZstdDecompressor().decompressobj().decompress(data)


@pytest.mark.parametrize(
    ("header", "coding"),
    [
        ("gzip, deflate", "gzip"),
        ("gzip, deflate, br, zstd", "gzip"),
        ("gzip;q=0.5, zstd", "zstd"),
        ("zstd", "zstd"),
        ("br, GZIP;q=0.5", "gzip"),
        ("x-gzip", "gzip"),
        ("*", "gzip"),
        ("", "identity"),
        ("identity", "identity"),
        ("identity, gzip;q=0.5", "identity"),
        ("gzip;q=0, *", "zstd"),
        ("gzip; q=0.0", "identity"),
        ("a," * 40 + "gzip", "identity"),
    ],
)
def test_the_coding_that_a_client_likes_best_is_chosen(header, coding):
    assert chosen(header) == coding
    assert unzstd(coded(b"x" * 100, "zstd")) == gzip.decompress(coded(b"x" * 100, "gzip")) == b"x" * 100


@pytest.mark.parametrize(
    ("header", "known"), [('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False), ("", False)]
)
def test_an_etag_is_recognised(header, known):
    assert is_known(header, '"a"') is known
