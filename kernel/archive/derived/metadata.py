"""DICOM JSON of instances, series and studies, joined from what ingest made; never parsed again (PS3.18 10.4.1.1.2).

A series is folded once for each revision and base URL: rows decompressed, bulk data references completed, joined and
compressed with gzip, to be sent with its Content-Encoding untouched. Folded answers are kept in memory up to a bound,
and the join of a study that is complete is also kept in `series_metadata`, so that a restart does not read every row.
What is too large to fold is given in pieces.
"""

import gzip
import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from typing import Any, Final

import zstandard
from sqlalchemy import Connection, Row, bindparam, select

from kernel.archive.derived.folded import Folded, Fresh, Key
from kernel.archive.derived.remembered import Remembered
from kernel.archive.index import GRANTED_ROWS, IN_SERIES, IN_STUDY, Granted, granted_values, whose_answers
from kernel.archive.tables import STATE_COMPLETE, instance, series, series_metadata, study
from kernel.database import Database, upsert
from kernel.dicom.models.json_model import BULK_DATA_PLACEHOLDER, at_url
from kernel.errors import Busy, NotFound, ShuttingDown

FOLD_INSTANCES_MAX: Final = 5_000
MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024  # of folded answers kept
FOLD_BYTES_MAX: Final = 128 * 1024 * 1024  # of JSON in one folded answer
PIECE_INSTANCES: Final = 200
GZIP_LEVEL: Final = 1  # 400 slices in a few milliseconds; level 6 takes three times that for a fifth fewer bytes
_PLACE: Final = "@"  # the base URL in what is kept on disk; `at_url` replaces it
_SLIDES: Final = "SM"
_per_thread = threading.local()
AnyRow = Row[*tuple[Any, ...]]


class Metadata:
    """Answers /metadata. Safe to use from many threads."""

    def __init__(self, database: Database, *, memory_bytes_max: int = MEMORY_BYTES_MAX) -> None:
        self._database = database
        self._memory = Remembered[Key, Folded](memory_bytes_max)
        self._fresh = Fresh(lambda: database.commits)

    def remembered(self, granted: Granted, series_instance_uid: str | None, base_url: str) -> Folded | None:
        """Return the folded metadata of a series or study if nothing at all was written since it was last asked for.

        This never waits, neither for the database nor for a disk.
        """
        key = self._fresh.get((whose_answers(granted), granted.study_instance_uid, series_instance_uid, base_url))
        return None if key is None else self._memory.get(key)

    def of_instance(self, granted: Granted, series_instance_uid: str, sop_instance_uid: str, base_url: str) -> bytes:
        """Return the JSON array of one instance; `base_url` is the service's, without a slash at its end.

        Raises
        ------
        NotFound
            The study has no such series or instance.
        """
        wanted = (series.c.series_instance_uid == series_instance_uid, instance.c.sop_instance_uid == sop_instance_uid)
        with self._database.read() as connection:
            pieces = [_piece(row, base_url) for row in _rows(connection, granted, *wanted)]
        if not pieces:
            raise NotFound(what="instance")
        return _array(pieces)

    def folded(self, granted: Granted, series_instance_uid: str | None, base_url: str) -> Folded | None:
        """Return the folded metadata of a series, or of the whole study; None when it is too large: use `pieces`.

        Raises
        ------
        NotFound
            There is no such study, or it has no such series.
        """
        commits, whose, study_uid = self._database.commits, whose_answers(granted), granted.study_instance_uid
        with self._database.read() as connection:
            named = {"site_": granted.site, "study_": study_uid}
            row = (
                connection.execute(_REVISION_OF_STUDY, named)
                if series_instance_uid is None
                else connection.execute(_REVISION_OF_SERIES, named | {"series_": series_instance_uid})
            ).first()
            if row is None:
                raise NotFound(what="study" if series_instance_uid is None else "series")
            key = (f"{whose} {series_instance_uid or study_uid}", row.pk, row.revision, base_url)
            self._fresh.put((whose, study_uid, series_instance_uid, base_url), key, commits)
            folded = self._memory.get(key)
            if folded is not None or row.number_of_instances > FOLD_INSTANCES_MAX:
                return folded
            if series_instance_uid is None:
                joined = _joined(_rows(connection, granted))
            else:
                joined = self._of_series_row(connection, granted, row)
        return self._fold(key, joined, base_url)

    def pieces(self, granted: Granted, series_instance_uid: str | None, base_url: str) -> Iterator[bytes]:
        """Yield the JSON array of a series, or of the whole study, in bounded memory; not compressed."""
        wanted = () if series_instance_uid is None else (series.c.series_instance_uid == series_instance_uid,)
        with self._database.read() as connection:
            query = _in_order(select(instance.c.pk).select_from(_JOINED)).where(*GRANTED_ROWS, *wanted)
            pks = list(connection.execute(query, granted_values(granted)).scalars())
        separator = b"["
        for start in range(0, len(pks), PIECE_INSTANCES):
            some = instance.c.pk.in_(pks[start : start + PIECE_INSTANCES])
            with self._database.read() as connection:
                found = b",".join(_piece(row, base_url) for row in _rows(connection, granted, some))
            if found:
                yield separator + found
                separator = b","
        yield b"]" if separator == b"," else b"[]"

    def forget(self) -> None:
        """Forget every answer: studies were deleted, and their keys may be given to others."""
        self._memory.clear()

    def _fold(self, key: Key, joined: bytes | None, base_url: str) -> Folded | None:
        if joined is None:
            return None
        gzipped = gzip.compress(at_url(joined, base_url), GZIP_LEVEL, mtime=0)
        folded = Folded(gzipped, hashlib.sha256(gzipped).hexdigest()[:32])
        self._memory.put(key, folded, len(gzipped))
        return folded

    def _kept(self, connection: Connection, row: AnyRow) -> bytes | None:
        kept = connection.scalar(
            select(series_metadata.c.folded).where(
                series_metadata.c.series_pk == row.pk, series_metadata.c.revision == row.revision
            )
        )
        return None if kept is None else _decompressor().decompress(kept)

    def _of_series_row(self, connection: Connection, granted: Granted, row: AnyRow) -> bytes | None:
        if row.modality == _SLIDES and not granted.labels:  # what is kept has all instances
            return _joined(_rows(connection, granted, series.c.pk == row.pk))
        return self._kept(connection, row) or self._join(connection, granted, row)

    def _join(self, connection: Connection, granted: Granted, row: AnyRow) -> bytes | None:
        joined = _joined(_rows(connection, granted, series.c.pk == row.pk))
        if joined is not None and row.state == STATE_COMPLETE:
            self._keep(row.pk, row.revision, joined)
        return joined

    def _keep(self, series_pk: int, revision: int, joined: bytes) -> None:
        """Keep a join for the next start; nobody waits for it."""
        folded = zstandard.ZstdCompressor().compress(joined)
        values = {
            "series_pk": series_pk,
            "revision": revision,
            "folded": folded,
            "size_bytes": len(joined),
            "etag": hashlib.sha256(folded).hexdigest(),
        }
        update = ("revision", "folded", "size_bytes", "etag")
        with suppress(Busy, ShuttingDown):  # it is only a convenience
            self._database.submit(
                lambda connection: upsert(connection, series_metadata, [values], key=("series_pk",), update=update)
            )


