"""The threads: woken by a commit, drained on stop, and killed at any moment without loss or double effect."""

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.clock import SystemClock
from kernel.database import Database
from kernel.events import EventName
from routing import leases
from routing.tables import derived, job, lane
from routing.transport import Cause
from routing.worker import POLL_S, Worker
from tests.routing.conftest import Hospital
from tests.support.builders import a_ct, a_ct_series

SLICES = 24
PATIENCE_S = 30


@pytest.fixture
def site(tmp_path: Path, database: Database) -> Hospital:
    """A hospital whose clock is the machine's, because threads wait for real."""
    hospital = Hospital(tmp_path / "blobs", database, SystemClock())
    hospital.database.write(
        lambda connection: [leases.give_up(connection, name, holder) for name, holder in hospital.holders.items()]
    )
    return hospital


@contextmanager
def working(site: Hospital, owner: str = "bva", **settings) -> Iterator[Worker]:
    worker = Worker(
        site.database,
        site.blobs,
        site.clock,
        replace(site.settings, backoff_base_s=0.01, **settings),
        owner=owner,
        deidentifier=site.deidentifier,
        reidentifier=site.reidentifier,
        transports={"hub": site.hub.transport},
    )
    worker.start()
    try:
        yield worker
    finally:
        assert worker.stop(PATIENCE_S)


@contextmanager
def soon(site: Hospital, name: EventName) -> Iterator[None]:
    """Wait until an event of that name has been recorded, without sleeping: each commit of a delivery wakes us."""
    before = len(site.events(name))
    yield
    ear = site.database.topic("jobs/hub")
    for _ in range(int(PATIENCE_S / 0.05)):
        if len(site.events(name)) > before:
            return
        ear.wait(0.05)
    raise AssertionError(f"no {name}")


def test_a_study_is_delivered_while_it_is_still_being_received(site):
    with working(site):
        with soon(site, EventName.INSTANCE_DELIVERED):
            site.receives(a_ct(instance=1), released=False)
        with soon(site, EventName.STUDY_DELIVERED):
            site.receives(*a_ct_series(SLICES), at_once=4)

    assert len(site.hub.instances) == SLICES
    assert site.count(job) == 0


def test_work_is_begun_by_the_commit_and_not_by_the_poll(site):
    took = threading.Event()
    site.hub.before_deliver = lambda _: took.set()

    with working(site):
        begun_s = site.clock.monotonic_s()
        site.receives(a_ct())
        assert took.wait(PATIENCE_S)

        assert site.clock.monotonic_s() - begun_s < POLL_S


def test_a_lane_that_was_down_flows_again_by_itself(site):
    site.hub.down = Cause.LINK
    refused = threading.Event()
    site.hub.before_deliver = lambda _: refused.set()

    with working(site), soon(site, EventName.STUDY_DELIVERED):
        site.receives(*a_ct_series(3))
        assert refused.wait(PATIENCE_S)
        site.hub.down = None

    assert len(site.hub.instances) == 3


def test_stopping_finishes_what_is_being_carried_and_claims_nothing_more(site):
    carrying, go_on = threading.Event(), threading.Event()

    def hold(_):
        carrying.set()
        assert go_on.wait(PATIENCE_S)

    site.hub.before_deliver = hold
    with working(site, batch_instances=1) as worker:
        site.receives(*a_ct_series(5), released=False)
        assert carrying.wait(PATIENCE_S)
        stopping = threading.Thread(target=worker.stop, args=(PATIENCE_S,))
        stopping.start()
        assert not worker.stop(0.01)  # too soon: it is still being carried
        go_on.set()
        stopping.join(PATIENCE_S)

    assert len(site.hub.instances) == 1
    assert {state for (state,) in site.rows(select(job.c.state))} == {"ready"}
    assert {owner for (owner,) in site.rows(select(lane.c.owner))} == {""}


def test_a_second_machine_does_not_send_on_a_lane_that_is_served(site):
    other = Hospital(site.root, site.database, site.clock)
    site.database.write(
        lambda connection: [leases.give_up(connection, name, holder) for name, holder in other.holders.items()]
    )

    with working(site), working(other, owner="another"), soon(site, EventName.STUDY_DELIVERED):
        site.receives(*a_ct_series(6))

    assert len(site.hub.instances) == 6
    assert other.hub.batches == []


def test_an_owner_may_have_a_name_of_any_length(site):
    with working(site, owner="/a/very/long/folder" * 30), soon(site, EventName.STUDY_DELIVERED):
        site.receives(a_ct())

    assert len(site.hub.instances) == 1


def test_a_turn_that_fails_by_our_own_mistake_does_not_end_the_lane(site):
    mistakes = iter([ZeroDivisionError()])

    def stumble(_):
        for mistake in mistakes:
            raise mistake

    site.hub.before_deliver = stumble
    with working(site, lease_s=0.3), soon(site, EventName.STUDY_DELIVERED):
        site.receives(*a_ct_series(2))

    assert len(site.hub.instances) == 2


@pytest.mark.slow
def test_killed_at_any_step_nothing_acknowledged_is_lost_and_nothing_is_doubled(database_url, tmp_path):
    acknowledged: set[str] = set()
    for kill_after in (1, 4, SLICES // 2, SLICES + 2, SLICES + 9, SLICES + 17, None):
        with child(database_url, tmp_path) as process:
            for number, line in enumerate(process.stdout, start=1):
                word, *uid = line.split()
                if word == "acknowledged":
                    acknowledged.update(uid)
                if number == kill_after or word == "delivered":
                    break
            if kill_after is None or word == "delivered":
                assert process.wait(PATIENCE_S) == 0
            else:
                process.send_signal(signal.SIGKILL)

    offers = {path.stem: path.read_text().split() for path in (tmp_path / "hub").glob("*.offers")}
    assert len(acknowledged) == SLICES
    assert len(offers) == SLICES
    assert all(len(set(digests)) == 1 for digests in offers.values())  # whatever was sent twice is the same instance
    database = Database.open(database_url)
    with database.read() as connection:
        assert connection.execute(select(job.c.pk)).all() == []
        made = connection.execute(select(derived.c.sop_instance_uid, derived.c.new_sop_instance_uid)).all()
    database.close()
    assert {row.sop_instance_uid for row in made} == acknowledged
    assert {row.new_sop_instance_uid for row in made} == set(offers)


@contextmanager
def child(url: str, folder: Path) -> Iterator[subprocess.Popen]:
    command = [sys.executable, "-m", "tests.routing.child", url, str(folder), str(SLICES)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]) as process:
        try:
            yield process
        finally:
            process.kill()
