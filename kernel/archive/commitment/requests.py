"""Storage commitment (PS3.4 J): what was asked of us, what was found, and whether the asker was told. Rows, no sockets.

    asked --check--> decided --N-EVENT-REPORT--> told
                             '--days of silence--> abandoned

A transaction is a row before it is accepted, and stays one: it survives the association, the process and the machine.
Answers of DICOMweb are fetched, so such a transaction stays decided. The requester is part of a transaction's identity.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Row,
    String,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)

from kernel.archive.blobs.store import Blobs
from kernel.archive.index import batched
from kernel.archive.tables import Site, Uid, instance
from kernel.clock import doubled_s
from kernel.database import BigKey, BinaryText, Readable, UtcDateTime, metadata
from kernel.errors import Busy, Corrupt

INSTANCES_MAX: Final = 20_000  # referenced by one transaction
TRANSACTIONS_MAX: Final = 10_000  # kept for one address
REFERENCES_MAX: Final = 1_000_000  # in them, about 90 MB
ABANDON_AFTER: Final = timedelta(days=7)  # of trying to tell the requester
KEEP_FOR: Final = timedelta(days=30)  # rows that are told, abandoned or fetched
FIRST_PAUSE_S: Final = 15.0  # before a new association is tried, and after its first failure; doubles each time
LONGEST_PAUSE_S: Final = 3600.0

# Failure Reason (0008,1197) of storage commitment (PS3.3 C.14.1.1).
PROCESSING_FAILURE: Final = 0x0110
NO_SUCH_INSTANCE: Final = 0x0112
CLASS_INSTANCE_CONFLICT: Final = 0x0119
DUPLICATE_TRANSACTION_UID: Final = 0x0131

State = Literal["asked", "decided", "told", "abandoned"]
Channel = Literal["dimse", "dicomweb"]

commitment = Table(
    "commitment",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("transaction_uid", Uid, nullable=False),
    Column("channel", String(16), nullable=False),
    Column("site", Site, nullable=False),
    Column("peer", BinaryText, nullable=False),  # calling AE title, or the name of a token
    Column("called", BinaryText, nullable=False),  # the AE title by which we were called
    Column("address", BinaryText, nullable=False),
    Column("state", String(16), nullable=False),
    Column("instances", Integer, nullable=False),
    Column("referenced", LargeBinary, nullable=False),  # MessagePack of References
    Column("failures", LargeBinary, nullable=False),  # MessagePack of Failures; meaningful once decided
    Column("at", UtcDateTime, nullable=False),
    Column("next_at", UtcDateTime, nullable=False),  # when somebody must do something about it
    Column("attempts", Integer, nullable=False),
    Column("detail", Text, nullable=False),  # how the last attempt to tell failed
    Index(None, "transaction_uid"),
    Index(None, "state", "next_at"),
    Index(None, "address"),
)


class Reference(msgspec.Struct, array_like=True, frozen=True):
    """One instance whose safekeeping is asked for."""

    sop_class_uid: str
    sop_instance_uid: str


class Failure(msgspec.Struct, array_like=True, frozen=True):
    """One instance for which we do not answer, and why (0008,1197)."""

    sop_class_uid: str
    sop_instance_uid: str
    reason: int


class Asked(msgspec.Struct, array_like=True, frozen=True):
    """A request for commitment."""

    transaction_uid: str
    channel: Channel
    site: str
    peer: str
    called: str
    address: str
    references: list[Reference]


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row."""

    pk: int
    asked: Asked
    state: State
    failures: tuple[Failure, ...]
    at: datetime
    attempts: int

    @property
    def committed(self) -> list[Reference]:
        """The instances for which we answer."""
        failed = {one.sop_instance_uid for one in self.failures}
        return [one for one in self.asked.references if one.sop_instance_uid not in failed]


_encode = msgspec.msgpack.Encoder().encode
_references = msgspec.msgpack.Decoder(list[Reference]).decode
_failures = msgspec.msgpack.Decoder(tuple[Failure, ...]).decode


