"""Listener processes ask the process that owns the database, and read its rows without being able to write them."""

import multiprocessing
import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from kernel.access.asked import AskedAccess, serve_access
from kernel.access.principal import Principal, Scope
from kernel.access.studies import StudyGrant
from kernel.archive.owner import asking as owners
from kernel.archive.owner.asking import ASK_BYTES_MAX, LocalOwner, RemoteOwner
from kernel.archive.owner.commit_socket import CommitServer, RemoteCommitter
from kernel.archive.tables import instance
from kernel.audit import Action
from kernel.database import ReadOnly
from kernel.errors import Busy, Forbidden, LimitExceeded, NotFound
from tests.archive.conftest import Archive
from tests.support.builders import a_ct


@pytest.fixture
def local() -> LocalOwner:
    return LocalOwner()


@pytest.fixture
def path(sqlite_archive: Archive, local: LocalOwner, tmp_path: Path):
    server = CommitServer(tmp_path / "commit.sock", sqlite_archive.committer, local)
    server.start()
    yield tmp_path / "commit.sock"
    server.stop()


@pytest.fixture(params=["in the same process", "over the socket"])
def owner(request, local, path):
    """Both ways of asking: what a service sees must be the same."""
    if request.param == "in the same process":
        yield local
        return
    remote = RemoteOwner(path)
    yield remote
    remote.close()


def test_a_verb_is_answered_by_who_serves_it(local, owner):
    local.serve("twice", lambda body: body + body)

    assert owner.ask("twice", b"ab") == b"abab"
    assert owner.ask("twice") == b""


def test_an_error_of_a_verb_comes_back_as_itself_with_its_fields(local, owner):
    def refuse(body: bytes) -> bytes:
        raise NotFound(what="study")

    local.serve("refuse", refuse)

    with pytest.raises(NotFound, match=r"There is no such study\.") as told:
        owner.ask("refuse")
    assert told.value.fields == {"what": "study"}


def test_a_verb_that_nobody_serves_is_busy(owner):
    with pytest.raises(Busy, match="nobody serves sing"):
        owner.ask("sing")


def test_bodies_are_bounded_both_ways(local, owner):
    local.serve("same", lambda body: body)
    local.serve("more", lambda body: body + b"x")

    assert len(owner.ask("same", bytes(ASK_BYTES_MAX))) == ASK_BYTES_MAX
    with pytest.raises(LimitExceeded, match="ASK_BYTES_MAX"):
        owner.ask("same", bytes(ASK_BYTES_MAX + 1))
    with pytest.raises(LimitExceeded, match="ASK_BYTES_MAX"):
        owner.ask("more", bytes(ASK_BYTES_MAX))


def test_a_verb_that_breaks_says_nothing_of_why(local, path):
    def breaks(body: bytes) -> bytes:
        raise ValueError("Nguyen^An")

    local.serve("break", breaks)
    owner = RemoteOwner(path)

    with pytest.raises(Busy) as told:
        owner.ask("break")

    assert str(told.value) == "Too busy: break failed."
    owner.close()


def test_many_ask_at_once_and_a_slow_verb_holds_up_nobody_else(local, path, monkeypatch):
    monkeypatch.setattr(owners, "WAIT_S", 0.05)
    monkeypatch.setattr(owners, "LINES_MAX", 2)
    gate, entered = threading.Event(), threading.Semaphore(0)

    def slow(body: bytes) -> bytes:
        entered.release()
        gate.wait(10)
        return b"done"

    local.serve("slow", slow)
    local.serve("quick", lambda _: b"quick")
    owner, other = RemoteOwner(path), RemoteOwner(path)
    answers: list[bytes] = []
    threads = [threading.Thread(target=lambda: answers.append(owner.ask("slow"))) for _ in range(2)]
    for thread in threads:
        thread.start()
        entered.acquire(timeout=10)

    with pytest.raises(Busy, match="too many questions"):
        owner.ask("quick")
    assert other.ask("quick") == b"quick"

    gate.set()
    for thread in threads:
        thread.join(10)
    assert answers == [b"done", b"done"]
    assert owner.ask("quick") == b"quick"
    owner.close()
    other.close()


def test_an_owner_that_does_not_answer_in_time_is_busy(local, path):
    gate = threading.Event()
    local.serve("slow", lambda _: b"late" if gate.wait(10) else b"")
    owner = RemoteOwner(path, answer_s=0.05)

    with pytest.raises(Busy, match="the node does not answer"):
        owner.ask("slow")

    gate.set()
    owner.close()


def test_an_owner_that_is_gone_is_busy(tmp_path):
    with pytest.raises(Busy, match="the node cannot be reached"):
        RemoteOwner(tmp_path / "commit.sock").ask("anything")


def test_questions_and_commits_share_the_socket(local, path):
    local.serve("same", lambda body: body)
    owner, committer = RemoteOwner(path), RemoteCommitter(path)

    committer.end_session("LOCAL", "abc", None)

    assert owner.ask("same", b"x") == b"x"
    owner.close()
    committer.close()


def count_and_try_to_write(database: Path, end) -> None:
    """What a listener process can do with the rows of the node."""
    reader = ReadOnly.open(database)
    with reader.read() as connection:
        end.send(connection.execute(select(func.count()).select_from(instance)).scalar_one())
        try:
            connection.execute(text("DELETE FROM instance"))
        except DBAPIError as error:
            end.send(str(error.orig))
    reader.close()


def test_another_process_reads_what_was_committed_and_cannot_write(sqlite_archive: Archive):
    sqlite_archive.receives(a_ct())
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(
        target=count_and_try_to_write, args=(sqlite_archive.root.parent / "vienanh.db", theirs)
    )

    process.start()
    seen, refusal = ours.recv(), ours.recv()
    process.join(10)

    assert seen == 1
    assert refusal == "attempt to write a readonly database"
    assert sqlite_archive.count(instance) == 1


class Desk:
    """The access of a node, as far as it is asked."""

    def open_study(self, principal, study_instance_uid, action, address, site=None) -> StudyGrant:
        assert (principal.sites, action, address) == (frozenset({"BVA"}), Action.INSTANCES_TRANSFERRED, "10.0.0.1")
        if study_instance_uid != "1.2":
            raise NotFound(what="study")
        return StudyGrant("BVA", study_instance_uid, "ab", principal.name)

    def may_search(self, principal, keywords, address) -> frozenset[str] | None:
        if not principal.scopes:
            raise Forbidden(action="read studies")
        return None if keywords == ["PatientID"] else principal.sites


def test_access_asked_of_the_owner_is_the_access_of_the_node(local, owner):
    serve_access(local, Desk())
    access = AskedAccess(owner)
    who = Principal("ws-1", "source", frozenset(), frozenset({Scope.DICOMWEB_READ}), frozenset({"BVA"}))

    grant = access.open_study(who, "1.2", Action.INSTANCES_TRANSFERRED, "10.0.0.1")

    assert grant == StudyGrant("BVA", "1.2", "ab", "ws-1")
    with pytest.raises(NotFound):
        access.open_study(who, "1.3", Action.INSTANCES_TRANSFERRED, "10.0.0.1")
    assert access.may_search(who, ["PatientID"], "10.0.0.1") is None
    assert access.may_search(who, ["StudyDate"], "10.0.0.1") == frozenset({"BVA"})
    with pytest.raises(Forbidden, match="read studies"):
        access.may_search(Principal("ws-2", "source", frozenset(), frozenset()), [], "10.0.0.1")
