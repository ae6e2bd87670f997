"""Blobs that rows gave up, removed once nobody names them: later, and never one that is on its way in again.

An instance is promoted first and its row committed then. So a blob is removed only when it was given its name long ago
and, after that was looked at, no row names it; the same instance arriving meanwhile gives the name to a file of its
own, which `Blobs.remove` notices and leaves. Rows of `reclaim` outlive a crash, and so does a removal half done.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, select

from kernel.archive.blobs.store import Blobs
from kernel.archive.tables import instance, reclaim
from kernel.database import Database, metadata, upsert

SETTLED_S: Final = 3600.0  # since a blob got its name; an instance is indexed seconds after, or never
AT_ONCE: Final = 500  # blobs looked at in one round


class Freed(NamedTuple):
    """A blob that a row named, and whose bytes it has: another row that names it has the same SOP Instance UID."""

    blob_key: str
    sop_instance_uid: str


def give_up(connection: Connection, freed: Sequence[Freed], at: datetime) -> None:
    """Note that rows which named these blobs are gone."""
    rows = [{**one._asdict(), "at": at} for one in dict.fromkeys(freed)]
    if rows:
        upsert(connection, reclaim, rows, key=("blob_key",))


def reclaim_blobs(
    database: Database, blobs: Blobs, named: Sequence[Table], now: datetime, *, settled_s: float = SETTLED_S
) -> int:
    """Remove what was given up and nobody names; return how many blobs. Called now and then by the node.

    Parameters
    ----------
    named
        Every table that names blobs, of all rooms.
    """
    unknown = {table for table in metadata.sorted_tables if "blob_key" in table.c} - {*named, reclaim}
    assert not unknown, f"tables that name blobs and are not asked: {sorted(table.name for table in unknown)}"
    before = now - timedelta(seconds=settled_s)
    with database.read() as connection:
        waiting = select(reclaim.c.blob_key, reclaim.c.sop_instance_uid).where(reclaim.c.at <= before)
        freed = [Freed(*row) for row in connection.execute(waiting.order_by(reclaim.c.at).limit(AT_ONCE))]
    done: list[str] = []
    removed = 0
    for one in freed:
        inode = blobs.settled(one.blob_key, before.timestamp())  # before the rows: who names it later has a newer file
        if inode is None:
            continue
        if inode and not _is_named(database, named, one):
            removed += blobs.remove(one.blob_key, inode)
        done.append(one.blob_key)
    if done:
        database.write(lambda connection: connection.execute(delete(reclaim).where(reclaim.c.blob_key.in_(done))))
    return removed


def _is_named(database: Database, named: Sequence[Table], one: Freed) -> bool:
    with database.read() as connection:
        return any(connection.scalar(_naming(table, one)) for table in named)


def _naming(table: Table, one: Freed) -> Select[Any]:
    query = select(table.c.blob_key).where(table.c.blob_key == one.blob_key).limit(1)
    if table is instance:  # found by its UID: the largest table has no index of blobs
        query = query.where(instance.c.sop_instance_uid == one.sop_instance_uid)
    return query
