"""Listener processes: one port, the index in another process, death in the middle of an instance, and bounded memory."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydicom.uid import ExplicitVRLittleEndian

from gateway.dimse.listening.process import Settings
from gateway.dimse.listening.supervisor import ListenerProcesses
from gateway.dimse.upper_layer import pdu
from kernel import telemetry
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.owner.commit_socket import CommitServer
from kernel.clock import SystemClock
from kernel.config import ArchiveConfig, Config, DimseConfig, NodeConfig
from kernel.database import Database
from tests.dimse import scripts
from tests.dimse.conftest import Node, dcmtk
from tests.dimse.test_faults import finished_and_unfinished
from tests.support.builders import a_ct, a_ct_series, as_dataset_bytes
from tests.support.nodes import wait_until

MULTIFRAME = "1.2.840.10008.5.1.4.1.1.7.3"


@pytest.fixture
def start_processes(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    stops: list[Callable[[], None]] = []

    def start(**dimse) -> Node:
        config = Config(
            node=NodeConfig(site="BVA", data=tmp_path),
            dimse=DimseConfig(port=0, **dimse),
            archive=ArchiveConfig(free_bytes_min=1),
        )
        database = Database.open(tmp_path / "vienanh.db")
        database.migrate()
        blobs = Blobs(tmp_path / "blobs", 1)
        committer = LocalCommitter(database, SystemClock(), quarantine_bytes_max=1 << 30)
        server = CommitServer(tmp_path / "commit.sock", committer)
        server.start()
        listeners = ListenerProcesses(Settings(config, tmp_path / "blobs", tmp_path / "commit.sock"), SystemClock())
        listeners.start()
        stops.extend((database.close, server.stop, lambda: listeners.stop(5.0)))
        return Node(tmp_path, database, blobs, listeners)

    yield start
    for stop in reversed(stops):
        stop()


@pytest.mark.peer("dcmtk")
def test_processes_store_and_a_release_completes_the_study(start_processes, a_series):
    node = start_processes(processes=2)

    dcmtk("storescu", "127.0.0.1", node.port, *a_series)

    assert len(node.instances()) == 5
    assert node.studies() == [("complete", "association-released", 5)]
    assert len(node.listener.pids) == 2


def test_what_processes_count_is_shown_by_the_node_also_after_their_end(start_processes):
    node = start_processes(processes=1)
    ds = a_ct()
    before = counted("stored")

    with node.call() as peer:
        peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()
    node.listener.stop(5.0)

    assert counted("stored") == before + 1


def counted(outcome: str) -> float:
    line = f'vienanh_instances_total{{channel="dimse",outcome="{outcome}"}} '
    found = [row for row in telemetry.exposition().decode().splitlines() if row.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0.0


def test_associations_are_spread_evenly_and_bounded_over_all_processes(start_processes):
    node = start_processes(processes=2, associations_max=4)

    peers = [node.call() for _ in range(5)]

    assert [isinstance(peer.answer, pdu.AssociateAccept) for peer in peers] == [True] * 4 + [False]
    assert peers[4].answer == pdu.AssociateReject(2, 3, 2)
    assert [child.associations for child in node.listener._children] in ([2, 2], [2, 3], [3, 2])  # one is refused
    for peer in peers[:4]:
        peer.releases()
    for peer in peers:
        peer.socket.close()


def test_a_killed_listener_loses_nothing_acknowledged_and_is_started_again(start_processes):
    node = start_processes(processes=1)
    (pid,) = node.listener.pids

    with node.call() as peer:
        finished_and_unfinished(peer)
        os.kill(pid, signal.SIGKILL)
        assert peer.hear() is None
    with node.call() as again:  # waits in the port's queue until the next process is up
        ds = list(a_ct_series(3))[2]
        assert again.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)["Status"] == 0
        again.releases()

    assert len(node.instances()) == 3
    assert node.listener.pids != [pid]
    assert node.studies() == [("complete", "association-released", 3)]


def test_stopping_drains_the_message_under_way(start_processes, logged):
    node = start_processes(processes=1)
    ds = a_ct()
    message = scripts.a_message(scripts.a_store_request(ds.SOPInstanceUID), as_dataset_bytes(ds))

    with node.call() as peer:
        peer.say(message[:3000])
        wait_until(lambda: len(node.incoming()) == 1)
        (pid,) = node.listener.pids
        os.kill(pid, signal.SIGTERM)
        peer.say(message[3000:])
        assert peer.hear_response()["Status"] == 0
        assert peer.hear() == pdu.Abort(0, 0)

    assert node.instances() == [ds.SOPInstanceUID]
    wait_until(lambda: "listener_" in logged.getvalue())
    assert "listener_left" in logged.getvalue()  # and no alarm: it did what it was told


def test_processes_end_when_the_node_is_gone(start_processes):
    node = start_processes(processes=1)
    (child,) = node.listener._children

    child.channel.end.shutdown(2)

    wait_until(lambda: child.process.exitcode == 70)  # its own watcher waits for it, too, and may be first


@pytest.mark.slow
def test_memory_does_not_grow_with_the_instance(start_processes):
    node = start_processes(processes=1)
    (pid,) = node.listener.pids
    with node.call() as peer:  # warm: buffers, codecs
        ds = a_ct()
        peer.stores(as_dataset_bytes(ds), sop_instance_uid=ds.SOPInstanceUID)
        peer.releases()
    before, grown = resident_bytes(pid), 0
    header, frame_bytes, frames = a_large_header(200), 1 << 20, 200

    with node.call(contexts=(pdu.ProposedContext(3, MULTIFRAME, (scripts.EXPLICIT,)),)) as peer:
        request = scripts.a_store_request("1.2.3.4", MULTIFRAME)
        peer.say(scripts.a_message(request))
        peer.say(scripts.a_pdu(4, scripts.a_value(3, 0, header)))
        for number in range(frames):
            last = 2 if number == frames - 1 else 0
            peer.say(scripts.a_pdu(4, scripts.a_value(3, last, bytes((number % 256,)) * frame_bytes)))
            grown = max(grown, resident_bytes(pid) - before)
        answer = peer.hear_response()
        grown = max(grown, resident_bytes(pid) - before)
        peer.releases()

    assert answer["Status"] == 0
    assert node.blob_paths()[1].stat().st_size > 200 << 20
    assert grown < 50 << 20


def a_large_header(frames: int) -> bytes:
    """Everything of a multi-frame instance up to the bytes of its pixels: `frames` of 1 MiB."""
    ds = a_ct(SOPClassUID=MULTIFRAME, SOPInstanceUID="1.2.3.4", NumberOfFrames=frames, Rows=1024, Columns=1024)
    ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation = 8, 8, 7, 0
    ds.PixelData = b""
    ds["PixelData"].VR = "OB"
    content = as_dataset_bytes(ds, ExplicitVRLittleEndian)
    assert content.endswith(b"\xe0\x7f\x10\0OB\0\0\0\0\0\0")
    return content[:-4] + (frames << 20).to_bytes(4, "little")


def resident_bytes(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
