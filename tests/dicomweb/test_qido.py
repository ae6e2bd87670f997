"""QIDO-RS against a running node."""

import gzip
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.dicomweb.search.query import parse
from kernel.dicom.queries.matching import AnyOf, Exact, Range, Words
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF
from kernel.errors import InvalidQuery
from tests.dicomweb.conftest import running_node
from tests.dicomweb.test_metadata import unzstd
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine


def found(response, tag: str) -> list:
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/dicom+json"
    return [item[tag].get("Value", [None])[0] for item in response.json()]


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """Three studies: a CT of three slices, a CR, an ultrasound cine."""
    ct = list(a_ct_series(3, seed="ct", StudyDate="20261101", PatientName="Nguyễn^Thị Hương", PatientID="A1"))
    cr = a_cr(seed="cr", StudyDate="20261102", PatientName="Đặng^Văn Bình", PatientID="B2")
    us = an_us_cine(seed="us", StudyDate="20261103", PatientName="Trần^Hương Giang", PatientID="C3")
    with running_node(tmp_path_factory.mktemp("hospital")) as node:
        node.store(*ct, cr, us)
        yield node, {"ct": ct[0], "cr": cr, "us": us}


def test_a_study_is_answered_with_what_the_standard_asks_for(hospital):
    node, studies = hospital
    ct = studies["ct"]

    (item,) = node.get("/dicom-web/studies?PatientID=A1").json()

    assert item == {
        "00080005": {"vr": "CS", "Value": ["ISO_IR 192"]},
        "00080020": {"vr": "DA", "Value": ["20261101"]},
        "00080030": {"vr": "TM", "Value": ["013000"]},
        "00080050": {"vr": "SH", "Value": [ct.AccessionNumber]},
        "00080056": {"vr": "CS", "Value": ["ONLINE"]},
        "00080061": {"vr": "CS", "Value": ["CT"]},
        "00080090": {"vr": "PN", "Value": [{"Alphabetic": "Lê^Văn Bình"}]},
        "00081030": {"vr": "LO", "Value": ["CT so nao"]},
        "00081190": {"vr": "UR", "Value": [f"{node.url}/dicom-web/studies/{ct.StudyInstanceUID}"]},
        "00100010": {"vr": "PN", "Value": [{"Alphabetic": "Nguyễn^Thị Hương"}]},
        "00100020": {"vr": "LO", "Value": ["A1"]},
        "00100021": {"vr": "LO"},
        "00100030": {"vr": "DA", "Value": ["19700412"]},
        "00100040": {"vr": "CS", "Value": ["F"]},
        "0020000D": {"vr": "UI", "Value": [ct.StudyInstanceUID]},
        "00200010": {"vr": "SH", "Value": ["1"]},
        "00201206": {"vr": "IS", "Value": [1]},
        "00201208": {"vr": "IS", "Value": [3]},
    }
    assert list(item) == sorted(item)


@pytest.mark.parametrize(
    ("query", "patients"),
    [
        ("", ["C3", "B2", "A1"]),
        ("PatientName=nguyen*", ["A1"]),
        ("00100010=*HUONG*", ["C3", "A1"]),
        ("PatientName=dang^van binh", ["B2"]),
        ("PatientName=huong nguyen&fuzzymatching=true", ["A1"]),
        ("StudyDate=20261102-", ["C3", "B2"]),
        ("StudyDate=20261101-20261102&ModalitiesInStudy=CT", ["A1"]),
        ("ModalitiesInStudy=CT,CR", ["B2", "A1"]),
        ("ModalitiesInStudy=CT&ModalitiesInStudy=US", ["C3", "A1"]),
        ("PatientID=B2&includefield=all", ["B2"]),
        ("PatientID=", ["C3", "B2", "A1"]),
        ("PatientID=nobody", []),
        ("limit=2", ["C3", "B2"]),
        ("limit=2&offset=2", ["A1"]),
        ("limit=0", []),
        ("PatientName=*%27;DROP TABLE study;--*", []),
    ],
)
def test_studies_are_found_by_their_keys_newest_first(hospital, query, patients):
    node, _ = hospital

    assert found(node.get(f"/dicom-web/studies?{query}"), "00100020") == patients


