"""C-FIND: every information model, level and kind of matching, as pynetdicom and DCMTK ask for it."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian
from pynetdicom.pdu_primitives import SOPClassExtendedNegotiation
from pynetdicom.sop_class import (
    PatientRootQueryRetrieveInformationModelFind,
    PatientStudyOnlyQueryRetrieveInformationModelFind,
    StudyRootQueryRetrieveInformationModelFind,
)
from sqlalchemy import insert

from exchange.node.assemble import Node
from gateway.dimse.scp import find_scp, find_service
from kernel.archive.search import finder
from kernel.archive.tables import patient, study, worklist_rank
from kernel.audit import Action
from tests.dimse.conftest import dcmtk
from tests.dimse.filled import fill
from tests.support.access import audited
from tests.support.builders import a_cr, a_ct, a_ct_series, an_us_cine
from tests.support.entities import an_entity
from tests.support.wired import SITE, wired_node

STUDY_ROOT = StudyRootQueryRetrieveInformationModelFind
PATIENT_ROOT = PatientRootQueryRetrieveInformationModelFind
PATIENT_STUDY = PatientStudyOnlyQueryRetrieveInformationModelFind
ALL_AGREED = b"\1\1\1\1\0\1\1"

CT = list(
    a_ct_series(
        3, seed="ct", StudyDate="20261101", StudyTime="233000", PatientID="A1", PatientName="Nguyễn^Thị Hương",
        ReferringPhysicianName="Đỗ^Quang", StationName="CT-01", PatientComments="Dị ứng",
    )
)  # fmt: skip
CR = a_cr(
    seed="cr", StudyDate="20261101", StudyTime="0900", PatientID="B2", PatientName="Đặng^Văn Bình", SeriesNumber=7
)
US = an_us_cine(seed="us", StudyDate="20261102", StudyTime="000500", PatientID="C3", PatientName="TRAN^HUONG GIANG")
AGAIN = a_ct(seed="again", StudyDate="20261103", PatientID="A1", PatientName="Nguyễn^Thị Hương")
THEIRS = a_ct(seed="theirs", PatientID="X9", PatientName="Nguyễn^Văn Khác")


@pytest.fixture(scope="module")
def node(tmp_path_factory, migrated_sqlite: Path) -> Iterator[Node]:
    """Four studies of three patients, and one of another site."""
    sources = [
        {"name": "elsewhere", "calling": "ELSEWHERE", "site": "OTHER", "services": ["store", "find"]},
        {"name": "old", "calling": "OLD", "charset": "tcvn3", "services": ["find"]},
        {"name": "both", "calling": "BOTH", "sites": ["OTHER"], "services": ["find"]},
        {"name": "ct", "calling": "MODALITY"},
    ]
    with wired_node(tmp_path_factory.mktemp("find"), migrated_sqlite, tables={"source": sources}) as running:
        fill(running, [*CT, CR, US, AGAIN])
        fill(running, [THEIRS], calling="ELSEWHERE")
        yield running


class Asker:
    """pynetdicom as C-FIND SCU."""

    def __init__(
        self, node: Node, model=STUDY_ROOT, *, calling="ASKER", syntax=ExplicitVRLittleEndian, extended=b""
    ) -> None:
        ae = an_entity(calling)
        ae.add_requested_context(model, syntax)
        items = []
        if extended:
            item = SOPClassExtendedNegotiation()
            item.sop_class_uid, item.service_class_application_information = model, extended
            items.append(item)
        self.model = model
        self.association = ae.associate("127.0.0.1", node.listener.port, ext_neg=items)
        assert self.association.is_established

    def asks(self, level: str, **keys) -> tuple[list[Dataset], list[int], Dataset]:
        """Return the answers, the statuses that came with them, and the last response."""
        identifier = Dataset()
        identifier.SpecificCharacterSet = keys.pop("SpecificCharacterSet", "ISO_IR 192")
        identifier.QueryRetrieveLevel = level
        for keyword, value in keys.items():
            setattr(identifier, keyword, value)
        responses = list(self.association.send_c_find(identifier, self.model))
        self.association.release()
        *pending, (last, _) = responses
        return [answer for _, answer in pending], [status.Status for status, _ in pending], last


def found(node: Node, level: str, keyword: str, *, model=STUDY_ROOT, extended=b"", **keys) -> list[str]:
    answers, _, last = Asker(node, model, extended=extended).asks(level, **{keyword: ""} | keys)
    assert last.Status == 0x0000, f"{last.Status:04X} {last.get('ErrorComment')}"
    return [str(answer.get(keyword)) for answer in answers]


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRLittleEndian, ExplicitVRBigEndian])
def test_a_study_is_answered_with_what_was_asked_for(node: Node, syntax):
    keys = dict.fromkeys(
        ["PatientName", "StudyDate", "ModalitiesInStudy", "NumberOfStudyRelatedSeries", "InstanceAvailability",
         "NumberOfStudyRelatedInstances", "NumberOfPatientRelatedStudies", "StudyInstanceUID", "PatientComments"], ""
    )  # fmt: skip

    answers, statuses, last = Asker(node, syntax=syntax).asks("STUDY", PatientID="A1", **keys)

    assert (statuses, last.Status) == ([0xFF00, 0xFF00], 0x0000)
    answer = answers[1]
    assert {element.keyword: element.value for element in answer} == {
        "SpecificCharacterSet": "ISO_IR 192",
        "QueryRetrieveLevel": "STUDY",
        "RetrieveAETitle": "VIENANH",
        "InstanceAvailability": "ONLINE",
        "ModalitiesInStudy": "CT",
        "StudyDate": "20261101",
        "PatientName": "Nguyễn^Thị Hương",
        "PatientID": "A1",
        "PatientComments": "Dị ứng",
        "StudyInstanceUID": CT[0].StudyInstanceUID,
        "NumberOfPatientRelatedStudies": 2,
        "NumberOfStudyRelatedSeries": 1,
        "NumberOfStudyRelatedInstances": 3,
    }


@pytest.mark.parametrize(
    ("level", "keyword", "keys", "expected"),
    [
        ("STUDY", "PatientID", {}, ["A1", "C3", "B2", "A1"]),
        ("STUDY", "PatientID", {"PatientName": "nguyen*"}, ["A1", "A1"]),
        ("STUDY", "PatientID", {"PatientName": "NGUYỄN^THỊ HƯƠNG"}, ["A1", "A1"]),
        ("STUDY", "PatientID", {"PatientName": "*hương*"}, ["A1", "C3", "A1"]),
        ("STUDY", "PatientID", {"PatientName": "dang^van b?nh"}, ["B2"]),
        ("STUDY", "PatientID", {"ReferringPhysicianName": "do^*"}, ["A1"]),
        ("STUDY", "PatientID", {"StudyDate": "20261102-"}, ["A1", "C3"]),
        ("STUDY", "PatientID", {"StudyDate": "-20261101", "ModalitiesInStudy": "CR"}, ["B2"]),
        ("STUDY", "PatientID", {"ModalitiesInStudy": ["CR", "US"]}, ["C3", "B2"]),
        ("STUDY", "PatientID", {"StudyInstanceUID": [CR.StudyInstanceUID, US.StudyInstanceUID]}, ["C3", "B2"]),
        ("STUDY", "PatientID", {"PatientComments": "Dị*"}, ["A1"]),
        ("STUDY", "PatientID", {"NumberOfStudyRelatedInstances": 3}, ["A1"]),
        ("STUDY", "PatientID", {"PatientName": "nobody"}, []),
        ("STUDY", "PatientID", {"PatientName": "';DROP TABLE study;--*"}, []),
        ("SERIES", "Modality", {"StudyInstanceUID": CT[0].StudyInstanceUID, "StationName": "CT*"}, ["CT"]),
        ("SERIES", "SeriesNumber", {"StudyInstanceUID": CR.StudyInstanceUID, "SeriesNumber": 7}, ["7"]),
        ("SERIES", "NumberOfSeriesRelatedInstances", {"StudyInstanceUID": CT[0].StudyInstanceUID}, ["3"]),
        (
            "IMAGE",
            "InstanceNumber",
            {"StudyInstanceUID": CT[0].StudyInstanceUID, "SeriesInstanceUID": CT[0].SeriesInstanceUID},
            ["1", "2", "3"],
        ),
        (
            "IMAGE",
            "Rows",
            {
                "StudyInstanceUID": CT[0].StudyInstanceUID,
                "SeriesInstanceUID": CT[0].SeriesInstanceUID,
                "SOPInstanceUID": CT[1].SOPInstanceUID,
            },
            ["64"],
        ),
    ],
)  # fmt: skip
def test_study_root_finds_at_every_level(node: Node, level, keyword, keys, expected):
    assert found(node, level, keyword, **keys) == expected


@pytest.mark.parametrize("model", [PATIENT_ROOT, PATIENT_STUDY])
def test_patients_are_found_once_with_what_is_theirs(node: Node, model):
    answers, statuses, _ = Asker(node, model).asks(
        "PATIENT",
        PatientName="*huong*",
        PatientID="",
        NumberOfPatientRelatedStudies="",
        NumberOfPatientRelatedSeries="",
        NumberOfPatientRelatedInstances="",
    )

    assert statuses == [0xFF00] * 2
    assert [(one.PatientID, *(one[tag].value for tag in (0x00201200, 0x00201202, 0x00201204))) for one in answers] == [
        ("A1", 2, 2, 4),
        ("C3", 1, 1, 1),
    ]
    assert found(node, "STUDY", "StudyDate", model=model, PatientID="A1") == ["20261103", "20261101"]


@pytest.mark.parametrize(
    ("model", "level", "keys", "status", "comment"),
    [
        (STUDY_ROOT, "PATIENT", {}, 0xA900, "The identifier does not match the SOP class: its Query/Retr"),
        (PATIENT_STUDY, "SERIES", {}, 0xA900, "The identifier does not match the SOP class: its Query/Retr"),
        (STUDY_ROOT, "ELSE", {}, 0xA900, "The identifier does not match the SOP class: its Query/Retr"),
        (STUDY_ROOT, "SERIES", {}, 0xA900, "The identifier does not match the SOP class: at level"),
        (STUDY_ROOT, "SERIES", {"StudyInstanceUID": ["1.2", "1.3"]}, 0xA900, "The identifier does not match"),
        (STUDY_ROOT, "IMAGE", {"StudyInstanceUID": "1.2"}, 0xA900, "The identifier does not match the SOP class: at"),
        (PATIENT_ROOT, "STUDY", {}, 0xA900, "The identifier does not match the SOP class: at level STUDY"),
        (PATIENT_ROOT, "STUDY", {"PatientID": "A*"}, 0xA900, "The identifier does not match the SOP class: at"),
        (STUDY_ROOT, "STUDY", {"StudyDate": "20261102-20261101"}, 0xA900, "The query is not valid: StudyDate: a range"),
    ],
)
def test_an_identifier_that_is_not_of_its_model_is_refused(node: Node, model, level, keys, status, comment):
    answers, _, last = Asker(node, model).asks(level, **keys)

    assert (answers, last.Status) == ([], status)
    assert last.ErrorComment.startswith(comment)


def test_keys_that_are_not_supported_are_told_with_each_match(node: Node):
    answers, statuses, last = Asker(node).asks("STUDY", PatientID="B2", Modality="MR")

    assert (statuses, last.Status) == ([0xFF01], 0x0000)
    assert "Modality" not in answers[0]


def test_what_was_agreed_on_by_extended_negotiation_is_done_and_nothing_else(node: Node):
    asker = Asker(node, extended=ALL_AGREED + b"\1")
    (agreed,) = asker.association.acceptor.sop_class_extended.values()
    some = Asker(node, extended=b"\0\1\0")
    (less,) = some.association.acceptor.sop_class_extended.values()
    some.association.release()

    assert (agreed, less) == (ALL_AGREED, b"\0\1\0")
    answers, _, last = asker.asks("SERIES", Modality="CT", StudyDate="20261101", SeriesInstanceUID="")
    assert last.Status == 0
    assert [one.SeriesInstanceUID for one in answers] == [CT[0].SeriesInstanceUID]


@pytest.mark.parametrize(
    ("extended", "keys", "expected"),
    [
        (b"\0\1", {"StudyDate": "20261101-20261102", "StudyTime": "2300-0010"}, ["C3", "A1"]),
        (b"", {"StudyDate": "20261101-20261102", "StudyTime": "0800-1000"}, ["B2"]),
        (b"\0\0\1", {"PatientName": "huong nguyen"}, ["A1", "A1"]),
        (b"", {"PatientName": "huong nguyen"}, []),
        (b"\0\0\0\1", {"StudyDate": "20261101", "TimezoneOffsetFromUTC": "+0600"}, ["C3", "B2", "A1"]),
        (b"", {"StudyDate": "20261101", "TimezoneOffsetFromUTC": "+0600"}, ["B2", "A1"]),
        (b"\0\0\0\0\0\1", {"ReferringPhysicianName": '""'}, []),
        (b"\0\0\0\0\0\1", {"PatientComments": '""'}, ["A1", "C3", "B2"]),
        (b"\0\0\0\0\0\0\1", {"ModalitiesInStudy": ["CT", "CR"]}, []),
    ],
)
def test_kinds_of_matching_that_must_be_negotiated(node: Node, extended, keys, expected):
    assert found(node, "STUDY", "PatientID", extended=extended, **keys) == expected


def test_times_are_told_in_the_requestors_zone(node: Node):
    answers, _, _ = Asker(node, extended=b"\0\0\0\1").asks(
        "STUDY", PatientID="C3", StudyDate="", StudyTime="", TimezoneOffsetFromUTC="+0000"
    )

    (answer,) = answers
    assert (answer.StudyDate, answer.StudyTime, answer.TimezoneOffsetFromUTC) == ("20261101", "170500", "+0000")


@pytest.mark.parametrize(
    ("charset", "asked", "answered"),
    [
        ("ISO_IR 192", "Đặng*", "ISO_IR 192"),
        ("ISO_IR 100", "Dang^Van B*", "ISO_IR 192"),
        ("GB18030", "Đặng*", "GB18030"),
        (["", "ISO 2022 IR 87"], "Dang*", "ISO_IR 192"),
    ],
)
def test_names_are_asked_for_and_answered_in_a_character_set_that_can_carry_them(node: Node, charset, asked, answered):
    (answer,), _, _ = Asker(node).asks("STUDY", SpecificCharacterSet=charset, PatientName=asked)

    assert answer.SpecificCharacterSet == answered
    assert answer.PatientName == "Đặng^Văn Bình"


def test_an_answer_in_ascii_needs_no_other_character_set(node: Node):
    (answer,), _, _ = Asker(node).asks("STUDY", SpecificCharacterSet="ISO_IR 100", PatientName="tran*")

    assert (answer.SpecificCharacterSet, answer.PatientName) == ("ISO_IR 100", "TRAN^HUONG GIANG")


def test_undeclared_characters_are_read_as_the_source_writes_them(node: Node):
    identifier = Dataset()
    identifier.QueryRetrieveLevel = "STUDY"
    identifier.add_new(0x00100010, "PN", b"NGUY\xd4N*")  # ễ of TCVN3
    identifier.PatientID = ""
    asker = Asker(node, calling="OLD")

    responses = list(asker.association.send_c_find(identifier, STUDY_ROOT))
    asker.association.release()

    assert [answer.PatientID for _, answer in responses if answer] == ["A1", "A1"]


def test_a_caller_finds_studies_of_its_site_alone(node: Node):
    (theirs,), _, _ = Asker(node, calling="ELSEWHERE").asks("STUDY", PatientID="")
    none, _, last = Asker(node, calling="ELSEWHERE").asks("STUDY", StudyInstanceUID=CT[0].StudyInstanceUID)

    assert theirs.PatientID == "X9"
    assert (none, last.Status) == ([], 0)
    assert "X9" not in found(node, "STUDY", "PatientID")


def test_a_caller_finds_studies_of_the_sites_that_its_source_may_see(node: Node):
    answers, _, _ = Asker(node, calling="BOTH").asks("STUDY", PatientName="nguyen*", PatientID="")

    assert {answer.PatientID for answer in answers} == {"A1", "X9"}


def test_a_modality_that_only_sends_is_offered_no_query(node: Node):
    ae = an_entity("MODALITY")
    ae.add_requested_context(STUDY_ROOT)

    association = ae.associate("127.0.0.1", node.listener.port)

    assert not association.is_established
    assert [context.result for context in association.rejected_contexts] == [1]


def test_a_search_is_audited_by_its_keys_and_never_its_values(node: Node):
    Asker(node, calling="AUDITED").asks("STUDY", PatientName="Nguyen*", StudyDate="20261101-")

    lines = audited(node.stores.db, Action.QUERY)
    assert any(who == "AE AUDITED" and "PatientName,StudyDate" in detail for who, _, detail in lines)
    assert not any("guyen" in detail for _, _, detail in lines)


@pytest.mark.peer("dcmtk")
def test_a_search_of_a_hundred_thousand_matches_is_cancelled_in_the_middle(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite) as node:
        add_many_studies(node, 100_000)
        ran = dcmtk(
            "findscu", "-v", "-S", "--cancel", "3", "-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName",
            "127.0.0.1", node.listener.port,
        )  # fmt: skip

    said = ran.stdout + ran.stderr
    assert "Cancel" in said
    assert 3 <= said.count("(Pending)") < 100_000


def add_many_studies(node: Node, count: int) -> None:
    """Write rows of studies of one patient, without instances."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    person = {"site": SITE, "patient_id": "P", "patient_name": "Nguyễn^Văn Nhiều"}

    def change(connection) -> None:
        patient_pk = connection.execute(insert(patient).values(person | {"only_in_study": ""})).inserted_primary_key[0]
        common = person | {
            "patient_pk": patient_pk, "study_date": "20261101", "name_fold": "nguyen^van nhieu", "trace_id": "t",
            "first_received_at": at, "last_received_at": at, "worklist_rank": worklist_rank(2, at),
        }  # fmt: skip
        rows = [common | {"study_instance_uid": f"2.25.{number}"} for number in range(count)]
        connection.execute(insert(study), rows)

    node.stores.db.write(change)


