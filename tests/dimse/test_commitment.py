"""Storage commitment: asked by N-ACTION, looked for, and answered by N-EVENT-REPORT, whatever happens in between."""

import queue
import socket
import threading
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

import pytest
from pydicom import Dataset
from pydicom.uid import generate_uid
from pynetdicom import AE, build_role, evt
from pynetdicom.dimse_messages import N_EVENT_REPORT_RSP
from pynetdicom.sop_class import CTImageStorage, MRImageStorage, StorageCommitmentPushModel
from sqlalchemy import delete, select, update

from gateway import source_tables
from gateway.dimse.scp.commitment_reporter import CommitmentReporter, call_back
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.errands import Errands
from gateway.dimse.scu.line import Line
from kernel import rounds
from kernel.archive import commitment_desk, commitments
from kernel.archive.commitment_desk import CommitmentDesk
from kernel.archive.commitments import commitment
from kernel.archive.tables import instance
from kernel.clock import ManualClock, SystemClock
from kernel.config import Config
from kernel.database import Database
from kernel.errors import InvalidConfiguration
from tests.dimse.conftest import PATIENCE_S, Node
from tests.dimse.test_faults import settles
from tests.dimse.test_get import holds
from tests.support.builders import a_ct, a_ct_series

WELL_KNOWN = "1.2.840.10008.1.20.1.1"


def a_request(datasets, uid: str = "1.2.840.99.1") -> Dataset:
    ds = Dataset()
    ds.TransactionUID = uid
    ds.ReferencedSOPSequence = [reference(one.SOPClassUID, one.SOPInstanceUID) for one in datasets]
    return ds


def reference(sop_class_uid: str, sop_instance_uid: str) -> Dataset:
    item = Dataset()
    item.ReferencedSOPClassUID = sop_class_uid
    item.ReferencedSOPInstanceUID = sop_instance_uid
    return item


@dataclass
class Modality:
    """pynetdicom as storage commitment SCU, which hears reports on its own association and on one of the node's."""

    status: int = 0x0000
    reports: queue.Queue = field(default_factory=queue.Queue)
    heard: dict = field(default_factory=dict)  # by association, not yet answered
    associations: int = 0  # of the node

    def __post_init__(self) -> None:
        self.ae = AE(ae_title="MODALITY")
        self.ae.add_requested_context(StorageCommitmentPushModel)
        self.ae.add_supported_context(StorageCommitmentPushModel, scu_role=True, scp_role=True)
        self.server = self.ae.start_server(
            ("127.0.0.1", 0),
            block=False,
            evt_handlers=[
                (evt.EVT_N_EVENT_REPORT, self._report, ["new"]),
                (evt.EVT_ACCEPTED, self._accepted),
                (evt.EVT_DIMSE_SENT, self._sent),
            ],
        )

    def _accepted(self, event) -> None:
        del event
        self.associations += 1

    @property
    def target(self) -> Target:
        return Target("127.0.0.1", self.server.socket.getsockname()[1], "MODALITY", "VIENANH", PATIENCE_S)

    def _report(self, event, where: str) -> tuple[int, None]:
        self.heard[event.assoc] = (where, event.event_type, event.event_information)
        return self.status, None

    def _sent(self, event) -> None:
        """Note a report once its answer is on the way: who is told of it may release at once."""
        if isinstance(event.message, N_EVENT_REPORT_RSP):
            self.reports.put(self.heard.pop(event.assoc))

    def asks(self, node: Node, request: Dataset, *, stays: bool = True, action: int = 1, of: str = WELL_KNOWN) -> int:
        """Send N-ACTION and return its status; stays until a report came, or releases at once."""
        association = self.ae.associate(
            "127.0.0.1",
            node.port,
            ae_title="VIENANH",
            evt_handlers=[(evt.EVT_N_EVENT_REPORT, self._report, ["same"]), (evt.EVT_DIMSE_SENT, self._sent)],
        )
        assert association.is_established
        status, _ = association.send_n_action(request, action, StorageCommitmentPushModel, of)
        if stays and status.Status == 0x0000:
            self.last = self.reports.get(timeout=PATIENCE_S)
        association.release()
        return status.Status


@pytest.fixture
def modality():
    one = Modality()
    yield one
    one.server.shutdown()


def failures(report: Dataset) -> list[tuple[str, int]]:
    return [(item.ReferencedSOPInstanceUID, item.FailureReason) for item in report.get("FailedSOPSequence", [])]


def committed(report: Dataset) -> list[str]:
    return [item.ReferencedSOPInstanceUID for item in report.get("ReferencedSOPSequence", [])]


def states(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(select(commitment.c.state).order_by(commitment.c.pk)).scalars())


def test_what_is_kept_is_committed_on_the_same_association(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(3))

    assert modality.asks(node, a_request(stored)) == 0x0000

    where, event_type, report = modality.last
    assert (where, event_type) == ("same", 1)
    assert report.TransactionUID == "1.2.840.99.1"
    assert report.RetrieveAETitle == "VIENANH"
    assert committed(report) == [ds.SOPInstanceUID for ds in stored]
    assert "FailedSOPSequence" not in report
    assert states(node.database) == ["told"]


def test_every_instance_that_is_not_kept_is_named_with_its_reason(node: Node, modality, tmp_path):
    kept, gone, damaged, other = holds(node, tmp_path / "in", a_ct_series(4))
    with node.database.read() as connection:
        keys = dict(connection.execute(select(instance.c.sop_instance_uid, instance.c.blob_key)).all())
    node.blobs.path(keys[gone.SOPInstanceUID]).unlink()
    path = node.blobs.path(keys[damaged.SOPInstanceUID])
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    other.SOPClassUID = MRImageStorage

    modality.asks(node, a_request([kept, gone, damaged, other, a_ct(SOPInstanceUID="1.2.3.404")]))

    _, event_type, report = modality.last
    assert event_type == 2
    assert committed(report) == [kept.SOPInstanceUID]
    assert failures(report) == [
        (gone.SOPInstanceUID, 0x0110),
        (damaged.SOPInstanceUID, 0x0110),
        (other.SOPInstanceUID, 0x0119),
        ("1.2.3.404", 0x0112),
    ]


