"""The database: shared commits, undone neighbours, readers, wake-ups, on both engines."""

import sys
import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import QueuePool

from kernel.database import Database, insert, tx_after_commit, tx_notify, upsert
from kernel.database import engines as engines_module
from kernel.errors import Busy, ShuttingDown
from kernel.telemetry import REGISTRY
from tests.kernel.notes import Gate, adds, answers, note, words


@pytest.fixture
def notes(database: Database) -> Database:
    database.write(note.create)
    return database


def commits() -> float:
    return REGISTRY.get_sample_value("vienanh_commit_changes_count") or 0.0


def test_a_written_row_is_there_for_readers_when_write_returns(notes: Database):
    assert notes.write(adds("one")) == "one"

    assert words(notes) == ["one"]


def test_what_queued_while_a_commit_ran_shares_the_next_one(notes: Database):
    gate, before = Gate(notes), commits()

    futures = [notes.submit(adds(str(number))) for number in range(20)]
    gate.open()

    assert answers(futures) == [str(number) for number in range(20)]
    assert commits() - before == 2
    assert words(notes) == [str(number) for number in range(20)]


def test_a_group_is_no_larger_than_its_bound(database_url: str):
    database = Database.open(database_url, group_max=5)
    database.write(note.create)
    gate, before = Gate(database), commits()

    futures = [database.submit(adds(str(number))) for number in range(12)]
    gate.open()

    assert len(answers(futures)) == 12
    assert commits() - before == 4
    database.close()


def test_a_failing_change_does_not_undo_its_neighbours(notes: Database):
    gate = Gate(notes)

    futures = [notes.submit(adds(word)) for word in ("one", "two", "one", "three")]
    gate.open()

    one, two, again, three = answers(futures)
    assert (one, two, three) == ("one", "two", "three")
    assert isinstance(again, IntegrityError)
    assert words(notes) == ["one", "two", "three"]


def test_a_failing_change_alone_leaves_nothing(notes: Database):
    def half(connection: Connection) -> None:
        connection.execute(note.insert(), {"word": "half"})
        raise ValueError("stopped in the middle")

    with pytest.raises(ValueError, match="stopped in the middle"):
        notes.write(half)

    assert words(notes) == []


def test_items_of_one_batcher_in_one_group_arrive_as_one_list(notes: Database):
    lists: list[list[str]] = []

    def add_all(connection: Connection, items: list[str]) -> list[str]:
        lists.append(items)
        connection.execute(note.insert(), [{"word": item} for item in items])
        return [item.upper() for item in items]

    gate = Gate(notes)
    futures = [notes.submit_batch(add_all, "a"), notes.submit(adds("x")), notes.submit_batch(add_all, "b")]
    gate.open()

    assert answers(futures) == ["A", "x", "B"]
    assert lists == [["a", "b"]]
    assert words(notes) == ["a", "b", "x"]


def test_a_batcher_refuses_one_item_and_keeps_the_others(notes: Database):
    def add_even(connection: Connection, items: list[int]) -> list[int | Exception]:
        return [ValueError("odd") if item % 2 else item for item in items]

    gate = Gate(notes)
    futures = [notes.submit_batch(add_even, number) for number in range(4)]
    gate.open()

    assert [str(answer) for answer in answers(futures)] == ["0", "odd", "2", "odd"]


def test_a_batcher_that_raises_is_tried_item_by_item(notes: Database):
    def add_all(connection: Connection, items: list[str]) -> list[str]:
        connection.execute(note.insert(), [{"word": item} for item in items])
        return items

    notes.write(adds("taken"))
    gate = Gate(notes)
    futures = [notes.submit_batch(add_all, word) for word in ("a", "taken", "b")]
    gate.open()

    a, taken, b = answers(futures)
    assert (a, b) == ("a", "b")
    assert isinstance(taken, IntegrityError)
    assert words(notes) == ["taken", "a", "b"]


def test_a_batcher_that_forgets_an_item_answers_nobody_wrongly(notes: Database):
    gate = Gate(notes)
    futures = [notes.submit_batch(_forgetful, number) for number in range(3)]
    gate.open()

    assert all(isinstance(answer, AssertionError) for answer in answers(futures))


def _forgetful(connection: Connection, items: list[int]) -> list[int]:
    return []


def test_a_full_queue_says_busy_at_once(database_url: str):
    database = Database.open(database_url, queue_max=3)
    gate = Gate(database)
    futures = [database.submit(lambda _: "done") for _ in range(3)]

    with pytest.raises(Busy, match="the database's queue is full"):
        database.submit(lambda _: None)

    gate.open()
    assert answers(futures) == ["done"] * 3
    database.close()


def test_closing_writes_what_is_queued_and_takes_no_more(database_url: str):
    database = Database.open(database_url)
    database.write(note.create)
    gate = Gate(database)
    futures = [database.submit(adds(str(number))) for number in range(10)]

    closing = threading.Thread(target=database.close)
    closing.start()
    gate.open()
    closing.join(30)

    assert answers(futures) == [str(number) for number in range(10)]
    with pytest.raises(ShuttingDown, match="The node is stopping"):
        database.write(adds("late"))


def test_a_cancelled_change_is_not_run(notes: Database):
    gate = Gate(notes)
    cancelled = notes.submit(adds("cancelled"))

    assert cancelled.cancel()
    gate.open()
    notes.write(adds("kept"))

    assert words(notes) == ["kept"]


def test_a_change_that_writes_through_the_database_is_a_mistake_that_shows(notes: Database):
    with pytest.raises(AssertionError, match="must use its own connection"):
        notes.write(lambda _: notes.write(adds("nested")))


