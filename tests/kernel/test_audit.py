"""The audit: a chain in which every change, gap and cut shows."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from kernel import audit as audit_module
from kernel.audit import FIRST_PREVIOUS, Action, AuditOutcome, Head, Line, append, audit, head, of_study, verify
from kernel.database import Database
from kernel.errors import AuditChainBroken

NOW = datetime(2026, 11, 22, 2, 0, 0, 5, tzinfo=UTC)
STUDY = "1.2.840.1"


def line(who: str = "bs.huong", **more: Any) -> Line:
    return Line(NOW, Action.INSTANCES_ACCESSED, who, study_instance_uid=STUDY, **more)


def appended(database: Database, *lines: Line) -> list[Head]:
    return [database.write(lambda connection, one=one: append(connection, one)) for one in lines]


def tamper(database: Database, statement: str) -> None:
    """Change the table as somebody would who owns the database: after taking the trigger away."""

    def change(connection: Connection) -> None:
        if database.is_sqlite:
            connection.execute(text("DROP TRIGGER audit_no_update"))
            connection.execute(text("DROP TRIGGER audit_no_delete"))
        else:
            connection.execute(text("DROP TRIGGER audit_append_only ON audit"))
        connection.execute(text(statement))

    database.write(change)


def verified(database: Database, noted: Head | None = None) -> int:
    with database.read() as connection:
        return verify(connection, noted)


def test_lines_come_back_as_they_were_appended_newest_first(database: Database):
    plain = line()
    full = Line(
        NOW,
        Action.EXPORT,
        "bs.huong",
        AuditOutcome.MINOR_FAILURE,
        role="reader",
        site="HN-01",
        study_instance_uid=STUDY,
        address="10.0.0.7",
        detail={"destination": "Bạch Mai", "instances": 3},
    )

    appended(database, plain, full, Line(NOW, Action.QUERY, "someone else"))

    with database.read() as connection:
        assert of_study(connection, STUDY) == [full, plain]
        assert of_study(connection, STUDY, limit=1) == [full]


def test_an_empty_chain_is_whole(database: Database):
    assert verified(database) == 0
    with database.read() as connection:
        assert head(connection) == Head(0, FIRST_PREVIOUS)


def test_a_whole_chain_is_verified_over_many_pages(database: Database, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audit_module, "_VERIFY_ROWS", 3)

    heads = appended(database, *[line(f"reader {number}") for number in range(10)])

    assert verified(database) == 10
    assert [one.seq for one in heads] == list(range(1, 11))
    assert len({one.digest for one in heads}) == 10


def test_the_same_line_twice_has_two_digests(database: Database):
    first, second = appended(database, line(), line())

    assert first.digest != second.digest


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE audit SET who = 'another' WHERE seq = 2", 2),
        ("UPDATE audit SET outcome = 'serious failure' WHERE seq = 3", 3),
        ("UPDATE audit SET at = at + 1 WHERE seq = 1", 1),
        ("UPDATE audit SET detail = '{}' WHERE seq = 4", 4),
        ("UPDATE audit SET digest = previous WHERE seq = 4", 4),
        ("DELETE FROM audit WHERE seq = 1", 1),
        ("DELETE FROM audit WHERE seq = 3", 3),
        ("UPDATE audit SET seq = 9 WHERE seq = 4", 4),
        ("UPDATE audit SET seq = -1 WHERE seq = 1", 1),
    ],
)
def test_a_changed_missing_or_moved_line_breaks_the_chain(database: Database, statement: str, broken_at: int):
    appended(database, line(), line(), line(), line())

    tamper(database, statement)

    with pytest.raises(AuditChainBroken, match=f"broken at line {broken_at}"):
        verified(database)


def test_lines_cut_off_at_the_end_show_against_a_noted_head(database: Database):
    noted = appended(database, line(), line(), line())[-1]
    assert verified(database, noted) == 3

    tamper(database, "DELETE FROM audit WHERE seq = 3")

    assert verified(database) == 2
    with pytest.raises(AuditChainBroken, match="broken at line 3"):
        verified(database, noted)


def test_a_chain_written_anew_shows_against_a_noted_head(database: Database):
    noted = appended(database, line(), line())[-1]

    tamper(database, "DELETE FROM audit")
    appended(database, line("somebody"), line("else"), line("entirely"))

    assert verified(database) == 3
    with pytest.raises(AuditChainBroken, match="broken at line 2"):
        verified(database, noted)


@pytest.mark.parametrize("statement", ["UPDATE audit SET who = 'another'", "DELETE FROM audit"])
def test_the_table_refuses_to_be_changed(database: Database, statement: str):
    appended(database, line())

    with pytest.raises(DBAPIError):
        database.write(lambda connection: connection.execute(text(statement)))

    assert verified(database) == 1


def test_many_threads_and_two_processes_worth_of_writers_make_one_chain(database_url: str):
    database, another = Database.open(database_url), Database.open(database_url)
    database.migrate()

    def work(through: Database) -> None:
        for _ in range(25):
            appended(through, line())

    threads = [threading.Thread(target=work, args=(through,)) for through in (database, another) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    another.close()

    assert verified(database) == 100
    database.close()


def test_an_undone_line_leaves_no_gap(database: Database):
    def fail(connection: Connection) -> None:
        append(connection, line())
        raise ValueError("undone")

    appended(database, line())
    with pytest.raises(ValueError, match="undone"):
        database.write(fail)
    appended(database, line())

    assert verified(database) == 2


def test_the_columns_are_covered_by_the_digest():
    chained = {"seq", "previous", "digest"}

    assert {column.name for column in audit.columns} == chained | set(audit_module._CONTENT)
