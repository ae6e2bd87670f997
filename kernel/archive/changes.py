"""The changes feed: what happened to studies, in the order in which it was committed, for who follows along.

It reads the events that tell of the archive and leaves out what is this node's own business. A number never appears
behind one that was read before (`kernel.database.take_turn`), so whoever asks `since` the last `next` misses nothing and
sees nothing twice, also after a restart of either side. Numbers are of the whole node: those in between belong to other
events, or to studies that the asker may not see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, func, select

from kernel.errors import InvalidQuery
from kernel.events import Event, EventName, event, since

PAGE_MAX: Final = 1000  # changes in one answer
SCANNED_MAX: Final = 2 * PAGE_MAX  # events looked at for one answer

TOLD: Final[Mapping[EventName, str]] = {
    EventName.INSTANCE_RECEIVED: "instance-received",
    EventName.INSTANCE_CONFLICT: "instance-conflict",
    EventName.MANIFEST_RECEIVED: "manifest-received",
    EventName.STUDY_COMPLETE: "study-complete",
    EventName.STUDY_DELETED: "study-deleted",
    EventName.SERIES_DELETED: "series-deleted",
    EventName.INSTANCE_DELETED: "instance-deleted",
}
"""The events that are changes, and the words for them."""
DETAILS: Final = (
    *("series_instance_uid", "sop_instance_uid", "instances", "version", "evidence", "complete", "kind", "level"),
    "reason",
)
"""What is told of an event beside its study."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened to a study."""

    sequence: int
    at: datetime
    change: str
    site: str
    study_instance_uid: str
    detail: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ChangesPage:
    """Some changes, and where to go on."""

    changes: list[Change]
    next: int  # what to ask `since` next time
    more: bool  # whether there is more already


def read_changes(connection: Connection, sequence: int, limit: int, sites: frozenset[str] | None) -> ChangesPage:
    """Return at most `limit` changes after `sequence` at `sites` (None: at all), oldest first.

    Raises
    ------
    InvalidQuery
        `sequence` is beyond the last event: the asker followed another database, or one that was restored from an
        older copy, and must begin anew.
    """
    found: list[Change] = []
    last = sequence
    scanned = since(connection, sequence, SCANNED_MAX)
    for one in scanned:
        if len(found) == limit:
            break
        last = one.seq
        if one.name in TOLD and one.study_instance_uid and (sites is None or one.site in sites):
            found.append(_change(one))
    if not scanned and sequence > (connection.scalar(select(func.max(event.c.seq))) or 0):
        raise InvalidQuery(reason="since is beyond the last change: this is another history, begin at 0")
    more = bool(scanned) and (scanned[-1].seq > last or len(scanned) == SCANNED_MAX)
    return ChangesPage(found, last, more=more)


def _change(one: Event) -> Change:
    detail = {key: one.detail[key] for key in DETAILS if one.detail.get(key) is not None}
    return Change(one.seq, one.at, TOLD[one.name], one.site, one.study_instance_uid, detail)