def test_a_reader_cannot_write(notes: Database):
    with pytest.raises(DBAPIError, match=r"readonly|ReadOnlySqlTransaction"), notes.read() as connection:
        connection.execute(note.insert(), {"word": "sneaked in"})


def test_a_reader_sees_one_snapshot(notes: Database):
    with notes.read() as connection:
        before = connection.scalar(select(func.count()).select_from(note))
        notes.write(adds("meanwhile"))
        after = connection.scalar(select(func.count()).select_from(note))

    assert (before, after) == (0, 0)
    assert words(notes) == ["meanwhile"]


def test_readers_beyond_the_bound_are_told_busy(notes: Database, monkeypatch: pytest.MonkeyPatch):
    pool = notes._engines.reader.pool
    assert isinstance(pool, QueuePool)
    monkeypatch.setattr(pool, "_timeout", 0.01)
    taken = [notes._engines.reader.connect() for _ in range(engines_module.READERS_MAX)]

    with pytest.raises(Busy, match="all database readers are taken"), notes.read():
        pass

    for connection in taken:
        connection.close()


def test_a_waiter_is_woken_after_the_commit_that_raised_its_topic(database: Database):
    ear, another, other = database.topic("jobs"), database.topic("jobs"), database.topic("else")

    database.write(lambda connection: tx_notify(connection, "jobs"))

    assert ear.wait(10)
    assert not ear.wait(0)
    assert another.event.wait(10)
    assert not other.wait(0)


def test_nobody_is_woken_by_a_change_that_failed(database: Database):
    ear, seen = database.topic("jobs"), []

    def fail(connection: Connection) -> None:
        tx_notify(connection, "jobs")
        tx_after_commit(connection, lambda: seen.append("failed"))
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        database.write(fail)
    database.write(lambda connection: tx_after_commit(connection, lambda: seen.append("done")))
    database.write(lambda _: None)

    assert seen == ["done"]
    assert not ear.wait(0)


def test_only_what_was_kept_of_a_shared_commit_is_told(notes: Database):
    kept, lost, seen = notes.topic("kept"), notes.topic("lost"), []

    def tells(topic: str, *, fails: bool = False):
        def change(connection: Connection) -> None:
            tx_notify(connection, topic)
            tx_after_commit(connection, lambda: seen.append(topic))
            if fails:
                raise ValueError("no")

        return change

    gate = Gate(notes)
    futures = [notes.submit(change) for change in (tells("kept"), tells("lost", fails=True), tells("kept"))]
    gate.open()

    assert [str(answer) for answer in answers(futures)] == ["None", "no", "None"]
    assert kept.wait(10)
    assert seen == ["kept", "kept"]
    assert not lost.wait(0)


def test_a_callback_that_fails_hurts_nobody(database: Database):
    seen: list[str] = []

    def change(connection: Connection) -> str:
        tx_after_commit(connection, lambda: seen.remove("nothing"))
        tx_after_commit(connection, lambda: seen.append("next"))
        tx_after_commit(connection, lambda: sys.exit(1))
        return "done"

    assert database.write(change) == "done"
    assert database.write(lambda _: "still writing") == "still writing"
    assert seen == ["next"]


def test_a_change_that_asks_for_the_process_to_end_ends_only_itself(database: Database):
    with pytest.raises(SystemExit):
        database.write(lambda _: sys.exit(1))

    assert database.write(lambda _: "still writing") == "still writing"


def test_a_closed_or_cleared_ear_hears_nothing(database: Database):
    closed, cleared = database.topic("jobs"), database.topic("jobs")

    closed.close()
    closed.close()
    database.notify("jobs")
    cleared.clear()

    assert not closed.wait(0)
    assert not cleared.wait(0)


def test_a_moment_comes_back_exact_and_in_utc(notes: Database):
    hanoi = datetime(2026, 11, 22, 9, 0, 0, 123457, tzinfo=timezone(timedelta(hours=7)))

    notes.write(lambda connection: connection.execute(note.insert(), {"word": "a", "at": hanoi}) and None)

    with notes.read() as connection:
        at = connection.scalar(select(note.c.at))
        before_1970 = connection.scalar(select(note.c.at).where(note.c.at > datetime(1969, 1, 1, tzinfo=UTC)))
    assert at == before_1970 == hanoi
    assert at is not None
    assert at.tzinfo is UTC


def test_a_naive_moment_is_a_mistake_that_shows(notes: Database):
    naive = datetime(2026, 11, 22)  # noqa: DTZ001 - the mistake itself

    with pytest.raises(Exception, match="offset-naive"):
        notes.write(lambda connection: connection.execute(note.insert(), {"word": "a", "at": naive}))


def test_upsert_leaves_or_updates_the_row_whose_key_is_taken(notes: Database):
    moment = datetime(2026, 11, 22, tzinfo=UTC)
    rows = [{"word": "a", "at": None}, {"word": "b", "at": None}]

    notes.write(lambda connection: upsert(connection, note, rows, key=["word"]))
    notes.write(lambda connection: upsert(connection, note, [{"word": "a", "at": moment}], key=["word"]))
    notes.write(lambda connection: upsert(connection, note, [], key=["word"]))
    notes.write(lambda connection: upsert(connection, note, [{"word": "b", "at": moment}], key=["word"], update=["at"]))

    with notes.read() as connection:
        assert list(connection.execute(select(note.c.word, note.c.at).order_by(note.c.word))) == [
            ("a", None),
            ("b", moment),
        ]


def test_insert_is_the_engines_own(notes: Database):
    def returning(connection: Connection) -> int | None:
        return connection.scalar(insert(connection, note).values(word="a").returning(note.c.pk))

    assert notes.write(returning) == 1
