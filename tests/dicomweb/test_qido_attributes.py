"""QIDO-RS beyond the index: any attribute, sequences, kinds of matching that are asked for, time zones, XML."""

from email import message_from_bytes
from xml.etree import ElementTree as ET

import pytest
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence

from gateway.dicomweb.search import qido
from kernel.archive.search import finder as finder_module
from kernel.audit import Action, audit
from tests.dicomweb.conftest import running_node
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine


def a_request(step: str, procedure: str) -> Dataset:
    item = Dataset()
    item.ScheduledProcedureStepID, item.RequestedProcedureID = step, procedure
    item.ScheduledProcedureStepDescription = "Chụp sọ não"
    return item


def series_with_requests(**attributes):
    for ds in a_ct_series(2, seed="ct", **attributes):
        ds.RequestAttributesSequence = Sequence([a_request("S1", "R1"), a_request("S2", "R2")])
        ds.PerformedProcedureStepStartDate = "20261101"
        ds.PatientComments = "Dị ứng thuốc cản quang"
        ds.StationName = "CT-01"
        ds.add_new(0x00091000 + 0x10 - 0x1000, "LO", "ACME")
        ds.add_new(0x00091001, "LO", "private")
        ds.add_new(0x00420011, "OB", bytes(6000))
        yield ds


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """A CT of two slices with everything in it, a CR on the next day, an ultrasound after midnight."""
    ct = list(
        series_with_requests(
            StudyDate="20261101", StudyTime="2330", PatientID="A1", PatientName="Nguyễn^Thị Hương",
            ReferringPhysicianName="Đỗ^Quang",
        )
    )  # fmt: skip
    cr = a_cr(seed="cr", StudyDate="20261101", StudyTime="0900", PatientID="B2", AccessionNumber="", SeriesNumber="7")
    us = an_us_cine(seed="us", StudyDate="20261102", StudyTime="000500", PatientID="C3", SeriesNumber="12")
    with running_node(tmp_path_factory.mktemp("hospital")) as node:
        node.store(*ct)
        node.store(cr, us)  # after the CT: of one day, who came last is the newest
        yield node, {"ct": ct[0], "cr": cr, "us": us}


def patients(response) -> list[str]:
    assert response.status_code == 200, response.text
    return [item["00100020"]["Value"][0] for item in response.json()]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("studies?ReferringPhysicianName=do^quang", ["A1"]),
        ("studies?ReferringPhysicianName=*QUANG", ["A1"]),
        ("studies?PatientComments=*thu%E1%BB%91c*", ["A1"]),
        ("studies?PatientComments=*thuoc*", []),
        ("studies?00104000=D%E1%BB%8B*", ["A1"]),
        ("studies?NumberOfStudyRelatedInstances=2", ["A1"]),
        ("series?StationName=CT-0?", ["A1"]),
        ("series?RequestAttributesSequence.ScheduledProcedureStepID=S2", ["A1"]),
        ("series?00400275.00400009=S1&00400275.00401001=R1", ["A1"]),
        ("series?00400275.00400009=S1&00400275.00401001=R2", []),
        ("series?PerformedProcedureStepStartDate=20261101-&StudyDate=20261101", ["A1"]),
        ("series?SeriesNumber=007", ["B2"]),
        ("instances?FrameTime=40.0", ["C3"]),
        ("instances?ImageType=AXIAL", ["A1", "A1"]),
        ("instances?Rows=128", ["B2"]),
        # dates with their times are one interval
        ("studies?StudyDate=20261101-20261102&StudyTime=2300-0030", ["C3", "A1"]),
        ("studies?StudyDate=20261101-20261102&StudyTime=000100-1000", ["C3", "B2", "A1"]),
        ("studies?StudyTime=23-", ["A1"]),
        # one hour west of the archive, the ultrasound was on the day before
        ("studies?StudyDate=20261101&TimezoneOffsetFromUTC=%2B0600", ["C3", "B2", "A1"]),
        ("studies?StudyDate=20261101&StudyTime=2200-2330&TimezoneOffsetFromUTC=+0600", ["C3", "A1"]),
        # kinds of matching that are asked for
        ("studies?ModalitiesInStudy=CT,US", ["C3", "A1"]),
        ("studies?ModalitiesInStudy=CT,US&multiplevaluematching=true", []),
        ("instances?ImageType=AXIAL&ImageType=ORIGINAL&multiplevaluematching=true", ["A1", "A1"]),
        ("studies?AccessionNumber=%22%22&emptyvaluematching=true", ["B2"]),
        ("studies?AccessionNumber=%22%22", []),
        ("series?StationName=%22%22&emptyvaluematching=true&Modality=US", ["C3"]),
        ("studies?ReferringPhysicianName=quang do&fuzzymatching=true", ["A1"]),
        # values that mean something elsewhere
        ("studies?PatientComments=';DROP TABLE study;--*", []),
        ("studies?StudyDescription=%25", []),
        ("studies?StudyDescription=[A-Z]*", []),
        ("studies?PatientName=<script>alert(1)</script>", []),
    ],
)  # fmt: skip
def test_any_attribute_is_matched(hospital, path, found):
    node, _ = hospital

    assert patients(node.get(f"/dicom-web/{path}")) == found


