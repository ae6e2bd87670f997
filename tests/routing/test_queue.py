"""The job table's verbs, on SQLite and PostgreSQL alike."""

import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, text

from kernel.clock import ManualClock
from kernel.database import Database
from routing import leases, queue
from routing.jobs import SUSPECT_ATTEMPTS, JobState, Signal
from routing.queue import Appetite, Failure, Holder, NewJob
from routing.tables import job

LEASE_S = 60.0
HOLDER = Holder("node-a", 1)
OTHER = Holder("node-b", 1)
MANY = Appetite(instances=100, size_bytes=10**9)


def a_job(number: int = 1, **changes) -> NewJob:
    plain = NewJob(
        kind="deliver",
        lane="hub",
        priority=2,
        site="A",
        study_instance_uid="1.2.3",
        sop_instance_uid=f"1.2.3.{number}",
        profile="basic",
        trace_id="t",
        size_bytes=100,
    )
    return replace(plain, **changes)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def jobs(database: Database, clock: ManualClock) -> "Jobs":
    return Jobs(database, clock)


class Jobs:
    """The verbs, each in its own transaction."""

    def __init__(self, database: Database, clock: ManualClock) -> None:
        self.database, self.clock = database, clock

    def enqueue(self, *new: NewJob) -> None:
        self.database.write(lambda connection: queue.enqueue(connection, new, self.clock.now()))

    def claim(self, appetite: Appetite = MANY, holder: Holder = HOLDER, lane: str = "hub") -> list[queue.Job]:
        return self.database.write(
            lambda connection: queue.claim(connection, lane, holder, appetite, now=self.clock.now(), lease_s=LEASE_S)
        )

    def complete(self, *done: queue.Job, holder: Holder = HOLDER) -> set[int]:
        return self.database.write(lambda connection: queue.complete(connection, holder, done))

    def fail(self, one: queue.Job, signal: Signal, *, pause_s: float = 0, holder: Holder = HOLDER) -> set[int]:
        failure = Failure(signal, "link", "cut", self.clock.now() + timedelta(seconds=pause_s))
        return self.database.write(lambda connection: queue.fail(connection, holder, [(one, failure)]))

    def reap(self) -> int:
        return self.database.write(lambda connection: queue.reap(connection, self.clock.now()))

    def states(self) -> dict[str, str]:
        with self.database.read() as connection:
            rows = connection.execute(select(job.c.sop_instance_uid, job.c.state).order_by(job.c.pk))
            return dict(map(tuple, rows))


def names(claimed: list[queue.Job]) -> list[int]:
    return [int(one.sop_instance_uid.rsplit(".", 1)[1]) for one in claimed]


def test_jobs_are_claimed_oldest_first(jobs):
    jobs.enqueue(a_job(2), a_job(1))
    jobs.enqueue(a_job(3))

    assert names(jobs.claim()) == [2, 1, 3]


def test_a_claimed_job_is_not_claimed_again(jobs):
    jobs.enqueue(a_job())
    jobs.claim()

    assert jobs.claim(holder=OTHER) == []


def test_enqueueing_the_same_promise_again_does_nothing(jobs):
    jobs.enqueue(a_job())
    (first,) = jobs.claim()

    jobs.enqueue(a_job(), a_job())

    assert jobs.states() == {"1.2.3.1": "running"}
    assert jobs.complete(first) == {first.pk}


def test_the_same_instance_for_another_lane_profile_or_site_is_another_promise(jobs):
    jobs.enqueue(a_job(), a_job(lane="pacs"), a_job(profile="none"), a_job(site="B"), a_job(kind="deidentify"))

    with jobs.database.read() as connection:
        assert len(connection.execute(select(job.c.pk)).all()) == 5


def test_stat_is_claimed_before_older_routine_jobs(jobs):
    jobs.enqueue(*(a_job(number) for number in range(1, 11)), a_job(11, priority=0, study_instance_uid="1.9"))

    assert names(jobs.claim()) == [11]


def test_a_slot_for_stat_takes_nothing_else(jobs):
    jobs.enqueue(a_job(1), a_job(2, priority=1))

    assert jobs.claim(replace(MANY, priority_max=0)) == []
    assert names(jobs.claim(replace(MANY, priority_max=1))) == [2]


def test_a_batch_is_of_one_study(jobs):
    jobs.enqueue(a_job(1), a_job(2, study_instance_uid="1.9"), a_job(3))

    assert names(jobs.claim()) == [1, 3]
    assert names(jobs.claim()) == [2]


