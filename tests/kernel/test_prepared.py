"""Statements that are compiled once give the same rows as SQLAlchemy's execution, and fail as it does."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Connection, Integer, Table, Text, bindparam, select, text, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from kernel.database import BigKey, Database, Prepared, UtcDateTime, metadata
from kernel.database.prepared import TOGETHER_MAX
from kernel.errors import DatabaseUnavailable
from tests.support.postgresql import Server

noted = Table(
    "noted_for_tests",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("word", Text, nullable=False, unique=True),
    Column("number", Integer),
)
metadata.remove(noted)
AT = datetime(2026, 11, 22, 8, 0, 0, 123456, tzinfo=UTC)
NOTE = Prepared(lambda _: noted.insert().returning(noted.c.pk, noted.c.word), ("at", "word", "number"))
COUNT = Prepared(
    lambda _: (
        update(noted)
        .where(noted.c.word == bindparam("word_"))
        .values(number=noted.c.number + bindparam("more"), at=bindparam("at"))
    ),
    ("word_", "more", "at"),
)


@pytest.fixture
def db(database: Database) -> Database:
    database.write(noted.create)
    return database


def a_note(word: str, number: int | None = 1) -> dict[str, object]:
    return {"at": AT, "word": word, "number": number}


def test_rows_are_written_with_their_types_and_returned(db: Database):
    found = db.write(lambda connection: NOTE.run(connection, [a_note("a"), a_note("Đ", None)]))

    assert sorted(word for _, word in found) == ["a", "Đ"]
    with db.read() as connection:
        rows = connection.execute(select(noted).order_by(noted.c.word)).all()
    assert [(row.at, row.word, row.number) for row in rows] == [(AT, "a", 1), (AT, "Đ", None)]


@pytest.mark.parametrize("count", [1, 2, TOGETHER_MAX, TOGETHER_MAX + 1, 3 * TOGETHER_MAX + 5])
def test_any_number_of_rows_is_inserted_in_order_and_returned(db: Database, count: int):
    rows = [a_note(f"{number:03}", number) for number in range(count)]

    found = db.write(lambda connection: NOTE.run(connection, rows))

    assert sorted(word for _, word in found) == [row["word"] for row in rows]
    with db.read() as connection:
        kept = connection.execute(select(noted).order_by(noted.c.pk)).all()
    assert [(row.word, row.number, row.at) for row in kept] == [(row["word"], row["number"], AT) for row in rows]
    assert sorted(found) == [(row.pk, row.word) for row in kept]


def test_of_several_rows_only_those_come_back_that_were_not_there(db: Database):
    unless_there = Prepared(
        lambda on_sqlite: (
            (sqlite if on_sqlite else postgresql).insert(noted).on_conflict_do_nothing().returning(noted.c.word)
        ),
        ("at", "word", "number"),
    )
    db.write(lambda connection: NOTE.run(connection, [a_note("b")]))

    words = ["a", "b", "c", "c", "d"]
    found = db.write(lambda connection: unless_there.run(connection, [a_note(word) for word in words]))

    assert sorted(found) == [("a",), ("c",), ("d",)]


def test_an_update_counts_in_the_running_transaction(db: Database):
    later = AT.replace(hour=9)

    def change(connection):
        NOTE.run(connection, [a_note("a")])
        assert COUNT.run(connection, [{"word_": "a", "more": 2, "at": later}] * 2) == []

    db.write(change)

    with db.read() as connection:
        row = connection.execute(select(noted)).one()
    assert (row.number, row.at) == (5, later)


def test_an_error_is_told_as_sqlalchemy_tells_it_and_quotes_no_value(db: Database):
    db.write(lambda connection: NOTE.run(connection, [a_note("Nguyen")]))

    with pytest.raises(IntegrityError) as told:
        db.write(lambda connection: NOTE.run(connection, [a_note("other"), a_note("Nguyen")]))

    assert "Nguyen" not in str(told.value)
    with db.read() as connection:
        assert len(connection.execute(select(noted)).all()) == 1


def test_two_databases_whose_writers_are_both_the_first_do_not_disturb_each_other(tmp_path: Path):
    one, other = Database.open(tmp_path / "one.db"), Database.open(tmp_path / "other.db")
    for each in (one, other):
        each.write(noted.create)
    meanwhile = [lambda: other.write(lambda connection: statement.run(connection, [a_note("other")]))]

    def build(_: bool):
        if meanwhile:
            meanwhile.pop()()
        return noted.insert()

    statement = Prepared(build, ("at", "word", "number"))
    for word in ("first", "second"):
        one.write(lambda connection, word=word: statement.run(connection, [a_note(word)]))

    with one.read() as connection:
        assert connection.scalars(select(noted.c.word).order_by(noted.c.pk)).all() == ["first", "second"]
    with other.read() as connection:
        assert connection.scalars(select(noted.c.word)).all() == ["other"]
    one.close()
    other.close()


@pytest.mark.peer("postgresql")
def test_a_connection_that_postgresql_drops_below_a_statement_may_pass_and_the_next_write_works(
    postgresql: str, postgresql_server: Server
):
    database = Database.open(postgresql)
    database.write(noted.create)

    def cut_off(connection: Connection) -> None:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        postgresql_server.run(f"SELECT pg_terminate_backend({pid})", postgresql.rpartition("/")[2])
        NOTE.run(connection, [a_note("lost"), a_note("too")])

    with pytest.raises(DatabaseUnavailable, match=r"AdminShutdown 57P01|OperationalError|server closed the connection"):
        database.write(cut_off)

    assert database.write(lambda connection: NOTE.run(connection, [a_note("found")])) == [(1, "found")]
    database.close()
