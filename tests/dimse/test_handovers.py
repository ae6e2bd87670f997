"""After delivery: a destination is asked to commit, and told what can be had here; until it answers, for days."""

from datetime import timedelta
from pathlib import Path

import pytest
from pynetdicom import evt
from pynetdicom.sop_class import InstanceAvailabilityNotification
from sqlalchemy import select

from gateway.dimse.scp.commitment_messages import Report
from gateway.dimse.scu.calling import Target
from gateway.dimse.scu.commitment_scu import CommitmentReports
from gateway.dimse.scu.handover_worker import HandoverWorker
from gateway.dimse.scu.sender import send_files
from kernel.archive.commitment.requests import Reference
from kernel.archive.owner.asking import LocalOwner
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.errors import InvalidConfiguration, PeerBusy
from kernel.events import EventName
from routing import handovers
from routing.destinations import Destination, parse_destinations
from routing.handovers import Verdict
from routing.tables import handover
from tests.dimse.conftest import PATIENCE_S, Node
from tests.dimse.test_get import holds
from tests.routing.conftest import PACS, Hospital
from tests.support.builders import a_ct, a_ct_series
from tests.support.entities import an_entity
from tests.support.nodes import NodeProcess, wait_until

STUDY = a_ct().StudyInstanceUID


@pytest.fixture
def hospital(tmp_path: Path, empty_database: Path) -> Hospital:
    path = tmp_path / "hospital.db"
    path.write_bytes(empty_database.read_bytes())
    database = Database.open(path)
    yield Hospital(tmp_path / "hospital", database, ManualClock(), rules=({"to": "pacs"},), destinations=(PACS,))
    database.close()


class Clerk:
    """The worker of a hospital, whose destination is a real peer."""

    def __init__(self, hospital: Hospital, port: int = 0, ask=None, **wants: bool) -> None:
        self.hospital = hospital
        self.numbers = iter(range(1, 10_000))
        destination = Destination("pacs", "dimse", "none", ae_title="PACS", **(wants or {"commit": True}))
        self.owner = LocalOwner()
        self.worker = HandoverWorker(
            hospital.database,
            hospital.clock,
            self.owner,
            {"pacs": (destination, ask or Target("127.0.0.1", port, "PACS", "VIENANH", PATIENCE_S))},
            lambda: f"2.25.{next(self.numbers)}",
        )
        self.worker.run_once()  # notes where the events are

    def works(self) -> int:
        return self.worker.run_once()

    def states(self) -> list[str]:
        with self.hospital.database.read() as connection:
            return list(connection.execute(select(handover.c.state).order_by(handover.c.pk)).scalars())

    def told(self, name: EventName) -> list[dict]:
        return [dict(one.detail) for one in self.hospital.events(name)]


def test_what_arrived_is_committed_and_the_trace_says_so(hospital, node: Node, tmp_path):
    clerk, series = Clerk(hospital, node.port), list(a_ct_series(3))
    holds(node, tmp_path / "in", series)

    hospital.receives(*series)
    hospital.settles()
    took = clerk.works()

    assert took == 1
    assert clerk.states() == ["done"]
    assert clerk.told(EventName.STUDY_COMMITTED) == [{"destination": "pacs", "instances": 3, "failed": 0}]
    assert hospital.names_of(STUDY)[-2:] == ["StudyDelivered", "StudyCommitted"]
    assert clerk.works() == 0


def test_a_destination_that_is_asked_over_http_is_taken_at_its_word_or_asked_later(hospital):
    asked: list[str] = []

    def ask(uid, references):
        asked.append(uid)
        if len(asked) == 1:
            raise PeerBusy(peer="pacs", reason="it answered 202")
        return Verdict({one.sop_instance_uid for one in references}, {})

    clerk = Clerk(hospital, ask=ask)
    hospital.receives(a_ct())
    hospital.settles()

    assert clerk.works() == 0
    hospital.clock.advance(handovers.FIRST_PAUSE_S)
    assert clerk.works() == 1

    assert asked == ["2.25.1", "2.25.2"]
    assert clerk.states() == ["done"]
    assert clerk.told(EventName.STUDY_COMMITTED) == [{"destination": "pacs", "instances": 1, "failed": 0}]


def test_a_study_of_more_instances_than_a_transaction_may_have_is_asked_for_in_several(hospital, monkeypatch):
    monkeypatch.setattr(handovers, "INSTANCES_MAX", 2)
    asked: list[list[str]] = []

    def ask(uid, references):
        asked.append([one.sop_instance_uid for one in references])
        return Verdict(set(asked[-1]), {})

    clerk = Clerk(hospital, ask=ask)
    series = list(a_ct_series(5))
    hospital.receives(*series)
    hospital.settles()

    assert clerk.works() == 3

    assert [len(uids) for uids in asked] == [2, 2, 1]
    assert {uid for uids in asked for uid in uids} == {ds.SOPInstanceUID for ds in series}
    assert [one["instances"] for one in clerk.told(EventName.STUDY_COMMITTED)] == [2, 2, 1]


