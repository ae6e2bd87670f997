"""Who did what to which study, appended and chained: changing or removing a line shows.

A line's digest covers its content and the digest before it. The words are those of PS3.15 A.5. The table refuses
UPDATE and DELETE (a trigger of the migration); who can drop the trigger is found by `verify`. Lines cut off at the
end are found only against a `Head` that was noted elsewhere: `vienanh doctor` prints it, keep it off the machine.
"""

import hashlib
import hmac
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Column, Connection, Index, Row, Table, Text, select

from kernel.database import BigKey, UtcDateTime, metadata, take_turn
from kernel.errors import AuditChainBroken

FIRST_PREVIOUS = "0" * 64
LINES_MAX = 1000  # returned by one question
_VERIFY_ROWS = 1000  # lines in memory while verifying


class Action(StrEnum):
    """What was done (PS3.15 A.5.3)."""

    APPLICATION_ACTIVITY = "Application Activity"
    AUDIT_LOG_USED = "Audit Log Used"
    USER_AUTHENTICATION = "User Authentication"
    SECURITY_ALERT = "Security Alert"
    QUERY = "Query"
    INSTANCES_ACCESSED = "DICOM Instances Accessed"
    INSTANCES_TRANSFERRED = "DICOM Instances Transferred"
    STUDY_DELETED = "DICOM Study Deleted"
    EXPORT = "Data Export"
    IMPORT = "Data Import"
    ORDER_RECORD = "Order Record"
    PROCEDURE_RECORD = "Procedure Record"


class AuditOutcome(StrEnum):
    """How it ended (PS3.15 A.5.2, EventOutcomeIndicator)."""

    SUCCESS = "success"  # 0
    MINOR_FAILURE = "minor failure"  # 4
    SERIOUS_FAILURE = "serious failure"  # 8


@dataclass(frozen=True, slots=True)
class Line:
    """One line to append. `who` is an account or token name; no field names a patient."""

    at: datetime
    action: Action
    who: str
    outcome: AuditOutcome = AuditOutcome.SUCCESS
    role: str = ""
    site: str = ""
    study_instance_uid: str = ""
    address: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)  # small and JSON


@dataclass(frozen=True, slots=True)
class Head:
    """The end of the chain at a moment: what to note elsewhere."""

    seq: int
    digest: str


audit = Table(
    "audit",
    metadata,
    Column("seq", BigKey, primary_key=True, autoincrement=False),
    Column("at", UtcDateTime, nullable=False),
    Column("action", Text, nullable=False),
    Column("who", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("study_uid", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("address", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("previous", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Index(None, "study_uid", "seq"),
)


def append(connection: Connection, line: Line) -> Head:
    """Append `line` in the writer's running transaction and return the new end of the chain."""
    take_turn(connection)  # on PostgreSQL one transaction at a time appends, so that the chain stays a line
    last = head(connection)
    content = {
        "at": line.at,
        "action": line.action.value,
        "who": line.who,
        "role": line.role,
        "site": line.site,
        "study_uid": line.study_instance_uid,
        "outcome": line.outcome.value,
        "address": line.address,
        "detail": json.dumps(dict(line.detail), ensure_ascii=False, sort_keys=True) if line.detail else "",
    }
    end = Head(last.seq + 1, _digest(last.seq + 1, content, last.digest))
    connection.execute(audit.insert(), {"seq": end.seq, "previous": last.digest, "digest": end.digest, **content})
    return end


def head(connection: Connection) -> Head:
    """Return the end of the chain; before the first line, number 0 and a digest of zeros."""
    row = connection.execute(select(audit.c.seq, audit.c.digest).order_by(audit.c.seq.desc()).limit(1)).one_or_none()
    return Head(row.seq, row.digest) if row else Head(0, FIRST_PREVIOUS)


def verify(connection: Connection, noted: Head | None = None) -> int:
    """Recompute the chain from its first line and return how many lines it has.

    Raises
    ------
    AuditChainBroken
        Names the first line that is missing, moved or changed; or `noted`, an end that was noted elsewhere,
        is no longer in the chain.
    """
    last = Head(0, FIRST_PREVIOUS)
    for row in _rows(connection):
        content = {name: getattr(row, name) for name in _CONTENT}
        digest = _digest(last.seq + 1, content, last.digest)
        if row.seq != last.seq + 1 or row.previous != last.digest or row.digest != digest:
            raise AuditChainBroken(sequence=last.seq + 1)
        last = Head(last.seq + 1, digest)
        if noted is not None and noted.seq == last.seq and not hmac.compare_digest(noted.digest, digest):
            raise AuditChainBroken(sequence=last.seq)
    if noted is not None and noted.seq > last.seq:
        raise AuditChainBroken(sequence=last.seq + 1)
    return last.seq


def of_study(connection: Connection, study_instance_uid: str, limit: int = LINES_MAX) -> list[Line]:
    """Return the newest `limit` lines about a study, newest first."""
    query = select(audit).where(audit.c.study_uid == study_instance_uid).order_by(audit.c.seq.desc())
    return [_line(row) for row in connection.execute(query.limit(min(limit, LINES_MAX)))]


_CONTENT = ("at", "action", "who", "role", "site", "study_uid", "outcome", "address", "detail")


def _digest(seq: int, content: Mapping[str, Any], previous: str) -> str:
    written = {**content, "seq": seq, "at": content["at"].isoformat(timespec="microseconds"), "previous": previous}
    canonical = json.dumps(written, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    """Yield every line in order, a page at a time."""
    page = select(audit).order_by(audit.c.seq).limit(_VERIFY_ROWS)
    rows = connection.execute(page).all()
    while rows:
        yield from rows
        rows = connection.execute(page.where(audit.c.seq > rows[-1].seq)).all()


def _line(row: Row[Any]) -> Line:
    return Line(
        at=row.at,
        action=Action(row.action),
        who=row.who,
        outcome=AuditOutcome(row.outcome),
        role=row.role,
        site=row.site,
        study_instance_uid=row.study_uid,
        address=row.address,
        detail=json.loads(row.detail) if row.detail else {},
    )
