"""Performed procedure steps: what a modality says it made decides when its study is complete."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pynetdicom.association import Association
from pynetdicom.sop_class import (
    CTImageStorage,
    ModalityPerformedProcedureStep,
    ModalityPerformedProcedureStepRetrieve,
)
from sqlalchemy import select

from consult.ordering import By, OrderDesk
from consult.steps import Status, step_of
from consult.tables import performed_step
from exchange.node.assemble import Node
from gateway.dimse.scp import mpps_scp
from kernel.archive.tables import study
from kernel.events import EventName, of_study
from tests.support.builders import a_ct, a_ct_series, a_uid
from tests.support.entities import an_entity
from tests.support.wired import SITE, wired_node

SLICES = list(a_ct_series(3))
STUDY = SLICES[0].StudyInstanceUID
STEP = "1.2.840.99.8"


@pytest.fixture
def node(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Node]:
    with wired_node(tmp_path / "node", migrated_sqlite) as running:
        yield running


@contextmanager
def modality(node: Node) -> Iterator[Association]:
    ae = an_entity("CT1")
    ae.add_requested_context(ModalityPerformedProcedureStep)
    ae.add_requested_context(CTImageStorage)
    association = ae.associate("127.0.0.1", node.listener.port)
    assert association.is_established
    yield association
    association.release()


def a_beginning(**changes) -> Dataset:
    """Return what a scanner says when it begins (PS3.4 table F.7.2-1)."""
    ds, scheduled = Dataset(), Dataset()
    scheduled.StudyInstanceUID = changes.pop("StudyInstanceUID", STUDY)
    scheduled.AccessionNumber = "ACC1"
    scheduled.RequestedProcedureID = "ACC1"
    scheduled.ScheduledProcedureStepID = "1"
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.ScheduledStepAttributesSequence = [scheduled]
    ds.PatientName, ds.PatientID = "NGUYỄN^THỊ HƯƠNG", "BN1"
    ds.PerformedProcedureStepID = "PPS1"
    ds.PerformedStationAETitle = "CT1"
    ds.PerformedProcedureStepStartDate, ds.PerformedProcedureStepStartTime = "20261122", "0831"
    ds.PerformedProcedureStepStatus = "IN PROGRESS"
    ds.Modality = "CT"
    ds.PerformedSeriesSequence = []
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


def an_end(status: str = "COMPLETED", slices=SLICES, **changes) -> Dataset:
    """Return what a scanner says when it is done: the series, and every instance of it."""
    ds, series = Dataset(), Dataset()
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.PerformedProcedureStepStatus = status
    ds.PerformedProcedureStepEndDate, ds.PerformedProcedureStepEndTime = "20261122", "0840"
    series.SeriesInstanceUID = slices[0].SeriesInstanceUID if slices else a_uid("none")
    series.ProtocolName = "Sọ não"
    series.ReferencedImageSequence = []
    for one in slices:
        reference = Dataset()
        reference.ReferencedSOPClassUID, reference.ReferencedSOPInstanceUID = one.SOPClassUID, one.SOPInstanceUID
        series.ReferencedImageSequence.append(reference)
    ds.PerformedSeriesSequence = [series]
    for keyword, value in changes.items():
        if value is None:
            delattr(ds, keyword)
        else:
            setattr(ds, keyword, value)
    return ds


@contextmanager
def a_viewer(node: Node) -> Iterator[Association]:
    ae = an_entity("RIS")
    ae.add_requested_context(ModalityPerformedProcedureStepRetrieve)
    association = ae.associate("127.0.0.1", node.listener.port)
    assert association.is_established
    yield association
    association.release()


def gets(association: Association, tags: list[int], uid: str = STEP) -> tuple[Dataset, Dataset | None]:
    return association.send_n_get(tags, ModalityPerformedProcedureStepRetrieve, uid)


def test_what_was_said_of_a_step_can_be_had_again(node: Node):
    with modality(node) as association:
        assert creates(association).Status == 0
        assert sets(association, an_end()).Status == 0

    with a_viewer(node) as association:
        status, everything = gets(association, [])
        _, some = gets(association, [0x00400252, 0x00100010, 0x00104000])
        missing, nothing = gets(association, [], "1.2.840.99.9")

    assert status.Status == 0
    assert everything.PerformedProcedureStepStatus == "COMPLETED"
    assert everything.PatientName == "NGUYỄN^THỊ HƯƠNG"
    assert len(everything.PerformedSeriesSequence[0].ReferencedImageSequence) == len(SLICES)
    assert {element.keyword for element in some} - {"SpecificCharacterSet"} == {
        "PerformedProcedureStepStatus", "PatientName"
    }  # fmt: skip
    assert (missing.Status, nothing) == (0x0112, None)


def test_a_step_is_told_to_those_who_may_see_the_worklist(tmp_path, migrated_sqlite):
    tables = {"source": [{"name": "ct", "calling": ["RIS"], "services": ["mpps"]}]}
    with wired_node(tmp_path / "node", migrated_sqlite, tables=tables) as node:
        ae = an_entity("RIS")
        ae.add_requested_context(ModalityPerformedProcedureStepRetrieve)
        assert not ae.associate("127.0.0.1", node.listener.port).is_established


def creates(association: Association, ds: Dataset | None = None, uid: str | None = STEP) -> Dataset:
    status, _ = association.send_n_create(ds or a_beginning(), ModalityPerformedProcedureStep, uid)
    return status


def sets(association: Association, ds: Dataset, uid: str = STEP) -> Dataset:
    status, _ = association.send_n_set(ds, ModalityPerformedProcedureStep, uid)
    return status


def sends(node: Node, *slices: Dataset) -> None:
    """Send instances over an association of their own."""
    with modality(node) as association:
        for one in slices:
            one.file_meta = _meta(one)
            assert association.send_c_store(one).Status == 0


def _meta(ds: Dataset):
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID, meta.MediaStorageSOPInstanceUID = ds.SOPClassUID, ds.SOPInstanceUID
    meta.TransferSyntaxUID = "1.2.840.10008.1.2"
    return meta


def studies(node: Node) -> list[tuple[str, str, int, int | None]]:
    with node.stores.db.read() as connection:
        rows = connection.execute(select(study)).all()
    return [(row.state, row.evidence, row.number_of_instances, row.expected_instances) for row in rows]


def order(node: Node) -> Callable[[], Status]:
    """Order the step; returns what says where it stands."""
    desk = OrderDesk(node.stores.db, node.stores.clock)
    values = {"accession_number": "ACC1", "patient_id": "BN1", "patient_name": "A", "modality": "CT"}
    desk.place(SITE, step_of(values | {"start_date": "20261122", "study_instance_uid": STUDY}), By("test"))
    return lambda: desk.find(SITE, "ACC1", "1").status


def test_a_completed_step_with_all_its_images_makes_the_study_complete(node: Node):
    status = order(node)

    with modality(node) as association:
        assert creates(association).Status == 0
        begun = status()
        for one in SLICES:
            one.file_meta = _meta(one)
            association.send_c_store(one)
        assert sets(association, an_end()).Status == 0
        at_the_end = studies(node)

    assert (begun, status()) == (Status.STARTED, Status.COMPLETED)
    assert at_the_end == [("complete", "mpps-completed", 3, 3)]
    with node.stores.db.read() as connection:
        told = [one.detail for one in of_study(connection, SITE, STUDY) if one.name is EventName.STEP_PERFORMED]
    assert told == [{"status": "IN PROGRESS", "instances": 0}, {"status": "COMPLETED", "instances": 3}]


def test_a_step_that_was_completed_before_its_images_waits_for_the_last_of_them(node: Node):
    with modality(node) as association:
        creates(association)
        sets(association, an_end())

    sends(node, *SLICES[:2])
    two = studies(node)
    sends(node, SLICES[2])

    assert two == [("receiving", "", 2, 3)]
    assert studies(node) == [("complete", "mpps-completed", 3, 3)]


def test_a_step_that_comes_after_its_images_says_how_many_lack(node: Node):
    sends(node, *SLICES[:2])
    before = studies(node)

    with modality(node) as association:
        creates(association)
        sets(association, an_end())

    assert before == [("complete", "association-released", 2, None)]
    assert studies(node)[0][2:] == (2, 3)


def test_what_is_awaited_survives_a_restart(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite) as node, modality(node) as association:
        creates(association)
        sets(association, an_end())

    with wired_node(tmp_path / "node") as node:
        sends(node, *SLICES)

        assert studies(node) == [("complete", "mpps-completed", 3, 3)]


def test_a_study_is_not_complete_while_another_of_its_steps_goes_on(node: Node):
    other = a_ct(instance=9)
    with modality(node) as association:
        creates(association)
        creates(association, uid="1.2.3.2")
        for one in (*SLICES, other):
            one.file_meta = _meta(one)
            association.send_c_store(one)
        sets(association, an_end())
        first = studies(node)
        sets(association, an_end(slices=[other]), uid="1.2.3.2")
        both = studies(node)

    assert first == [("receiving", "", 4, 3)]
    assert both == [("complete", "mpps-completed", 4, 4)]


def test_a_discontinued_step_is_told_and_promises_nothing(node: Node):
    status = order(node)

    with modality(node) as association:
        creates(association)
        assert sets(association, an_end("DISCONTINUED", slices=[])).Status == 0

    assert status() is Status.DISCONTINUED
    sends(node, SLICES[0])
    assert studies(node) == [("complete", "association-released", 1, None)]


def test_a_step_that_has_ended_may_no_longer_be_updated(node: Node):
    with modality(node) as association:
        creates(association)
        sets(association, an_end())

        again = sets(association, an_end())
        other = sets(association, an_end("DISCONTINUED"))

    assert again.Status == 0  # an answer that was lost: nothing is changed
    assert (other.Status, other.ErrorID) == (0x0110, 0xA710)
    assert other.ErrorComment == "Performed Procedure Step Object may no longer be updated"


@pytest.mark.parametrize(
    ("change", "status", "comment"),
    [
        ({"PerformedProcedureStepID": None}, 0x0120, "PerformedProcedureStepID is missing."),
        ({"ScheduledStepAttributesSequence": []}, 0x0121, "ScheduledStepAttributesSequence has no value."),
        ({"PerformedStationAETitle": ""}, 0x0121, "PerformedStationAETitle has no value."),
        ({"PerformedProcedureStepStatus": "COMPLETED"}, 0x0106, "PerformedProcedureStepStatus must be IN PROGRESS."),
        (
            {"PerformedProcedureStepStatus": "OVER"},
            0x0106,
            "PerformedProcedureStepStatus must be IN PROGRESS, COMPLETED or D",
        ),
        ({"StudyInstanceUID": ""}, 0x0121, "StudyInstanceUID has no value."),
    ],
    ids=str,
)
def test_a_beginning_that_lacks_something_is_refused_and_the_attribute_named(node: Node, change, status, comment):
    with modality(node) as association:
        answer = creates(association, a_beginning(**change))

    assert (answer.Status, answer.ErrorComment) == (status, comment)


@pytest.mark.parametrize(
    ("change", "status", "tag"),
    [
        ({"PerformedProcedureStepEndTime": None}, 0x0120, 0x00400251),
        ({"PerformedSeriesSequence": []}, 0x0121, 0x00400340),
        ({"PerformedProcedureStepStatus": "ENDED"}, 0x0106, 0x00400252),
    ],
    ids=str,
)
def test_an_end_that_lacks_something_is_refused_and_the_step_goes_on(node: Node, change, status, tag):
    with modality(node) as association:
        creates(association)
        answer = sets(association, an_end(**change))
        after = sets(association, an_end())

    assert (answer.Status, answer.AttributeIdentifierList) == (status, tag)
    assert after.Status == 0


def test_a_second_step_of_one_uid_is_a_duplicate_and_a_change_of_none_has_no_such_instance(node: Node):
    with modality(node) as association:
        first, second = creates(association), creates(association)
        unknown = sets(association, an_end(), uid="1.2.3.404")

    assert (first.Status, second.Status, unknown.Status) == (0, 0x0111, 0x0112)


def test_a_step_without_a_uid_is_given_one(node: Node):
    with modality(node) as association:
        answer, _ = association.send_n_create(a_beginning(), ModalityPerformedProcedureStep, None)

    with node.stores.db.read() as connection:
        (uid,) = connection.execute(select(performed_step.c.sop_instance_uid)).scalars()
    assert answer.Status == 0
    assert uid.startswith("2.25.")


def test_more_than_a_step_may_say_is_refused(node: Node, monkeypatch):
    monkeypatch.setattr(mpps_scp, "DATA_SET_BYTES_MAX", 100)

    with modality(node) as association:
        assert creates(association).Status == 0xC001


def test_a_modality_cannot_move_a_step_to_another_study_or_patient(node: Node):
    with modality(node) as association:
        creates(association)
        change = an_end()
        change.PatientID = "SOMEBODY"
        change.ScheduledStepAttributesSequence = a_beginning(StudyInstanceUID="1.2.3").ScheduledStepAttributesSequence
        assert sets(association, change).Status == 0

    with node.stores.db.read() as connection:
        row = connection.execute(select(performed_step)).one()
    assert row.study_instance_uid == STUDY
    assert "SOMEBODY" not in row.model


def test_a_listener_in_a_process_of_its_own_asks_the_node(tmp_path: Path, migrated_sqlite: Path):
    with wired_node(tmp_path / "node", migrated_sqlite, processes=1) as node:
        status = order(node)
        with modality(node) as association:
            assert creates(association).Status == 0
            assert creates(association).Status == 0x0111
            assert creates(association, a_beginning(Modality=None), uid="1.2.9").ErrorComment == "Modality is missing."
            assert sets(association, an_end()).Status == 0
        sends(node, *SLICES)

        assert status() is Status.COMPLETED
        assert studies(node) == [("complete", "mpps-completed", 3, 3)]
