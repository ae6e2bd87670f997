"""The breaker of a lane in its row: read, and written after each word of the destination. `routing.jobs` decides."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from kernel.database import upsert
from routing.jobs import Breaker
from routing.tables import DETAIL_CHARACTERS, lane
from routing.transport import Cause

STATUS_CHARACTERS = 32


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
