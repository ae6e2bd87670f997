"""How each engine is opened: one engine for the writer, one for readers who cannot write.

SQLite comes from the pysqlite3 wheel: the library of many distributions has the WAL-reset fault (3.7.0 to 3.51.2).
Errors never carry values: parameters are hidden, and PostgreSQL's DETAIL, which quotes rows, is taken out.
"""

import os
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from pysqlite3 import dbapi2
from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.exc import DBAPIError

from kernel.errors import DatabaseUnavailable, InvalidConfiguration

SQLITE_VERSION_MIN = (3, 51, 3)  # sqlite.org/wal.html#walresetbug
BUSY_TIMEOUT_MS = 10_000  # another process of this node, such as the command line, may hold the lock for a moment
READER_CACHE_KIB = 16 * 1024
WRITER_CACHE_KIB = 64 * 1024
CHECKPOINT_PAGES = 4_000  # 16 MiB of log before the writer moves it into the file; fewer flushes than the usual 1,000
LOG_BYTES_KEPT = 64 * 1024 * 1024
READERS_MAX = 32
READER_WAIT_S = 30.0
CONNECT_TIMEOUT_S = 10

_SQLITE_PASSING = ("database or disk is full", "database is locked", "disk I/O error", "unable to open database file")
_POSTGRESQL_PASSING = ("08", "40", "53", "57", "58")  # connection, rollback, resources, intervention, system error


@dataclass(frozen=True, slots=True)
class Engines:
    """The two ways into one database."""

    writer: Engine
    reader: Engine


def open_engines(target: str | Path, password: str | None = None) -> Engines:
    """Open the database at `target`: a path (SQLite), `sqlite:///path`, or `postgresql+psycopg://user@host/name`.

    Raises
    ------
    InvalidConfiguration
        The URL names another engine, or SQLite's library has the WAL-reset fault.
    """
    url = _url_of(target, password)
    if url.get_backend_name() != "sqlite":
        return Engines(_postgresql_writer(url), _postgresql_reader(url))
    # Patients' names are in this file: made readable to its owner alone, and SQLite gives its log the same mode.
    os.close(os.open(str(url.database), os.O_CREAT | os.O_RDWR, 0o600))
    return Engines(_sqlite_writer(url), _sqlite_reader(url))


def open_reader(target: str | Path, password: str | None = None) -> Engine:
    """Open the database for reading alone, beside the process that writes it. Raises as `open_engines`."""
    url = _url_of(target, password)
    return _sqlite_reader(url) if url.get_backend_name() == "sqlite" else _postgresql_reader(url)


def _url_of(target: str | Path, password: str | None) -> URL:
    is_path = isinstance(target, Path) or "://" not in target
    url = URL.create("sqlite", database=str(target)) if is_path else make_url(str(target))
    if url.get_backend_name() == "postgresql":
        url = url.set(drivername="postgresql+psycopg")
        return url if password is None else url.set(password=password)
    if url.get_backend_name() != "sqlite":
        raise InvalidConfiguration(source="database", key="database.url", reason="must be sqlite or postgresql")
    if dbapi2.sqlite_version_info < SQLITE_VERSION_MIN:
        raise InvalidConfiguration(source="pysqlite3", key="sqlite", reason="the library is too old")
    if not Path(url.database or "").name:
        raise InvalidConfiguration(source="database", key="database.url", reason="needs the path of a file")
    return URL.create("sqlite", database=url.database)


def _sqlite_writer(url: URL) -> Engine:
    writer = create_engine(url, module=dbapi2, hide_parameters=True, pool_size=1, max_overflow=0)
    event.listen(writer, "connect", _set_up_sqlite_writer)
    event.listen(writer, "begin", _begin_immediate)
    return writer


def _sqlite_reader(url: URL) -> Engine:
    reader = create_engine(
        url, module=dbapi2, hide_parameters=True, pool_size=8, max_overflow=READERS_MAX - 8, pool_timeout=READER_WAIT_S
    )
    event.listen(reader, "connect", _set_up_sqlite_reader)
    event.listen(reader, "begin", _begin)
    return reader


def _set_up_sqlite_writer(connection: Any, record: object) -> None:
    del record
    _pragmas(
        connection,
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        "journal_mode = WAL",
        "synchronous = FULL",
        "foreign_keys = ON",
        f"cache_size = -{WRITER_CACHE_KIB}",
        f"wal_autocheckpoint = {CHECKPOINT_PAGES}",
        f"journal_size_limit = {LOG_BYTES_KEPT}",
    )