def test_what_is_not_committed_of_one_part_is_sent_again(hospital, monkeypatch):
    monkeypatch.setattr(handovers, "INSTANCES_MAX", 2)
    series = list(a_ct_series(3))
    lost = series[2].SOPInstanceUID
    asked: list[str] = []

    def ask(uid, references):
        asked.append(uid)
        names = {one.sop_instance_uid for one in references}
        return Verdict(names - {lost}, {}) if len(asked) <= 2 else Verdict(names, {})

    clerk = Clerk(hospital, ask=ask)
    hospital.receives(*series)
    hospital.settles()
    assert clerk.works() == 2
    (failed,) = clerk.told(EventName.COMMITMENT_FAILED)
    assert (failed["failed"], failed["sop_instance_uids"]) == (1, [lost])

    hospital.settles()
    assert clerk.works() == 2

    assert clerk.states() == ["done", "failed", "done", "done"]


def test_nobody_is_asked_about_what_was_deleted_since_it_was_delivered(hospital):
    asked: list[str] = []
    clerk = Clerk(hospital, ask=lambda uid, _: asked.append(uid))
    hospital.receives(a_ct())
    hospital.settles()

    hospital.deletes(a_ct())
    clerk.works()

    assert asked == []
    assert clerk.states() == ["abandoned"]


def test_what_is_not_committed_is_sent_again_and_asked_for_again(hospital, node: Node, tmp_path):
    clerk, series = Clerk(hospital, node.port), list(a_ct_series(3))
    holds(node, tmp_path / "in", series[:2])
    hospital.receives(*series)
    hospital.settles()

    clerk.works()
    before = list(hospital.pacs.batches)
    holds(node, tmp_path / "again", series[2:])
    hospital.settles()
    clerk.works()

    (failed,) = clerk.told(EventName.COMMITMENT_FAILED)
    assert failed == {
        "destination": "pacs",
        "instances": 2,
        "failed": 1,
        "reasons": ["0112"],
        "sent_again": True,
        "sop_instance_uids": [series[2].SOPInstanceUID],
    }
    assert [uid for batch in hospital.pacs.batches[len(before) :] for uid in batch] == [series[2].SOPInstanceUID]
    assert clerk.states() == ["failed", "done"]
    assert hospital.names_of(STUDY)[-3:] == ["InstanceDelivered", "StudyDelivered", "StudyCommitted"]


def test_a_destination_that_never_commits_is_not_sent_to_for_ever(hospital, node: Node):
    clerk = Clerk(hospital, node.port)
    hospital.receives(a_ct())

    for _ in range(handovers.ROUNDS_MAX + 3):
        hospital.settles()
        clerk.works()

    assert clerk.states() == ["failed"] * (handovers.ROUNDS_MAX + 1)
    assert [one["sent_again"] for one in clerk.told(EventName.COMMITMENT_FAILED)] == [True] * 3 + [False]


def test_a_destination_that_is_away_is_asked_with_growing_pauses_and_given_up_after_days(hospital, dead_port):
    clerk = Clerk(hospital, dead_port)
    hospital.receives(a_ct())
    hospital.settles()
    begun, pauses = hospital.clock.now(), []
    assert clerk.works() == 0

    while clerk.states() == ["due"]:
        with hospital.database.read() as connection:
            row = connection.execute(select(handover)).one()
        pauses.append((row.next_at - hospital.clock.now()).total_seconds())
        hospital.clock.advance(pauses[-1])
        clerk.works()

    assert pauses[:5] == [15.0, 30.0, 60.0, 120.0, 240.0]
    assert max(pauses) == handovers.LONGEST_PAUSE_S
    assert clerk.states() == ["abandoned"]
    assert hospital.clock.now() - begun > handovers.ABANDON_AFTER
    assert row.detail.startswith("connect: no connection")


