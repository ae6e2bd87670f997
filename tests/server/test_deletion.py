"""What people wrote and ordered of a study that is deleted: what goes with it, and what only when it is erased."""

import pytest
from sqlalchemy import func, select

from consult.deletion import ERASED_WITH_STUDY
from consult.ordering import By, OrderDesk
from consult.performing import PerformedSteps
from consult.steps import step_of
from consult.subscriptions import Subscriber, Terms
from consult.tables import performed_instance
from consult.workitem_tables import subscription, workitem_report
from consult.workitems import WorkitemDesk
from exchange.node.assemble import deletions_of
from gateway.dicomweb.ups.ups_query import filter_keys
from kernel.archive.deletion.deletion import ERASURE, Wish
from kernel.archive.deletion.removal import Target
from kernel.database import metadata
from kernel.dicom.models import plain
from tests.consult.test_orders import EXPLICIT, as_bytes
from tests.dimse.test_mpps import SLICES, a_beginning, an_end
from tests.dimse.test_mpps import STUDY as _STUDY
from tests.server.conftest import taking_in
from tests.support.workitems import UID, a_workitem

SITE, BY, STUDY = "LOCAL", By("test"), str(_STUDY)
THEIRS = (*ERASED_WITH_STUDY, performed_instance, subscription, workitem_report)
# What may name a study that is not here any more, by UIDs, numbers and words of lists alone.
HISTORY = {"consignment", "delivery", "handover", "legal_hold", "study_plan"}
GO = {"study", "manifest", "conflict", "job", "pixel_review", "pathology_form", "draft", "shown_series"}


@pytest.fixture
def ordered(room):
    """A room with a study, and its order, performed step and work item, to whose news somebody subscribed."""
    desk = OrderDesk(room.stores.db, room.stores.clock)
    for number, study in (("ACC1", STUDY), ("ACC2", "1.2.3.4")):
        values = {"accession_number": number, "patient_id": "BN1", "patient_name": "NGUYỄN^ĐÀO", "modality": "CT"}
        desk.place(SITE, step_of(values | {"start_date": "20261122", "study_instance_uid": study}), BY)
    steps = PerformedSteps(room.stores.db, room.stores.clock)
    steps.create(SITE, "1.2.8", plain.read(as_bytes(a_beginning()), EXPLICIT))
    steps.change(SITE, "1.2.8", plain.read(as_bytes(an_end()), EXPLICIT))
    items = WorkitemDesk(room.stores.db, room.stores.clock, filter_keys, lambda *_: None)
    items.create(SITE, UID, a_workitem(StudyInstanceUID=STUDY), BY)
    items.subscribe(Subscriber(SITE, "ALICE", "token a"), UID, Terms())
    items.request_cancellation(SITE, UID, {}, "BOB", BY)
    room.take_in(*SLICES)
    return room


def kept(room) -> dict[str, int]:
    with room.stores.db.read() as connection:
        return {table.name: connection.scalar(select(func.count()).select_from(table)) for table in THEIRS}


def delete(room, reason: str, *uids: str) -> None:
    deletions = deletions_of(room.stores, taking_in(room.stores)[0])
    deletions.delete(Wish(Target(SITE, STUDY, *uids), "chief", "", "", reason, is_admin=True, is_forced=True))


def test_orders_steps_and_work_items_stay_when_a_study_is_deleted(ordered):
    before = kept(ordered)
    assert min(before.values()) > 0

    delete(ordered, "test-data")

    assert kept(ordered) == before


def test_those_of_a_study_that_is_erased_go_with_it_and_not_with_a_part_of_it(ordered):
    before = kept(ordered)

    delete(ordered, ERASURE, str(SLICES[0].SeriesInstanceUID), str(SLICES[0].SOPInstanceUID))
    assert kept(ordered) == before
    delete(ordered, ERASURE)

    assert kept(ordered) == dict.fromkeys(before, 0) | {"scheduled_step": 1}  # that of the other study


def test_every_table_that_names_a_study_is_thought_of_when_one_is_deleted():
    named = {table.name for table in metadata.sorted_tables if "study_instance_uid" in table.c}

    assert named == HISTORY | GO | {table.name for table in ERASED_WITH_STUDY}