def _set_up_sqlite_reader(connection: Any, record: object) -> None:
    del record
    _pragmas(
        connection,
        f"busy_timeout = {BUSY_TIMEOUT_MS}",
        f"cache_size = -{READER_CACHE_KIB}",
        "wal_autocheckpoint = 0",
        "query_only = ON",
    )


def _pragmas(connection: Any, *settings: str) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself; the "begin" event says how
    for setting in settings:
        connection.execute(f"PRAGMA {setting}")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _postgresql_writer(url: URL) -> Engine:
    writer = create_engine(
        url,
        hide_parameters=True,
        pool_size=1,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"connect_timeout": CONNECT_TIMEOUT_S},
    )
    event.listen(writer, "handle_error", _hide_values)
    return writer


def _postgresql_reader(url: URL) -> Engine:
    reader = create_engine(
        url,
        hide_parameters=True,
        pool_size=8,
        max_overflow=READERS_MAX - 8,
        pool_timeout=READER_WAIT_S,
        pool_pre_ping=True,
        isolation_level="REPEATABLE READ",  # one snapshot for all statements of a reader, as on SQLite
        # Compiling a statement (jit) and starting workers for it cost more than the short ones of lists, and PostgreSQL
        # guesses long ones.
        connect_args={
            "options": "-c default_transaction_read_only=on -c jit=off -c max_parallel_workers_per_gather=0",
            "connect_timeout": CONNECT_TIMEOUT_S,
        },
    )
    event.listen(reader, "handle_error", _hide_values)
    return reader


def told(connection: Connection, statement: str, error: Exception) -> DBAPIError:
    """Return an error of the driver, which ran a statement of `connection` directly, as SQLAlchemy would raise it."""
    dialect = connection.dialect
    is_lost = dialect.is_disconnect(error, connection.connection.driver_connection, None)  # pyright: ignore[reportArgumentType] - what its type says of connections is too narrow
    _take_out_values(error)
    if is_lost:
        connection.invalidate(error)
    base = dialect.loaded_dbapi.Error
    return DBAPIError.instance(
        statement, None, error, base, hide_parameters=True, connection_invalidated=is_lost, dialect=dialect
    )  # pyright: ignore[reportReturnType] - a DBAPIError whenever the error is the driver's


def _hide_values(context: ExceptionContext) -> None:
    """Leave only codes and names of constraints in an error of PostgreSQL; its text quotes what was written."""
    if isinstance(context.sqlalchemy_exception, DBAPIError) and _take_out_values(context.original_exception):
        context.sqlalchemy_exception.args = context.original_exception.args


def _take_out_values(error: Any) -> bool:
    """Replace the text of an error of PostgreSQL; return False when it is none."""
    if not hasattr(error, "diag"):
        return False
    if _never_connected(error):
        text = str(error).splitlines()[0]  # says which server and why; it never got as far as a row
    else:
        diag = error.diag
        parts = (type(error).__name__, error.sqlstate, diag.table_name, diag.column_name, diag.constraint_name)
        text = " ".join(part for part in parts if part)
    error.args = (text,)
    return True


def _never_connected(original: Any) -> bool:
    return isinstance(original, psycopg.OperationalError) and original.sqlstate is None


def fold_log(writer: Engine) -> None:
    """Fold SQLite's log into the file. On a full disk, or while somebody else writes, it stays beside it, and is whole."""
    with suppress(writer.dialect.loaded_dbapi.Error, DBAPIError), closing(writer.raw_connection()) as connection:
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")


def translated(error: BaseException) -> BaseException:
    """Return `DatabaseUnavailable` for an error of the engine that may pass, and any other error as it is."""
    if not isinstance(error, DBAPIError):
        return error
    original: Any = error.orig
    state: str = getattr(original, "sqlstate", None) or ""
    if _never_connected(original):
        return DatabaseUnavailable(reason=str(original))
    if error.connection_invalidated or state.startswith(_POSTGRESQL_PASSING):
        return DatabaseUnavailable(reason=f"{type(original).__name__} {state}".strip())
    if str(original) in _SQLITE_PASSING:
        return DatabaseUnavailable(reason=str(original))
    return error
