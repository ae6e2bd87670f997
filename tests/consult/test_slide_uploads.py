"""Slides on their way in: one sender's turn after another's, a new start, space, bounds and time."""

import os
import threading
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from consult.slides import upload_files, uploads
from consult.slides.intake import STORING, Taken
from consult.slides.upload_record import Form, Owner, State
from consult.slides.uploads import KEPT, RETRY, Uploads
from kernel.archive.blobs.store import Blobs
from kernel.errors import Busy, DatabaseUnavailable, LimitExceeded, MalformedSlide, NotFound, StorageFull, UploadMoved

AN = Owner("account", "an", "BV1", "127.0.0.1")
BINH = Owner("account", "binh", "BV1", "127.0.0.1")


class HandClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 22, tzinfo=UTC)

    def now(self) -> datetime:
        return self.moment

    def monotonic_s(self) -> float:
        return self.moment.timestamp()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        raise AssertionError


class ScriptedTaking:
    """Takes what it is given, or fails as it is told to."""

    def __init__(self, *outcomes: Exception | None) -> None:
        self.outcomes = list(outcomes)
        self.seen: list[bytes] = []
        self.audited: list[str] = []
        self.audit_fails: list[Exception] = []
        self.begun, self.may_end = threading.Event(), threading.Event()
        self.may_end.set()

    def take(self, file, record, progress) -> Taken:
        self.begun.set()
        assert self.may_end.wait(30)
        progress(STORING, 1, 1)
        self.seen.append(file.read_bytes())
        outcome = self.outcomes.pop(0) if self.outcomes else None
        if outcome is not None:
            raise outcome
        return Taken("1.2", "1.2.3", 1, 0, "")

    def audit(self, record) -> None:
        if self.audit_fails:
            raise self.audit_fails.pop()
        self.audited.append(record.state)


class Desk:
    """A node's uploads, which may be started again."""

    def __init__(self, folder, *outcomes: Exception | None, free_bytes_min: int = 1, bytes_max: int = 2**30) -> None:
        self.folder, self.clock, self.taking = folder, HandClock(), ScriptedTaking(*outcomes)
        self.bytes_max = bytes_max
        self.blobs = Blobs(folder / "blobs", free_bytes_min)
        self.numbers = count()
        self.uploads = self.started()

    def started(self) -> Uploads:
        made = Uploads(
            self.folder / "uploads",
            self.blobs,
            self.taking,
            self.clock,
            lambda _: f"{next(self.numbers):032x}",
            bytes_max=self.bytes_max,
        )
        made.start()
        return made

    def restart(self) -> None:
        self.uploads.stop()
        self.uploads = self.started()

    def begins(self, size: int = 6, owner: Owner = AN) -> str:
        return self.uploads.begin(owner, Form(name="a.svs", bytes=size, patient_id="1")).upload

    def sends(self, one: str, content: bytes, offset: int = 0) -> None:
        turn = self.uploads.turn(AN, one, offset)
        turn.write([content])
        turn.end()

    def state(self, one: str) -> State:
        return self.uploads.get(AN, one).state


@pytest.fixture
def desk(tmp_path):
    made = Desk(tmp_path)
    yield made
    made.taking.may_end.set()
    made.uploads.stop()


def until(desk: Desk, one: str, state: State) -> None:
    """Let the one thread come to the end of its work."""
    desk.uploads._taker.submit(lambda: None).result(30)
    assert desk.state(one) is state


def test_a_later_sender_takes_the_turn_of_one_whose_line_is_dead(desk):
    one = desk.begins()
    dead = desk.uploads.turn(AN, one, 0)
    dead.write([b"ab"])

    alive = desk.uploads.turn(AN, one, 2)
    with pytest.raises(UploadMoved, match="is 2"):
        dead.write([b"xx"])
    alive.write([b"cdef"])
    with pytest.raises(UploadMoved):
        dead.end()

    assert alive.end().offset == 6
    until(desk, one, State.STORED)
    assert (desk.taking.seen, desk.taking.audited) == ([b"abcdef"], [State.STORED])


def test_a_new_start_goes_on_where_the_bytes_are_sure(desk):
    one = desk.begins()
    desk.sends(one, b"abc")
    with (desk.folder / "uploads" / one / "slide").open("ab") as torn:  # what a crash may leave: no record says it
        torn.write(b"??")

    desk.restart()

    assert desk.uploads.get(AN, one).offset == 3
    desk.sends(one, b"def", 3)
    until(desk, one, State.STORED)
    assert desk.taking.seen == [b"abcdef"]


def test_a_slide_that_was_being_taken_is_taken_after_a_new_start(desk):
    desk.taking.may_end.clear()
    one = desk.begins()
    desk.sends(one, b"abcdef")
    assert desk.taking.begun.wait(30)
    stopping = threading.Thread(target=desk.uploads.stop)
    stopping.start()
    assert desk.uploads._stopping.wait(30)
    desk.taking.may_end.set()
    stopping.join(30)

    desk.uploads = desk.started()

    until(desk, one, State.STORED)
    assert desk.taking.seen == [b"abcdef"]


