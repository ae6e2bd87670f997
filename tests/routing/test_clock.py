"""A clock that was an hour ahead and is put right: nothing waits for that hour to come again."""

import pytest
from sqlalchemy import update

from kernel.archive.commitment import requests as commitments
from kernel.clock import SLEWED_S, ManualClock, SetBack
from kernel.events import EventName
from routing import handovers
from routing.jobs import JobState
from routing.queue import LOCAL_LANE, Appetite, claim, reap
from routing.set_right import set_right
from routing.tables import handover, job, lane
from routing.transport import Cause
from routing.worker import Worker
from tests.routing.conftest import Hospital
from tests.support.builders import a_ct, a_ct_series

HOUR_S = 3600


def keeper_of(hospital: Hospital) -> Worker:
    """Return a worker whose beat a test gives by hand."""
    worker = Worker(
        hospital.database,
        hospital.blobs,
        hospital.clock,
        hospital.settings,
        owner="bva",
        deidentifier=hospital.deidentifier,
        reidentifier=hospital.reidentifier,
        transports={"hub": hospital.hub.transport, "pacs": hospital.pacs.transport},
    )
    worker.keep()
    hospital.holders = dict(worker._holders)
    return worker


def test_what_waited_goes_when_the_clock_is_put_back(hospital_on_each, clock):
    hospital, keeper = hospital_on_each, keeper_of(hospital_on_each)
    hospital.receives(*a_ct_series(3))
    clock.set_back(HOUR_S)

    keeper.keep()
    hospital.settles()

    assert len(hospital.hub.instances) == 3
    assert hospital.count(job) == 0


def test_a_pause_ends_with_the_clock_that_it_was_written_by(hospital_on_each, clock):
    hospital, keeper = hospital_on_each, keeper_of(hospital_on_each)
    hospital.hub.down = Cause.LINK
    hospital.receives(*a_ct_series(3))
    hospital.settles()
    hospital.hub.down = None
    clock.set_back(HOUR_S)

    keeper.keep()
    hospital.settles()

    assert len(hospital.hub.instances) == 3
    assert len(hospital.events(EventName.STUDY_DELIVERED)) == 1


def test_pauses_last_as_long_as_they_were_meant_to_while_the_clock_is_right(hospital, clock):
    keeper = keeper_of(hospital)
    hospital.hub.down = Cause.LINK
    hospital.receives(a_ct())
    hospital.settles()
    asked = len(hospital.hub.batches)
    clock.set_back(SLEWED_S)

    keeper.keep()
    hospital.settles()

    assert len(hospital.hub.batches) == asked


def test_what_a_silent_worker_holds_comes_back_within_a_lease_of_the_right_clock(hospital_on_each, clock):
    hospital, database = hospital_on_each, hospital_on_each.database
    lease_s = hospital.settings.lease_s
    hospital.receives(a_ct())
    database.write(
        lambda connection: claim(
            connection, LOCAL_LANE, hospital.holders[LOCAL_LANE], Appetite(1, 1), now=clock.now(), lease_s=lease_s
        )
    )
    clock.set_back(HOUR_S)
    database.write(lambda connection: set_right(connection, clock.now(), longest_s=0, lease_s=lease_s))
    clock.advance(lease_s + 1)

    assert database.write(lambda connection: reap(connection, clock.now())) == 1
    assert [row.state for row in hospital.rows(job.select())] == [JobState.READY]
    leases = [row.lease_until for row in hospital.rows(lane.select()) if row.lease_until]
    assert leases
    assert max(leases) < clock.now()


def test_a_node_that_starts_under_the_right_clock_waits_for_no_pause_that_cannot_be(hospital, clock):
    hospital.receives(a_ct())
    in_a_year = clock.now().replace(year=2027)
    hospital.database.write(lambda connection: connection.execute(update(job).values(run_at=in_a_year)) and None)
    soon = [(row.run_at, row.state) for row in hospital.rows(job.select())]
    assert soon == [(in_a_year, "ready")]

    hospital.database.write(lambda connection: set_right(connection, clock.now(), longest_s=HOUR_S, lease_s=60))
    hospital.settles()

    assert len(hospital.hub.instances) == 1


def test_what_is_to_be_told_about_commitment_and_asked_for_it_is_due_under_the_right_clock(hospital, clock):
    database, now = hospital.database, clock.now()
    asked = commitments.Asked("1.2.3", "dimse", "BVA", "CT1", "BVA", "", [commitments.Reference("1.2", "1.2.4")])
    ours = {
        "kind": "commit", "part": 0, "destination": "pacs", "site": "BVA", "study_instance_uid": "1.2", "state": "due",
        "next_at": now, "at": now, "trace_id": "t",
    }  # fmt: skip
    database.write(lambda connection: connection.execute(handover.insert(), ours) and None)
    database.write(lambda connection: commitments.ask(connection, asked, now))
    clock.set_back(HOUR_S)

    database.write(lambda connection: set_right(connection, clock.now(), longest_s=0, lease_s=60))

    with database.read() as connection:
        assert len(handovers.due(connection, clock.now())) == 1
        assert len(commitments.due(connection, "asked", clock.now())) == 1


@pytest.mark.parametrize(
    ("back_s", "noticed"), [(0.0, False), (SLEWED_S - 1, False), (SLEWED_S + 1, True), (HOUR_S, True)]
)
def test_only_a_step_back_is_noticed_and_once(back_s: float, noticed: bool):
    clock = ManualClock()
    eye = SetBack(clock)
    clock.advance(20.0)
    clock.set_back(back_s)

    assert (eye.noticed(), eye.noticed()) == (noticed, False)


def test_the_quiet_of_a_study_begins_anew_with_the_right_clock(hospital_on_each, clock):
    hospital = hospital_on_each
    hospital.receives(a_ct(), released=False)
    clock.set_back(HOUR_S)

    assert hospital.committer.settle_quiet(60) == 0
    clock.advance(61)

    assert hospital.committer.settle_quiet(60) == 1
