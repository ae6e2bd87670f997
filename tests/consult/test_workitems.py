"""Work items and subscriptions on both engines: who is told what, and what is kept how long."""

from datetime import timedelta
from typing import Any

import pytest

from consult import subscriptions, workitem_rows, workitems
from consult.ordering import By
from consult.subscriptions import FILTERED, GLOBAL, Subscriber, Terms
from consult.workitem_attributes import tag
from consult.workitems import KEPT, WorkitemDesk
from gateway.dicomweb.ups.ups_query import filter_keys
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.errors import Forbidden, LimitExceeded, NotFound, WorkitemConflict, WorkitemExists
from tests.support.workitems import UID, a_state, a_workitem, what_was_performed

SITE = "BV1"
BY = By("test")
ALICE = Subscriber(SITE, "ALICE", "token a")
BOB = Subscriber(SITE, "BOB", "token b")


class Desk:
    """A desk with a clock, that remembers at whose doors was knocked."""

    def __init__(self, database: Database) -> None:
        self.clock = ManualClock()
        self.knocks: list[str] = []
        self.desk = WorkitemDesk(database, self.clock, filter_keys, lambda _, titles: self.knocks.extend(titles))

    def creates(self, uid: str = UID, **changes: Any) -> None:
        self.desk.create(SITE, uid, a_workitem(**changes), BY)

    def asks(self, state: str, uid: str = UID) -> None:
        self.desk.change_state(SITE, uid, a_state(state), BY)

    def hears(self, who: Subscriber) -> list[tuple[str, int, str]]:
        """Return what waits for a subscriber, and forget it: work item, event type, state or the like."""
        found = self.desk.waiting(SITE, who.ae_title, 5000)
        if found:
            self.desk.told(SITE, who.ae_title, found[-1][0])
        return [
            (
                model["00001000"]["Value"][0],
                model["00001002"]["Value"][0],
                model.get(tag("ProcedureStepState"), {}).get("Value", [""])[0],
            )
            for _, model in found
        ]


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


def test_a_subscriber_of_the_worklist_hears_of_what_is_and_what_will_be(desk: Desk):
    desk.creates("1.2.1")
    desk.desk.subscribe(ALICE, GLOBAL, Terms())
    desk.creates("1.2.2")
    desk.asks("IN PROGRESS", "1.2.1")

    assert desk.hears(ALICE) == [("1.2.1", 1, "SCHEDULED"), ("1.2.2", 1, "SCHEDULED"), ("1.2.1", 1, "IN PROGRESS")]
    assert desk.hears(ALICE) == []
    assert desk.knocks == ["ALICE", "ALICE", "ALICE"]


def test_a_filtered_subscriber_hears_of_what_matches(desk: Desk):
    desk.creates("1.2.1", ScheduledProcedureStepPriority="LOW")
    desk.desk.subscribe(ALICE, FILTERED, Terms(query="ScheduledProcedureStepPriority=HIGH"))
    desk.creates("1.2.2")
    desk.creates("1.2.3", ScheduledProcedureStepPriority="LOW")

    assert desk.hears(ALICE) == [("1.2.2", 1, "SCHEDULED")]


@pytest.mark.parametrize("page_rows", [2, 500])
def test_of_many_work_items_those_that_match_are_subscribed_to_and_told_oldest_first(
    desk: Desk, monkeypatch, page_rows: int
):
    monkeypatch.setattr(workitem_rows, "PAGE_ROWS", page_rows)
    for number in range(6):
        desk.creates(f"1.2.{number + 1}", ScheduledProcedureStepPriority="LOW" if number == 2 else "HIGH")

    desk.desk.subscribe(ALICE, FILTERED, Terms(query="ScheduledProcedureStepPriority=HIGH"))

    assert [uid for uid, _, _ in desk.hears(ALICE)] == ["1.2.1", "1.2.2", "1.2.4", "1.2.5", "1.2.6"]