def test_more_matches_than_one_answer_may_have_end_with_out_of_resources(node: Node, monkeypatch):
    monkeypatch.setattr(find_scp, "MATCHES_MAX", 2)

    answers, _, last = Asker(node).asks("STUDY")

    assert (len(answers), last.Status) == (2, 0xA700)
    assert last.ErrorComment.startswith("The query matches too broadly: more than 2 matches")


def test_looking_through_too_much_ends_with_out_of_resources(node: Node, monkeypatch):
    monkeypatch.setattr(finder, "LOOKED_THROUGH_MAX", 2)

    _, _, last = Asker(node).asks("STUDY", PatientComments="*x*")

    assert last.Status == 0xA700


def test_an_identifier_that_is_too_long_is_refused(node: Node, monkeypatch):
    monkeypatch.setattr(find_service, "IDENTIFIER_BYTES_MAX", 1000)

    _, _, last = Asker(node).asks("STUDY", StudyInstanceUID=[f"1.2.{number}" for number in range(500)])

    assert last.Status == 0xC001


@pytest.mark.peer("dcmtk")
@pytest.mark.parametrize("model", ["-S", "-P"])
def test_findscu_finds(node: Node, model):
    level, keys = ("STUDY", ["-k", "PatientID=A1"]) if model == "-S" else ("PATIENT", ["-k", "PatientID"])
    ran = dcmtk(
        "findscu", "-v", model, "-aet", "ASKER", "-k", f"QueryRetrieveLevel={level}", "-k", "PatientName=nguyen*", *keys,
        "127.0.0.1", node.listener.port,
    )  # fmt: skip

    said = ran.stdout + ran.stderr
    assert said.count("(Pending)") == (2 if model == "-S" else 1)
    assert "ISO_IR 192" in said
    assert "Success" in said


def test_listener_processes_find_too(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite, processes=1) as node:
        fill(node, CT)

        assert found(node, "STUDY", "PatientName", PatientName="nguyen*") == ["Nguyễn^Thị Hương"]
        assert any(who == "AE ASKER" for who, _, _ in audited(node.stores.db, Action.QUERY))
