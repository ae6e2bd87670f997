"""Results of storage commitment are told on an association of ours, for days if need be."""

import socket
import threading
from dataclasses import replace

import pytest
from pynetdicom.sop_class import CTImageStorage
from sqlalchemy import select, update

from gateway import source_tables
from gateway.dimse.scp.commitment_reporter import CommitmentReporter, call_back
from gateway.dimse.scu.errands import Errands
from gateway.dimse.scu.line import Line
from kernel import rounds
from kernel.archive.commitment import desk as commitment_desk
from kernel.archive.commitment import requests as commitments
from kernel.archive.commitment.desk import CommitmentDesk
from kernel.archive.commitment.requests import commitment
from kernel.clock import ManualClock, SystemClock
from kernel.config import Config
from kernel.database import Database
from kernel.errors import InvalidConfiguration
from tests.dimse.commitment_modality import (
    a_request,
    committed,
    drain,
    later,
    states,
)
from tests.dimse.conftest import PATIENCE_S, Node
from tests.dimse.test_get import holds
from tests.support.builders import a_ct_series
from tests.support.nodes import wait_until


def test_who_released_is_told_on_an_association_of_ours(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))
    modality.asks(node, a_request(stored), stays=False)
    drain(modality)
    node.database.write(lambda connection: connection.execute(update(commitment).values(state="decided")))
    reporter = CommitmentReporter(node.database, later(), {"MODALITY": modality.target})

    assert reporter.run_once() == 1

    where, event_type, report = modality.reports.get(timeout=PATIENCE_S)
    assert (where, event_type, committed(report)) == ("new", 1, [ds.SOPInstanceUID for ds in stored])
    assert states(node.database) == ["told"]
    assert reporter.run_once() == 0


def a_transaction(database: Database, clock: ManualClock, peer: str = "MODALITY", number: int = 1) -> int:
    asked = commitments.Asked(
        f"1.2.840.99.{number}",
        "dimse",
        "BVA",
        peer,
        "VIENANH",
        "127.0.0.1",
        [commitments.Reference(str(CTImageStorage), "1.2.3")],
    )
    pk = database.write(lambda connection: commitments.ask(connection, asked, clock.now()))
    database.write(lambda connection: commitments.decide(connection, pk, [], clock.now()))
    return pk


def test_a_requester_that_is_away_is_tried_with_growing_pauses_and_given_up_after_days(node: Node, modality):
    clock = ManualClock()
    a_transaction(node.database, clock)
    reporter = CommitmentReporter(node.database, clock, {})
    pauses: list[float] = []
    begun = last = clock.now()

    while states(node.database) == ["decided"]:
        with node.database.read() as connection:
            row = connection.execute(select(commitment)).one()
        pauses.append((row.next_at - last).total_seconds())
        last = row.next_at
        clock.advance((row.next_at - clock.now()).total_seconds())
        assert reporter.run_once() == 0

    assert pauses[:6] == [15.0, 15.0, 30.0, 60.0, 120.0, 240.0]
    assert max(pauses) == commitments.LONGEST_PAUSE_S
    assert states(node.database) == ["abandoned"]
    assert clock.now() - begun > commitments.ABANDON_AFTER


def test_a_requester_hears_all_that_waits_for_it_on_one_association(node: Node, modality):
    clock = ManualClock()
    for number in range(1, 4):
        a_transaction(node.database, clock, number=number)
    clock.advance(60)

    assert CommitmentReporter(node.database, clock, {"MODALITY": modality.target}).run_once() == 3

    told = [modality.reports.get(timeout=PATIENCE_S)[2].TransactionUID for _ in range(3)]
    assert told == [f"1.2.840.99.{number}" for number in range(1, 4)]
    assert modality.associations == 1


def test_one_that_hangs_up_after_each_report_hears_the_next_on_a_new_association(node: Node, modality, monkeypatch):
    clock = ManualClock()
    for number in range(1, 3):
        a_transaction(node.database, clock, number=number)
    clock.advance(60)
    monkeypatch.setattr(Line, "alive", False)

    assert CommitmentReporter(node.database, clock, {"MODALITY": modality.target}).run_once() == 2

    assert modality.associations == 2


