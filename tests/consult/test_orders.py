"""Orders and performed steps on both engines: what is offered, what may still change, and when a study is complete."""

from pathlib import Path

import pytest
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from sqlalchemy import select

from consult import worklist
from consult.order_rows import OrderNumbers
from consult.ordering import By, OrderDesk
from consult.orders import set_status
from consult.performing import PerformedSteps
from consult.steps import Status, after_cancel, after_order, step_of
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Origin
from kernel.archive.tables import study
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.dicom.models import plain
from kernel.dicom.queries import identifier
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.errors import InvalidOrder, NotFound, OrderConflict
from tests.dimse.test_mpps import SLICES, STUDY, a_beginning, an_end
from tests.support.builders import as_dataset_bytes

SITE = "MK01"
BY = By("test")
EXPLICIT = "1.2.840.10008.1.2.1"


def a_step(**changes: str):
    values = {"accession_number": "ACC1", "patient_id": "BN1", "patient_name": "NGUYỄN^ĐÀO", "modality": "CT"}
    return step_of(values | {"start_date": "20261122", "study_instance_uid": STUDY} | changes)


@pytest.fixture
def desk(database: Database) -> OrderDesk:
    return OrderDesk(database, ManualClock())


def offered(database: Database, **keys: str) -> list[str]:
    """Return the patients on the worklist: keys of the step by keyword."""
    tags = {TAG_OF[name]: text for name, text in keys.items()}
    inside = {f"{tag:08X}": {"vr": VR_OF[tag], "Value": [text]} for tag, text in tags.items()}
    model = {"00100020": {"vr": "LO"}, "00400100": {"vr": "SQ", "Value": [inside]}}
    found = worklist.found(database, SITE, identifier.of_model(model), "CT1")
    return [item["00100020"]["Value"][0] for item in found if item is not None]


def test_emergencies_are_offered_first_then_by_start(database: Database, desk: OrderDesk):
    desk.place(SITE, a_step(step_id="1", start_time="0900"), BY)
    desk.place(SITE, a_step(step_id="2", patient_id="BN2", start_time="0800"), BY)
    desk.place(SITE, a_step(step_id="3", patient_id="BN3", start_time="1000", priority="STAT"), BY)
    desk.place("ELSEWHERE", a_step(patient_id="BN4"), BY)

    assert offered(database) == ["BN3", "BN2", "BN1"]
    assert offered(database, ScheduledProcedureStepStartTime="0830-") == ["BN3", "BN1"]
    assert offered(database, Modality="MR") == []


@pytest.mark.parametrize(
    ("status", "ordered", "canceled"),
    [
        (Status.SCHEDULED, Status.SCHEDULED, Status.CANCELED),
        (Status.ARRIVED, Status.ARRIVED, Status.CANCELED),
        (Status.STARTED, Status.STARTED, None),
        (Status.COMPLETED, None, None),
        (Status.DISCONTINUED, None, None),
        (Status.CANCELED, Status.SCHEDULED, Status.CANCELED),
    ],
)
def test_what_an_order_may_still_change(status: Status, ordered: Status | None, canceled: Status | None):
    for rule, expected in ((after_order, ordered), (after_cancel, canceled)):
        if expected is None:
            with pytest.raises(OrderConflict, match=f"the step is {status.value} and may not be"):
                rule(status)
        else:
            assert rule(status) is expected


def test_a_step_that_has_begun_keeps_its_study_and_its_patient(database: Database, desk: OrderDesk):
    desk.place(SITE, a_step(), BY)
    at = ManualClock().now()
    database.write(lambda c: set_status(c, SITE, OrderNumbers(accession_number="ACC1"), Status.STARTED, at=at))

    corrected = desk.place(SITE, a_step(patient_name="NGUYỄN^THỊ ĐÀO"), BY)
    with pytest.raises(OrderConflict, match="its study_instance_uid may not change"):
        desk.place(SITE, a_step(study_instance_uid="1.2.9"), BY)
    with pytest.raises(OrderConflict, match="its patient_id may not change"):
        desk.place(SITE, a_step(patient_id="BN9"), BY)

    assert (corrected.status, corrected.step.patient_name) == (Status.STARTED, "NGUYỄN^THỊ ĐÀO")


def test_an_order_that_nobody_made_cannot_be_taken_back(desk: OrderDesk):
    with pytest.raises(NotFound):
        desk.cancel(SITE, OrderNumbers(filler_order_number="F1"), BY)
    with pytest.raises(InvalidOrder, match="accession_number is missing"):
        desk.cancel(SITE, OrderNumbers(), BY)


def test_a_study_is_complete_with_the_last_instance_that_its_completed_step_names(
    database: Database, desk: OrderDesk, tmp_path: Path
):
    clock, blobs = ManualClock(), Blobs(tmp_path / "blobs", 1)
    steps = PerformedSteps(database, clock)
    committer = LocalCommitter(database, clock, participants=[steps.participant], quarantine_bytes_max=1 << 20)
    steps.begin(committer.complete)
    ingest = Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)

    def takes_in(ds) -> None:
        stage = blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, EXPLICIT)
        stage.write(as_dataset_bytes(ds))
        ingest.ingest(stage.finish(), Origin(SITE, "dimse", "CT1", "VIENANH", "127.0.0.1", "session"))

    def stands() -> tuple[str, str, int, int | None]:
        with database.read() as connection:
            row = connection.execute(select(study)).one()
        return row.state, row.evidence, row.number_of_instances, row.expected_instances

    desk.place(SITE, a_step(), BY)
    steps.create(SITE, "1.2.8", plain.read(as_bytes(a_beginning()), EXPLICIT))
    takes_in(SLICES[0])
    steps.change(SITE, "1.2.8", plain.read(as_bytes(an_end()), EXPLICIT))
    committer.end_session(SITE, "session", "association-released")
    one = stands()
    takes_in(SLICES[1])
    restarted = PerformedSteps(database, clock)
    restarted.begin(committer.complete)
    committer._participants = (restarted.participant,)
    takes_in(SLICES[2])

    assert one == ("receiving", "", 1, 3)
    assert stands() == ("complete", "mpps-completed", 3, 3)
    assert desk.find(SITE, "ACC1", "1").status is Status.COMPLETED


def as_bytes(ds) -> bytes:
    file = DicomBytesIO()
    file.is_little_endian, file.is_implicit_VR = True, False
    write_dataset(file, ds)
    return file.getvalue()
