"""Which images of a study a reader has had on the screen with every sample as it is stored: told by the reading room.

An image is a frame of an instance that has pixels. Slides are no such images (one looks at parts of them), segmentations
neither. What the room tells is counted only where the study has it, so a row never outgrows its series. It says what was
drawn on a screen; whether somebody looked, no program knows.
"""

import zlib
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from consult.shown.spans import gaps_in, numbers_in, text_of
from consult.shown.tables import shown_series
from kernel.access import Principal, StudyGrant
from kernel.archive.index import GRANTED_ROWS, IN_SERIES, IN_STUDY, batched, granted_values
from kernel.archive.tables import instance, series, study
from kernel.clock import Clock
from kernel.database import Database, upsert
from kernel.errors import NotFound

MISSING_MAX: Final = 1_000  # instances that are named as not shown; of more it is told that there are more
NOT_COUNTED: Final = (
    "1.2.840.10008.5.1.4.1.1.77.1.6",  # VL Whole Slide Microscopy Image Storage
    "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation Storage
    "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation Storage
)
_KEY: Final = ("account", "site", "study_instance_uid", "series_instance_uid")

Frames = Mapping[str, AbstractSet[int]]  # frame numbers, from one, by SOP Instance UID


@dataclass(frozen=True, slots=True)
class SeriesShown:
    """How many of a series' images were shown."""

    series_instance_uid: str
    shown: int
    images: int


@dataclass(frozen=True, slots=True)
class Missing:
    """An instance of which not all was shown; `frames` as spans.py writes them."""

    sop_instance_uid: str
    frames: str


class ShownBook:
    """Keeps what was shown to whom; safe in threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def of(self, grant: StudyGrant, reader: Principal) -> list[SeriesShown]:
        """Return the series of a study that have images, in order of their numbers."""
        with self._db.read() as connection:
            return _counted(connection, grant, reader.name)

    def missing(self, grant: StudyGrant, reader: Principal, series_uid: str) -> tuple[list[Missing], bool]:
        """Return the instances of a series of which not all was shown, and whether there are more than MISSING_MAX.

        Raises
        ------
        NotFound
            The study has no such series with images.
        """
        with self._db.read() as connection:
            present = connection.execute(_OF_SERIES, granted_values(grant) | {"series_": series_uid}).all()
            kept = _kept(connection, grant, reader.name, series_uid)
        if not present:
            raise NotFound(what="series")
        lacking = [
            Missing(row.sop_instance_uid, gaps)
            for row in present
            if (gaps := gaps_in(kept.get(row.sop_instance_uid, set()), row.number_of_frames))
        ]
        return lacking[:MISSING_MAX], len(lacking) > MISSING_MAX

    def note(self, grant: StudyGrant, reader: Principal, drawn: Mapping[str, Frames]) -> list[SeriesShown]:
        """Keep what was drawn, by Series Instance UID, beside what was kept; return how far the study is now.

        Raises
        ------
        Forbidden
            The caller is no account.
        """
        reader.require_person("have what was shown kept")

        def write(connection: Connection) -> list[SeriesShown]:
            for series_uid, frames in drawn.items():
                _add(connection, grant, reader.name, series_uid, frames, at=self._clock.now())
            return _counted(connection, grant, reader.name)

        return self._db.write(write)


def _add(
    connection: Connection, grant: StudyGrant, account: str, series_uid: str, frames: Frames, *, at: datetime
) -> None:
    kept = _kept(connection, grant, account, series_uid)
    before = _count(kept)
    for some in batched(sorted(frames)):
        asked = granted_values(grant) | {"series_": series_uid, "instances_": list(some)}
        for row in connection.execute(_SOME, asked):
            there = {number for number in frames[row.sop_instance_uid] if 1 <= number <= row.number_of_frames}
            kept[row.sop_instance_uid] = kept.get(row.sop_instance_uid, set()) | there
    if _count(kept) == before:
        return
    texts = {uid: text_of(numbers) for uid, numbers in sorted(kept.items()) if numbers}
    row = {
        "account": account,
        "site": grant.site,
        "study_instance_uid": grant.study_instance_uid,
        "series_instance_uid": series_uid,
        "frames": zlib.compress(msgspec.json.encode(texts)),
        "shown": _count(kept),
        "at": at,
    }
    upsert(connection, shown_series, [row], key=_KEY, update=("frames", "shown", "at"))


def _count(kept: Frames) -> int:
    return sum(len(numbers) for numbers in kept.values())


def _kept(connection: Connection, grant: StudyGrant, account: str, series_uid: str) -> dict[str, set[int]]:
    query = select(shown_series.c.frames).where(*_of(grant, account), shown_series.c.series_instance_uid == series_uid)
    packed = connection.scalar(query)
    if packed is None:
        return {}
    texts = msgspec.json.decode(zlib.decompress(packed), type=dict[str, str])
    return {uid: numbers_in(text) for uid, text in texts.items()}


def _counted(connection: Connection, grant: StudyGrant, account: str) -> list[SeriesShown]:
    kept = select(shown_series.c.series_instance_uid, shown_series.c.shown).where(*_of(grant, account))
    shown: dict[str, int] = {row.series_instance_uid: row.shown for row in connection.execute(kept)}
    rows = connection.execute(_SUMS, granted_values(grant))
    return [SeriesShown(row.series_instance_uid, shown.get(row.series_instance_uid, 0), row.images) for row in rows]


def _of(grant: StudyGrant, account: str) -> tuple[ColumnElement[bool], ...]:
    return (
        shown_series.c.account == account,
        shown_series.c.site == grant.site,
        shown_series.c.study_instance_uid == grant.study_instance_uid,
    )


# Made once: to build a statement costs as much as to run it.
_COUNTED: Final = (*GRANTED_ROWS, instance.c.has_pixels, instance.c.sop_class_uid.not_in(NOT_COUNTED))
_OF_SERIES: Final = (
    select(instance.c.sop_instance_uid, instance.c.number_of_frames)
    .join_from(instance, series)
    .join(study)
    .where(*_COUNTED, series.c.series_instance_uid == bindparam("series_"))
    .order_by(*IN_SERIES)
)
_SOME: Final = _OF_SERIES.where(instance.c.sop_instance_uid.in_(bindparam("instances_", expanding=True)))
_SUMS: Final = (
    select(series.c.series_instance_uid, func.sum(instance.c.number_of_frames).label("images"))
    .join_from(instance, series)
    .join(study)
    .where(*_COUNTED)
    .group_by(series.c.pk, series.c.series_instance_uid, series.c.series_number)
    .order_by(*IN_STUDY)
)
