"""What a plan promises, as jobs: de-identify here, or deliver there; and how urgent."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from kernel.archive.records import Stored
from kernel.database import tx_notify
from kernel.events import Event, EventName, record
from routing import consignments
from routing.consignments import Addition, ConsignmentKey
from routing.destinations import NO_PROFILE
from routing.jobs import JobState
from routing.queue import LOCAL_LANE, Job, NewJob, enqueue, topic_of
from routing.rules import Leg, Plan
from routing.tables import consignment, job

Targets = Sequence[tuple[str, str]]  # destination and hold


@dataclass(frozen=True, slots=True)
class Planned:
    """A stored instance and its plan."""

    stored: Stored
    plan: Plan
    fallback_charset: str = ""


def promise(connection: Connection, planned: Sequence[Planned], priority: int, now: datetime) -> None:
    """Enqueue the first jobs of instances of one study, and count them with their consignments."""
    counts: dict[ConsignmentKey, int] = {}
    jobs: list[NewJob] = []
    for one in planned:
        ingested, site = one.stored.ingested, one.stored.received.origin.site
        by_profile: dict[str, list[Leg]] = {}
        for leg in one.plan.legs:
            by_profile.setdefault(leg.profile, []).append(leg)
            key = ConsignmentKey(leg.destination, site, ingested.study_instance_uid, leg.profile)
            counts[key] = counts.get(key, 0) + 1
        for profile, legs in by_profile.items():
            jobs += _first_jobs(one, profile, [(leg.destination, leg.hold) for leg in legs], priority)
    trace_id = planned[0].stored.ingested.trace_id
    consignments.add(connection, [Addition(key, count, priority, trace_id) for key, count in counts.items()], now)
    _enqueue(connection, jobs, now)


def _first_jobs(one: Planned, profile: str, targets: Targets, priority: int) -> list[NewJob]:
    stored = one.stored
    if profile == NO_PROFILE:
        return [_deliver(stored, profile, target, priority) for target in targets]
    return [
        NewJob(
            kind="deidentify",
            lane=LOCAL_LANE,
            priority=priority,
            site=stored.received.origin.site,
            study_instance_uid=stored.ingested.study_instance_uid,
            sop_instance_uid=stored.ingested.sop_instance_uid,
            profile=profile,
            trace_id=stored.ingested.trace_id,
            targets=json.dumps(targets),
            fallback_charset=one.fallback_charset,
            size_bytes=stored.received.size_bytes,
        )
    ]


def _deliver(stored: Stored, profile: str, target: tuple[str, str], priority: int) -> NewJob:
    destination, hold = target
    return NewJob(
        kind="deliver",
        lane=destination,
        priority=priority,
        site=stored.received.origin.site,
        study_instance_uid=stored.ingested.study_instance_uid,
        sop_instance_uid=stored.ingested.sop_instance_uid,
        profile=profile,
        trace_id=stored.ingested.trace_id,
        size_bytes=stored.received.size_bytes,
        state=JobState.HELD if hold else JobState.READY,
        cause=hold,
    )


@dataclass(frozen=True, slots=True)
class Derivative:
    """What a derived instance must be known by to be delivered."""

    variant: str
    size_bytes: int
    pixel_review: str  # why its pixels want a look, or empty


def deliver_derived(connection: Connection, made: Sequence[tuple[Job, Derivative]], now: datetime) -> None:
    """Enqueue the deliveries to which de-identifications lead; those that a hold concerns wait for a person."""
    _enqueue(connection, [new for done, derivative in made for new in _deliveries(done, derivative)], now)


def _deliveries(done: Job, made: Derivative) -> Iterator[NewJob]:
    for destination, hold in json.loads(done.targets):
        is_held = hold == "review" or (hold == "pixel-review" and bool(made.pixel_review))
        yield NewJob(
            kind="deliver",
            lane=destination,
            priority=done.priority,
            site=done.site,
            study_instance_uid=done.study_instance_uid,
            sop_instance_uid=done.sop_instance_uid,
            profile=done.profile,
            trace_id=done.trace_id,
            variant=made.variant,
            size_bytes=made.size_bytes,
            state=JobState.HELD if is_held else JobState.READY,
            cause=hold if is_held else "",
            detail=made.pixel_review if is_held else "",
        )


def _enqueue(connection: Connection, jobs: Sequence[NewJob], now: datetime) -> None:
    held = {
        (new.site, new.study_instance_uid, new.lane, new.cause, new.detail): new
        for new in jobs
        if new.state is JobState.HELD
    }
    for new in held.values():
        tell_held(connection, new, new.cause, new.detail, {"destination": new.lane, "kind": new.detail}, now=now)
    enqueue(connection, jobs, now)


def tell_held(
    connection: Connection, one: Job | NewJob, because: str, where: str, detail: Mapping[str, str], *, now: datetime
) -> None:
    """Record StudyHeld once for each lane, reason and place: a study of 500 slices has one, not 500."""
    same = select(job.c.pk).where(
        job.c.site == one.site,
        job.c.study_instance_uid == one.study_instance_uid,
        job.c.state == JobState.HELD.value,
        job.c.lane == one.lane,
        job.c.profile == one.profile,
        job.c.cause == because,
        job.c.detail == where,
    )
    if connection.execute(same.limit(1)).first() is None:
        what = {"because": because, "profile": one.profile, **detail}
        record(connection, Event(EventName.STUDY_HELD, now, one.site, one.study_instance_uid, one.trace_id, what))


def tell_deidentified(connection: Connection, site: str, study_instance_uid: str, now: datetime) -> None:
    """Record StudyDeidentified when the study is complete and no de-identification of it is left to do."""
    on_its_way = connection.execute(
        select(consignment.c.trace_id, consignment.c.profile, consignment.c.instances)
        .where(consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid)
        .where(consignment.c.profile != NO_PROFILE, consignment.c.evidence != "")
    ).first()
    if on_its_way is None:
        return
    left = connection.execute(
        select(func.count()).where(
            job.c.site == site, job.c.study_instance_uid == study_instance_uid, job.c.kind == "deidentify"
        )
    ).scalar_one()
    if left == 0:
        detail = {"instances": on_its_way.instances, "profile": on_its_way.profile}
        event = Event(EventName.STUDY_DEIDENTIFIED, now, site, study_instance_uid, on_its_way.trace_id, detail)
        record(connection, event)


def make_urgent(connection: Connection, site: str, study_instance_uid: str, priority: int) -> None:
    """Let the waiting jobs of a study go earlier, never later."""
    lanes = connection.execute(
        update(job)
        .where(job.c.site == site, job.c.study_instance_uid == study_instance_uid, job.c.priority > priority)
        .where(job.c.state.in_([JobState.READY.value, JobState.HELD.value]))
        .values(priority=priority)
        .returning(job.c.lane)
    ).scalars()
    for lane in set(lanes):
        tx_notify(connection, topic_of(lane))
    consignments.raise_priority(connection, site, study_instance_uid, priority)
