"""Modality Worklist: what a scanner asks for is what it is given, in characters that it can show."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pydicom
import pytest
from pydicom.dataset import Dataset
from pynetdicom.pdu_primitives import UserIdentityNegotiation
from pynetdicom.sop_class import ModalityWorklistInformationFind

from consult import worklist
from consult.order_rows import OrderNumbers
from consult.ordering import By, OrderDesk
from consult.steps import step_of
from exchange.node.assemble import Node
from gateway.dimse.scp import worklist_scp
from kernel.access import NewAccount
from tests.dimse.conftest import dcmtk
from tests.support.entities import an_entity
from tests.support.wired import SITE, wired_node

STATIONS = ({"ae_title": "OLDCT", "modality": ["CT"], "charset": "ISO_IR 100"},)
BY = By("test")


def orders(node: Node, *changes: dict[str, str], site: str = SITE) -> None:
    desk = OrderDesk(node.stores.db, node.stores.clock)
    for number, change in enumerate(changes):
        values = {
            "accession_number": f"ACC{number}",
            "step_id": "S1",
            "patient_id": f"BN{number}",
            "patient_name": "NGUYỄN^THỊ ĐÀO",
            "patient_sex": "F",
            "modality": "CT",
            "station_ae_title": "CT1",
            "start_date": "20261122",
            "start_time": "0830",
            "procedure_code": "CTHEAD",
            "procedure_code_scheme": "LOCAL",
            "procedure_description": "CT sọ não",
        }
        desk.place(site, step_of(values | change), BY)


@pytest.fixture
def node(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Node]:
    with wired_node(tmp_path / "node", migrated_sqlite, tables={"station": STATIONS}) as running:
        yield running


def an_identifier(**changes: str) -> Dataset:
    """Return what a scanner asks with: keywords of the step or of the patient, return keys for the rest."""
    ds, item = Dataset(), Dataset()
    for keyword in ("AccessionNumber", "PatientName", "PatientID", "StudyInstanceUID", "RequestedProcedureID"):
        setattr(ds, keyword, changes.pop(keyword, ""))
    ds.SpecificCharacterSet = changes.pop("SpecificCharacterSet", "ISO_IR 192")
    ds.PatientWeight = None
    ds.RequestedProcedureCodeSequence = []
    for keyword in (
        "Modality", "ScheduledStationAETitle", "ScheduledProcedureStepStartDate", "ScheduledProcedureStepStartTime",
        "ScheduledProcedureStepID", "ScheduledProcedureStepDescription",
    ):  # fmt: skip
        setattr(item, keyword, changes.pop(keyword, ""))
    for keyword, value in changes.items():
        setattr(item, keyword, value)
    ds.ScheduledProcedureStepSequence = [item]
    return ds


def asks(
    node: Node, identifier: Dataset, calling: str = "CT1", user: tuple[str, str] | None = None
) -> tuple[list[Dataset], int]:
    """Return the worklist that a pynetdicom modality is given, and the last status."""
    ae = an_entity(calling)
    ae.add_requested_context(ModalityWorklistInformationFind)
    items = []
    if user is not None:
        items.append(UserIdentityNegotiation())
        items[0].user_identity_type = 2
        items[0].primary_field, items[0].secondary_field = (text.encode() for text in user)
    association = ae.associate("127.0.0.1", node.listener.port, ext_neg=items)
    assert association.is_established
    items, last = [], -1
    for status, item in association.send_c_find(identifier, ModalityWorklistInformationFind):
        last = status.Status
        if item is not None:
            items.append(item)
    association.release()
    return items, last


def test_a_user_is_given_the_worklist_of_its_own_site_alone(tmp_path: Path, migrated_sqlite: Path):
    tables = {"source": [{"name": "shared", "calling": "SHARED", "services": ["worklist"]}]}
    dimse = {"user_identity": "accepted", "unknown_caller_services": ()}
    with wired_node(tmp_path / "node", migrated_sqlite, tables=tables, dimse=dimse) as node:
        user = ("theirs", "mat khau rat dai")
        node.stores.access.accounts.create(NewAccount(user[0], ["reader"], ["OTHER"]), user[1], by="test")
        orders(node, {"patient_id": "OURS"})
        orders(node, {"patient_id": "THEIRS"}, site="OTHER")

        items, status = asks(node, an_identifier(), user=user)
        refused = asks(node, an_identifier(), "SHARED", user=user)

    assert ([item.PatientID for item in items], status) == (["THEIRS"], 0x0000)
    assert refused == ([], 0x0124)


def ids(node: Node, **keys: str) -> list[str]:
    return [item.PatientID for item in asks(node, an_identifier(**keys))[0]]


def test_a_scanner_is_given_its_steps_with_everything_that_it_asked_for(node: Node):
    orders(node, {"study_instance_uid": "1.2.3.4"}, {"station_ae_title": "CT2"})

    items, status = asks(node, an_identifier(ScheduledStationAETitle="CT1", ScheduledProcedureStepStartDate="20261122"))

    assert status == 0
    (item,) = items
    (step,) = item.ScheduledProcedureStepSequence
    assert (item.PatientName, item.PatientID, item.StudyInstanceUID) == ("NGUYỄN^THỊ ĐÀO", "BN0", "1.2.3.4")
    assert (item.AccessionNumber, item.RequestedProcedureID, item.PatientWeight) == ("ACC0", "ACC0", None)
    assert item.SpecificCharacterSet == "ISO_IR 192"
    assert item.RequestedProcedureCodeSequence[0].CodeValue == "CTHEAD"
    assert (step.Modality, step.ScheduledStationAETitle, step.ScheduledProcedureStepStartTime) == ("CT", "CT1", "0830")
    assert (step.ScheduledProcedureStepID, step.ScheduledProcedureStepDescription) == ("S1", "CT sọ não")


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"PatientName": "nguyen*"}, ["BN0"]),
        ({"PatientName": "Nguyễn^Thị Đào"}, ["BN0"]),
        ({"PatientName": "*bình"}, ["BN1"]),
        ({"PatientID": "BN1"}, ["BN1"]),
        ({"AccessionNumber": "ACC2"}, ["BN2"]),
        ({"AccessionNumber": "ACC*"}, ["BN2", "BN0", "BN1"]),
        ({"Modality": "MR"}, ["BN1"]),
        ({"ScheduledProcedureStepStartDate": "20261123-20261124"}, ["BN1"]),
        ({"ScheduledProcedureStepStartDate": "-20261122"}, ["BN2", "BN0"]),
        ({"ScheduledProcedureStepStartTime": "0900-1000"}, ["BN2"]),
        ({"Modality": "MR", "ScheduledStationAETitle": "CT1"}, []),
        ({"StudyInstanceUID": "1.2.9"}, []),
        ({}, ["BN2", "BN0", "BN1"]),
    ],
    ids=str,
)
def test_keys_narrow_the_list_and_emergencies_come_first(node: Node, keys: dict[str, str], expected: list[str]):
    orders(
        node,
        {},
        {"patient_name": "LÊ^VĂN BÌNH", "modality": "MR", "station_ae_title": "MR1", "start_date": "20261123"},
        {"patient_name": "TRẦN^B", "start_time": "0930", "priority": "STAT"},
    )

    assert ids(node, **keys) == expected


def test_a_step_without_a_station_is_offered_to_every_scanner_under_its_own_title(node: Node):
    orders(node, {"station_ae_title": ""})

    named, _ = asks(node, an_identifier(ScheduledStationAETitle="CT7"))
    unnamed, _ = asks(node, an_identifier(), calling="CT8")

    assert [item.ScheduledProcedureStepSequence[0].ScheduledStationAETitle for item in (*named, *unnamed)] == [
        "CT7",
        "CT8",
    ]


def test_what_is_canceled_is_not_offered_unless_it_is_asked_for(node: Node):
    orders(node, {}, {})
    OrderDesk(node.stores.db, node.stores.clock).cancel(SITE, OrderNumbers(accession_number="ACC0"), BY)

    assert ids(node) == ["BN1"]
    assert ids(node, ScheduledProcedureStepStatus="CANCELED") == ["BN0"]


def test_orders_of_another_site_are_not_seen(node: Node):
    orders(node, {}, site="ELSEWHERE")

    assert ids(node) == []


def test_a_scanner_that_knows_only_latin_1_is_given_names_without_accents(node: Node):
    orders(node, {})

    items, _ = asks(node, an_identifier(PatientName="NGUYEN*", SpecificCharacterSet="ISO_IR 100"), calling="OLDCT")

    (item,) = items
    assert item.SpecificCharacterSet == "ISO_IR 100"
    assert item.PatientName == "NGUYEN^THI DAO"
    assert item.ScheduledProcedureStepSequence[0].ScheduledProcedureStepDescription == "CT so nao"


def test_a_key_that_is_none_is_refused_and_named(node: Node):
    identifier = an_identifier()
    identifier.ScheduledProcedureStepSequence[0].ScheduledProcedureStepStartDate = "20261122-20261101"

    items, status = asks(node, identifier)

    assert (items, status) == ([], 0xA900)


def test_a_long_worklist_ends_with_a_status_that_says_there_is_more(node: Node, monkeypatch):
    monkeypatch.setattr(worklist_scp, "ITEMS_MAX", 2)
    orders(node, {}, {}, {})

    items, status = asks(node, an_identifier())

    assert (len(items), status) == (2, 0xA700)


def test_a_worklist_too_long_to_look_through_is_never_taken_for_the_whole(node: Node, monkeypatch):
    monkeypatch.setattr(worklist, "PAGE_ROWS", 1)
    monkeypatch.setattr(worklist, "ROWS_MAX", 2)
    orders(node, {}, {}, {})

    items, status = asks(node, an_identifier())

    assert (len(items), status) == (2, 0xA700)


def test_a_key_that_is_not_supported_is_told_with_every_item(node: Node):
    orders(node, {})
    identifier = an_identifier()
    identifier.add_new(0x00991001, "LO", "x")

    ae = an_entity("CT1")
    ae.add_requested_context(ModalityWorklistInformationFind)
    association = ae.associate("127.0.0.1", node.listener.port)
    statuses = [status.Status for status, _ in association.send_c_find(identifier, ModalityWorklistInformationFind)]
    association.release()

    assert statuses == [0xFF01, 0]


@pytest.mark.peer("dcmtk")
def test_findscu_of_dcmtk_reads_the_worklist_by_a_query_file(node: Node, tmp_path: Path):
    orders(node, {}, {"modality": "MR"})
    query = tmp_path / "query.dcm"
    identifier = an_identifier(Modality="CT", ScheduledProcedureStepStartDate="20261122")
    pydicom.dcmwrite(query, identifier, implicit_vr=False, little_endian=True)

    dcmtk("findscu", "-W", "-aet", "CT1", "-X", "-od", tmp_path, "127.0.0.1", node.listener.port, query)

    (answer,) = sorted(tmp_path.glob("rsp*.dcm"))
    assert pydicom.dcmread(answer).PatientName == "NGUYỄN^THỊ ĐÀO"


@pytest.mark.peer("dcmtk")
def test_findscu_cancels_after_the_first_item(node: Node, tmp_path: Path):
    orders(node, *({} for _ in range(300)))
    query = tmp_path / "query.dcm"
    pydicom.dcmwrite(query, an_identifier(), implicit_vr=False, little_endian=True)

    run = subprocess.run(
        ["findscu", "-v", "-W", "--cancel", "1", "127.0.0.1", str(node.listener.port), str(query)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip

    told = run.stdout + run.stderr
    assert "Cancel" in told, told
    assert told.count("Find Response:") < 300


def test_a_listener_in_a_process_of_its_own_reads_the_same_worklist(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite, processes=1) as node:
        orders(node, {})

        assert ids(node, ScheduledStationAETitle="CT1") == ["BN0"]


@pytest.mark.peer("orthanc")
def test_orthanc_asks_for_the_worklist(node: Node, orthanc):
    orders(node, {"study_instance_uid": "1.2.3.4"}, {"modality": "MR"})
    orthanc.knows("node", "VIENANH", node.listener.port)
    query = {
        "PatientID": "",
        "PatientName": "nguyen*",
        "StudyInstanceUID": "",
        "ScheduledProcedureStepSequence": [{"Modality": "CT", "ScheduledProcedureStepStartDate": ""}],
    }

    (item,) = orthanc.call("/modalities/node/find-worklist", {"Query": query, "Short": True})

    assert (item["0010,0020"], item["0010,0010"], item["0020,000d"]) == ("BN0", "NGUYỄN^THỊ ĐÀO", "1.2.3.4")
    assert item["0040,0100"][0]["0040,0002"] == "20261122"