def ask(connection: Connection, asked: Asked, now: datetime) -> int:
    """Write a request down and return its key; the same request again is the same row, looked into and told anew.

    Anew, as what was here the first time may have been deleted since. A Transaction UID that this requester used for
    other instances is a transaction of its own in which every instance fails with 0131 (PS3.4 J.3.3).

    Raises
    ------
    Busy
        The address has TRANSACTIONS_MAX transactions here, or REFERENCES_MAX instances in them.
    """
    references = _encode(asked.references)
    before = _of(connection, asked.peer, asked.site, asked.transaction_uid)
    for number, row in enumerate(before):
        if row.referenced == references and row.channel == asked.channel:
            again = {"address": asked.address, "attempts": 0, "at": now}
            if number == 0:
                again |= {"state": "asked", "next_at": now}
            else:  # of a UID that was used before: that does not change
                again |= {"state": "decided", "next_at": now + timedelta(seconds=FIRST_PAUSE_S)}
            connection.execute(update(commitment).where(commitment.c.pk == row.pk).values(**again))
            return row.pk
    failures = [
        Failure(one.sop_class_uid, one.sop_instance_uid, DUPLICATE_TRANSACTION_UID)
        for one in (asked.references if before else ())
    ]
    _check_share(connection, asked)
    values = {
        "transaction_uid": asked.transaction_uid,
        "channel": asked.channel,
        "site": asked.site,
        "peer": asked.peer,
        "called": asked.called,
        "address": asked.address,
        "state": "decided" if before else "asked",
        "instances": len(asked.references),
        "referenced": references,
        "failures": _encode(failures),
        "at": now,
        "next_at": now + timedelta(seconds=FIRST_PAUSE_S) if before else now,
        "attempts": 0,
        "detail": "",
    }
    return connection.execute(commitment.insert().values(**values).returning(commitment.c.pk)).scalar_one()


def _check_share(connection: Connection, asked: Asked) -> None:
    """Keep one caller from filling the table: an AE title is easily changed, so addresses are counted."""
    kept = select(func.count(), func.coalesce(func.sum(commitment.c.instances), 0)).where(
        commitment.c.address == asked.address
    )
    transactions, references = connection.execute(kept).one()
    if transactions >= TRANSACTIONS_MAX or references + len(asked.references) > REFERENCES_MAX:
        raise Busy(what="this address has too many transactions of storage commitment here")


def is_used(connection: Connection, asked: Asked) -> bool:
    """Whether this requester used the Transaction UID for other instances."""
    references = _encode(asked.references)
    rows = _of(connection, asked.peer, asked.site, asked.transaction_uid)
    return bool(rows) and all(row.referenced != references for row in rows)


def of_key(connection: Connection, pk: int) -> Transaction | None:
    """Return a transaction."""
    row = connection.execute(select(commitment).where(commitment.c.pk == pk)).first()
    return None if row is None else _transaction(row)


def of_uid(connection: Connection, channel: Channel, peer: str, site: str, uid: str) -> Transaction | None:
    """Return a requester's transaction by its UID, the first one if the UID was used twice."""
    rows = [row for row in _of(connection, peer, site, uid) if row.channel == channel]
    return _transaction(rows[0]) if rows else None


def due(
    connection: Connection, state: State, now: datetime, limit: int = 100, *, besides: Collection[str] = ()
) -> list[Transaction]:
    """Return transactions about which something must be done, the longest waiting first; `besides` those of peers."""
    query = select(commitment).where(commitment.c.state == state, commitment.c.next_at <= now)
    if state == "decided":
        query = query.where(commitment.c.channel == "dimse", commitment.c.peer.not_in(besides))
    return [_transaction(row) for row in connection.execute(query.order_by(commitment.c.next_at).limit(limit))]


