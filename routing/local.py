"""One turn of the work that this node does by itself: claim, run the step, record its outcome.

An instance that cannot be de-identified is held and the others go on. One that ends its worker's process again and
again is taken alone, and then held too.
"""

from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime, timedelta
from itertools import takewhile
from random import random
from typing import Any, Final

from sqlalchemy import Connection

from anonymizer.release import Held
from kernel.clock import Clock
from kernel.config import RoutingConfig
from kernel.database import Change, Database
from kernel.errors import Corrupt, ExchangeError, Refused, Retriable
from kernel.telemetry import get_logger
from routing import queue
from routing.jobs import Backoff, Signal
from routing.promises import tell_held
from routing.queue import LOCAL_LANE, Appetite, Failure, Holder, Job
from routing.receipts import DAMAGED, tell_failed
from routing.reidentification import Home, Reidentifier, record_home
from routing.relay import ANY, Turn
from routing.steps import Deidentifier, Derived, Made, record_derived
from routing.transport import Cause, Receipt, ReceiptState

BATCH_INSTANCES: Final = 8  # claimed at once; small, so that STAT waits for milliseconds
BATCH_BYTES: Final = 64 * 1024 * 1024
ATTEMPTS_MAX: Final = 6  # tries that ended with their process; more would be no accident

log = get_logger("routing")


class LocalWork:
    """One local worker's turns. One thread turns it; the one with `priority_max` 0 is kept free for STAT."""

    lane = LOCAL_LANE

    def __init__(  # noqa: PLR0913 (the parts that one page wires)
        self,
        db: Database,
        clock: Clock,
        settings: RoutingConfig,
        deidentifier: Deidentifier,
        reidentifier: Reidentifier,
        *,
        priority_max: int = ANY,
        is_stopping: Callable[[], bool] = lambda: False,
        random: Callable[[], float] = random,
    ) -> None:
        self._db = db
        self._clock = clock
        self._settings = settings
        self._deidentifier = deidentifier
        self._reidentifier = reidentifier
        self._priority_max = priority_max
        self._is_stopping = is_stopping
        self._backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s)
        self._random = random
        self.in_flight: frozenset[int] = frozenset()

    def turn(self, holder: Holder) -> Turn:
        """Do at most one batch; raises Retriable when the database cannot take a change now."""
        with self._db.read() as connection:
            if not queue.has_work(connection, LOCAL_LANE, self._clock.now(), self._priority_max):
                return Turn(worked=False)
        appetite = Appetite(BATCH_INSTANCES, BATCH_BYTES, one_study=False, priority_max=self._priority_max)
        lease_s = self._settings.lease_s
        jobs = self._db.write(
            lambda connection: queue.claim(
                connection, LOCAL_LANE, holder, appetite, now=self._clock.now(), lease_s=lease_s
            )
        )
        try:
            self.in_flight = frozenset(job.pk for job in jobs)
            self._run(holder, jobs)
        finally:
            self.in_flight = frozenset()
        return Turn(worked=bool(jobs))

    def close(self) -> None:
        """Nothing to close."""

    def _run(self, holder: Holder, jobs: list[Job]) -> None:
        begun = takewhile(lambda _: not self._is_stopping(), jobs)  # asked before each
        recorded = {job.pk: self._outcome(holder, job) for job in begun}
        left = [job for job in jobs if job.pk not in recorded]
        if left:
            self._db.write(lambda connection: queue.give_back(connection, holder, left))
        for future in recorded.values():
            future.result()

    def _outcome(self, holder: Holder, job: Job) -> Future[Any]:
        """Run the step and submit the change that records what came of it."""
        done = self._step(holder, job)
        return self._db.submit_batch(record_derived, done) if isinstance(done, Made) else self._db.submit(done)

    def _step(self, holder: Holder, job: Job) -> Made | Change[Any]:
        if job.attempts > ATTEMPTS_MAX:
            return _held(holder, job, Held("ended-its-worker", ""), self._clock.now())
        try:
            result = self._run_step(job)
        except Refused as refusal:
            return _held(holder, job, Held("not-understood", refusal.code), self._clock.now())
        except Corrupt as damage:
            return _damaged(holder, job, damage, self._clock.now())
        except (Retriable, OSError) as error:
            return self._later(holder, job, error, self._clock.now())
        except Exception as error:  # our own mistake about this instance: held, and the others go on
            log.exception("step_failed", step=job.kind, sop_instance_uid=job.sop_instance_uid)
            return _held(holder, job, Held("failed", type(error).__name__), self._clock.now())
        now = self._clock.now()  # not before: a cine whose pixels are looked at takes its time
        if isinstance(result, Held):
            return _held(holder, job, result, now)
        if isinstance(result, Home):
            return lambda connection: record_home(connection, holder, job, result, now)
        return Made(holder, job, result, now)

    def _run_step(self, job: Job) -> Derived | Home | Held:
        return self._reidentifier.bring_home(job) if job.kind == "reidentify" else self._deidentifier.derive(job)

    def _later(self, holder: Holder, job: Job, error: Exception, now: datetime) -> Change[Any]:
        detail = error.code if isinstance(error, ExchangeError) else type(error).__name__
        log.warning("step_later", step=job.kind, sop_instance_uid=job.sop_instance_uid, reason=detail)
        pause_s = self._backoff.pause_s(max(2, job.attempts), self._random)
        failure = Failure(Signal.LANE_FAILED, Cause.FULL, detail, now + timedelta(seconds=pause_s), counts=False)
        return lambda connection: queue.fail(connection, holder, [(job, failure)])


def _held(holder: Holder, job: Job, held: Held, now: datetime) -> Change[Any]:
    def change(connection: Connection) -> None:
        detail = {"in_tag": held.in_tag, "kind": held.kind, "sop_instance_uid": job.sop_instance_uid}
        tell_held(connection, job, held.because, held.in_tag, detail, now=now)
        queue.fail(connection, holder, [(job, Failure(Signal.HOLD, held.because, held.in_tag, now))])

    return change


def _damaged(holder: Holder, job: Job, damage: Corrupt, now: datetime) -> Change[Any]:
    def change(connection: Connection) -> None:
        if queue.fail(connection, holder, [(job, Failure(Signal.REFUSED, DAMAGED, str(damage), now))]):
            receipt = Receipt(job.sop_instance_uid, ReceiptState.REFUSED, None, damage.code, str(damage))
            tell_failed(connection, job, DAMAGED, receipt, now)

    return change