def test_what_a_series_must_have_comes_out_of_its_instances(hospital):
    node, studies = hospital

    (ct,) = node.get(f"/dicom-web/studies/{studies['ct'].StudyInstanceUID}/series").json()
    (us,) = node.get(f"/dicom-web/studies/{studies['us'].StudyInstanceUID}/series").json()

    assert ct["00400244"] == {"vr": "DA", "Value": ["20261101"]}
    assert ct["00400275"]["Value"] == [
        {"00400009": {"vr": "SH", "Value": [step]}, "00401001": {"vr": "SH", "Value": [procedure]}}
        for step, procedure in (("S1", "R1"), ("S2", "R2"))
    ]
    assert (us["00400244"], us["00400275"]) == ({"vr": "DA"}, {"vr": "SQ"})


def test_included_fields_come_along_at_their_level_only(hospital):
    node, _ = hospital

    def keys(path: str) -> set[str]:
        return {name for item in node.get(f"/dicom-web/{path}").json() for name in item}

    usual = keys("studies?PatientID=A1")
    wanted = "includefield=PatientComments,00081010&includefield=00101010&includefield=Modality"
    assert keys(f"studies?PatientID=A1&{wanted}") - usual == {"00104000"}
    of_series = keys("series?PatientID=A1&includefield=StationName")
    assert of_series - keys("series?PatientID=A1") == {"00081010"}
    assert {"00104000", "00080062"} <= keys("studies?PatientID=A1&includefield=all")
    assert not keys("studies?PatientID=A1&includefield=all") & {"00080060", "00081010", "00280010"}
    assert {"00081010", "00400275"} <= keys("series?PatientID=A1&includefield=all")
    assert {"00280010", "00281052", "7FE00010", "00091001"} <= keys("instances?PatientID=A1&includefield=all")


def test_everything_is_told_of_a_bounded_number_of_results_and_the_rest_announced(hospital, monkeypatch):
    node, _ = hospital
    monkeypatch.setattr(qido, "EVERYTHING_MAX", 2)

    answer = node.get("/dicom-web/studies?includefield=all")

    assert len(answer.json()) == 2
    assert "There are 1 additional results" in answer.headers["warning"]
    assert len(node.get("/dicom-web/studies").json()) == 3


def test_parts_of_sequences_private_attributes_and_bulk_data_are_included(hospital):
    node, studies = hospital
    ct = studies["ct"]
    study = f"/dicom-web/studies/{ct.StudyInstanceUID}"

    (series,) = node.get(f"{study}/series?includefield=00400275.ScheduledProcedureStepDescription").json()
    (instance,) = node.get(f"{study}/instances?InstanceNumber=1&includefield=00091001,00420011").json()

    assert series["00400275"]["Value"][0]["00400009"]["Value"] == ["S1"]
    assert instance["00090010"]["Value"] == ["ACME"]
    assert instance["00091001"]["Value"] == ["private"]
    uri = instance["00420011"]["BulkDataURI"]
    assert uri.startswith(f"{node.url}{study}/series/{ct.SeriesInstanceUID}/instances/{ct.SOPInstanceUID}/bulkdata/")
    assert node.get(uri.removeprefix(node.url)).status_code == 200


