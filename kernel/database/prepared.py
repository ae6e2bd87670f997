"""Statements that every received instance runs: compiled once, and given to the driver directly.

SQLAlchemy's execution of a small statement touches so much memory that it costs several times the statement itself when
the caches hold something else, as they do after half a megabyte of pixels went through them. PostgreSQL is
sent all rows in one pipeline, and parses the statement once in the life of a connection; SQLite is given the rows of an
INSERT together. The statement, its types and its transaction stay SQLAlchemy's.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.sql.elements import ClauseElement

from kernel.database.engines import told

Statement = Executable | ClauseElement
_Value = tuple[
    str, str | None, Callable[[Any], Any] | None, Any
]  # parameter, key of the row (None: fixed), processor, fixed

TOGETHER_MAX: Final = 16  # rows of one INSERT by place
_ONE_ROW: Final = re.compile(r"(INSERT INTO [^?]* VALUES )(\([?, ]+\))([^?]*)", re.DOTALL)  # all values are the row's


@dataclass(frozen=True, slots=True)
class _Compiled:
    """A statement as one engine's driver takes it."""

    sql: str
    values: tuple[_Value, ...]
    by_place: bool  # the driver takes a list of values, else a mapping
    returns_rows: bool
    by_rows: dict[int, str]  # the text for several rows; empty when it takes one at a time

    @property
    def rows_max(self) -> int:
        """How many rows one execution by place takes."""
        return len(self.by_rows) + 1


class Prepared:
    """One statement and the names of its values.

    Parameters
    ----------
    build
        Makes the statement; called for each engine, with whether it is SQLite.
    names
        The values that a row gives: columns of an INSERT, bound parameters of any other statement.
    """

    def __init__(self, build: Callable[[bool], Any], names: Sequence[str]) -> None:
        self._build = build
        self._names = list(names)
        self._compiled: dict[str, _Compiled] = {}  # by the engine's name; two writers may both be the first: no harm

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Run the statement for each row in the writer's transaction; return what comes back, as the driver gives it.

        Values of results are the driver's own: return keys, numbers and texts, no moments; SQLite's flags are 0 and 1.
        What comes back of several inserted rows is in no order.
        """
        if not rows:
            return []
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.name)
        if compiled is None:
            compiled = self._compiled[dialect.name] = self._compile(dialect)
        driver: Any = connection.connection.driver_connection
        run = _run_by_place if compiled.by_place else _run_by_name
        try:
            return run(driver, compiled, rows)
        except dialect.loaded_dbapi.Error as error:
            raise told(connection, compiled.sql, error) from None

    def _compile(self, dialect: Dialect) -> _Compiled:
        statement = self._build(dialect.name == "sqlite")
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._names)
        bound = {name: parameter for parameter, name in compiled.bind_names.items()}
        values: list[_Value] = []
        for name in compiled.positiontup or bound:
            process = bound[name].type.dialect_impl(dialect).bind_processor(dialect)
            if name in self._names:
                values.append((name, name, process, None))
            else:
                fixed = compiled.params[name]
                values.append((name, None, None, process(fixed) if process else fixed))
        returns_rows = bool(statement.is_select or getattr(statement, "_returning", ()))
        sql = str(compiled)
        return _Compiled(sql, tuple(values), bool(compiled.positiontup), returns_rows, _by_rows(sql))


def _by_rows(sql: str) -> dict[int, str]:
    """Return the text of an INSERT by place for 2 to TOGETHER_MAX rows; nothing for any other statement."""
    parts = _ONE_ROW.fullmatch(sql)
    if parts is None:
        return {}
    head, row, tail = parts.groups()
    return {count: head + ", ".join([row] * count) + tail for count in range(2, TOGETHER_MAX + 1)}


def _run_by_place(driver: Any, compiled: _Compiled, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    found: list[tuple[Any, ...]] = []
    for first in range(0, len(rows), compiled.rows_max):
        some = rows[first : first + compiled.rows_max]
        bound = [_bound(value, row) for row in some for value in compiled.values]
        found += driver.execute(compiled.by_rows.get(len(some), compiled.sql), bound).fetchall()
    return found


def _run_by_name(driver: Any, compiled: _Compiled, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    each = [{value[0]: _bound(value, row) for value in compiled.values} for row in rows]
    with driver.cursor() as cursor:
        if len(each) == 1:
            cursor.execute(compiled.sql, each[0], prepare=True)
            return cursor.fetchall() if compiled.returns_rows else []
        cursor.executemany(compiled.sql, each, returning=compiled.returns_rows)
        return [row for result in cursor.results() for row in result] if compiled.returns_rows else []


def _bound(value: _Value, row: Mapping[str, Any]) -> Any:
    _, key, process, fixed = value
    if key is None:
        return fixed
    return process(row[key]) if process else row[key]
