"""What a person may ask about deliveries, and the two things they may say: retry, and release."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, func, select, update

from kernel.audit import Action, Line, append
from kernel.database import tx_notify
from routing import pixel_reviews
from routing.breakers import read_breaker, write_breaker
from routing.jobs import JobState, Signal, after_retry, next_state, states_before
from routing.queue import LOCAL_LANE, topic_of
from routing.tables import consignment, job, lane

JOBS_MAX = 1000  # listed by one question


@dataclass(frozen=True, slots=True)
class LaneStatus:
    """A lane as a person wants to see it."""

    name: str
    ready: int
    running: int
    held: int
    dead: int
    oldest_age_s: float | None  # of what waits or runs
    flowing: bool
    paused_s: float  # until the next attempt
    cause: str  # why it does not flow: link, full, authentication
    status: str
    detail: str
    delivered_at: datetime | None


@dataclass(frozen=True, slots=True)
class StoppedJob:
    """A job that waits for a person."""

    kind: str
    lane: str
    site: str
    study_instance_uid: str
    sop_instance_uid: str
    cause: str
    detail: str
    attempts: int
    at: datetime


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a study is on its way to one destination."""

    destination: str
    profile: str
    sent_study_instance_uid: str
    instances: int
    delivered: int
    evidence: str
    delivered_at: datetime | None


def lanes(connection: Connection, destinations: Sequence[str], now: datetime) -> list[LaneStatus]:
    """Return the local lane, every destination of the configuration, and every other lane that still has jobs."""
    counted: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime] = {}
    rows = connection.execute(
        select(job.c.lane, job.c.state, func.count().label("jobs"), func.min(job.c.at).label("oldest")).group_by(
            job.c.lane, job.c.state
        )
    )
    for row in rows:
        counted.setdefault(row.lane, {})[row.state] = row.jobs
        if row.state in (JobState.READY.value, JobState.RUNNING.value):
            oldest[row.lane] = min(row.oldest, oldest.get(row.lane, row.oldest))
    delivered = {row.name: row.delivered_at for row in connection.execute(select(lane.c.name, lane.c.delivered_at))}
    names = dict.fromkeys([LOCAL_LANE, *destinations, *counted])
    return [
        _lane_status(connection, name, counted.get(name, {}), oldest.get(name), delivered.get(name), now=now)
        for name in names
    ]


def _lane_status(
    connection: Connection,
    name: str,
    counted: dict[str, int],
    oldest: datetime | None,
    delivered_at: datetime | None,
    *,
    now: datetime,
) -> LaneStatus:
    breaker, _ = read_breaker(connection, name)
    return LaneStatus(
        name=name,
        ready=counted.get(JobState.READY.value, 0),
        running=counted.get(JobState.RUNNING.value, 0),
        held=counted.get(JobState.HELD.value, 0),
        dead=counted.get(JobState.DEAD.value, 0),
        oldest_age_s=None if oldest is None else (now - oldest).total_seconds(),
        flowing=breaker.is_flowing,
        paused_s=breaker.wait_s(now),
        cause=breaker.cause.value if breaker.cause else "",
        status=breaker.status,
        detail=breaker.detail,
        delivered_at=delivered_at,
    )


def stopped_jobs(connection: Connection, state: JobState, lane_name: str | None = None) -> list[StoppedJob]:
    """Return held or dead jobs, oldest first, at most JOBS_MAX."""
    query = select(job).where(job.c.state == state.value).order_by(job.c.pk).limit(JOBS_MAX)
    if lane_name is not None:
        query = query.where(job.c.lane == lane_name)
    return [
        StoppedJob(
            row.kind, row.lane, row.site, row.study_instance_uid, row.sop_instance_uid,
            row.cause, row.detail, row.attempts, row.at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def progress(connection: Connection, site: str, study_instance_uid: str) -> list[Progress]:
    """Return how far a study is, by destination."""
    query = (
        select(consignment)
        .where(consignment.c.site == site, consignment.c.study_instance_uid == study_instance_uid)
        .order_by(consignment.c.destination)
    )
    return [
        Progress(
            row.destination, row.profile, row.sent_study_instance_uid,
            row.instances, row.delivered, row.evidence, row.delivered_at,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def retry(connection: Connection, lane_name: str, now: datetime) -> int:
    """Try a lane again at once: its dead jobs are ready, its pause is over. Return how many jobs came back."""
    (before,) = states_before(Signal.RETRIED)
    came_back = connection.execute(
        update(job)
        .where(job.c.lane == lane_name, job.c.state == before.value)
        .values(state=next_state(before, Signal.RETRIED).value, run_at=now, attempts=0, cause="", detail="")
    ).rowcount
    connection.execute(
        update(job).where(job.c.lane == lane_name, job.c.state == JobState.READY.value).values(run_at=now)
    )
    breaker, limit = read_breaker(connection, lane_name)
    if not breaker.is_flowing:
        write_breaker(connection, lane_name, after_retry(breaker, now), limit)
    tx_notify(connection, topic_of(lane_name))
    return came_back


def release(connection: Connection, study_instance_uid: str, who: str, now: datetime, site: str | None = None) -> int:
    """Release what a study is held for, with an audit line; return how many jobs came back.

    A delivery that waited for a look at its pixels goes. What residue or a failure held is de-identified and searched
    again: a person cannot wave identity through. What a person rejected in a review of pixels stays.
    """
    (before,) = states_before(Signal.RELEASED)
    held = update(job).where(job.c.study_instance_uid == study_instance_uid, job.c.state == before.value)
    held = held.where(job.c.cause != pixel_reviews.REJECTED)
    if site is not None:
        held = held.where(job.c.site == site)
    lanes_back = list(
        connection.execute(
            held.values(
                state=next_state(before, Signal.RELEASED).value, run_at=now, attempts=0, cause="", detail=""
            ).returning(job.c.lane)
        ).scalars()
    )
    pixel_reviews.release(connection, study_instance_uid, who, now, site)
    for name in set(lanes_back):
        tx_notify(connection, topic_of(name))
    detail = {"released": len(lanes_back)}
    line = Line(
        now, Action.APPLICATION_ACTIVITY, who, site=site or "", study_instance_uid=study_instance_uid, detail=detail
    )
    append(connection, line)
    return len(lanes_back)
