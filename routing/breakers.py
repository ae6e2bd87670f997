"""The breaker of a lane in its row: read, and written after each word of the destination. `routing.jobs` decides."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from kernel.database import upsert
from routing.jobs import FLOWING, Backoff, Breaker, LaneFailure, after_failure, next_batch_limit
from routing.tables import DETAIL_CHARACTERS, lane
from routing.transport import Cause

STATUS_CHARACTERS = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How a lane paces itself: pauses, and how large batches may get."""

    backoff: Backoff
    batch_instances: int
    random: Callable[[], float] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Said:
    """What a destination said about one batch, as far as its lane is concerned."""

    failure: LaneFailure | None
    heard: bool  # it answered for something of the batch, so that a failure is the first one again
    arrived: bool  # something was delivered


def read_breaker(connection: Connection, name: str) -> tuple[Breaker, int]:
    """Return the breaker of a lane and the limit of its next batch (zero: as configured)."""
    row = connection.execute(select(lane).where(lane.c.name == name)).one_or_none()
    if row is None:
        return Breaker(), 0
    cause = Cause(row.cause) if row.cause else None
    return Breaker(row.failures, cause, row.until, row.status, row.detail), row.batch_limit


def write_breaker(
    connection: Connection, name: str, breaker: Breaker, batch_limit: int = 0, delivered_at: datetime | None = None
) -> None:
    """Record the breaker of a lane; `delivered_at` when something just arrived."""
    values: dict[str, Any] = {
        "failures": breaker.failures,
        "cause": breaker.cause.value if breaker.cause else "",
        "until": breaker.until,
        "status": breaker.status[:STATUS_CHARACTERS],
        "detail": breaker.detail[:DETAIL_CHARACTERS],
        "batch_limit": batch_limit,
    }
    if delivered_at is not None:
        values["delivered_at"] = delivered_at
    upsert(connection, lane, [{"name": name}], key=["name"])
    connection.execute(update(lane).where(lane.c.name == name).values(**values))


def pace_lane(connection: Connection, name: str, said: Said, pace: Pace, now: datetime) -> bool:
    """Let a lane flow after a batch, or pause after a failure; return whether it fails in a way that is new."""
    breaker, limit = read_breaker(connection, name)
    failure = said.failure
    limit = next_batch_limit(limit or pace.batch_instances, pace.batch_instances, cut=failure is not None)
    after = FLOWING
    if failure is not None:
        after = after_failure(FLOWING if said.heard else breaker, failure, now, pace.backoff, pace.random)
    write_breaker(connection, name, after, limit, now if said.arrived else None)
    return failure is not None and breaker.cause is not failure.cause