def test_series_and_instances_are_found_below_and_across_studies(hospital):
    node, studies = hospital
    ct, us = studies["ct"], studies["us"]
    study = f"/dicom-web/studies/{ct.StudyInstanceUID}"

    below = node.get(f"{study}/series")
    across = node.get("/dicom-web/series?Modality=US")
    instances = node.get(f"{study}/series/{ct.SeriesInstanceUID}/instances")
    of_study = node.get(f"{study}/instances?InstanceNumber=2")
    cines = node.get("/dicom-web/instances?ModalitiesInStudy=US")

    assert found(below, "00201209") == [3]
    assert "00100010" not in below.json()[0]
    assert found(across, "0020000E") == [us.SeriesInstanceUID]
    assert across.json()[0]["00100020"]["Value"] == ["C3"]
    assert found(instances, "00200013") == [1, 2, 3]
    assert found(instances, "00280010") == [64, 64, 64]
    assert "00080060" not in instances.json()[0]
    assert found(of_study, "00080060") == ["CT"]
    assert found(cines, "00280008") == [5]
    url = f"{node.url}/dicom-web/studies/{us.StudyInstanceUID}/series/{us.SeriesInstanceUID}"
    assert found(across, "00081190") == [url]
    assert found(cines, "00081190") == [f"{url}/instances/{us.SOPInstanceUID}"]


@pytest.mark.parametrize(
    "path", ["/studies", "/series", "/instances", "/studies/1.2.3/series", "/studies/1.2.3/instances"]
)
def test_nothing_found_is_an_empty_array(archive, path):
    response = archive.get("/dicom-web" + path)

    assert (response.status_code, response.json()) == (200, [])


@pytest.mark.parametrize("coding", ["gzip", "zstd", "identity"])
def test_a_long_list_is_compressed_as_the_client_likes(hospital, coding):
    node, _ = hospital
    decode = {"gzip": gzip.decompress, "zstd": unzstd, "identity": bytes}[coding]

    for accept in ("application/dicom+json", 'multipart/related; type="application/dicom+xml"'):
        asked = {"Accept-Encoding": coding, "Accept": accept}
        with node.http() as client, client.stream("GET", "/dicom-web/studies", headers=asked) as response:
            raw = b"".join(response.iter_raw())

        assert response.headers.get("content-encoding", "identity") == coding
        assert response.headers["vary"] == "Accept, Authorization, Cookie, Accept-Encoding"
        assert decode(raw).count(b"00201208") == 3


def test_dicomweb_client_searches(hospital):
    node, studies = hospital
    client = node.dicomweb()

    assert len(client.search_for_studies(limit=2)) == 2
    assert len(client.search_for_studies(get_remaining=True, limit=1)) == 3
    (series,) = client.search_for_series(studies["ct"].StudyInstanceUID)
    assert series["0020000E"]["Value"] == [studies["ct"].SeriesInstanceUID]
    found = client.search_for_instances(search_filters={"SOPInstanceUID": studies["us"].SOPInstanceUID})
    assert [item["00080018"]["Value"] for item in found] == [[studies["us"].SOPInstanceUID]]
    assert client.search_for_studies(search_filters={"PatientID": "nobody"}) == []