_JOINED: Final = instance.join(series).join(study)
# Made once: these are all that a warm answer asks of the database.
_REVISION_OF_STUDY: Final = select(study.c.pk, study.c.revision, study.c.number_of_instances).where(
    study.c.site == bindparam("site_"), study.c.study_instance_uid == bindparam("study_")
)
_REVISION_OF_SERIES: Final = (
    select(series.c.pk, series.c.revision, series.c.number_of_instances, series.c.modality, study.c.state)
    .join_from(series, study)
    .where(
        study.c.site == bindparam("site_"),
        study.c.study_instance_uid == bindparam("study_"),
        series.c.series_instance_uid == bindparam("series_"),
    )
)


def _in_order(query: Any) -> Any:
    return query.order_by(*IN_STUDY, *IN_SERIES)


def _rows(connection: Connection, granted: Granted, *wanted: Any) -> Iterable[AnyRow]:
    query = select(
        instance.c.metadata, study.c.study_instance_uid, series.c.series_instance_uid, instance.c.sop_instance_uid
    ).select_from(_JOINED)
    return connection.execute(_in_order(query.where(*GRANTED_ROWS, *wanted)), granted_values(granted))


def _joined(rows: Iterable[AnyRow]) -> bytes | None:
    """Return one JSON array with the base URL left open, or None when it grows too large."""
    pieces: list[bytes] = []
    left = FOLD_BYTES_MAX
    for row in rows:
        left -= zstandard.frame_content_size(row.metadata)
        if left < 0:
            return None
        pieces.append(_piece(row, _PLACE))
    return _array(pieces)


def _piece(row: AnyRow, base_url: str) -> bytes:
    content = _decompressor().decompress(row[0])
    if BULK_DATA_PLACEHOLDER not in content:
        return content
    return at_url(content, f"{base_url}/studies/{row[1]}/series/{row[2]}/instances/{row[3]}")


def _array(pieces: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(pieces) + b"]"


def _decompressor() -> zstandard.ZstdDecompressor:
    """Return this thread's decompressor: one may not serve two threads at once."""
    decompressor: zstandard.ZstdDecompressor | None = getattr(_per_thread, "decompressor", None)
    if decompressor is None:
        decompressor = _per_thread.decompressor = zstandard.ZstdDecompressor()
    return decompressor
