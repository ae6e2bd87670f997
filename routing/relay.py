"""One turn of a lane: look, claim a batch, carry it, record its receipts.

A batch is of one study, the most urgent and oldest first, so that STAT overtakes between batches. What failed with the
lane is claimed again after the breaker's pause and a probe; what has a receipt is never sent again.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import random
from typing import Final

from sqlalchemy import Connection

from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock
from kernel.config import RoutingConfig
from kernel.database import Database
from kernel.errors import Denied, PeerBusy, Refused, Retriable
from kernel.telemetry import get_logger, stage
from routing import consignments, queue
from routing.breakers import Pace, read_breaker, write_breaker
from routing.jobs import Backoff, Breaker, LaneFailure, after_failure
from routing.leases import holds
from routing.parcels import is_whole, load_parcels
from routing.queue import Appetite, Holder, Job
from routing.receipts import Answered, count_metrics, key_of, match, record_announced, record_receipts
from routing.transport import Cause, Manifest, Parcel, Receipt, ReceiptState, Transport

STAT: Final = 0
ANY: Final = 2
LOST_LEASE_PAUSE_S: Final = 5.0

log = get_logger("routing")


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: whether to turn again at once, or how long the lane wants to wait (None: until woken)."""

    worked: bool
    wait_s: float | None = None


class Relay:
    """One slot of one lane. One thread turns it; the slot with `priority_max` 0 is kept free for STAT."""

    def __init__(  # noqa: PLR0913 (the parts that one page wires)
        self,
        lane: str,
        transport: Transport,
        *,
        db: Database,
        blobs: Blobs,
        clock: Clock,
        settings: RoutingConfig,
        priority_max: int = ANY,
        random: Callable[[], float] = random,
    ) -> None:
        self.lane = lane
        self._transport = transport
        self._db = db
        self._blobs = blobs
        self._clock = clock
        self._settings = settings
        self._priority_max = priority_max
        backoff = Backoff(settings.backoff_base_s, settings.backoff_cap_s)
        self._pace = Pace(backoff, settings.batch_instances, random)
        self._probed: Breaker | None = None
        self.in_flight: frozenset[int] = frozenset()  # jobs that the keeper must keep alive; read by its thread

    def turn(self, holder: Holder) -> Turn:
        """Do at most one batch.

        Raises
        ------
        Retriable
            The database cannot take a change now; nothing was lost.
        """
        with self._db.read() as connection:
            breaker, limit = read_breaker(connection, self.lane)
            if not queue.has_work(connection, self.lane, self._clock.now(), self._priority_max):
                return Turn(worked=False)
        wait_s = breaker.wait_s(self._clock.now())
        if wait_s > 0:
            return Turn(worked=False, wait_s=wait_s)
        if not breaker.is_flowing and not self._probe(breaker, limit):
            return Turn(worked=True)
        jobs = self._claim(holder, limit, suspects_last=not breaker.is_flowing)
        if jobs is None:
            return Turn(worked=False, wait_s=LOST_LEASE_PAUSE_S)
        if not jobs:
            return Turn(worked=False)
        try:
            self.in_flight = frozenset(job.pk for job in jobs)
            with stage("deliver"):
                self._carry(holder, jobs)
        finally:
            self.in_flight = frozenset()
        return Turn(worked=True)

    def close(self) -> None:
        """Close the transport."""
        self._transport.close()

    def _probe(self, breaker: Breaker, limit: int) -> bool:
        """Ask once, after a pause, whether the destination lives again."""
        if self._probed == breaker:
            return True  # it answered, and nothing was said since
        answer = self._transport.probe()
        if answer.is_success:
            self._probed = breaker
            return True
        failure = LaneFailure(answer.cause or Cause.LINK, answer.status, answer.detail, answer.retry_after_s)
        after = after_failure(breaker, failure, self._clock.now(), self._pace.backoff, self._pace.random)
        self._db.write(lambda connection: write_breaker(connection, self.lane, after, limit))
        return False

    def _claim(self, holder: Holder, limit: int, *, suspects_last: bool) -> list[Job] | None:
        settings = self._settings
        instances = min(limit or settings.batch_instances, settings.batch_instances)
        appetite = Appetite(
            instances, settings.batch_bytes, priority_max=self._priority_max, suspects_last=suspects_last
        )

        def claim(connection: Connection) -> list[Job] | None:
            if not holds(connection, self.lane, holder):
                return None
            now = self._clock.now()
            return queue.claim(connection, self.lane, holder, appetite, now=now, lease_s=settings.lease_s)

        return self._db.write(claim)

    def _carry(self, holder: Holder, jobs: Sequence[Job]) -> None:
        with self._db.read() as connection:
            parcels = {} if jobs[0].kind == "announce" else load_parcels(connection, self._blobs, jobs)
            manifest = consignments.manifest_of(connection, key_of(jobs[0]))
        if jobs[0].kind == "announce":
            self._announce(holder, jobs[0], manifest)
            return
        answers = self._deliver(jobs, parcels, manifest)
        self._db.write(
            lambda connection: record_receipts(connection, holder, answers, manifest, self._pace, now=self._clock.now())
        )
        count_metrics(answers)
        cut = [answer.receipt for answer in answers if answer.receipt.state is ReceiptState.RETRY]
        if cut:
            log.warning("delivery_cut", lane=self.lane, cause=cut[0].cause, status=cut[0].status, instances=len(cut))

    def _deliver(self, jobs: Sequence[Job], parcels: dict[int, Parcel], manifest: Manifest | None) -> list[Answered]:
        whole = [job for job in jobs if job.pk in parcels and is_whole(parcels[job.pk])]
        batch = [parcels[job.pk] for job in whole]
        answers = [_damaged(job) for job in jobs if job not in whole]
        if not batch:
            return answers
        try:
            receipts = self._transport.deliver(batch, manifest)
        except OSError:  # of a blob of ours, as the transport promises: look again at each on the next turn
            detail = "our own bytes could not be read"
            receipts = [Receipt(one.sop_instance_uid, ReceiptState.RETRY, Cause.LINK, "", detail) for one in batch]
        return answers + match(whole, [parcel.sop_instance_uid for parcel in batch], receipts)

    def _announce(self, holder: Holder, job: Job, manifest: Manifest | None) -> None:
        answer = Receipt("", ReceiptState.DELIVERED)
        if manifest is not None:
            answer = self._told(manifest)

        def record(connection: Connection) -> None:
            record_announced(connection, holder, Answered(job, answer), manifest, self._pace, now=self._clock.now())

        self._db.write(record)

    def _told(self, manifest: Manifest) -> Receipt:
        try:
            self._transport.announce(manifest)
        except PeerBusy as error:
            return Receipt("", ReceiptState.RETRY, Cause.FULL, "", str(error))
        except Retriable as error:
            return Receipt("", ReceiptState.RETRY, Cause.LINK, "", str(error))
        except Denied as error:
            return Receipt("", ReceiptState.RETRY, Cause.AUTHENTICATION, "", str(error))
        except Refused as error:
            return Receipt("", ReceiptState.REFUSED, Cause.POISON, "", str(error))
        return Receipt("", ReceiptState.DELIVERED)


def _damaged(job: Job) -> Answered:
    detail = "the blob is missing or shorter than it was"
    return Answered(job, Receipt("", ReceiptState.REFUSED, Cause.POISON, "", detail), damaged=True)
