"""Which HL7 messages were taken: the same message again gets the same answer and is not done again.

A message is known by its sender and Message Control ID (MSH-10). Senders that restart their counters give an old id to
a new message, so its digest counts as well.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, select

from consult.tables import hl7_message
from kernel.database import upsert

KEPT: Final = timedelta(days=30)  # how long a repetition is recognised
PRUNED_AT_ONCE: Final = 100


@dataclass(frozen=True, slots=True)
class Taken:
    """A message and what was answered."""

    sender: str
    control_id: str
    digest: bytes  # SHA-256 of the message's bytes
    kind: str  # such as ORM^O01
    acknowledgement: str  # AA, AE or AR
    reason: str = ""


def answered(connection: Connection, sender: str, control_id: str, digest: bytes) -> Taken | None:
    """Return what was answered to this very message, None when it is new."""
    table = hl7_message
    row = connection.execute(
        select(table).where(table.c.sender == sender, table.c.control_id == control_id, table.c.digest == digest)
    ).first()
    if row is None:
        return None
    return Taken(row.sender, row.control_id, row.digest, row.kind, row.acknowledgement, row.reason)


def record(connection: Connection, taken: Taken, at: datetime) -> None:
    """Write down a message, and forget some that are older than `KEPT`."""
    table = hl7_message
    values = {
        "sender": taken.sender,
        "control_id": taken.control_id,
        "digest": taken.digest,
        "kind": taken.kind,
        "acknowledgement": taken.acknowledgement,
        "reason": taken.reason,
        "at": at,
    }
    upsert(
        connection,
        table,
        [values],
        key=("sender", "control_id"),
        update=("digest", "kind", "acknowledgement", "reason", "at"),
    )
    old = select(table.c.pk).where(table.c.at < at - KEPT).limit(PRUNED_AT_ONCE)
    connection.execute(delete(table).where(table.c.pk.in_(old)))
