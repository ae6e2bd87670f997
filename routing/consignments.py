"""A study on its way to one destination: how much there is, how much arrived, and what its manifest says.

The counts are exact because each change shares the transaction of what it counts: an instance's job, its receipt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import Connection, Executable, RowMapping, and_, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.sql import ColumnElement

from kernel.archive.tables import study
from kernel.database import is_sqlite
from kernel.events import Event, EventName, record
from routing.copies import labels_kept
from routing.destinations import NO_PROFILE
from routing.jobs import JobState
from routing.queue import NewJob, enqueue
from routing.rules import Priority
from routing.tables import consignment, job
from routing.transport import Manifest


@dataclass(frozen=True, slots=True)
class ConsignmentKey:
    """Which study, from where, to whom, and as what it leaves."""

    destination: str
    site: str
    study_instance_uid: str
    profile: str


@dataclass(frozen=True, slots=True)
class Addition:
    """Instances that were just promised to a destination."""

    key: ConsignmentKey
    instances: int
    priority: int
    trace_id: str


def add(connection: Connection, additions: Sequence[Addition], now: datetime) -> None:
    """Count new instances; a study that was complete is open again."""
    for addition in additions:
        key = addition.key
        row = {
            "destination": key.destination,
            "site": key.site,
            "study_instance_uid": key.study_instance_uid,
            "profile": key.profile,
            "sent_study_instance_uid": key.study_instance_uid if key.profile == NO_PROFILE else "",
            "priority": addition.priority,
            "version": 1,
            "instances": addition.instances,
            "trace_id": addition.trace_id,
            "at": now,
        }
        connection.execute(_counting(on_sqlite=is_sqlite(connection)), row)


@cache
def _counting(*, on_sqlite: bool) -> Executable:
    """Build the statement once: `excluded` alone costs a millisecond of every group of received instances."""
    statement = sqlite.insert(consignment) if on_sqlite else postgresql.insert(consignment)
    return statement.on_conflict_do_update(
        index_elements=["destination", "site", "study_instance_uid", "profile"],
        set_={
            "instances": consignment.c.instances + statement.excluded.instances,
            "version": consignment.c.version + 1,
            "evidence": "",
            "delivered_at": None,
        },
    )


def set_sent_study(connection: Connection, site: str, study_instance_uid: str, profile: str, sent: str) -> None:
    """Note under which UID the study leaves, once its first derived instance says so."""
    connection.execute(
        update(consignment)
        .where(consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid)
        .where(consignment.c.profile == profile, consignment.c.sent_study_instance_uid == "")
        .values(sent_study_instance_uid=sent)
    )


def raise_priority(connection: Connection, site: str, study_instance_uid: str, priority: int) -> None:
    """Make what is on its way more urgent, never less."""
    connection.execute(
        update(consignment)
        .where(consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid)
        .where(consignment.c.priority > priority)
        .values(priority=priority, version=consignment.c.version + 1)
    )


def close(connection: Connection, site: str, study_instance_uid: str, evidence: str) -> None:
    """Record the evidence that the study is complete."""
    connection.execute(
        update(consignment)
        .where(consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid)
        .where(consignment.c.evidence != evidence)
        .values(evidence=evidence, version=consignment.c.version + 1)
    )


def settle(connection: Connection, site: str, study_instance_uid: str, now: datetime) -> None:
    """See what is left to do of a study that was just closed: it may have arrived, or nothing may be left to send.

    While instances are on their way, the manifest goes with them and need not be announced by itself.
    """
    rows = [row for row in _of_study(connection, site, study_instance_uid) if row["evidence"]]
    if not rows or _is_on_its_way(connection, site, study_instance_uid):
        return
    for row in rows:
        _finish(connection, row, now)
        _announce(connection, row, now)


def count_delivered(connection: Connection, key: ConsignmentKey, instances: int, again: int, now: datetime) -> None:
    """Count instances that arrived; with the last one of a complete study the study is delivered.

    Those that arrived `again` were deleted here and came back: they were promised twice and count once.
    """
    values = {"delivered": consignment.c.delivered + instances}
    if again:
        values |= {"instances": consignment.c.instances - again, "version": consignment.c.version + 1}
    connection.execute(update(consignment).where(_is(key)).values(values))
    row = connection.execute(select(consignment).where(_is(key))).mappings().one()
    if _finish(connection, row, now):
        _announce(connection, row, now)


def withdraw(connection: Connection, promised: Mapping[ConsignmentKey, int], now: datetime) -> None:
    """Count instances as promised no more, for they were deleted on their way, or a person keeps them; the rest may be all."""
    for key, instances in promised.items():
        values = {"instances": consignment.c.instances - instances, "version": consignment.c.version + 1}
        connection.execute(update(consignment).where(_is(key)).values(values))
    for site, study_instance_uid in {(key.site, key.study_instance_uid) for key in promised}:
        settle(connection, site, study_instance_uid, now)


def reopen(connection: Connection, key: ConsignmentKey, instances: int) -> int:
    """Count instances as not delivered after all, and return the consignment's priority."""
    return connection.execute(
        update(consignment)
        .where(_is(key))
        .values(delivered=consignment.c.delivered - instances, delivered_at=None)
        .returning(consignment.c.priority)
    ).scalar_one()


