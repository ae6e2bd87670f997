"""The job table in five verbs: enqueue, claim, complete, fail, heartbeat; and reap for those who fell silent.

Every verb runs in a transaction that the caller owns, so that enqueueing is atomic with the index row that causes it,
and completing with the receipt and the next jobs. A claimed job belongs to its holder (owner and epoch) until its lease
ends; a holder that lost it can neither complete nor fail it. The same statements run on SQLite, where one writer is
alone, and on PostgreSQL, where `FOR UPDATE SKIP LOCKED` keeps claimants apart.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from sqlalchemy import (
    ColumnElement,
    Connection,
    RowMapping,
    and_,
    bindparam,
    case,
    delete,
    literal_column,
    select,
    update,
)

from kernel.database import tx_notify, upsert
from routing.jobs import SUSPECT_ATTEMPTS, JobState, Signal, next_state, states_before
from routing.tables import DETAIL_CHARACTERS, job

LOCAL_LANE: Final = "local"
LOOKAHEAD: Final = 8  # rows looked at for each one wanted, to find more of the same study

Kind = Literal["deidentify", "reidentify", "deliver", "announce"]


@dataclass(frozen=True, slots=True)
class NewJob:
    """A promise to make. `key` names it: while such a job exists, a second one is not made."""

    kind: Kind
    lane: str
    priority: int
    site: str
    study_instance_uid: str
    sop_instance_uid: str  # as received; empty for announce
    profile: str
    trace_id: str
    variant: str = ""
    version: int = 0
    targets: str = ""
    fallback_charset: str = ""
    size_bytes: int = 0
    state: JobState = JobState.READY  # or HELD, and then why
    cause: str = ""
    detail: str = ""

    @property
    def key(self) -> str:
        """What is promised, to whom."""
        what = self.sop_instance_uid or f"{self.study_instance_uid}@{self.version}"
        return f"{self.kind}|{self.lane}|{self.site}|{what}|{self.profile}"


@dataclass(frozen=True, slots=True)
class Job:
    """A claimed job."""

    pk: int
    kind: Kind
    lane: str
    priority: int
    attempts: int  # tries begun, this one included
    site: str
    study_instance_uid: str
    sop_instance_uid: str
    profile: str
    variant: str
    version: int
    targets: str
    fallback_charset: str
    size_bytes: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class Holder:
    """Who may complete a claimed job. `epoch` grows whenever the lane changes hands or its owner starts anew."""

    owner: str
    epoch: int


@dataclass(frozen=True, slots=True)
class Appetite:
    """How much one claim takes. The first job is taken whatever its size."""

    instances: int
    size_bytes: int
    one_study: bool = True  # and one kind and profile
    priority_max: int = 2  # 0: STAT only
    suspects_last: bool = False  # after a failure of the lane: those that may be to blame wait for the others


_COLUMNS = tuple(job.c[name] for name in Job.__slots__)


def topic_of(lane: str) -> str:
    """Return the database topic that wakes the workers of a lane."""
    return f"jobs/{lane}"


def enqueue(connection: Connection, jobs: Sequence[NewJob], now: datetime) -> None:
    """Make promises; those that are made already stay as they are. Wakes the lanes after the commit."""
    rows = [
        {**asdict(new), "state": new.state.value, "key": new.key, "run_at": now, "attempts": 0, "at": now}
        for new in jobs
    ]
    upsert(connection, job, rows, key=["key"])
    for lane in {new.lane for new in jobs if new.state is JobState.READY}:
        tx_notify(connection, topic_of(lane))


def claim(
    connection: Connection, lane: str, holder: Holder, appetite: Appetite, *, now: datetime, lease_s: float
) -> list[Job]:
    """Take the next jobs of a lane, most urgent first, then oldest; empty when none is due.

    A job that was begun SUSPECT_ATTEMPTS times without an end is taken alone, so that what it does to its worker or to
    the peer is done to it alone.
    """
    suspect_last = [case((job.c.attempts >= SUSPECT_ATTEMPTS, 1), else_=0)] if appetite.suspects_last else []
    due = (
        select(*_COLUMNS)
        .where(is_due(lane, now, appetite.priority_max))
        .order_by(job.c.priority, *suspect_last, job.c.pk)
        .limit(appetite.instances * (LOOKAHEAD if appetite.one_study else 1))
        .with_for_update(skip_locked=True)
    )
    taken = _choose(connection.execute(due).mappings().all(), appetite)
    if taken:
        connection.execute(
            update(job)
            .where(job.c.pk.in_([row["pk"] for row in taken]))
            .values(
                state=next_state(JobState.READY, Signal.CLAIMED).value,
                attempts=job.c.attempts + 1,
                owner=holder.owner,
                epoch=holder.epoch,
                lease_until=now + timedelta(seconds=lease_s),
            )
        )
    return [Job(**{**row, "attempts": row["attempts"] + 1}) for row in taken]


def is_due(lane: str, now: datetime, priority_max: int) -> ColumnElement[bool]:
    """Return what a job must be to be claimed. The state is a literal, or the partial index would not be used."""
    return and_(
        job.c.lane == lane,
        job.c.state == literal_column("'ready'"),
        job.c.priority <= priority_max,
        job.c.run_at <= now,
    )


def has_work(connection: Connection, lane: str, now: datetime, priority_max: int = 2) -> bool:
    """Return whether a claim would find something: a look that writes nothing."""
    return connection.execute(select(job.c.pk).where(is_due(lane, now, priority_max)).limit(1)).first() is not None


def _choose(rows: Sequence[RowMapping], appetite: Appetite) -> list[RowMapping]:
    """Return what is taken of the rows that are due: the first, and what may go with it."""
    first: RowMapping | None = None
    taken: list[RowMapping] = []
    left = appetite.size_bytes
    for row in rows:
        if first is None:
            first = row
        elif (appetite.one_study and _group(row) != _group(first)) or row["attempts"] >= SUSPECT_ATTEMPTS:
            continue
        elif row["size_bytes"] > left:
            break
        taken.append(row)
        left -= row["size_bytes"]
        if len(taken) == appetite.instances or first["attempts"] >= SUSPECT_ATTEMPTS or first["kind"] == "announce":
            break
    return taken


def _group(row: RowMapping) -> tuple[object, ...]:
    return tuple(row[name] for name in ("kind", "priority", "site", "study_instance_uid", "profile"))


def complete(connection: Connection, holder: Holder, jobs: Iterable[Job]) -> set[int]:
    """End jobs that succeeded and return the keys of those that were still the holder's.

    What a job leads to (receipts, next jobs) is written by the caller in the same transaction, for those alone.
    """
    ended = (
        delete(job)
        .where(job.c.pk.in_([one.pk for one in jobs]))
        .where(job.c.state == JobState.RUNNING.value, job.c.owner == holder.owner, job.c.epoch == holder.epoch)
        .returning(job.c.pk)
    )
    return set(connection.execute(ended).scalars())


@dataclass(frozen=True, slots=True)
class Failure:
    """How a job failed: the signal decides its next state; `run_at` is when it may be tried again."""

    signal: Signal
    cause: str
    detail: str
    run_at: datetime
    counts: bool = True  # False: the instance was never put to the test, so the try is not held against it


def fail(connection: Connection, holder: Holder, failed: Sequence[tuple[Job, Failure]]) -> set[int]:
    """Say how jobs failed and return the keys of those that were still the holder's."""
    if not failed:
        return set()
    ours = set(
        connection.execute(
            select(job.c.pk)
            .where(job.c.pk.in_([one.pk for one, _ in failed]))
            .where(job.c.state == JobState.RUNNING.value, job.c.owner == holder.owner, job.c.epoch == holder.epoch)
            .with_for_update()
        ).scalars()
    )
    rows = [
        {
            "failed_pk": one.pk,
            "state": next_state(JobState.RUNNING, failure.signal).value,
            "cause": failure.cause,
            "detail": failure.detail[:DETAIL_CHARACTERS],
            "run_at": failure.run_at,
            "attempts": one.attempts - (0 if failure.counts else 1),
        }
        for one, failure in failed
        if one.pk in ours
    ]
    if rows:
        columns = {name: bindparam(name) for name in ("state", "cause", "detail", "run_at", "attempts")}
        connection.execute(
            update(job).where(job.c.pk == bindparam("failed_pk")).values(owner="", lease_until=None, **columns), rows
        )
    return ours