def test_a_work_item_that_comes_while_a_filter_looks_at_the_others_is_subscribed_to(desk: Desk, monkeypatch):
    look = workitems.newest_matches
    desk.creates("1.2.1")

    def looks_and_something_comes(*asked: Any) -> workitem_rows.Matches:
        found = look(*asked)
        desk.creates("1.2.2")
        desk.creates("1.2.3", ScheduledProcedureStepPriority="LOW")
        return found

    monkeypatch.setattr(workitems, "newest_matches", looks_and_something_comes)
    desk.desk.subscribe(ALICE, FILTERED, Terms(query="ScheduledProcedureStepPriority=HIGH"))
    desk.asks("IN PROGRESS", "1.2.2")

    assert desk.hears(ALICE) == [("1.2.1", 1, "SCHEDULED"), ("1.2.2", 1, "SCHEDULED"), ("1.2.2", 1, "IN PROGRESS")]


def test_subscribing_to_the_worklist_reads_no_more_work_items_than_are_told(desk: Desk, monkeypatch):
    monkeypatch.setattr(subscriptions, "REPORTS_MAX", 2)
    read: list[object] = []
    model_of = workitem_rows.model_of
    monkeypatch.setattr(workitem_rows, "model_of", lambda row: read.append(row) or model_of(row))
    for number in range(5):
        desk.creates(f"1.2.{number + 1}")

    desk.desk.subscribe(ALICE, GLOBAL, Terms())

    assert len(read) == 2
    assert [uid for uid, _, _ in desk.hears(ALICE)] == ["1.2.4", "1.2.5"]
    desk.asks("IN PROGRESS", "1.2.1")
    assert desk.hears(ALICE) == [("1.2.1", 1, "IN PROGRESS")]


def test_a_suspended_subscriber_hears_no_more_of_new_ones_but_of_the_old(desk: Desk):
    desk.desk.subscribe(ALICE, GLOBAL, Terms())
    desk.creates("1.2.1")
    desk.desk.suspend(ALICE, GLOBAL)
    desk.creates("1.2.2")
    desk.asks("IN PROGRESS", "1.2.1")

    assert desk.hears(ALICE) == [("1.2.1", 1, "SCHEDULED"), ("1.2.1", 1, "IN PROGRESS")]
    with pytest.raises(NotFound):
        desk.desk.suspend(ALICE, GLOBAL)


def test_who_leaves_the_worklist_hears_nothing_more(desk: Desk):
    desk.creates()
    desk.desk.subscribe(ALICE, GLOBAL, Terms())
    desk.desk.subscribe(BOB, UID, Terms())
    desk.hears(ALICE)
    desk.desk.unsubscribe(ALICE, GLOBAL)
    desk.asks("IN PROGRESS")

    assert desk.hears(ALICE) == []
    assert desk.hears(BOB) == [(UID, 1, "SCHEDULED"), (UID, 1, "IN PROGRESS")]
    with pytest.raises(NotFound):
        desk.desk.unsubscribe(ALICE, UID)


def test_what_waited_for_who_unsubscribed_is_not_for_who_takes_the_title_next(desk: Desk):
    desk.desk.subscribe(ALICE, GLOBAL, Terms())
    desk.creates()
    desk.desk.unsubscribe(ALICE, GLOBAL)

    next_one = Subscriber(SITE, ALICE.ae_title, "token of somebody else")
    desk.desk.check_holder(next_one)

    assert desk.hears(next_one) == []


def test_progress_assignment_and_a_request_to_cancel_are_reports_of_their_own(desk: Desk):
    desk.creates()
    desk.asks("IN PROGRESS")
    desk.desk.subscribe(ALICE, UID, Terms())
    desk.hears(ALICE)
    progress = {"vr": "SQ", "Value": [{"00741004": {"vr": "DS", "Value": [50]}}]}
    performers = {"vr": "SQ", "Value": [{"00404037": {"vr": "PN", "Value": [{"Alphabetic": "BS^LAN"}]}}]}

    desk.desk.update(SITE, UID, {"00741002": progress, "00404034": performers}, "2.25.1", BY)
    desk.desk.request_cancellation(SITE, UID, {}, "BOB", BY)

    reports = [model for _, model in desk.desk.waiting(SITE, "ALICE", 10)]
    assert [report["00001002"]["Value"] for report in reports] == [[3], [5], [2]]
    assert reports[0]["00741002"] == progress
    assert reports[2]["00741236"]["Value"] == ["BOB"]
    assert all(report["00000002"]["Value"] == ["1.2.840.10008.5.1.4.34.6.4"] for report in reports)


