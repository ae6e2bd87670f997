"""What a site learnt of where its devices write: read before an instance is cleaned, written with the end of its job.

`anonymizer.pixels.learning` decides; here the lessons are rows. A row names a device and boxes, and studies by digests
of their UIDs; nothing that is written in pixels.
"""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, select

from anonymizer.pixels import learning
from anonymizer.pixels.layouts import TERMS, Layout
from anonymizer.pixels.learning import Known, Lesson, Look, after, zones_of
from kernel.audit import Action, Line, append
from kernel.database import upsert
from kernel.dicom.pixels.boxes import Box
from kernel.errors import NotFound
from routing.tables import pixel_zone

LAYOUTS_MAX: Final = 1000  # of one site; the one that was not met for longest goes
EXAM_CHARACTERS: Final = 16


@dataclass(frozen=True, slots=True)
class Learnt:
    """What is known of one layout, for a list."""

    site: str
    layout: str  # its digest
    manufacturer: str
    model: str
    rows: int
    columns: int
    photometric_interpretation: str
    serial: str
    kind: str  # of anonymizer.pixels.layouts
    exams: int  # that agreed
    exams_wanted: int
    zones: tuple[Box, ...]
    at: datetime

    @property
    def is_confirmed(self) -> bool:
        """Whether its zones are masked whatever is found."""
        return self.exams >= self.exams_wanted


def known(connection: Connection, site: str, study_instance_uid: str, layout: Layout) -> Known | None:
    """Return what is known for an instance."""
    return learning.known(_lesson(connection, site, layout), layout, _exam(study_instance_uid))


def learn(connection: Connection, site: str, study_instance_uid: str, look: Look, now: datetime) -> None:
    """Keep what an instance taught."""
    before, layout = _lesson(connection, site, look.layout), look.layout
    lesson = after(before, look, _exam(study_instance_uid))
    if lesson is None:
        connection.execute(delete(pixel_zone).where(_is(site, layout.digest)))
        return
    if before is None:
        _make_room(connection, site)
    row = {
        "site": site,
        "layout": layout.digest,
        "manufacturer": layout.device.manufacturer,
        "model": layout.device.model,
        "serial": layout.serial,
        "kind": layout.kind,
        "rows": layout.device.rows,
        "columns": layout.device.columns,
        "sop_class_uid": layout.sop_class_uid,
        "photometric_interpretation": layout.photometric_interpretation,
        "lines": json.dumps(lesson.lines),
        "exams": json.dumps(lesson.exams),
        "looked_at": lesson.looked_at,
        "unseen": lesson.unseen,
        "at": now,
    }
    upsert(
        connection, pixel_zone, [row], key=["site", "layout"], update=["lines", "exams", "looked_at", "unseen", "at"]
    )


def listed(connection: Connection) -> list[Learnt]:
    """Return what is known of all layouts, by site and device."""
    order = (pixel_zone.c.site, pixel_zone.c.manufacturer, pixel_zone.c.model, pixel_zone.c.layout)
    return [_learnt(row) for row in connection.execute(select(pixel_zone).order_by(*order))]


def forget(connection: Connection, site: str, layout: str, who: str, now: datetime) -> None:
    """Forget a layout, so that its next instances are looked at.

    Raises
    ------
    NotFound
        Nothing is known of it.
    """
    if not connection.execute(delete(pixel_zone).where(_is(site, layout))).rowcount:
        raise NotFound(what="device with learnt zones; `vienanh review zones` lists the names")
    append(connection, Line(now, Action.APPLICATION_ACTIVITY, who, site=site, detail={"zones_forgotten": layout}))


def _make_room(connection: Connection, site: str) -> None:
    here = pixel_zone.c.site == site
    count = connection.scalar(select(func.count()).select_from(pixel_zone).where(here)) or 0
    if count >= LAYOUTS_MAX:
        oldest = select(pixel_zone.c.layout).where(here).order_by(pixel_zone.c.at).limit(count - LAYOUTS_MAX + 1)
        connection.execute(delete(pixel_zone).where(here, pixel_zone.c.layout.in_(oldest)))


def _lesson(connection: Connection, site: str, layout: Layout) -> Lesson | None:
    row = connection.execute(select(pixel_zone).where(_is(site, layout.digest))).one_or_none()
    return None if row is None else _lesson_of(row)


def _lesson_of(row: Any) -> Lesson:
    lines = tuple(Box(*box) for box in json.loads(row.lines))
    return Lesson(lines, tuple(json.loads(row.exams)), row.looked_at, row.unseen)


def _learnt(row: Any) -> Learnt:
    lesson = _lesson_of(row)
    return Learnt(
        row.site,
        row.layout,
        row.manufacturer,
        row.model,
        row.rows,
        row.columns,
        row.photometric_interpretation,
        row.serial,
        row.kind,
        len(lesson.exams),
        TERMS[row.kind].exams_wanted,
        zones_of(lesson, row.rows, row.columns),
        row.at,
    )


def _is(site: str, layout: str) -> ColumnElement[bool]:
    return (pixel_zone.c.site == site) & (pixel_zone.c.layout == layout)


def _exam(study_instance_uid: str) -> str:
    return hashlib.sha256(study_instance_uid.encode()).hexdigest()[:EXAM_CHARACTERS]