def give_back(connection: Connection, holder: Holder, jobs: Sequence[Job]) -> None:
    """Return jobs that were claimed and not begun, as if they had never been claimed."""
    connection.execute(
        update(job)
        .where(job.c.pk.in_([one.pk for one in jobs]))
        .where(job.c.state == JobState.RUNNING.value, job.c.owner == holder.owner, job.c.epoch == holder.epoch)
        .values(state=JobState.READY.value, attempts=job.c.attempts - 1, owner="", lease_until=None)
    )


def heartbeat(connection: Connection, holder: Holder, pks: Collection[int], now: datetime, lease_s: float) -> None:
    """Say that the holder still works on these jobs: their leases begin anew.

    Only on these: what a worker dropped by a mistake must come back when its lease ends.
    """
    if pks:
        connection.execute(
            update(job)
            .where(job.c.pk.in_(pks), job.c.state == JobState.RUNNING.value)
            .where(job.c.owner == holder.owner, job.c.epoch == holder.epoch)
            .values(lease_until=now + timedelta(seconds=lease_s))
        )


def reap(connection: Connection, now: datetime) -> int:
    """Make ready again what silent workers hold beyond their lease, and return how many."""
    (before,) = states_before(Signal.LEASE_EXPIRED)
    expired = (
        update(job)
        .where(job.c.state == literal_column("'running'"), job.c.lease_until < now)
        .values(state=next_state(before, Signal.LEASE_EXPIRED).value, owner="", lease_until=None)
        .returning(job.c.lane)
    )
    lanes = list(connection.execute(expired).scalars())
    for lane in set(lanes):
        tx_notify(connection, topic_of(lane))
    return len(lanes)
