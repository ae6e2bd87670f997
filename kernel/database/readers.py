"""Reading: connections that see one snapshot and cannot write, for the node's own process and for those beside it."""

from collections.abc import Generator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from kernel.database.engines import open_reader, translated
from kernel.errors import Busy


class Readable(Protocol):
    """A database as its readers see it: `Database` and `ReadOnly` are both."""

    def read(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one snapshot and cannot write; raises Busy, DatabaseUnavailable."""
        ...


class Readers:
    """The readers' connections of one engine."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Give a connection that sees one snapshot and cannot write.

        Raises
        ------
        Busy
            All connections stayed taken for `engines.READER_WAIT_S`.
        DatabaseUnavailable
            The engine failed in a way that may pass.
        """
        try:
            with self._engine.connect() as connection:
                yield connection
        except PoolTimeoutError as error:
            raise Busy(what="all database readers are taken") from error
        except DBAPIError as error:
            passing = translated(error)
            if passing is error:
                raise
            raise passing from error

    def close(self) -> None:
        """Close every connection."""
        self._engine.dispose()


class ReadOnly(Readers):
    """The database of a process that never writes it, such as a listener process: `read` and `close`, nothing else."""

    @classmethod
    def open(cls, target: str | Path, *, password: str | None = None) -> "ReadOnly":
        """Open a database that its owner made and migrated; see `Database.open` for `target`."""
        return cls(open_reader(target, password))