def test_more_than_the_node_gives_at_once_is_said_in_a_warning(tmp_path):
    with running_node(tmp_path, results_max=2) as node:
        node.store(*(a_ct(seed=str(number), rows=2, columns=2) for number in range(3)))

        capped, asked, last = (node.get(f"/dicom-web/studies{query}") for query in ("", "?limit=1", "?offset=2"))

        assert len(capped.json()) == 2
        more = f'299 {node.url}/dicom-web "There are {{}} additional results that can be requested"'
        assert capped.headers["warning"] == more.format(1)
        assert asked.headers["warning"] == more.format(2)
        assert (len(last.json()), "warning" in last.headers) == (1, False)


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("Rows=1", "Rows is no attribute of a study: search below it"),
        ("Modality=CT", "Modality is no attribute of a study: search below it"),
        ("00400275.00400007=x", "RequestAttributesSequence is no attribute of a study: search below it"),
        ("RetrieveURL=1.2", "RetrieveURL is not searched by"),
        ("Nguyen=1", "one of the keys is no attribute of PS3.6"),
        ("00091001=1", "one of the keys is no attribute of PS3.6"),
        ("PatientName.PatientID=x", "PatientName is no sequence"),
        ("ReferencedStudySequence=x", "ReferencedStudySequence: a sequence is matched by the attributes in it"),
        ("fuzzymatching=maybe", "fuzzymatching is true or false"),
        ("TimezoneOffsetFromUTC=x", "TimezoneOffsetFromUTC: not an offset such as +0700"),
        ("StudyDate=Nguyen", "StudyDate: neither a DA nor a range of them"),
        ("StudyInstanceUID=x", "StudyInstanceUID: not a UID"),
        ("limit=-1", "limit is a whole number from zero"),
        ("offset=x", "offset is a whole number from zero"),
        ("offset=1000001", "offset is more than 1000000"),
        ("includefield=Nguyen", "includefield is a keyword"),
        ("includefield=" + ",".join(["PatientID"] * 65), "more than 64 includefield"),
        ("PatientName=" + "x" * 300, "PatientName: more than 256 characters"),
    ],
)
def test_a_query_that_cannot_be_answered_rightly_is_refused_without_its_value(archive, query, message):
    response = archive.get(f"/dicom-web/studies?{query}")

    assert response.status_code == 400
    assert message in response.json()["detail"]
    assert "Nguyen" not in response.json()["detail"]


def test_a_query_that_is_too_long_is_refused(archive):
    response = archive.get("/dicom-web/studies?PatientID=" + "x" * 9000)

    assert response.status_code == 400
    assert "the query is longer than 8192 characters" in response.json()["detail"]


def test_a_representation_is_chosen_by_header_or_parameter(archive):
    assert archive.get("/dicom-web/studies", Accept="application/dicom+xml").status_code == 406
    xml = 'multipart/related; type="application/dicom+xml"'
    nothing = archive.get("/dicom-web/studies", Accept=xml)
    assert (nothing.status_code, nothing.content) == (200, b"")
    assert archive.get("/dicom-web/studies?accept=application/json").headers["content-type"] == "application/json"


def test_keys_are_read_as_matches():
    query = parse(
        [
            ("PatientName", "NGUYEN*"), ("0020000D", "1.2,1.3"), ("StudyDate", "20260101-"), ("ModalitiesInStudy", "CT"),
            ("includefield", "PatientAge,00081030"), ("limit", "5"), ("offset", "10"), ("FuzzyMatching", "TRUE"),
        ],
        "study",
        100,
    )  # fmt: skip

    assert {KEYWORD_OF[tag]: key for tag, key in query.keys.items()} == {
        "PatientName": Words(("nguyen",)),
        "StudyInstanceUID": AnyOf(("1.2", "1.3")),
        "StudyDate": Range("20260101", None),
        "ModalitiesInStudy": Exact("CT"),
    }
    assert (query.limit, query.offset) == (5, 10)
    assert query.wanted == {0x00101010: None, 0x00081030: None}


NAMES = ("PatientName", "StudyDate", "StudyTime", "ModalitiesInStudy", "SeriesNumber", "RequestAttributesSequence")
names = st.sampled_from(
    [
        *NAMES,
        "00400275.00400009",
        "TimezoneOffsetFromUTC",
        "multiplevaluematching",
        "limit",
        "offset",
        "includefield",
        "00100010",
        "0010001",
        "x",
        "",
    ]
)


@given(st.lists(st.tuples(names, st.text(max_size=12)), max_size=6))
def test_no_query_makes_it_raise_anything_but_our_errors(parameters):
    with suppress(InvalidQuery):
        parse(parameters, "instance", 100)
