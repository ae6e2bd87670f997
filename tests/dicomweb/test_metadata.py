"""WADO-RS metadata against a running node: the same as pydicom says, compressed once, told apart by ETag."""

import gzip
import json

import pydicom
import pytest

from gateway.dicomweb.conditional import is_known
from gateway.dicomweb.metadata import accepts_gzip
from kernel.archive import metadata as archive_metadata
from tests.support.builders import a_ct, a_ct_series


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


def test_metadata_as_xml_are_not_on_offer(node):
    ds = a_ct()
    node.store(ds)

    response = node.get(f"{series_url(ds)}/metadata", Accept='multipart/related; type="application/dicom+xml"')

    assert response.status_code == 406
    assert "On offer: application/dicom+json, application/json" in response.json()["detail"]


@pytest.mark.parametrize(
    ("header", "accepted"),
    [
        ("gzip, deflate", True),
        ("br, GZIP;q=0.5", True),
        ("*", True),
        ("", False),
        ("identity", False),
        ("gzip;q=0, *", False),
        ("gzip; q=0.0", False),
    ],
)
def test_gzip_is_given_to_who_accepts_it(header, accepted):
    assert accepts_gzip(header) is accepted


@pytest.mark.parametrize(
    ("header", "known"), [('"a"', True), ('W/"a"', True), ('"b", "a"', True), ("*", True), ('"b"', False), ("", False)]
)
def test_an_etag_is_recognised(header, known):
    assert is_known(header, '"a"') is known