def set_right(connection: Connection, latest: datetime, now: datetime) -> None:
    """Let nothing wait for a moment later than `latest`, which was written before the clock was put back."""
    waiting = commitment.c.state.in_(("asked", "decided"))
    connection.execute(update(commitment).where(waiting, commitment.c.next_at > latest).values(next_at=now))


def decide(connection: Connection, pk: int, failures: Sequence[Failure], now: datetime) -> None:
    """Write what was found; a new association is tried only after who asked had time to hear it on the old one."""
    connection.execute(
        update(commitment)
        .where(commitment.c.pk == pk, commitment.c.state == "asked")
        .values(state="decided", failures=_encode(failures), next_at=now + timedelta(seconds=FIRST_PAUSE_S))
    )


def tell(connection: Connection, pk: int) -> None:
    """Write that the requester took the report."""
    connection.execute(
        update(commitment).where(commitment.c.pk == pk, commitment.c.state == "decided").values(state="told", detail="")
    )


def postpone(connection: Connection, transactions: Sequence[Transaction], detail: str, now: datetime) -> None:
    """Write that the requester could not be told: later, by a doubling pause, or never after `ABANDON_AFTER`."""
    for one in transactions:
        next_at = now + timedelta(seconds=doubled_s(FIRST_PAUSE_S, one.attempts, LONGEST_PAUSE_S))
        state = "abandoned" if now - one.at > ABANDON_AFTER else "decided"
        connection.execute(
            update(commitment)
            .where(commitment.c.pk == one.pk, commitment.c.state == "decided")
            .values(state=state, detail=detail[:500], attempts=one.attempts + 1, next_at=next_at)
        )


def forget(connection: Connection, now: datetime) -> int:
    """Remove transactions that ended long ago; return how many."""
    ended = commitment.c.state.in_(("told", "abandoned")) | (commitment.c.channel == "dicomweb")
    return connection.execute(delete(commitment).where(ended, commitment.c.at < now - KEEP_FOR)).rowcount


def check(db: Readable, blobs: Blobs, asked: Asked, *, digests: bool) -> list[Failure]:
    """Look whether every referenced instance is kept here for the requester's site, and return those that are not.

    Parameters
    ----------
    digests
        Whether to read every blob and compare its digest, or only to look whether it is there and whole.
    """
    failures: list[Failure] = []
    by_uid = {one.sop_instance_uid: one for one in asked.references}
    for names in batched(list(by_uid)):
        query = select(instance).where(instance.c.site == asked.site, instance.c.sop_instance_uid.in_(names))
        with db.read() as connection:
            rows = {row.sop_instance_uid: row for row in connection.execute(query)}
        for name in names:
            reason = _reason(by_uid[name], rows.get(name), blobs, digests=digests)
            if reason is not None:
                failures.append(Failure(by_uid[name].sop_class_uid, name, reason))
    return failures


def _reason(wanted: Reference, row: Row[Any] | None, blobs: Blobs, *, digests: bool) -> int | None:
    if row is None:
        return NO_SUCH_INSTANCE
    if row.sop_class_uid != wanted.sop_class_uid:
        return CLASS_INSTANCE_CONFLICT
    try:
        if blobs.path(row.blob_key).stat().st_size != row.size_bytes:
            return PROCESSING_FAILURE
        if digests:
            blobs.verify(row.blob_key, row.sha256, row.dataset_offset)
    except (OSError, Corrupt):
        return PROCESSING_FAILURE
    return None


def _of(connection: Connection, peer: str, site: str, transaction_uid: str) -> Sequence[Row[Any]]:
    query = select(commitment).where(
        commitment.c.transaction_uid == transaction_uid, commitment.c.peer == peer, commitment.c.site == site
    )
    return connection.execute(query.order_by(commitment.c.pk)).all()


def _transaction(row: Row[Any]) -> Transaction:
    asked = Asked(
        row.transaction_uid,
        row.channel,
        row.site,
        row.peer,
        row.called,
        row.address,
        _references(row.referenced),
    )
    return Transaction(row.pk, asked, row.state, _failures(row.failures), row.at, row.attempts)