def test_answers_are_told_in_the_time_zone_that_was_asked_for(hospital):
    node, _ = hospital

    (item,) = node.get("/dicom-web/studies?PatientID=C3&TimezoneOffsetFromUTC=%2B0000").json()

    assert item["00080020"]["Value"] == ["20261101"]
    assert item["00080030"]["Value"] == ["170500"]
    assert item["00080201"]["Value"] == ["+0000"]
    assert item["00100030"]["Value"] == ["19700412"]


def test_answers_are_given_as_xml(hospital):
    node, _ = hospital
    accept = {"Accept": 'multipart/related; type="application/dicom+xml"'}

    response = node.get("/dicom-web/studies?PatientID=A1&PatientID=C3", **accept)
    by_parameter = node.get("/dicom-web/studies?accept=multipart/related;type=application/dicom%2Bxml")

    head = f"Content-Type: {response.headers['content-type']}\r\n\r\n".encode()
    parts = message_from_bytes(head + response.content).get_payload()
    assert [part.get_content_type() for part in parts] == ["application/dicom+xml"] * 2
    models = [ET.fromstring(part.get_payload(decode=True)) for part in parts]
    values = [model.find(".//*[@keyword='PatientID']/{*}Value").text for model in models]
    assert values == ["C3", "A1"]
    assert by_parameter.headers["content-type"].startswith("multipart/related")


def test_pages_hold_together_when_the_stored_instances_are_looked_through(hospital):
    node, _ = hospital
    query = "/dicom-web/instances?BitsStored=*&ImageType=ORIGINAL"

    pages = [node.get(f"{query}&limit=2&offset={offset}") for offset in (0, 2, 4)]

    assert [len(page.json()) for page in pages] == [2, 2, 0]
    assert ["warning" in page.headers for page in pages] == [True, False, False]
    uids = [item["00080018"]["Value"][0] for page in pages for item in page.json()]
    assert len(set(uids)) == len(uids)


def test_looking_through_too_much_is_refused_and_says_how_to_ask(hospital, monkeypatch):
    node, _ = hospital
    monkeypatch.setattr(finder_module, "LOOKED_THROUGH_MAX", 2)

    refused = node.get("/dicom-web/instances?ImageType=AXIAL")
    narrower = node.get("/dicom-web/instances?ImageType=AXIAL&PatientID=A1")

    assert refused.status_code == 413
    assert "more than 2 instances to look through for ImageType. Narrow it by date" in refused.json()["detail"]
    assert len(narrower.json()) == 2


def test_another_sites_studies_are_never_found_by_any_key(tmp_path):
    with running_node(tmp_path) as node:
        ours, theirs = a_ct(seed="ours", PatientID="OURS"), a_ct(seed="theirs", PatientID="THEIRS")
        node.store(ours, token=node.a_token("dicomweb:store", site="BV1"))
        node.store(theirs, token=node.a_token("dicomweb:store", site="BV2"))
        token = node.a_token("dicomweb:read", site="BV1")

        for path in (
            "studies", "series", "instances", "studies?PatientID=THEIRS", "instances?KVP=120", "studies?includefield=all",
            "instances?SOPInstanceUID=" + theirs.SOPInstanceUID, f"studies/{theirs.StudyInstanceUID}/series",
            f"studies/{theirs.StudyInstanceUID}/instances?KVP=120",
        ):  # fmt: skip
            answered = node.get(f"/dicom-web/{path}", token=token)
            assert answered.status_code == 200
            assert theirs.StudyInstanceUID not in answered.text, path
            assert "THEIRS" not in answered.text
        assert patients(node.get("/dicom-web/studies", token=token)) == ["OURS"]
        elsewhere = node.get("/sites/BV2/dicom-web/studies", token=token)
        assert elsewhere.json() == []


def test_a_search_is_audited_by_its_keys_and_never_its_values(hospital):
    node, _ = hospital

    node.get("/dicom-web/studies?PatientName=Nguyen*&PatientComments=*secret*")

    lines = [row.detail for row in node.rows(audit) if row.action == Action.QUERY]
    assert any("PatientComments,PatientName" in detail for detail in lines)
    assert not any("Nguyen" in detail or "secret" in detail for detail in lines)