def test_a_batch_has_its_limit_of_instances(jobs):
    jobs.enqueue(*(a_job(number) for number in range(1, 6)))

    assert names(jobs.claim(replace(MANY, instances=3))) == [1, 2, 3]
    assert names(jobs.claim(replace(MANY, instances=3))) == [4, 5]


def test_a_batch_has_its_limit_of_bytes(jobs):
    jobs.enqueue(a_job(1, size_bytes=60), a_job(2, size_bytes=40), a_job(3, size_bytes=1))

    assert names(jobs.claim(replace(MANY, size_bytes=100))) == [1, 2]


def test_an_instance_above_the_limit_of_bytes_goes_alone(jobs):
    jobs.enqueue(a_job(1, size_bytes=10**10), a_job(2))

    assert names(jobs.claim(replace(MANY, size_bytes=100))) == [1]


def test_an_instance_that_was_begun_often_without_an_end_goes_alone(jobs):
    jobs.enqueue(a_job(1), a_job(2), a_job(3))
    for _ in range(SUSPECT_ATTEMPTS):
        (first, *_) = jobs.claim(replace(MANY, instances=1))
        jobs.fail(first, Signal.LANE_FAILED)

    assert names(jobs.claim()) == [1]
    assert names(jobs.claim()) == [2, 3]


def test_a_suspect_is_not_taken_along_with_others(jobs):
    jobs.enqueue(a_job(0), a_job(1), a_job(2))
    for _ in range(SUSPECT_ATTEMPTS):
        zero, one = jobs.claim(replace(MANY, instances=2))
        jobs.fail(one, Signal.LANE_FAILED)
        jobs.database.write(lambda connection, zero=zero: queue.give_back(connection, HOLDER, [zero]))

    assert names(jobs.claim()) == [0, 2]


def test_what_is_given_back_was_never_begun(jobs):
    jobs.enqueue(a_job())
    (claimed,) = jobs.claim()

    jobs.database.write(lambda connection: queue.give_back(connection, HOLDER, [claimed]))

    (again,) = jobs.claim()
    assert (claimed.attempts, again.attempts) == (1, 1)


def test_a_failed_job_waits_until_it_may_run_again(jobs, clock):
    jobs.enqueue(a_job())
    (claimed,) = jobs.claim()
    jobs.fail(claimed, Signal.LANE_FAILED, pause_s=30)

    assert jobs.claim() == []

    clock.advance(30)

    (again,) = jobs.claim()
    assert again.attempts == 2


@pytest.mark.parametrize(
    ("signal", "state"), [(Signal.REFUSED, "dead"), (Signal.HOLD, "held"), (Signal.LANE_FAILED, "ready")]
)
def test_a_failure_takes_the_job_where_the_table_says(jobs, signal, state):
    jobs.enqueue(a_job(1), a_job(2))
    first, _ = jobs.claim()

    jobs.fail(first, signal)

    assert jobs.states() == {"1.2.3.1": state, "1.2.3.2": "running"}


def test_a_held_job_can_be_enqueued_and_is_not_claimed(jobs):
    jobs.enqueue(a_job(state=JobState.HELD, cause="pixel-review"))

    assert jobs.claim() == []


def test_jobs_of_a_silent_worker_are_given_to_another(jobs, clock):
    jobs.enqueue(a_job())
    jobs.claim()
    clock.advance(LEASE_S)
    assert jobs.reap() == 0

    clock.advance(1)

    assert jobs.reap() == 1
    assert names(jobs.claim(holder=OTHER)) == [1]


def test_a_heartbeat_keeps_the_jobs(jobs, clock):
    jobs.enqueue(a_job())
    (claimed,) = jobs.claim()
    clock.advance(LEASE_S - 1)

    jobs.database.write(lambda connection: queue.heartbeat(connection, HOLDER, [claimed.pk], clock.now(), LEASE_S))
    clock.advance(LEASE_S - 1)

    assert jobs.reap() == 0


def test_who_lost_a_job_can_neither_complete_nor_fail_it(jobs, clock):
    jobs.enqueue(a_job())
    (lost,) = jobs.claim()
    clock.advance(LEASE_S + 1)
    jobs.reap()
    jobs.claim(holder=OTHER)

    assert jobs.complete(lost) == set()
    assert jobs.fail(lost, Signal.REFUSED) == set()
    assert jobs.states() == {"1.2.3.1": "running"}