def test_a_dead_requester_keeps_nobody_waiting_but_itself(node: Node, modality):
    clock, told = ManualClock(), []
    a_transaction(node.database, clock, "DEAD")
    a_transaction(node.database, clock)
    clock.advance(60)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes connections and says nothing
        dead = replace(modality.target, port=silent.getsockname()[1])
        reporter = CommitmentReporter(node.database, clock, {"DEAD": dead, "MODALITY": modality.target})
        reporter.begin(told)
        assert modality.reports.get(timeout=PATIENCE_S)[:2] == ("new", 1)

        a_transaction(node.database, clock, number=2)
        clock.advance(60)
        wait_until(lambda: reporter.busy == {"DEAD"})
        reporter.begin(told)
        assert modality.reports.get(timeout=PATIENCE_S)[2].TransactionUID == "1.2.840.99.2"
        assert "DEAD" in reporter.busy
    reporter.stop(PATIENCE_S)

    assert sorted(states(node.database)) == ["decided", "told", "told"]


def test_so_many_errands_at_once_and_one_for_each_peer():
    gate, done = threading.Event(), []
    errands = Errands("test", at_once=2)

    def errand() -> None:
        gate.wait(PATIENCE_S)
        done.append(1)

    assert [errands.begin(peer, errand) for peer in ("a", "a", "b", "c")] == [True, False, True, False]
    assert errands.busy == {"a", "b"}
    gate.set()

    assert errands.wait(PATIENCE_S)
    assert (len(done), errands.busy) == (2, frozenset())


def test_a_requester_without_a_destination_is_called_back_where_its_source_says(node: Node, modality):
    clock = ManualClock()
    a_transaction(node.database, clock)
    clock.advance(60)
    entry = {"name": "ct", "calling": ["MODALITY"], "address": ["127.0.0.0/8"], "port": modality.target.port}
    elsewhere = source_tables.sources(Config(source=(entry | {"calling": ["OTHER"]},)))
    known = source_tables.sources(Config(source=(entry,)))

    nowhere = CommitmentReporter(node.database, clock, {}, call_back(elsewhere, PATIENCE_S)).run_once()
    clock.advance(60)
    told = CommitmentReporter(node.database, clock, {}, call_back(known, PATIENCE_S)).run_once()

    assert (nowhere, told) == (0, 1)
    assert modality.reports.get(timeout=PATIENCE_S)[:2] == ("new", 1)


def test_the_port_of_a_source_is_one():
    with pytest.raises(InvalidConfiguration, match=r"source\[1\]\.port: must be at most 65535"):
        source_tables.sources(Config(source=({"name": "ct", "port": 65536},)))


def test_a_requester_that_answers_with_a_failure_is_told_again(node: Node, modality):
    clock = ManualClock()
    a_transaction(node.database, clock)
    clock.advance(60)
    reporter = CommitmentReporter(node.database, clock, {"MODALITY": modality.target})
    modality.status = 0x0110

    assert reporter.run_once() == 0
    modality.status = 0x0000
    clock.advance(60)
    assert reporter.run_once() == 1

    assert states(node.database) == ["told"]


def test_what_was_asked_survives_the_end_of_the_node(node: Node, modality, tmp_path):
    clock = ManualClock()
    a_transaction(node.database, clock)
    node.listener.stop(2.0)
    node.desk.stop(2.0)
    node.database.close()
    clock.advance(60)

    again = Database.open(node.root / "vienanh.db")
    told = CommitmentReporter(again, clock, {"MODALITY": modality.target}).run_once()

    assert told == 1
    assert modality.reports.get(timeout=PATIENCE_S)[1] == 1
    again.close()


def test_ended_transactions_are_forgotten_after_a_month(node: Node):
    clock = ManualClock()
    pk = a_transaction(node.database, clock)
    node.database.write(lambda connection: commitments.tell(connection, pk))
    forget = lambda: node.database.write(lambda connection: commitments.forget(connection, clock.now()))  # noqa: E731

    clock.advance(29 * 86400)
    assert forget() == 0
    clock.advance(2 * 86400)
    assert forget() == 1
    assert states(node.database) == []


@pytest.mark.parametrize(("part", "work"), [(CommitmentDesk, "run_once"), (CommitmentReporter, "begin")])
def test_a_failure_that_nobody_thought_of_ends_no_thread(node: Node, monkeypatch, part, work):
    calls, again = [], threading.Event()

    def fails_once(*_) -> int:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("unforeseen")
        again.set()
        return 0

    monkeypatch.setattr(part, work, fails_once)
    for looking in (commitment_desk, rounds):
        monkeypatch.setattr(looking, "LOOK_EVERY_S", 0.01)
    arguments = {"blobs": node.blobs, "digests": False} if part is CommitmentDesk else {"requesters": {}}
    running = part(db=node.database, clock=SystemClock(), **arguments)
    running.start()

    assert again.wait(PATIENCE_S)
    running.stop(PATIENCE_S)
