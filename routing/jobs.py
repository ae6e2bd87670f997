"""The life of a job as one table, the pause of a lane as arithmetic. Pure: no rows, no clock, no randomness of its own.

A *job* promises one step for one instance: de-identify it, deliver it, announce its study. `TRANSITIONS` says
everything that can happen to it. A *lane* is the way to one destination; what is wrong with the way (link, full,
authentication) pauses the lane and leaves its jobs ready, what is wrong with an instance (poison, conflict, residue)
stops that job and leaves the lane flowing. `routing.queue` and `routing.lanes` keep both in rows.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from types import MappingProxyType

from routing.transport import Cause

SUSPECT_ATTEMPTS = 3  # attempts after which an instance that keeps losing the link waits by itself and lets others pass
SUSPECT_PAUSE_CAP_S = 30.0  # the longest such wait; short, as nothing says yet that the instance is to blame
RETRY_AFTER_MAX_S = 3600.0  # a peer may ask for a pause; not for a longer one than this
DOUBLINGS_MAX = 30  # beyond, the exponent only threatens to overflow


class JobState(StrEnum):
    """Where a job stands. A done job has no row: its delivery row and its event are what remains of it."""

    READY = "ready"  # waits for a worker
    RUNNING = "running"  # a worker holds it, until its lease ends
    HELD = "held"  # waits for a person: residue, or a rule that asks for a look at the pixels
    DEAD = "dead"  # stopped for good unless a person retries it; has a cause and a detail
    DONE = "done"  # has a receipt, or has made its successor


class Signal(StrEnum):
    """What can happen to a job."""

    CLAIMED = "claimed"
    SUCCEEDED = "succeeded"
    LANE_FAILED = "lane failed"  # link, full or authentication: says nothing about the instance
    REFUSED = "refused"  # poison or conflict, or our own bytes are damaged
    HOLD = "hold"  # the residue search found identity, or the instance cannot be de-identified
    LEASE_EXPIRED = "lease expired"  # its worker fell silent
    RELEASED = "released"  # a person looked at it
    RETRIED = "retried"  # a person says: once more


TRANSITIONS: Mapping[tuple[JobState, Signal], JobState] = MappingProxyType(
    {
        (JobState.READY, Signal.CLAIMED): JobState.RUNNING,
        (JobState.RUNNING, Signal.SUCCEEDED): JobState.DONE,
        (JobState.RUNNING, Signal.LANE_FAILED): JobState.READY,
        (JobState.RUNNING, Signal.REFUSED): JobState.DEAD,
        (JobState.RUNNING, Signal.HOLD): JobState.HELD,
        (JobState.RUNNING, Signal.LEASE_EXPIRED): JobState.READY,
        (JobState.HELD, Signal.RELEASED): JobState.READY,
        (JobState.DEAD, Signal.RETRIED): JobState.READY,
    }
)

SIGNAL_OF: Mapping[Cause, Signal] = MappingProxyType(
    {
        Cause.LINK: Signal.LANE_FAILED,
        Cause.FULL: Signal.LANE_FAILED,
        Cause.AUTHENTICATION: Signal.LANE_FAILED,
        Cause.POISON: Signal.REFUSED,
        Cause.CONFLICT: Signal.REFUSED,
    }
)


def next_state(state: JobState, signal: Signal) -> JobState:
    """Return where `signal` takes a job; a pair that the table does not have is our own mistake."""
    after = TRANSITIONS.get((state, signal))
    assert after is not None, f"a {state} job cannot be {signal}"
    return after


def states_before(signal: Signal) -> tuple[JobState, ...]:
    """Return the states in which a job can take `signal`."""
    return tuple(state for state, known in TRANSITIONS if known is signal)


@dataclass(frozen=True, slots=True)
class Backoff:
    """Pauses between attempts: base * 2^n, at most cap, with full jitter."""

    base_s: float
    cap_s: float

    def pause_s(self, failures: int, random: Callable[[], float]) -> float:
        """Return a pause after the n-th failure in a row (from one); `random` gives [0, 1).

        Full jitter, so that the sites of a hub that came back do not all call at once.
        """
        ceiling_s = min(self.cap_s, self.base_s * 2.0 ** min(max(failures, 1) - 1, DOUBLINGS_MAX))
        return ceiling_s * random()


@dataclass(frozen=True, slots=True)
class Breaker:
    """Whether a lane may send. Flowing while `failures` is zero; else paused until `until`, then one probe goes first."""

    failures: int = 0
    cause: Cause | None = None
    until: datetime | None = None
    status: str = ""
    detail: str = ""

    @property
    def is_flowing(self) -> bool:
        """Whether the last thing that the destination said was good."""
        return self.failures == 0

    def wait_s(self, now: datetime) -> float:
        """Return the seconds until the lane may try again; zero when it may."""
        return 0.0 if self.until is None else max(0.0, (self.until - now).total_seconds())


FLOWING = Breaker()


@dataclass(frozen=True, slots=True)
class LaneFailure:
    """What a destination, or the lack of one, said that concerns everything on its lane."""

    cause: Cause
    status: str = ""
    detail: str = ""
    retry_after_s: float | None = None


def after_failure(
    breaker: Breaker, failure: LaneFailure, now: datetime, backoff: Backoff, random: Callable[[], float]
) -> Breaker:
    """Return the breaker after a failure of the lane.

    Link and full: the pause grows with each failure in a row, or is what the peer asked for if that is longer.
    Authentication: the longest pause at once; guessing does not help, a person is told and may say "retry".
    """
    failures = breaker.failures + 1
    pause_s = backoff.cap_s if failure.cause is Cause.AUTHENTICATION else backoff.pause_s(failures, random)
    if failure.retry_after_s is not None:
        pause_s = max(pause_s, min(failure.retry_after_s, RETRY_AFTER_MAX_S))
    return Breaker(failures, failure.cause, now + timedelta(seconds=pause_s), failure.status, failure.detail)


def after_retry(breaker: Breaker, now: datetime) -> Breaker:
    """Return the breaker after a person said "retry": the probe may go at once, the count of failures starts again."""
    return breaker if breaker.is_flowing else replace(breaker, failures=1, until=now)


def suspect_pause_s(attempts: int, backoff: Backoff, random: Callable[[], float]) -> float:
    """Return how long an instance waits by itself after its n-th try that ended without a word of the peer.

    Zero at first: the lane's own pause is enough. From SUSPECT_ATTEMPTS on the others go first, because an instance
    whose bytes make a peer hang up must not block its study; it is never given up for that.
    """
    if attempts < SUSPECT_ATTEMPTS:
        return 0.0
    own = Backoff(backoff.base_s, min(backoff.cap_s, SUSPECT_PAUSE_CAP_S))
    return own.pause_s(attempts - SUSPECT_ATTEMPTS + 1, random)


def next_batch_limit(limit: int, limit_max: int, *, cut: bool) -> int:
    """Return the instances in the next batch: half after a cut, twice after a success, between one and `limit_max`.

    On a bad link less is sent for nothing, and an instance that makes the peer hang up is soon alone in its batch.
    """
    return max(1, limit // 2) if cut else min(limit_max, limit * 2)
