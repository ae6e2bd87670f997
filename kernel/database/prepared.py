"""Statements that every received instance runs: compiled once and, on SQLite, given to the driver directly.

SQLAlchemy's execution of a small statement touches so much memory that it costs 0.3 to 0.4 ms when the caches hold
something else, as they do after half a megabyte of pixels went through them; the driver's own costs 0.05 ms. The
statement, its types and its transaction stay SQLAlchemy's. On PostgreSQL the round trip dominates: there SQLAlchemy
runs it as ever.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Dialect, Executable
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.elements import ClauseElement

from kernel.database.columns import is_sqlite

Statement = Executable | ClauseElement
_Value = tuple[str | None, Callable[[Any], Any] | None, Any]  # key of the row (None: fixed), processor, fixed value


class Prepared:
    """One statement and the names of its values.

    Parameters
    ----------
    build
        Makes the statement; called once for each engine, with whether it is SQLite.
    names
        The values that a row gives: columns of an INSERT, bound parameters of any other statement.
    """

    def __init__(self, build: Callable[[bool], Any], names: Sequence[str]) -> None:
        self._build = build
        self._names = list(names)
        self._statement: Any = None
        self._sql = ""
        self._values: list[_Value] = []

    def run(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
        """Run the statement for each row in the writer's transaction; return what RETURNING gives, as the driver does.

        Values of results are the driver's own: return keys, numbers and texts, no moments.
        """
        if not is_sqlite(connection):
            if self._statement is None:
                self._statement = self._build(False)  # noqa: FBT003 (which engine)
            result = connection.execute(self._statement, [dict(row) for row in rows])
            return [tuple(row) for row in result] if result.returns_rows else []
        if not self._sql:
            self._compile(connection.dialect)
        driver: Any = connection.connection.driver_connection
        found: list[tuple[Any, ...]] = []
        try:
            for row in rows:
                found += driver.execute(self._sql, [_bound(value, row) for value in self._values]).fetchall()
        except connection.dialect.loaded_dbapi.Error as error:
            base = connection.dialect.loaded_dbapi.Error
            raise DBAPIError.instance(self._sql, None, error, base, hide_parameters=True) from None  # pyright: ignore[reportGeneralTypeIssues] - an exception whenever `orig` is one
        return found

    def _compile(self, dialect: Dialect) -> None:
        statement = self._build(True)  # noqa: FBT003 (which engine)
        compiled: Any = statement.compile(dialect=dialect, column_keys=self._names)
        parameters = {name: parameter for parameter, name in compiled.bind_names.items()}
        for name in compiled.positiontup:
            process = parameters[name].type.dialect_impl(dialect).bind_processor(dialect)
            if name in self._names:
                self._values.append((name, process, None))
            else:
                fixed = compiled.params[name]
                self._values.append((None, None, process(fixed) if process else fixed))
        self._sql = str(compiled)


def _bound(value: _Value, row: Mapping[str, Any]) -> Any:
    name, process, fixed = value
    if name is None:
        return fixed
    return process(row[name]) if process else row[name]