@pytest.mark.parametrize("damage", ["about", "slide"])
def test_what_a_crash_left_unreadable_is_removed_at_the_next_start(desk, damage):
    one = desk.begins()
    desk.sends(one, b"abc")
    os.truncate(desk.folder / "uploads" / one / damage, 1)

    desk.restart()

    assert desk.uploads.of(AN) == []
    assert list((desk.folder / "uploads").iterdir()) == []


def test_what_cannot_be_taken_now_is_tried_again_and_what_never_can_is_not(tmp_path):
    desk = Desk(tmp_path, StorageFull(needed_bytes=1, free_bytes=0), MalformedSlide(reason="it is none"))
    one = desk.begins()
    desk.sends(one, b"abcdef")
    until(desk, one, State.WAITING)
    assert desk.uploads.get(AN, one).code == "StorageFull"

    desk.uploads.sweep()
    until(desk, one, State.WAITING)
    assert len(desk.taking.seen) == 1
    desk.clock.moment += RETRY
    desk.uploads.sweep()
    until(desk, one, State.FAILED)
    desk.clock.moment += RETRY
    desk.uploads.sweep()
    until(desk, one, State.FAILED)

    assert len(desk.taking.seen) == 2
    assert desk.taking.audited == [State.FAILED]
    assert not (tmp_path / "uploads" / one / "slide").exists()
    desk.uploads.stop()


def test_a_slide_whose_audit_line_could_not_be_written_is_taken_once_more(desk):
    desk.taking.audit_fails = [DatabaseUnavailable(reason="it is full")]
    one = desk.begins()
    desk.sends(one, b"abcdef")
    until(desk, one, State.WAITING)
    assert (desk.uploads.get(AN, one).code, desk.taking.audited) == ("DatabaseUnavailable", [])

    desk.clock.moment += RETRY
    desk.restart()
    until(desk, one, State.STORED)

    assert (desk.taking.seen, desk.taking.audited) == ([b"abcdef"] * 2, [State.STORED])
    assert (desk.uploads.get(AN, one).code, (desk.folder / "uploads" / one / "slide").exists()) == ("", False)


def test_a_failure_of_ours_is_told_without_its_words(tmp_path, logged):
    desk = Desk(tmp_path, RuntimeError("Tran^Van A"))
    one = desk.begins()

    desk.sends(one, b"abcdef")

    until(desk, one, State.FAILED)
    assert "Tran" not in desk.uploads.get(AN, one).reason
    desk.uploads.stop()


def test_what_nobody_touches_for_a_day_is_forgotten(desk):
    begun, done = desk.begins(), desk.begins(1)
    desk.sends(done, b"a")
    until(desk, done, State.STORED)

    desk.clock.moment += KEPT
    desk.uploads.sweep()
    assert len(desk.uploads.of(AN)) == 2
    desk.clock.moment += timedelta(seconds=1)
    desk.uploads.sweep()

    assert desk.uploads.of(AN) == []
    assert list((desk.folder / "uploads").iterdir()) == []
    with pytest.raises(NotFound):
        desk.uploads.turn(AN, begun, 0)


def test_a_slide_that_is_forgotten_while_it_is_taken_is_not_taken_further(desk):
    desk.taking.may_end.clear()
    one = desk.begins()
    desk.sends(one, b"abcdef")
    assert desk.taking.begun.wait(30)

    desk.uploads.forget(AN, one)
    desk.taking.may_end.set()
    desk.uploads._taker.submit(lambda: None).result(30)

    assert desk.taking.seen == []
    assert list((desk.folder / "uploads").iterdir()) == []


def test_one_caller_has_so_many_on_their_way_and_a_node_so_many_records(desk, monkeypatch):
    monkeypatch.setattr(uploads, "OPEN_MAX", 2)
    monkeypatch.setattr(uploads, "RECORDS_MAX", 3)
    first, _ = desk.begins(), desk.begins()

    with pytest.raises(Busy, match="of this caller"):
        desk.begins()
    desk.begins(owner=BINH)
    with pytest.raises(Busy, match="too many slides"):
        desk.begins(owner=BINH)
    desk.sends(first, b"abcdef")
    until(desk, first, State.STORED)
    desk.begins(owner=BINH)

    assert first not in [one.upload for one in desk.uploads.of(AN)]  # what was over made room


def test_space_is_promised_once_and_looked_at_as_the_bytes_come(tmp_path, monkeypatch):
    desk = Desk(tmp_path, bytes_max=2**60)
    with pytest.raises(LimitExceeded):
        desk.begins(2**60 + 1)
    free = desk.blobs.free_bytes
    desk.begins(free // 3)

    with pytest.raises(StorageFull):
        desk.begins(free // 3)  # each needs its own bytes and those of its instances
    small = desk.begins(10)
    monkeypatch.setattr(upload_files, "WATERMARK_STEP_BYTES", 2**60)
    turn = desk.uploads.turn(AN, small, 0)
    with pytest.raises(StorageFull):
        turn.write([b"a"])
    desk.uploads.stop()
