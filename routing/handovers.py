"""After a study arrived: what its destination is still asked or told, as durable rows (no sockets here).

    commit        StudyDelivered -> due -> asked (N-ACTION was taken) -> done, or its failed instances are sent again;
                  a row for every `INSTANCES_MAX` instances, as no transaction may have more
    availability  StudyComplete  -> due -> done

Rows are made of the events that tell of it, followed from a remembered place, so that none is lost and delivery itself
knows nothing of this. A row is tried with a doubling pause until `ABANDON_AFTER`.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import ceil
from typing import Any, Final, Literal

from sqlalchemy import Connection, Row, delete, func, select, update

from kernel.archive.commitment.requests import INSTANCES_MAX, Reference
from kernel.archive.index import batched
from kernel.archive.tables import instance, series, study
from kernel.clock import doubled_s
from kernel.database import upsert
from kernel.events import Event, EventName, latest, record, since
from routing.consignments import ConsignmentKey, reopen
from routing.destinations import NO_PROFILE, Destination
from routing.queue import NewJob, enqueue
from routing.tables import DETAIL_CHARACTERS, delivery, follower, handover

FIRST_PAUSE_S: Final = 15.0  # doubles with every attempt
LONGEST_PAUSE_S: Final = 3600.0
REPORT_WITHIN: Final = timedelta(hours=1)  # of an accepted N-ACTION; then it is asked again
ABANDON_AFTER: Final = timedelta(days=7)
ROUNDS_MAX: Final = 3  # times that what was not committed is sent again
FOLLOWER: Final = "handovers"

Kind = Literal["commit", "availability"]
_ARRIVED: Final = ("delivered", "duplicate")


@dataclass(frozen=True, slots=True)
class Handover:
    """A row that is due."""

    pk: int
    kind: Kind
    destination: str
    site: str
    study_instance_uid: str
    trace_id: str
    transaction_uid: str
    attempts: int
    at: datetime
    part: int  # of a study whose instances go into several transactions, from zero


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a destination says of a transaction: SOP Instance UIDs that it keeps, and why it does not keep others."""

    committed: Collection[str]
    failures: Mapping[str, int]


def follow(connection: Connection, destinations: Mapping[str, Destination], now: datetime) -> int:
    """Make the rows that new events call for; return how many. The first call begins with what happens after it."""
    place = connection.execute(select(follower.c.seq).where(follower.c.name == FOLLOWER)).scalar_one_or_none()
    if place is None:
        _remember(connection, latest(connection))
        return 0
    names = (EventName.STUDY_DELIVERED, EventName.STUDY_COMPLETE)
    happened = since(connection, place, names=names)
    rows = [row for one in happened for row in _rows_of(one, destinations, now)]
    if rows:
        connection.execute(handover.insert(), rows)
    if happened:
        _remember(connection, happened[-1].seq)
    return len(rows)


def _rows_of(one: Event, destinations: Mapping[str, Destination], now: datetime) -> list[dict[str, Any]]:
    if one.name is EventName.STUDY_DELIVERED:
        destination = destinations.get(one.detail["destination"])
        if destination is None or not destination.commit or one.detail["profile"] != NO_PROFILE:
            return []
        parts = ceil(one.detail["instances"] / INSTANCES_MAX)
        return [_row("commit", destination.name, one, now) | {"part": part} for part in range(parts)]
    return [_row("availability", each.name, one, now) for each in destinations.values() if each.availability]


def _row(kind: Kind, destination: str, one: Event, now: datetime) -> dict[str, Any]:
    return {
        "kind": kind,
        "part": 0,
        "destination": destination,
        "site": one.site,
        "study_instance_uid": one.study_instance_uid,
        "trace_id": one.trace_id,
        "state": "due",
        "transaction_uid": "",
        "attempts": 0,
        "next_at": now,
        "at": now,
        "detail": "",
    }


def _remember(connection: Connection, seq: int) -> None:
    upsert(connection, follower, [{"name": FOLLOWER, "seq": seq}], key=["name"], update=["seq"])


def due(connection: Connection, now: datetime, limit: int = 50, *, besides: Collection[str] = ()) -> list[Handover]:
    """Return what is to be asked or told now, the longest waiting first; an N-ACTION without report is due again.

    Parameters
    ----------
    besides
        Destinations that are not asked for.
    """
    query = select(handover).where(handover.c.state.in_(("due", "asked")), handover.c.next_at <= now)
    query = query.where(handover.c.destination.not_in(besides))
    rows = connection.execute(query.order_by(handover.c.next_at).limit(limit))
    return [_handover(row) for row in rows]


def delivered_instances(connection: Connection, one: Handover) -> list[Reference]:
    """Return the instances of a study that the destination said it has: those of this row's part."""
    query = (
        select(instance.c.sop_class_uid, instance.c.sop_instance_uid)
        .join_from(
            delivery,
            instance,
            (instance.c.site == delivery.c.site) & (instance.c.sop_instance_uid == delivery.c.sop_instance_uid),
        )
        .where(delivery.c.site == one.site, delivery.c.study_instance_uid == one.study_instance_uid)
        .where(delivery.c.destination == one.destination, delivery.c.profile == NO_PROFILE)
        .where(delivery.c.state.in_(_ARRIVED))
        .order_by(instance.c.pk)
        .offset(one.part * INSTANCES_MAX)
        .limit(INSTANCES_MAX)
    )
    return [Reference(*row) for row in connection.execute(query)]


