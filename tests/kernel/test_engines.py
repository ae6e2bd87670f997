"""Engines: files and servers, what they promise, and what becomes of their errors."""

import stat
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, create_engine, select, text
from sqlalchemy.exc import IntegrityError

from kernel.database import Database
from kernel.database import engines as engines_module
from kernel.errors import DatabaseUnavailable, InvalidConfiguration
from tests.kernel.notes import Gate, adds, answers, note, words
from tests.support.postgresql import Server


def test_an_engine_error_quotes_no_value(database: Database):
    database.write(note.create)
    database.write(adds("NGUYEN^VAN A"))

    with pytest.raises(IntegrityError) as caught:
        database.write(adds("NGUYEN^VAN A"))

    shown = f"{caught.value} {caught.value!r} {caught.value.orig} {caught.value.orig!r}"
    assert "NGUYEN" not in shown


def test_the_file_of_rows_is_its_owners_alone(tmp_path: Path):
    database = Database.open(tmp_path / "vienanh.db")
    database.migrate()

    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    database.close()

    assert modes == {"vienanh.db": 0o600, "vienanh.db-wal": 0o600, "vienanh.db-shm": 0o600}
    assert [path.name for path in tmp_path.iterdir()] == ["vienanh.db"]


def test_sqlite_syncs_every_commit_and_keeps_foreign_keys(tmp_path: Path):
    database = Database.open(tmp_path / "vienanh.db")

    def settings(connection: Connection) -> list[Any]:
        names = ("journal_mode", "synchronous", "foreign_keys", "mmap_size")
        return [connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in names]

    assert database.is_sqlite
    assert database.write(settings) == ["wal", 2, 1, 0]
    database.close()


def test_sqlite_told_locked_or_full_is_an_error_that_may_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engines_module, "BUSY_TIMEOUT_MS", 10)
    database = Database.open(tmp_path / "vienanh.db")
    database.write(note.create)
    another = engines_module.open_engines(tmp_path / "vienanh.db").writer

    with another.begin(), pytest.raises(DatabaseUnavailable, match="database is locked"):
        database.write(adds("a"))
    another.dispose()

    def fill(connection: Connection) -> None:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages}")
        connection.execute(note.insert(), {"word": "x" * 100_000})

    with pytest.raises(DatabaseUnavailable, match="database or disk is full"):
        database.write(fill)
    assert words(database) == []
    database.close()


def test_postgresql_that_drops_the_connection_is_an_error_that_may_pass_and_the_next_write_works(
    postgresql: str, postgresql_server: Server
):
    database = Database.open(postgresql)
    database.write(note.create)
    name = postgresql.rpartition("/")[2]

    def cut_off(connection: Connection) -> None:
        pid = connection.scalar(text("SELECT pg_backend_pid()"))
        postgresql_server.run(f"SELECT pg_terminate_backend({pid})", name)
        connection.execute(note.insert(), {"word": "lost"})

    def fails(connection: Connection) -> None:
        raise ValueError("so that the group is run again behind savepoints")

    with pytest.raises(DatabaseUnavailable, match=r"AdminShutdown 57P01|OperationalError"):
        database.write(cut_off)
    gate = Gate(database)
    futures = [database.submit(change) for change in (adds("a"), fails, cut_off, adds("b"))]
    gate.open()
    assert all(isinstance(answer, DatabaseUnavailable) for answer in answers(futures))
    with pytest.raises(DatabaseUnavailable), database.read() as connection:
        cut_off(connection)

    assert database.write(adds("found")) == "found"
    assert words(database) == ["found"]
    database.close()


def test_a_server_that_is_away_is_an_error_that_may_pass():
    database = Database.open("postgresql://nobody@127.0.0.1:1/nothing", password="not shown")

    with pytest.raises(DatabaseUnavailable, match=r"port 1 failed: Connection refused") as caught:
        database.write(lambda _: None)

    assert "not shown" not in str(caught.value)
    database.close()


@pytest.mark.parametrize(
    ("target", "reason"),
    [("mysql://somewhere/name", "must be sqlite or postgresql"), ("sqlite://", "needs the path of a file")],
)
def test_a_url_that_cannot_be_used_is_refused(target: str, reason: str):
    with pytest.raises(InvalidConfiguration, match=reason):
        Database.open(target)


def test_a_library_with_the_log_reset_fault_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(engines_module, "SQLITE_VERSION_MIN", (99,))

    with pytest.raises(InvalidConfiguration, match="the library is too old"):
        Database.open(tmp_path / "vienanh.db")


def test_another_library_reads_what_was_written(tmp_path: Path):
    database = Database.open(tmp_path / "vienanh.db")
    database.write(note.create)
    database.write(adds("kept"))
    database.close()

    plain = create_engine(f"sqlite:///{tmp_path / 'vienanh.db'}")
    with plain.connect() as connection:
        assert connection.scalar(select(note.c.word)) == "kept"
    plain.dispose()
