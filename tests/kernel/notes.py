"""A table to write into, and a gate that holds the writer."""

import threading
from concurrent.futures import Future
from typing import Any

from sqlalchemy import Column, Connection, Table, Text, UniqueConstraint, select

from kernel.database import BigKey, Database, UtcDateTime, metadata

# A table of its own collection: the schema test compares the shared one with the migrations.
note = Table(
    "note",
    type(metadata)(),
    Column("pk", BigKey, primary_key=True),
    Column("word", Text, nullable=False),
    Column("at", UtcDateTime),
    UniqueConstraint("word"),
)


def words(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.scalars(select(note.c.word).order_by(note.c.pk)))


def adds(word: str):
    def change(connection: Connection) -> str:
        connection.execute(note.insert(), {"word": word})
        return word

    return change


class Gate:
    """Holds the writer inside a change until opened, so that a test decides what shares the next commit."""

    def __init__(self, database: Database) -> None:
        self._entered, self._open = threading.Event(), threading.Event()
        self.future = database.submit(self._wait)
        assert self._entered.wait(10)

    def _wait(self, connection: Connection) -> None:
        self._entered.set()
        assert self._open.wait(30)

    def open(self) -> None:
        self._open.set()


def answers(futures: list[Future[Any]]) -> list[Any]:
    return [future.exception(30) or future.result() for future in futures]