def test_a_job_and_what_it_leads_to_are_one_transaction(jobs, database, clock):
    jobs.enqueue(a_job())
    (claimed,) = jobs.claim()

    def complete_and_break(connection):
        queue.complete(connection, HOLDER, [claimed])
        queue.enqueue(connection, [a_job(2)], clock.now())
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        database.write(complete_and_break)

    assert jobs.states() == {"1.2.3.1": "running"}


def test_enqueueing_wakes_the_lane_after_the_commit(jobs, database):
    ear, elsewhere = database.topic("jobs/hub"), database.topic("jobs/pacs")

    jobs.enqueue(a_job())

    assert ear.wait(5)
    assert not elsewhere.event.is_set()


def test_many_claimants_never_share_a_job(jobs):
    jobs.enqueue(*(a_job(number) for number in range(1, 201)))
    taken, lock = [], threading.Lock()

    def work(number: int) -> None:
        holder = Holder(f"worker-{number}", 1)
        while batch := jobs.claim(replace(MANY, instances=7), holder):
            jobs.complete(*batch, holder=holder)
            with lock:
                taken.extend(names(batch))

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(work, range(4)))

    assert sorted(taken) == list(range(1, 201))
    assert jobs.states() == {}


# --- leases -----------------------------------------------------------------------------------------------------------


def take(jobs: Jobs, owner: str, lane: str = "hub") -> Holder | None:
    return jobs.database.write(lambda connection: leases.take(connection, lane, owner, jobs.clock.now(), LEASE_S))


def test_a_lane_has_one_owner(jobs):
    assert take(jobs, "a") == Holder("a", 1)
    assert take(jobs, "b") is None


def test_a_lane_changes_hands_when_its_lease_ends_and_its_jobs_become_ready(jobs, clock):
    first = take(jobs, "a")
    jobs.enqueue(a_job())
    (claimed,) = jobs.claim(holder=first)
    clock.advance(LEASE_S + 1)

    second = take(jobs, "b")

    assert second == Holder("b", 2)
    assert jobs.states() == {"1.2.3.1": "ready"}
    assert jobs.complete(claimed, holder=first) == set()
    assert not keep(jobs, first)
    assert keep(jobs, second)


def test_an_owner_that_starts_anew_gets_its_jobs_back_at_once(jobs):
    before = take(jobs, "a")
    jobs.enqueue(a_job(), a_job(2, kind="deidentify", lane="local"))
    jobs.claim(holder=before)
    jobs.claim(holder=take(jobs, "a", "local"), lane="local")

    after = take(jobs, "a")
    take(jobs, "a", "local")

    assert after == Holder("a", 2)
    assert set(jobs.states().values()) == {"ready"}


def test_local_work_is_shared_and_another_owners_jobs_are_left_alone(jobs):
    jobs.enqueue(a_job(kind="deidentify", lane="local"))
    jobs.claim(holder=take(jobs, "a", "local"), lane="local")

    assert take(jobs, "b", "local") is not None
    assert jobs.states() == {"1.2.3.1": "running"}


def test_a_lease_that_was_given_up_is_free_at_once(jobs):
    first = take(jobs, "a")
    jobs.database.write(lambda connection: leases.give_up(connection, "hub", first))

    assert take(jobs, "b") == Holder("b", 2)


def keep(jobs: Jobs, holder: Holder) -> bool:
    return jobs.database.write(lambda connection: leases.keep(connection, "hub", holder, jobs.clock.now(), LEASE_S))


# --- plans ------------------------------------------------------------------------------------------------------------


def test_looking_for_work_on_sqlite_reads_the_partial_index_however_long_the_backlog(hospital):
    due = select(job.c.pk).where(queue.is_due("hub", hospital.clock.now(), 2)).order_by(job.c.priority, job.c.pk)
    with hospital.database.read() as connection:
        compiled = due.limit(8).compile(connection)
        statement = f"EXPLAIN QUERY PLAN {_named(str(compiled), compiled.params)}"
        plan = " ".join(row.detail for row in connection.execute(text(statement), compiled.params))

    assert "USING INDEX ix_job_ready (lane=? AND priority<?)" in plan
    assert "TEMP B-TREE" not in plan


def _named(statement: str, values: dict) -> str:
    """Give the placeholders of a compiled statement their names back."""
    for name in values:
        statement = statement.replace("?", f":{name}", 1)
    return statement
