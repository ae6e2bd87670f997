"""The database: engines, the one writer with group commit, readers, wake-ups (SQLAlchemy Core).

For other rooms::

    from kernel.database import BigKey, Database, UtcDateTime, metadata, tx_notify, upsert

    job = Table("job", metadata, Column("pk", BigKey, primary_key=True), Column("run_at", UtcDateTime, nullable=False))

    db = Database.open(data / "vienanh.db")  # or "postgresql+psycopg://user@host/name", password=...
    db.migrate()
    pk = db.write(lambda connection: ...)  # returns when durable
    future = db.submit_batch(insert_many, received)  # items of one group reach insert_many as one list
    with db.read() as connection:
        ...  # a snapshot; cannot write
    topic = db.topic("jobs")
    topic.wait(timeout_s=5.0)  # woken by tx_notify(connection, "jobs") after its commit
    db.close()

A change or batcher may run **twice** (see writer.py): it must do nothing but use its connection and return a value.
It must not commit, and must not call `db.write` itself.
"""

from collections.abc import Generator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Connection

from kernel.database.columns import BigKey, BinaryText, UtcDateTime, insert, is_sqlite, metadata, upsert
from kernel.database.engines import Engines, fold_log, open_engines
from kernel.database.prepared import Prepared
from kernel.database.readers import Readable, Readers, ReadOnly
from kernel.database.topics import Topic, Topics, tx_after_commit, tx_notify
from kernel.database.turns import take_turn
from kernel.database.upgrade import Standing, standing, upgrade
from kernel.database.writer import QUEUE_MAX, Batcher, Change, Writer

__all__ = [
    "Database",
    "ReadOnly",
    "Readable",
    "metadata",
    "BigKey",
    "BinaryText",
    "UtcDateTime",
    "insert",
    "upsert",
    "Prepared",
    "is_sqlite",
    "take_turn",
    "Topic",
    "tx_notify",
    "tx_after_commit",
    "Batcher",
    "Change",
]

T = TypeVar("T")
Item = TypeVar("Item")
GROUP_MAX = 256


class Database:
    """One open database. Every method may be called from any thread, `write` and `submit` not from inside a change."""

    def __init__(self, engines: Engines, *, group_max: int, queue_max: int) -> None:
        self._engines = engines
        self._readers = Readers(engines.reader)
        self._topics = Topics()
        self._writer = Writer(engines.writer, self._topics, group_max=group_max, queue_max=queue_max)

    @classmethod
    def open(
        cls,
        target: str | Path,
        *,
        password: str | None = None,
        group_max: int = GROUP_MAX,
        queue_max: int = QUEUE_MAX,
    ) -> "Database":
        """Open the database at a path (SQLite) or URL; it is made on the first write.

        At most `group_max` changes share one commit, and `queue_max` may wait for theirs.
        """
        return cls(open_engines(target, password), group_max=group_max, queue_max=queue_max)

    @property
    def is_sqlite(self) -> bool:
        """Whether the rows are in a SQLite file; otherwise they are in PostgreSQL."""
        return self._engines.writer.dialect.name == "sqlite"

    @property
    def commits(self) -> int:
        """How often this process may have changed a row: while it stays the same, so does what was read since.

        Only for what no other process writes. It is counted before whoever waits for a change hears of it.
        """
        return self._writer.commits

    def migrate(self) -> None:
        """Bring the tables to what this code knows, forwards only.

        Raises
        ------
        InvalidConfiguration
            The database was made by a newer version; nothing was changed.
        """
        self.write(upgrade)

    def standing(self) -> Standing:
        """Return whether `migrate` would make the tables ("new"), change them ("behind") or do nothing ("current").

        Raises
        ------
        InvalidConfiguration
            The database was made by a newer version.
        """
        with self.read() as connection:
            return standing(connection)

    def write(self, change: Change[T]) -> T:
        """Run `change` in a transaction and return its result once it is durable, or raise what it raised.

        Raises
        ------
        Busy, ShuttingDown
            The change was not taken.
        DatabaseUnavailable
            The engine failed in a way that may pass; the change was undone, or, when the connection broke during
            COMMIT, may have been made: changes are safe to repeat.
        """
        return self._writer.run(change)

    def submit(self, change: Change[T]) -> Future[T]:
        """Queue `change` and return at once; the future is done when the change is durable or has failed."""
        return self._writer.submit(change)

    def submit_batch(self, batcher: Batcher[Item, T], item: Item) -> Future[T]:
        """Queue `item` for `batcher`, which gets all its items of one group as one list, in order.

        The batcher returns one result or exception per item; an item answered with an exception must have left
        nothing behind. When the batcher raises, the items are tried again one by one, each in its own savepoint.
        """
        return self._writer.submit(batcher, item, batched=True)

    def submit_batches(self, batcher: Batcher[Item, T], items: Sequence[Item]) -> list[Future[T]]:
        """Queue some items for `batcher`, all or none: they share a commit, unless they are more than a group."""
        return self._writer.submit_all(batcher, items)

    def write_batch(self, batcher: Batcher[Item, T], item: Item) -> T:
        """Do the same and return the item's result once it is durable, or raise what it failed with."""
        return self._writer.run(batcher, item, batched=True)

    @contextmanager
    def read(self) -> Generator[Connection]:
        """Give a connection that sees one snapshot and cannot write.

        Raises
        ------
        Busy
            All readers' connections stayed taken for `engines.READER_WAIT_S`.
        DatabaseUnavailable
            The engine failed in a way that may pass.
        """
        with self._readers.read() as connection:
            yield connection

    def topic(self, name: str) -> Topic:
        """Return a new ear on a topic: every ear hears every wake-up."""
        return self._topics.subscribe(name)

    def notify(self, name: str) -> None:
        """Wake those who wait for a topic now; inside a change use `tx_notify`."""
        self._topics.wake(name)

    def close(self) -> None:
        """Run what is queued, fold SQLite's log into the file if the disk has room, and close every connection."""
        self._writer.close()
        self._readers.close()
        if self.is_sqlite:
            fold_log(self._engines.writer)
        self._engines.writer.dispose()