def test_an_accepted_request_without_a_report_is_asked_again_after_an_hour(hospital, node: Node, tmp_path, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scu.commitment_scu.SAME_ASSOCIATION_S", 0.1)
    node.desk.stop(5.0)  # it accepts and never looks
    clerk = Clerk(hospital, node.port)
    hospital.receives(a_ct())
    hospital.settles()

    assert clerk.works() == 1
    hospital.clock.advance((handovers.REPORT_WITHIN - timedelta(seconds=1)).total_seconds())
    assert clerk.works() == 0
    hospital.clock.advance(1)
    assert clerk.works() == 1

    assert clerk.states() == ["asked"]


def test_a_report_that_comes_to_the_listener_counts_and_one_of_nobody_does_not(hospital, node: Node, monkeypatch):
    monkeypatch.setattr("gateway.dimse.scu.commitment_scu.SAME_ASSOCIATION_S", 0.1)
    node.desk.stop(5.0)
    clerk = Clerk(hospital, node.port)
    hospital.receives(a_ct())
    hospital.settles()
    clerk.works()
    reports = CommitmentReports(clerk.owner)

    assert not reports._tell(a_report("2.25.404", a_ct().SOPInstanceUID))
    assert not reports._tell(a_report("", a_ct().SOPInstanceUID))
    assert reports._tell(a_report("2.25.1", a_ct().SOPInstanceUID))
    assert reports._tell(a_report("2.25.1", a_ct().SOPInstanceUID))

    assert clerk.states() == ["done"]
    assert len(clerk.told(EventName.STUDY_COMMITTED)) == 1


def a_report(transaction_uid: str, *uids: str):
    return Report(transaction_uid, tuple(Reference("1.2", str(uid)) for uid in uids), ())


class Board:
    """pynetdicom as SCP of instance availability."""

    def __init__(self, status: int = 0x0000) -> None:
        self.status = status
        self.told: list = []
        ae = an_entity("PACS")
        ae.add_supported_context(InstanceAvailabilityNotification)
        self.server = ae.start_server(("127.0.0.1", 0), block=False, evt_handlers=[(evt.EVT_N_CREATE, self._create)])
        self.port = self.server.socket.getsockname()[1]

    def _create(self, event):
        self.told.append(event.attribute_list)
        return self.status, event.attribute_list


@pytest.fixture
def board():
    one = Board()
    yield one
    one.server.shutdown()


def test_a_destination_is_told_of_a_complete_study(hospital, board):
    clerk, series = Clerk(hospital, board.port, availability=True), list(a_ct_series(2))

    hospital.receives(*series, released=False)
    clerk.works()
    assert board.told == []
    hospital.committer.end_session("BVA", "s1", "association-released")
    clerk.works()

    (told,) = board.told
    assert told.StudyInstanceUID == STUDY
    assert list(told.ReferencedPerformedProcedureStepSequence) == []
    (one,) = told.ReferencedSeriesSequence
    assert one.SeriesInstanceUID == series[0].SeriesInstanceUID
    assert [
        (item.ReferencedSOPInstanceUID, item.ReferencedSOPClassUID, item.InstanceAvailability, item.RetrieveAETitle)
        for item in one.ReferencedSOPSequence
    ] == [(ds.SOPInstanceUID, ds.SOPClassUID, "ONLINE", "VIENANH") for ds in series]
    assert clerk.told(EventName.AVAILABILITY_TOLD) == [{"destination": "pacs", "instances": 2}]


def test_a_notification_that_is_refused_is_told_again(hospital, board):
    clerk = Clerk(hospital, board.port, availability=True)
    hospital.receives(a_ct())
    board.status = 0x0110

    assert clerk.works() == 0
    board.status = 0x0000
    hospital.clock.advance(handovers.FIRST_PAUSE_S)
    assert clerk.works() == 1

    assert len(board.told) == 2
    assert clerk.states() == ["done"]


def test_only_destinations_that_know_the_study_by_its_own_uids_are_asked():
    entry = PACS | {"profile": "basic", "commit": True}

    with pytest.raises(InvalidConfiguration, match=r'destination\[1\]\.commit: needs profile = "none"'):
        parse_destinations((entry,), "node.toml", "basic", "VIENANH")


NODE = """
[node]
site = "BVA"
data = "DATA"
[dimse]
port = 0
[http]
port = 0
[[destination]]
name = "orthanc"
kind = "dimse"
profile = "none"
host = "127.0.0.1"
port = {port}
ae_title = "ORTHANC"
commit = true
[[rule]]
to = "orthanc"
"""


@pytest.mark.peer("orthanc")
def test_orthanc_commits_on_an_association_of_its_own(orthanc, tmp_path, a_series):
    node = NodeProcess(tmp_path / "node", NODE.format(port=orthanc.dicom_port)).start()
    orthanc.knows("node", "VIENANH", node.dimse_port)

    send_files(a_series, Target("127.0.0.1", node.dimse_port, "VIENANH", "CT1", PATIENCE_S))

    wait_until(lambda: "StudyCommitted" in node.run("trace", STUDY).stdout, every_s=1.0, what=node.log[-2000:])
    assert len(orthanc.instances()) == 5
    assert node.stop() == 0
