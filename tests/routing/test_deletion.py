"""What is deleted on its way or after it, and what comes again: nothing waits for it, and nothing counts twice."""

import pytest
from sqlalchemy import Engine, event, select

from anonymizer.pixels.cleaner import Cleaner
from kernel.archive.deletion import removal
from kernel.archive.tables import study
from kernel.events import EventName
from routing import pixel_reviews
from routing.deletion import DeliveryDependents
from routing.rules import Priority
from routing.tables import consignment, job
from tests.routing.test_pixel_reviews import PAGE, Sees, decide, waiting
from tests.support.builders import a_ct, a_ct_series, an_us_cine

DELIVERED = EventName.STUDY_DELIVERED
STAT_TO_PACS = {"to": "pacs", "priority": "stat"}


def counts(hospital):
    (row,) = hospital.rows(select(consignment))
    return (row.delivered, row.instances)


@pytest.mark.parametrize("rule", [{"to": "hub"}, {"to": "pacs"}])
def test_a_study_that_comes_again_is_delivered_again_and_promised_as_large_as_it_is(hospital_on_each, rule):
    hospital = hospital_on_each.with_rules(rule)
    slices = list(a_ct_series(3))
    hospital.receives(*slices)
    hospital.settles()
    hospital.deletes(slices[0])

    hospital.receives(*slices, session="s2")
    hospital.settles()

    receiver = hospital.hub if rule["to"] == "hub" else hospital.pacs
    assert [one["instances"] for one in hospital.details(DELIVERED)] == [3, 3]
    assert counts(hospital) == (3, 3)
    assert len(receiver.instances) == 3
    assert (receiver.announced[-1].instances, bool(receiver.announced[-1].complete)) == (3, True)


def test_an_instance_that_comes_again_and_one_that_is_new_are_one_more(hospital):
    slices = list(a_ct_series(4))
    hospital.receives(*slices[:3])
    hospital.settles()
    hospital.deletes(slices[0], instance=True)

    hospital.receives(slices[0], slices[3], session="s2")
    hospital.settles()

    assert counts(hospital) == (4, 4)
    assert [one["instances"] for one in hospital.details(DELIVERED)] == [3, 4]


def test_a_study_is_delivered_when_what_was_still_to_go_is_deleted(hospital):
    hospital.with_rules({"to": "pacs"})
    hospital.pacs.cut_after = 2
    slices = list(a_ct_series(3))
    hospital.receives(*slices)
    hospital.settles()
    arrived = set(hospital.pacs.instances)
    (late,) = [one for one in slices if one.SOPInstanceUID not in arrived]

    hospital.deletes(late, instance=True)
    hospital.clock.advance(5)
    hospital.settles()

    assert hospital.count(job) == 0
    assert [one["instances"] for one in hospital.details(DELIVERED)] == [2]
    assert hospital.pacs.announced[-1].instances == 2


def test_a_study_that_is_deleted_before_it_was_looked_at_leaves_nothing_waiting(hospital):
    hospital.with_rules({"to": ["hub", "pacs"]})
    slices = list(a_ct_series(3))
    hospital.receives(*slices)

    hospital.deletes(slices[0])
    hospital.settles()

    assert hospital.details(DELIVERED) == []
    assert {(row.delivered, row.instances) for row in hospital.rows(select(consignment))} == {(0, 0)}
    hospital.receives(*slices, session="s2")
    hospital.settles()
    assert sorted(one["destination"] for one in hospital.details(DELIVERED)) == ["hub", "pacs"]


def obstacles(hospital, ds) -> list[str]:
    """Return what speaks against deleting a study."""
    with hospital.database.read() as connection:
        doomed = removal.find(connection, removal.Target("BVA", str(ds.StudyInstanceUID)))
        return [*DeliveryDependents(lambda _: hospital.keys).obstacles(connection, doomed)]


def test_what_a_person_rejected_is_not_waited_for(hospital):
    hospital.with_rules({"to": ["hub", "pacs"]})
    hospital.deidentifier._cleaner = Cleaner(Sees(PAGE))
    cine = an_us_cine()
    hospital.receives(cine)
    hospital.settles()
    assert obstacles(hospital, cine) == ["1 deliveries of it are still to be made"]

    (review,) = waiting(hospital)
    decide(hospital, pixel_reviews.reject, review)

    assert obstacles(hospital, cine) == []


def test_an_instance_that_comes_again_in_another_study_has_its_receipt_there(hospital):
    hospital.with_rules({"to": "pacs"})
    before, after = a_ct(seed="same"), a_ct(seed="same")
    after.StudyInstanceUID, after.SeriesInstanceUID = "1.2.840.9.1", "1.2.840.9.1.1"
    hospital.receives(before)
    hospital.settles()
    hospital.deletes(before)
    hospital.pacs.instances.clear()  # it was deleted there, too
    hospital.clock.advance(5)

    hospital.receives(after, session="s2")
    hospital.settles()

    assert obstacles(hospital, after) == []


@pytest.fixture
def said():
    """What is said to the database from now on, with its values."""
    said = []

    def hear(_connection, _cursor, statement, values, *_):
        said.append((statement, values))

    event.listen(Engine, "before_cursor_execute", hear)
    yield said
    event.remove(Engine, "before_cursor_execute", hear)


def test_receipts_are_looked_for_in_the_study_however_many_the_site_has(hospital, said):
    ds = a_ct()
    hospital.receives(ds)

    obstacles(hospital, ds)

    ((statement, values),) = [one for one in said if "FROM delivery" in one[0]]
    with hospital.database.read() as connection:
        plan = [row.detail for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)]
    assert any("delivery USING INDEX ix_delivery_study (site=? AND study_instance_uid=?)" in line for line in plan)


def test_an_urgent_study_that_comes_again_is_urgent_again(hospital):
    hospital.with_rules(STAT_TO_PACS)
    slices = list(a_ct_series(2))
    hospital.receives(*slices)
    hospital.deletes(slices[0])

    hospital.receives(*slices, session="s2")

    assert [row.priority for row in hospital.rows(select(study.c.priority))] == [Priority.STAT]