def test_nobody_speaks_for_the_application_entity_of_another(desk: Desk):
    desk.creates()
    desk.desk.subscribe(ALICE, UID, Terms())
    mallory = Subscriber(SITE, "ALICE", "token m")

    for attempt in (
        lambda: desk.desk.subscribe(mallory, GLOBAL, Terms()),
        lambda: desk.desk.unsubscribe(mallory, UID),
        lambda: desk.desk.check_holder(mallory),
    ):
        with pytest.raises(Forbidden, match="speak for this application entity"):
            attempt()
    desk.desk.check_holder(Subscriber(SITE, "ALICE", "account admin", may_all=True))


def test_what_waits_for_one_subscriber_is_bounded_and_the_oldest_go(desk: Desk, monkeypatch):
    monkeypatch.setattr(subscriptions, "REPORTS_MAX", 3)
    desk.desk.subscribe(ALICE, GLOBAL, Terms())

    for number in range(5):
        desk.creates(f"1.2.{number + 1}")

    assert [uid for uid, _, _ in desk.hears(ALICE)] == ["1.2.3", "1.2.4", "1.2.5"]


def test_more_subscribers_than_a_site_may_have_are_refused(desk: Desk, monkeypatch):
    monkeypatch.setattr(subscriptions, "SUBSCRIBERS_MAX", 1)
    desk.desk.subscribe(ALICE, GLOBAL, Terms())
    desk.desk.subscribe(ALICE, GLOBAL, Terms())

    with pytest.raises(LimitExceeded, match="SUBSCRIBERS_MAX"):
        desk.desk.subscribe(BOB, GLOBAL, Terms())


def test_what_ended_is_deleted_after_a_week_unless_somebody_holds_a_deletion_lock(desk: Desk):
    for uid in ("1.2.1", "1.2.2", "1.2.3"):
        desk.creates(uid)
    for uid in ("1.2.1", "1.2.2"):
        desk.asks("IN PROGRESS", uid)
        desk.desk.update(SITE, uid, what_was_performed(), "2.25.1", BY)
        desk.asks("COMPLETED", uid)
    desk.desk.subscribe(ALICE, "1.2.2", Terms(lock=True))

    early = desk.desk.sweep()
    desk.clock.advance((KEPT + timedelta(seconds=1)).total_seconds())

    assert (early, desk.desk.sweep(), desk.desk.sweep()) == (0, 1, 0)
    desk.desk.retrieve(SITE, "1.2.2")
    desk.desk.retrieve(SITE, "1.2.3")
    with pytest.raises(NotFound):
        desk.desk.retrieve(SITE, "1.2.1")
    desk.desk.unsubscribe(ALICE, "1.2.2")
    assert desk.desk.sweep() == 1


def test_of_two_that_take_a_work_item_one_does(desk: Desk):
    desk.creates()
    desk.asks("IN PROGRESS")

    with pytest.raises(WorkitemConflict):
        desk.asks("IN PROGRESS")
    with pytest.raises(WorkitemExists):
        desk.creates()


def test_work_items_are_found_by_columns_and_by_everything_else(desk: Desk):
    desk.creates("1.2.1")
    desk.creates("1.2.2", PatientName="LÊ^ĐỨC", ScheduledProcedureStepStartDateTime="20261120")
    desk.asks("IN PROGRESS", "1.2.1")

    def found(text: str, **page: int) -> tuple[list[str], bool]:
        models, more = desk.desk.search(None, filter_keys(text), page.get("limit", 10), page.get("offset", 0))
        return [model["00080018"]["Value"][0] for model in models], more

    assert found("ProcedureStepState=IN PROGRESS") == (["1.2.1"], False)
    assert found("PatientName=le^duc") == (["1.2.2"], False)
    assert found("PatientID=BN1", limit=1) == (["1.2.2"], True)
    assert found("PatientID=BN1", limit=1, offset=1) == (["1.2.1"], False)
    assert desk.desk.search(frozenset({"ELSEWHERE"}), filter_keys("PatientID=BN1"), 10, 0) == ([], False)
