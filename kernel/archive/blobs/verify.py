"""Walk blobs against the index: every promised byte is there and whole, and what nobody names is told apart.

For `vienanh doctor`; reads everything, changes nothing. `reclaim` removes what nobody names; only while nothing is
received, because a blob is there a moment before its row.
"""

import zlib
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from sqlalchemy import Table, select, tuple_

from kernel.archive.blobs.store import Blobs
from kernel.archive.tables import conflict, instance, quarantine
from kernel.database import Database
from kernel.errors import BlobMissing, DigestMismatch

NAMED_MAX: Final = 20  # keys told of each kind of problem
PAGE: Final = 1_000  # rows read at once
NAMED: Final[Sequence[Table]] = (instance, conflict, quarantine)
"""The tables of the archive that name blobs, by columns `blob_key`, `sha256` and `dataset_offset`."""


@dataclass(slots=True)
class Report:
    """What was found. Keys are digests, never a patient's."""

    checked: int = 0  # rows; sites may share a blob
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


def check(database: Database, blobs: Blobs, named: Sequence[Table] = NAMED, *, digests: bool = True) -> Report:
    """Compare blobs and rows. Memory: eight bytes for each row, and the keys of what is wrong.

    Parameters
    ----------
    named
        Every table that names blobs; a room with blobs of its own adds its table to `NAMED`.
    digests
        Whether to read every byte, or only to look whether the blobs are there.
    """
    report = Report()
    promised = array("Q")
    for key, sha256, dataset_offset in _rows(database, named):
        promised.append(_number_of(key))
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
    report.missing, report.damaged = list(dict.fromkeys(report.missing)), list(dict.fromkeys(report.damaged))
    for key, size_bytes in _orphans(blobs, promised):
        report.orphans.append(key)
        report.orphan_bytes += size_bytes
    return report


def reclaim(database: Database, blobs: Blobs, named: Sequence[Table]) -> int:
    """Delete blobs that none of `named` names and return their bytes.

    Only while nothing is received. `named` has no default: every room with blobs must be asked.
    """
    promised = array("Q", (_number_of(key) for key, _, _ in _rows(database, named)))
    freed = 0
    for key, size_bytes in list(_orphans(blobs, promised)):
        blobs.delete(key)
        freed += size_bytes
    return freed


def _rows(database: Database, named: Sequence[Table]) -> Iterator[tuple[str, str, int]]:
    """Yield what every row names, page by page: a snapshot held for hours would keep the log from being folded."""
    for table in named:
        primary = list(table.primary_key)
        query = select(table.c.blob_key, table.c.sha256, table.c.dataset_offset, *primary).order_by(*primary)
        page = query
        while True:
            with database.read() as connection:
                rows = connection.execute(page.limit(PAGE)).all()
            yield from ((row.blob_key, row.sha256, row.dataset_offset) for row in rows)
            if len(rows) < PAGE:
                break
            page = query.where(tuple_(*primary) > tuple_(*tuple(rows[-1])[3:]))


def _orphans(blobs: Blobs, promised: "array[int]") -> Iterator[tuple[str, int]]:
    """Yield blobs that no row names, and their sizes."""
    known = np.sort(np.frombuffer(promised, dtype=np.uint64)) if promised else np.empty(0, np.uint64)
    for key, state in blobs.walk():
        place = int(np.searchsorted(known, np.uint64(_number_of(key))))
        if place == len(known) or int(known[place]) != _number_of(key):
            yield key, state.st_size


def _number_of(key: str) -> int:
    """Return 64 bits of a key: quarantine and syntax count, the rest is digest."""
    folder, _, name = key.partition("/")
    return (int(name[:16], 16) ^ zlib.crc32(f"{folder[2:]}{name[64:]}".encode())) & 0xFFFFFFFFFFFFFFFF
