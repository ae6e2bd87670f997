"""The alphabet of the exchange: what happens to a study, in the order in which a node saw it.

An event is written in the transaction of what it tells, so that neither is there without the other. It names UIDs of
the exchange, numbers and words of the code, never a patient. Not here: who looked at what (audit.py).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec
from sqlalchemy import Column, Connection, Index, Row, Table, Text, func, select

from kernel.database import BigKey, Prepared, UtcDateTime, metadata, take_turn

DETAIL_BYTES_MAX = 8192  # of one event's detail, as JSON
EVENTS_MAX = 10_000  # returned by one question


class EventName(StrEnum):
    """Every event there is; docs/architecture.md tells the journey with these words."""

    INSTANCE_RECEIVED = "InstanceReceived"
    INSTANCE_CONFLICT = "InstanceConflict"
    INSTANCE_QUARANTINED = "InstanceQuarantined"
    STEP_PERFORMED = "StepPerformed"
    STUDY_COMPLETE = "StudyComplete"
    PLAN_MADE = "PlanMade"
    LABEL_KEPT = "LabelKept"
    INSTANCE_DEIDENTIFIED = "InstanceDeidentified"
    STUDY_DEIDENTIFIED = "StudyDeidentified"
    STUDY_HELD = "StudyHeld"
    INSTANCE_DELIVERED = "InstanceDelivered"
    STUDY_DELIVERED = "StudyDelivered"
    DELIVERY_FAILED = "DeliveryFailed"
    STUDY_COMMITTED = "StudyCommitted"
    COMMITMENT_FAILED = "CommitmentFailed"
    AVAILABILITY_TOLD = "AvailabilityTold"
    MANIFEST_RECEIVED = "ManifestReceived"
    STUDY_OPENED = "StudyOpened"
    REPORT_RETURNED = "ReportReturned"
    STUDY_DELETED = "StudyDeleted"
    SERIES_DELETED = "SeriesDeleted"
    INSTANCE_DELETED = "InstanceDeleted"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a study at this node."""

    name: EventName
    at: datetime
    site: str
    study_instance_uid: str  # empty when it could not be read, as in quarantine
    trace_id: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)  # small and JSON: UIDs, numbers, words of the code
    seq: int = 0  # the node's order; given when recorded


event = Table(
    "event",
    metadata,
    Column("seq", BigKey, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("name", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    Column("trace_id", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "study_uid", "seq"),
)


_RECORD = Prepared(lambda _: event.insert(), ("at", "name", "site", "study_uid", "trace_id", "detail"))


def record(connection: Connection, happened: Event) -> None:
    """Write one event in the running transaction."""
    record_many(connection, [happened])


def record_many(connection: Connection, happened: Sequence[Event]) -> None:
    """Write events in their order, with one statement; the order of `seq` is that of the commits."""
    if happened:
        take_turn(connection)
        _RECORD.run(connection, [_values(one) for one in happened])


def of_study(connection: Connection, site: str | None, study_instance_uid: str) -> list[Event]:
    """Return the events of a study in order, the first `EVENTS_MAX`; `site` None means of any site."""
    query = select(event).where(event.c.study_uid == study_instance_uid).order_by(event.c.seq).limit(EVENTS_MAX)
    if site is not None:
        query = query.where(event.c.site == site)
    return [_event(row) for row in connection.execute(query)]


def latest(connection: Connection) -> int:
    """Return the place of the last event, 0 before the first."""
    return connection.execute(select(func.coalesce(func.max(event.c.seq), 0))).scalar_one()


def since(connection: Connection, seq: int, limit: int = EVENTS_MAX, names: Sequence[EventName] = ()) -> list[Event]:
    """Return at most `limit` events after `seq`, in order; a smaller `seq` never becomes visible after a larger one.

    With `names` only these.
    """
    query = select(event).where(event.c.seq > seq).order_by(event.c.seq).limit(min(limit, EVENTS_MAX))
    if names:
        query = query.where(event.c.name.in_([name.value for name in names]))
    return [_event(row) for row in connection.execute(query)]


def _values(one: Event) -> dict[str, Any]:
    detail = msgspec.json.encode(one.detail).decode() if one.detail else ""
    assert len(detail) <= DETAIL_BYTES_MAX, "an event is a line, not a report"
    return {
        "at": one.at,
        "name": one.name.value,
        "site": one.site,
        "study_uid": one.study_instance_uid,
        "trace_id": one.trace_id,
        "detail": detail,
    }


def _event(row: Row[Any]) -> Event:
    return Event(
        name=EventName(row.name),
        at=row.at,
        site=row.site,
        study_instance_uid=row.study_uid,
        trace_id=row.trace_id,
        detail=msgspec.json.decode(row.detail) if row.detail else {},
        seq=row.seq,
    )
