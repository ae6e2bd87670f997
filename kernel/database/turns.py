"""One transaction at a time where the order of numbers must be the order of commits."""

from typing import Final

from sqlalchemy import Connection, text

from kernel.database.columns import is_sqlite

_LOCK: Final = 0x61756469  # "audi": the number under which a database's writers take turns


def take_turn(connection: Connection) -> None:
    """Wait until no other transaction numbers events or audit lines; from here to its commit this one does.

    Without it PostgreSQL would give a number before another transaction's smaller one is committed: whoever reads the
    feed in between would never see the smaller one. SQLite has one writing transaction at a time anyway.
    """
    if not is_sqlite(connection):
        connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
