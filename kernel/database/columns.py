"""The shared table collection, its column types, and the few places where the two engines differ.

Every room declares its tables on `metadata`. Not here: connections (engines.py) and transactions (writer.py).
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import BigInteger, Connection, Dialect, Executable, Integer, MetaData, Table, Text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.types import TypeDecorator

NAMING_CONVENTION = {  # of every index and constraint, so that a later version can name what it changes
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
metadata = MetaData(naming_convention=NAMING_CONVENTION)

BigKey = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit surrogate key; on SQLite the row id itself, which only the word INTEGER makes."""

BinaryText = Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")
"""Text compared byte by byte on both engines, so that a prefix is a range of the index whatever the locale."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


class UtcDateTime(TypeDecorator[datetime]):
    """An aware moment, kept as microseconds since 1970 UTC: exact, ordered, the same on both engines."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:
        """Return microseconds since 1970 UTC; a naive moment is our own mistake and raises TypeError."""
        del dialect
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return the moment, in UTC."""
        del dialect
        return None if value is None else _EPOCH + timedelta(microseconds=value)


def is_sqlite(connection: Connection) -> bool:
    """Tell whether `connection` speaks to SQLite; otherwise it is PostgreSQL."""
    return connection.dialect.name == "sqlite"


def insert(connection: Connection, table: Table) -> sqlite.Insert | postgresql.Insert:
    """Return the engine's own INSERT, which has `on_conflict_do_update`, `on_conflict_do_nothing` and `excluded`."""
    return sqlite.insert(table) if is_sqlite(connection) else postgresql.insert(table)


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    key: Sequence[str],
    update: Sequence[str] = (),
) -> None:
    """Insert `rows`; where `key` (columns of a unique index) is taken, write the `update` columns, or leave the row."""
    if rows:
        statement = _upsert(table, tuple(key), tuple(update), on_sqlite=is_sqlite(connection))
        connection.execute(statement, [dict(row) for row in rows])


@cache
def _upsert(table: Table, key: tuple[str, ...], update: tuple[str, ...], *, on_sqlite: bool) -> Executable:
    """Build the statement once: `excluded` alone costs a millisecond, and there are as many as calls in the code."""
    statement = sqlite.insert(table) if on_sqlite else postgresql.insert(table)
    if not update:
        return statement.on_conflict_do_nothing(index_elements=key)
    changed = {name: statement.excluded[name] for name in update}
    return statement.on_conflict_do_update(index_elements=key, set_=changed)
