"""Listener processes commit through the process that owns the database."""

import multiprocessing
import os
import signal
import threading
from pathlib import Path

import pytest
from sqlalchemy import select

from kernel.archive.blobs.durable import Flush
from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.owner.commit_socket import CommitServer, RemoteCommitter
from kernel.archive.records import Outcome
from kernel.archive.tables import instance, quarantine, study
from kernel.clock import SystemClock
from kernel.errors import Busy, MalformedInstance, StorageFull
from tests.archive.conftest import Archive, an_origin
from tests.support.builders import a_ct, a_ct_series


@pytest.fixture
def served(sqlite_archive: Archive, tmp_path: Path):
    server = CommitServer(tmp_path / "commit.sock", sqlite_archive.committer)
    server.start()
    yield sqlite_archive, tmp_path / "commit.sock"
    server.stop()


def remote_ingest(root: Path, committer: RemoteCommitter) -> Ingest:
    blobs = Blobs(root, free_bytes_min=0)
    clock = SystemClock()
    return Ingest(blobs, committer, Quarantine(blobs, committer, clock), clock, lambda _: None)


def test_what_a_listener_prepares_the_owner_of_the_database_commits(served):
    archive, path = served
    committer = RemoteCommitter(path)
    ingest = remote_ingest(archive.root, committer)

    first = ingest.ingest(archive.stage(a_ct()), an_origin(trace_id="ab" * 16))
    again = ingest.ingest(archive.stage(a_ct()), an_origin())
    other = ingest.ingest(archive.stage(a_ct(KVP="140")), an_origin())

    assert [first.outcome, again.outcome, other.outcome] == [Outcome.STORED, Outcome.DUPLICATE, Outcome.CONFLICT]
    assert first.trace_id == again.trace_id == "ab" * 16
    assert archive.count(instance) == 1
    committer.close()


def test_many_are_in_flight_at_once(served):
    archive, path = served
    ingest = remote_ingest(archive.root, RemoteCommitter(path))
    stages = [archive.stage(ds) for ds in a_ct_series(40)]
    outcomes: list[str] = []

    def send(part):
        outcomes.extend(ingest.ingest(staged, an_origin()).outcome for staged in part)

    threads = [threading.Thread(target=send, args=(stages[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert outcomes == ["stored"] * 40
    assert archive.row(select(study)).number_of_instances == 40


def test_errors_come_back_as_they_were_raised(served):
    archive, path = served
    archive.committer._write_refusal = lambda *_: (_ for _ in ()).throw(StorageFull(needed_bytes=2, free_bytes=1))
    ingest = remote_ingest(archive.root, RemoteCommitter(path))

    with pytest.raises(StorageFull, match="2 bytes needed, 1 free"):
        ingest.ingest(archive.stage(b"<html>"), an_origin())
    archive.committer._participants = [lambda *_: 1 // 0]
    with pytest.raises(Busy, match="the index failed: ZeroDivisionError"):
        ingest.ingest(archive.stage(a_ct()), an_origin())

    assert archive.files("quarantine") == []


def test_refusals_and_the_end_of_a_session_are_told(served):
    archive, path = served
    committer = RemoteCommitter(path)
    ingest = remote_ingest(archive.root, committer)
    ingest.ingest(archive.stage(a_ct()), an_origin(session="s7"))

    with pytest.raises(MalformedInstance):
        ingest.ingest(archive.stage(b"<html>"), an_origin())
    committer.end_session("BVA", "s7", "association-released")

    assert archive.count(quarantine) == 1
    found = archive.row(select(study))
    assert (found.state, found.evidence) == ("complete", "association-released")


def test_a_blob_that_could_not_be_flushed_leaves_no_row(served, monkeypatch):
    archive, path = served
    ingest = remote_ingest(archive.root, RemoteCommitter(path))

    def full(flushing):
        raise StorageFull(needed_bytes=1, free_bytes=0)

    monkeypatch.setattr(Flushing, "wait", full)
    with pytest.raises(StorageFull):
        ingest.ingest(archive.stage(a_ct()), an_origin())

    assert archive.count(instance) == 0


def test_without_a_server_nothing_is_promised_and_later_it_works(sqlite_archive: Archive, tmp_path: Path):
    ingest = remote_ingest(sqlite_archive.root, RemoteCommitter(tmp_path / "commit.sock"))
    with pytest.raises(Busy, match="the index cannot be reached"):
        ingest.ingest(sqlite_archive.stage(a_ct()), an_origin())
    assert sqlite_archive.files() == []

    server = CommitServer(tmp_path / "commit.sock", sqlite_archive.committer)
    server.start()
    assert ingest.ingest(sqlite_archive.stage(a_ct()), an_origin()).outcome is Outcome.STORED
    server.stop()
    with pytest.raises(Busy, match="the index"):
        ingest.ingest(sqlite_archive.stage(a_ct(instance=2)), an_origin())
    server.start()
    assert ingest.ingest(sqlite_archive.stage(a_ct(instance=2)), an_origin()).outcome is Outcome.STORED
    server.stop()


def test_the_socket_is_the_owners_alone_and_its_path_may_be_long(sqlite_archive: Archive, tmp_path: Path):
    folder = tmp_path / ("long" * 30)
    folder.mkdir()
    server = CommitServer(folder / "commit.sock", sqlite_archive.committer)
    server.start()

    assert (folder / "commit.sock").stat().st_mode & 0o777 == 0o600
    committer = RemoteCommitter(folder / "commit.sock")
    committer.end_session("BVA", "none", None)
    server.stop()

    assert list(folder.iterdir()) == []


def _announce_and_wait(root: Path, path: Path, ready) -> None:
    archive_blobs = Blobs(root, free_bytes_min=0)
    committer = RemoteCommitter(path)
    ingest = Ingest(
        archive_blobs, committer, Quarantine(archive_blobs, committer, SystemClock()), SystemClock(), lambda _: None
    )
    from tests.support.builders import as_dataset_bytes

    ds = a_ct()
    stage = archive_blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, "1.2.840.10008.1.2.1")
    stage.write(as_dataset_bytes(ds))
    staged = stage.finish()
    committer.submit(ingest._check(staged, an_origin(), None, None, None), Flush())
    ready.set()
    threading.Event().wait()


def test_a_listener_killed_between_announcing_and_flushing_leaves_no_row(served):
    archive, path = served
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=_announce_and_wait, args=(archive.root, path, ready))
    child.start()
    assert ready.wait(60)
    os.kill(child.pid, signal.SIGKILL)
    child.join()

    ingest = remote_ingest(archive.root, RemoteCommitter(path))
    answer = ingest.ingest(archive.stage(a_ct(instance=2)), an_origin())

    assert answer.outcome is Outcome.STORED, "the writer was not held up"
    assert [row.instance_number for row in archive.rows(select(instance))] == [2]
    assert archive.blobs.sweep() == 1
    assert ingest.ingest(archive.stage(a_ct()), an_origin()).outcome is Outcome.STORED


def test_a_listener_that_never_flushes_does_not_stop_the_others(tmp_path: Path, sqlite_archive, monkeypatch):
    monkeypatch.setattr("kernel.archive.blobs.durable.FLUSH_WAIT_S", 0.2)
    stuck = Flush()
    received = sqlite_archive.prepared(a_ct())

    future = sqlite_archive.committer.submit(received, stuck)
    (answer,) = sqlite_archive.receives(a_ct(instance=2))

    assert answer.outcome is Outcome.STORED
    with pytest.raises(Busy, match="not flushed"):
        future.result(30)
    stuck.succeed()
    assert sqlite_archive.count(instance) == 1
