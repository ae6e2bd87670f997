"""Zones of devices that a person drew on the screen: kept, used and removed. Each change is an audit line.

A row names a device by manufacturer, model and size of its frames, and boxes; nothing that is written in pixels. They are
masked whatever is found, as those of the file `anonymizer.pixel_zones` are.
"""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from anonymizer.pixels.layouts import NAME_CHARACTERS
from anonymizer.pixels.zones import BOXES_MAX, ZONES_MAX, Device
from kernel.audit import Action, Line, append
from kernel.database import Database, upsert
from kernel.dicom.pixels.boxes import Box
from kernel.errors import InvalidRequest, LimitExceeded, NotFound
from routing.pixel_reviews import SIDE_MAX, Reviewer
from routing.tables import drawn_zone

NOTED_EVERY: Final = timedelta(hours=1)  # when a zone was used last is not written with each instance


@dataclass(frozen=True, slots=True)
class Drawn:
    """The zones of one device."""

    site: str
    device: Device
    boxes: tuple[Box, ...]
    drawn_by: str
    at: datetime
    used_at: datetime | None


def boxes_of(connection: Connection, site: str, devices: Collection[Device]) -> dict[str, tuple[Box, ...]]:
    """Return the boxes of devices that have any, by their digests."""
    names = [device.digest for device in devices]
    query = select(drawn_zone).where(drawn_zone.c.site == site, drawn_zone.c.device.in_(names))
    return {row.device: _boxes(row.boxes) for row in connection.execute(query)}


def asked_of(db: Database, site: str, devices: Collection[Device]) -> tuple[Box, ...]:
    """Return all boxes of devices: for who has no transaction."""
    with db.read() as connection:
        return tuple(box for boxes in boxes_of(connection, site, devices).values() for box in boxes)


def listed(connection: Connection, sites: frozenset[str] | None = None) -> list[Drawn]:
    """Return the zones that were drawn, by site and device; of all sites if `sites` is None."""
    order = (drawn_zone.c.site, drawn_zone.c.manufacturer, drawn_zone.c.model, drawn_zone.c.rows, drawn_zone.c.columns)
    query = select(drawn_zone).order_by(*order)
    if sites is not None:
        query = query.where(drawn_zone.c.site.in_(sites))
    return [_drawn(row) for row in connection.execute(query)]


def save(
    connection: Connection, site: str, device: Device, boxes: Sequence[Box], *, by: Reviewer, now: datetime
) -> None:
    """Keep the zones of a device, in place of those that it had.

    Raises
    ------
    InvalidRequest
        The boxes are none, too many or outside of its frames; or the device has no name.
    LimitExceeded
        The site has ZONES_MAX devices.
    """
    _check(device, boxes)
    known = connection.scalar(select(func.count()).select_from(drawn_zone).where(_is(site, device.digest)))
    count = connection.scalar(select(func.count()).select_from(drawn_zone).where(drawn_zone.c.site == site)) or 0
    if not known and count >= ZONES_MAX:
        raise LimitExceeded(limit="ZONES_MAX", value=count + 1, bound=ZONES_MAX)
    row = {
        "site": site,
        "device": device.digest,
        "manufacturer": device.manufacturer,
        "model": device.model,
        "rows": device.rows,
        "columns": device.columns,
        "boxes": json.dumps(list(boxes)),
        "drawn_by": by.who,
        "at": now,
        "used_at": None,
    }
    upsert(connection, drawn_zone, [row], key=["site", "device"], update=["boxes", "drawn_by", "at"])
    _tell(connection, site, by, now, {"zones_drawn": device.digest, "boxes": len(boxes)})


def remove(connection: Connection, site: str, name: str, by: Reviewer, now: datetime) -> None:
    """Remove the zones of a device, named by its digest.

    Raises
    ------
    NotFound
        It has none.
    """
    if not connection.execute(delete(drawn_zone).where(_is(site, name))).rowcount:
        raise NotFound(what="drawn zones of this name")
    _tell(connection, site, by, now, {"zones_removed": name})


def note_use(connection: Connection, site: str, names: Collection[str], now: datetime) -> None:
    """Note that zones were masked in an instance."""
    is_due = or_(drawn_zone.c.used_at.is_(None), drawn_zone.c.used_at < now - NOTED_EVERY)
    here = (drawn_zone.c.site == site) & drawn_zone.c.device.in_(list(names))
    connection.execute(update(drawn_zone).where(here, is_due).values(used_at=now))


def _check(device: Device, boxes: Sequence[Box]) -> None:
    names = (device.manufacturer, device.model)
    if not all(names) or max(map(len, names)) > NAME_CHARACTERS:
        raise InvalidRequest(reason=f"manufacturer and model are names of at most {NAME_CHARACTERS} characters")
    if not (0 < device.rows <= SIDE_MAX and 0 < device.columns <= SIDE_MAX):
        raise InvalidRequest(reason=f"rows and columns are 1 to {SIDE_MAX}")
    inside = all(not box.is_empty and box == box.within(device.rows, device.columns) for box in boxes)
    if not 0 < len(boxes) <= BOXES_MAX or not inside:
        raise InvalidRequest(reason=f"zones are 1 to {BOXES_MAX} boxes within the frames of the device")


def _tell(connection: Connection, site: str, by: Reviewer, now: datetime, detail: dict[str, Any]) -> None:
    line = Line(now, Action.APPLICATION_ACTIVITY, by.who, site=site, address=by.address, detail=detail)
    append(connection, line)


def _is(site: str, name: str) -> ColumnElement[bool]:
    return (drawn_zone.c.site == site) & (drawn_zone.c.device == name)


def _boxes(text: str) -> tuple[Box, ...]:
    return tuple(Box(*box) for box in json.loads(text))


def _drawn(row: Any) -> Drawn:
    device = Device(row.manufacturer, row.model, row.rows, row.columns)
    return Drawn(row.site, device, _boxes(row.boxes), row.drawn_by, row.at, row.used_at)