def available_instances(connection: Connection, one: Handover) -> dict[str, list[Reference]]:
    """Return the instances of a study by Series Instance UID."""
    query = (
        select(series.c.series_instance_uid, instance.c.sop_class_uid, instance.c.sop_instance_uid)
        .join_from(instance, series)
        .join(study)
        .where(study.c.site == one.site, study.c.study_instance_uid == one.study_instance_uid)
        .order_by(series.c.pk, instance.c.pk)
    )
    found: dict[str, list[Reference]] = {}
    for series_uid, sop_class, sop_instance in connection.execute(query):
        found.setdefault(series_uid, []).append(Reference(sop_class, sop_instance))
    return found


def begin(connection: Connection, one: Handover, transaction_uid: str) -> None:
    """Write down under which Transaction UID a commitment is asked for, before it is: the report may be quick."""
    connection.execute(update(handover).where(handover.c.pk == one.pk).values(transaction_uid=transaction_uid))


def accepted(connection: Connection, one: Handover, now: datetime) -> None:
    """Write that the destination took the request, and until when it has to report."""
    connection.execute(
        update(handover)
        .where(handover.c.pk == one.pk, handover.c.state.in_(("due", "asked")))
        .values(state="asked", next_at=now + REPORT_WITHIN, detail="", attempts=one.attempts + 1)
    )


def told(connection: Connection, one: Handover, instances: int, now: datetime) -> None:
    """Write that the destination was told of so many instances."""
    connection.execute(update(handover).where(handover.c.pk == one.pk).values(state="done", detail=""))
    detail = {"destination": one.destination, "instances": instances}
    record(
        connection,
        Event(EventName.AVAILABILITY_TOLD, now, one.site, one.study_instance_uid, one.trace_id, detail),
    )


def postpone(connection: Connection, one: Handover, detail: str, now: datetime) -> None:
    """Write that it did not work: later, or never after `ABANDON_AFTER`."""
    pause_s = doubled_s(FIRST_PAUSE_S, one.attempts, LONGEST_PAUSE_S)
    gone = now - one.at > ABANDON_AFTER
    connection.execute(
        update(handover)
        .where(handover.c.pk == one.pk, handover.c.state.in_(("due", "asked")))
        .values(
            state="abandoned" if gone else "due",
            attempts=one.attempts + 1,
            next_at=now + timedelta(seconds=pause_s),
            detail=detail[:DETAIL_CHARACTERS],
        )
    )


def abandon(connection: Connection, one: Handover, detail: str) -> None:
    """Write that there is nothing to ask or tell any more."""
    connection.execute(update(handover).where(handover.c.pk == one.pk).values(state="abandoned", detail=detail))


def reported(connection: Connection, transaction_uid: str, verdict: Verdict, now: datetime) -> bool:
    """Take a destination's word about a transaction of ours; False when there is none of this UID.

    What it does not commit to keep is sent again, `ROUNDS_MAX` times; silence about an instance is no commitment.
    """
    row = connection.execute(
        select(handover).where(handover.c.transaction_uid == transaction_uid, handover.c.kind == "commit")
    ).first()
    if row is None or not transaction_uid:
        return False
    if row.state not in ("due", "asked"):
        return True  # it says the same again
    one = _handover(row)
    asked = [each.sop_instance_uid for each in delivered_instances(connection, one)]
    missing = [uid for uid in asked if uid not in verdict.committed or uid in verdict.failures]
    again = bool(missing) and _rounds(connection, one) <= ROUNDS_MAX
    state = "done" if not missing else "failed"
    connection.execute(update(handover).where(handover.c.pk == one.pk).values(state=state))
    detail = {"destination": one.destination, "instances": len(asked) - len(missing), "failed": len(missing)}
    if not missing:
        name = EventName.STUDY_COMMITTED
    else:
        name = EventName.COMMITMENT_FAILED
        reasons = sorted({f"{verdict.failures.get(uid, 0):04X}" for uid in missing})
        detail |= {"reasons": reasons, "sent_again": again, "sop_instance_uids": missing[:20]}
    record(connection, Event(name, now, one.site, one.study_instance_uid, one.trace_id, detail))
    if again:
        _send_again(connection, one, missing, now)
    return True


def _rounds(connection: Connection, one: Handover) -> int:
    same = (
        (handover.c.kind == one.kind)
        & (handover.c.destination == one.destination)
        & (handover.c.part == one.part)
        & (handover.c.site == one.site)
        & (handover.c.study_instance_uid == one.study_instance_uid)
    )
    return connection.execute(select(func.count()).select_from(handover).where(same)).scalar_one()


def _send_again(connection: Connection, one: Handover, uids: Sequence[str], now: datetime) -> None:
    """Promise the instances anew; when they have arrived, StudyDelivered asks for commitment anew."""
    for names in batched(uids):
        connection.execute(
            delete(delivery)
            .where(delivery.c.destination == one.destination, delivery.c.site == one.site)
            .where(delivery.c.profile == NO_PROFILE, delivery.c.sop_instance_uid.in_(names))
        )
    key = ConsignmentKey(one.destination, one.site, one.study_instance_uid, NO_PROFILE)
    priority = reopen(connection, key, len(uids))
    enqueue(
        connection,
        [
            NewJob(
                "deliver", one.destination, priority, one.site, one.study_instance_uid, uid, NO_PROFILE, one.trace_id
            )
            for uid in uids
        ],
        now,
    )


def _handover(row: Row[Any]) -> Handover:
    return Handover(
        row.pk,
        row.kind,
        row.destination,
        row.site,
        row.study_instance_uid,
        row.trace_id,
        row.transaction_uid,
        row.attempts,
        row.at,
        row.part,
    )
