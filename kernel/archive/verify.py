"""Walk blobs against the index: every promised byte is there and whole, and what nobody names is told apart.

For `vienanh doctor`; reads everything, changes nothing. `reclaim` removes what nobody names; only while nothing is
received, because a blob is there a moment before its row.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, select

from kernel.archive.blobs import Blobs
from kernel.archive.tables import conflict, instance, quarantine
from kernel.database import Database
from kernel.errors import BlobMissing, DigestMismatch

NAMED_MAX: Final = 20  # keys told of each kind of problem
PAGE: Final = 1_000  # rows read at once

Named = Select[*tuple[Any, ...]]
"""A select of (key, sha256, dataset_offset), to which a condition on and an order by its first column may be added."""
NAMED: Final[Sequence[Named]] = tuple(
    select(table.c.blob_key, table.c.sha256, table.c.dataset_offset) for table in (instance, conflict, quarantine)
)


@dataclass(slots=True)
class Report:
    """What was found. Keys are digests, never a patient's."""

    checked: int = 0
    missing: list[str] = field(default_factory=list[str])
    damaged: list[str] = field(default_factory=list[str])
    orphans: list[str] = field(default_factory=list[str])  # harmless: a crash before their rows, or still on their way
    orphan_bytes: int = 0

    @property
    def is_whole(self) -> bool:
        """Whether everything that was promised is there."""
        return not (self.missing or self.damaged)

    def problems(self) -> list[str]:
        """Return what is wrong, in words; empty when nothing is. Orphans are none."""
        told = (("missing", self.missing), ("damaged", self.damaged))
        return [f"{len(keys)} {what}: {', '.join(keys[:NAMED_MAX])}" for what, keys in told if keys]


def check(database: Database, blobs: Blobs, named: Sequence[Named] = NAMED, *, digests: bool = True) -> Report:
    """Compare blobs and rows, in bounded memory but for the keys of what is wrong.

    Parameters
    ----------
    named
        Everything that names blobs; a room with blobs of its own adds its select to `NAMED`.
    digests
        Whether to read every byte, or only to look whether the blobs are there.
    """
    report = Report()
    for key, sha256, dataset_offset in _rows(database, named):
        report.checked += 1
        try:
            if digests:
                blobs.verify(key, sha256, dataset_offset)
            else:
                blobs.open(key).close()
        except BlobMissing:
            report.missing.append(key)
        except DigestMismatch:
            report.damaged.append(key)
    for key, state in blobs.walk():
        if not _is_named(database, key, named):
            report.orphans.append(key)
            report.orphan_bytes += state.st_size
    return report


def reclaim(database: Database, blobs: Blobs, named: Sequence[Named]) -> int:
    """Delete blobs that none of `named` names and return their bytes.

    Only while nothing is received. `named` has no default: every room with blobs must be asked.
    """
    freed = 0
    for key, state in blobs.walk():
        if not _is_named(database, key, named):
            blobs.delete(key)
            freed += state.st_size
    return freed


def _rows(database: Database, named: Sequence[Named]) -> Iterator[tuple[str, str, int]]:
    for query in named:
        column = _key_column(query)
        after = ""
        while True:
            with database.read() as connection:
                rows = connection.execute(query.where(column > after).distinct().order_by(column).limit(PAGE)).all()
            yield from (tuple(row) for row in rows)
            if len(rows) < PAGE:
                break
            after = rows[-1][0]


def _is_named(database: Database, key: str, named: Sequence[Named]) -> bool:
    with database.read() as connection:
        return any(connection.execute(query.where(_key_column(query) == key).limit(1)).first() for query in named)


def _key_column(query: Named) -> ColumnElement[Any]:
    return next(iter(query.selected_columns))