def manifest_of(connection: Connection, key: ConsignmentKey) -> Manifest | None:
    """Return what may be said to the destination now; None while the study has no name there yet."""
    row = connection.execute(select(consignment).where(_is(key))).mappings().one_or_none()
    if row is None or not row["sent_study_instance_uid"]:
        return None
    instances = row["instances"]
    if not row["evidence"]:
        instances = max(instances, _expected(connection, key))
    return Manifest(
        study_instance_uid=row["sent_study_instance_uid"],
        version=row["version"],
        instances=instances,
        complete=row["evidence"] or None,
        priority=Priority(row["priority"]).word,
        trace_id=row["trace_id"],
    )


def _expected(connection: Connection, key: ConsignmentKey) -> int:
    """Return how many instances the study is to have, as its modality says (MPPS) or who sent it; 0: nobody says.

    Labels of slides that stay here are none of those that are to arrive de-identified.
    """
    same = (study.c.site == key.site) & (study.c.study_instance_uid == key.study_instance_uid)
    expected = connection.scalar(select(study.c.expected_instances).where(same)) or 0
    if expected and key.profile != NO_PROFILE:
        expected -= labels_kept(connection, key.site, key.study_instance_uid)
    return expected


def note_announced(connection: Connection, key: ConsignmentKey, version: int) -> None:
    """Remember which version the destination was told."""
    announced = func.max if connection.dialect.name == "sqlite" else func.greatest
    connection.execute(
        update(consignment)
        .where(_is(key))
        .values(announced_version=announced(consignment.c.announced_version, version))
    )


def _finish(connection: Connection, row: RowMapping, now: datetime) -> bool:
    """Record StudyDelivered once for each time that the study was completed."""
    if not row["evidence"] or row["delivered"] < row["instances"] or row["delivered_at"] is not None:
        return False
    if row["instances"] == 0:  # none goes any more
        return False
    key = ConsignmentKey(row["destination"], row["site"], row["study_instance_uid"], row["profile"])
    connection.execute(update(consignment).where(_is(key)).values(delivered_at=now))
    detail = {
        "destination": key.destination,
        "profile": key.profile,
        "instances": row["instances"],
        "version": row["version"],
        "evidence": row["evidence"],
    }
    record(connection, Event(EventName.STUDY_DELIVERED, now, key.site, key.study_instance_uid, row["trace_id"], detail))
    return True


def _is_on_its_way(connection: Connection, site: str, study_instance_uid: str) -> bool:
    waiting = select(job.c.pk).where(
        job.c.site == site,
        job.c.study_instance_uid == study_instance_uid,
        job.c.kind.in_(["deidentify", "deliver"]),
        job.c.state.in_([JobState.READY.value, JobState.RUNNING.value]),
    )
    return connection.execute(waiting.limit(1)).first() is not None


def _announce(connection: Connection, row: RowMapping, now: datetime) -> None:
    if row["announced_version"] >= row["version"]:
        return
    announcement = NewJob(
        kind="announce",
        lane=row["destination"],
        priority=row["priority"],
        site=row["site"],
        study_instance_uid=row["study_instance_uid"],
        sop_instance_uid="",
        profile=row["profile"],
        trace_id=row["trace_id"],
        version=row["version"],
    )
    enqueue(connection, [announcement], now)


def _of_study(connection: Connection, site: str, study_instance_uid: str) -> Sequence[RowMapping]:
    query = select(consignment).where(
        consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid
    )
    return connection.execute(query).mappings().all()


def _is(key: ConsignmentKey) -> ColumnElement[bool]:
    return and_(
        consignment.c.destination == key.destination,
        consignment.c.site == key.site,
        consignment.c.study_instance_uid == key.study_instance_uid,
        consignment.c.profile == key.profile,
    )