def test_instances_of_another_site_are_not_there(start_node, modality, tmp_path):
    node = start_node(sources=[{"name": "b", "calling": "MODALITY", "site": "BVB"}])
    stored = holds(node, tmp_path / "in", [a_ct()])

    modality.asks(node, a_request(stored))

    assert failures(modality.last[2]) == [(stored[0].SOPInstanceUID, 0x0112)]


@pytest.mark.parametrize(
    ("changes", "status"),
    [({"action": 2}, 0x0123), ({"of": "1.2.3.4"}, 0x0112)],
)
def test_what_is_no_request_for_commitment_is_refused(node: Node, modality, changes, status):
    assert modality.asks(node, a_request([a_ct()]), **changes) == status
    assert states(node.database) == []


def test_a_request_without_instances_or_without_a_transaction_is_refused(node: Node, modality):
    nothing, nameless = a_request([]), a_request([a_ct()])
    del nameless.TransactionUID

    assert modality.asks(node, nothing) == 0x0115
    assert modality.asks(node, nameless) == 0x0115


def test_a_request_of_too_many_instances_is_refused(node: Node, modality, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scp.commitment_messages.INSTANCES_MAX", 3)

    assert modality.asks(node, a_request(a_ct_series(4))) == 0x0213


@pytest.mark.parametrize(("bound", "value"), [("TRANSACTIONS_MAX", 2), ("REFERENCES_MAX", 5)])
def test_one_address_cannot_fill_the_table(node: Node, modality, monkeypatch, bound: str, value: int):
    monkeypatch.setattr(f"kernel.archive.commitments.{bound}", value)

    answers = [modality.asks(node, a_request(a_ct_series(2), uid=f"1.2.840.99.{number}")) for number in (1, 2, 3)]

    assert answers == [0, 0, 0x0213]
    assert len(states(node.database)) == 2


def test_the_same_request_again_is_the_same_transaction_and_is_told_again(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))

    modality.asks(node, a_request(stored))
    modality.asks(node, a_request(stored))

    assert modality.last[1] == 1
    assert states(node.database) == ["told"]


def test_the_same_request_again_does_not_commit_to_what_was_deleted_meanwhile(node: Node, modality, tmp_path):
    kept, gone = holds(node, tmp_path / "in", a_ct_series(2))
    modality.asks(node, a_request([kept, gone]))
    assert committed(modality.last[2]) == [kept.SOPInstanceUID, gone.SOPInstanceUID]
    node.database.write(
        lambda connection: connection.execute(
            delete(instance).where(instance.c.sop_instance_uid == str(gone.SOPInstanceUID))
        )
    )

    modality.asks(node, a_request([kept, gone]))

    assert committed(modality.last[2]) == [kept.SOPInstanceUID]
    assert failures(modality.last[2]) == [(gone.SOPInstanceUID, 0x0112)]


def test_a_transaction_uid_used_for_other_instances_commits_none_of_them(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(2))
    modality.asks(node, a_request(stored[:1]))

    for _ in range(2):
        modality.asks(node, a_request(stored[1:]))

        assert modality.last[1] == 2
        assert failures(modality.last[2]) == [(stored[1].SOPInstanceUID, 0x0131)]


def later(seconds: float = 3600.0) -> ManualClock:
    return ManualClock(datetime.now(UTC) + timedelta(seconds=seconds))


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


def drain(modality: Modality) -> None:
    """Forget a report that was quicker than the release."""
    while not modality.reports.empty():
        modality.reports.get()


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
        settles(lambda: reporter.busy == {"DEAD"})
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


def test_a_requester_may_select_roles(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", [a_ct()])
    ae = AE(ae_title="ROLES")
    ae.add_requested_context(StorageCommitmentPushModel)
    reports: queue.Queue = queue.Queue()
    association = ae.associate(
        "127.0.0.1",
        node.port,
        ext_neg=[build_role(StorageCommitmentPushModel, scu_role=True, scp_role=False)],
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, lambda event: reports.put(event.event_type) or (0, None))],
    )

    association.send_n_action(a_request(stored, generate_uid()), 1, StorageCommitmentPushModel, WELL_KNOWN)

    assert reports.get(timeout=PATIENCE_S) == 1
    association.release()


def test_a_modality_that_asks_often_before_it_listens_hears_of_everything(node: Node, modality, tmp_path):
    stored = holds(node, tmp_path / "in", a_ct_series(8))
    node.desk.stop(5.0)  # nothing is decided until all is asked
    association = modality.ae.associate(
        "127.0.0.1",
        node.port,
        ae_title="VIENANH",
        evt_handlers=[(evt.EVT_N_EVENT_REPORT, modality._report, ["same"]), (evt.EVT_DIMSE_SENT, modality._sent)],
    )

    asked = [
        association.send_n_action(a_request([ds], f"1.2.3.{n}"), 1, StorageCommitmentPushModel, WELL_KNOWN)[0].Status
        for n, ds in enumerate(stored, start=1)
    ]
    node.desk.run_once()
    told = [modality.reports.get(timeout=PATIENCE_S) for _ in stored]
    association.release()

    assert asked == [0x0000] * 8
    assert [(where, event_type) for where, event_type, _ in told] == [("same", 1)] * 8
    assert {report.TransactionUID for _, _, report in told} == {f"1.2.3.{n}" for n in range(1, 9)}


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
