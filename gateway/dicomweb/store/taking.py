"""Staged instances on their way into the archive while the next are received: the usual ones in groups that share a commit.

One commit for some costs little more than for one, and none of them needs a thread. What the commit should not wait for,
a large instance, has a thread of its own, and so has what is kept apart.
"""

import threading
from collections import deque
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.dicomweb.store.results import Failed, Result, Stored
from kernel.archive.blobs.store import Blobs, discard
from kernel.archive.ingest.committer import LocalCommitter
from kernel.archive.ingest.ingest import TOGETHER_BYTES_MAX, Ingest, Prepared
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Ingested, Origin, Outcome, Staged
from kernel.clock import Clock
from kernel.errors import ExchangeError, InstanceConflict, Refused
from kernel.telemetry import get_logger

IN_FLIGHT_MAX: Final = 16  # instances of one request that are being made durable at once
GROUP_MAX: Final = 8  # of them that share a commit: as many are received meanwhile
SLOW_S: Final = 0.05  # for what comes more slowly no instance waits: it may be looked at before the next is here
KEPT_MAX: Final = 100  # refusals of one request that are remembered
log = get_logger("gateway.dicomweb")


@dataclass(frozen=True, slots=True)
class Taker:
    """What becomes of a complete part: ingest, or quarantine."""

    blobs: Blobs
    ingest: Ingest
    committer: LocalCommitter
    quarantine: Quarantine
    clock: Clock
    origin: Origin
    study_instance_uid: str | None  # which all instances must belong to, when the URL names one
    instance_bytes_max: int
    _kept: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])  # of this request; at most KEPT_MAX

    def take(self, staged: Staged, refusal: Refused | None) -> Result:
        """Ingest a staged instance, or keep apart what is none. Never raises: the result says."""
        try:
            if refusal is not None:
                self._keep(staged, refusal)
                return Failed(refusal, staged.sop_class_uid, staged.sop_instance_uid)
            return told(self.ingest.ingest(staged, self.origin, study_instance_uid=self.study_instance_uid))
        except Exception as error:  # noqa: BLE001 (one instance must not fail the others; the result carries it)
            return self.failed(error, staged.sop_class_uid, staged.sop_instance_uid)

    def prepare(self, staged: Staged) -> Prepared:
        """Begin to ingest a staged instance; the errors are those of `Ingest.prepare`."""
        return self.ingest.prepare(staged, self.origin, study_instance_uid=self.study_instance_uid)

    def failed(self, error: Exception, sop_class_uid: str, sop_instance_uid: str) -> Failed:
        """Return that an instance failed; what nobody expected is logged."""
        if not isinstance(error, ExchangeError):
            log.error("ingest_failed", session=self.origin.session, exc_info=error)
        return Failed(error, sop_class_uid, sop_instance_uid)

    def has_kept(self, sha256: str, refusal: Refused) -> bool:
        """Whether the same bytes were kept apart for the same reason: thousands of equal parts are written once."""
        return (sha256, refusal.code) in self._kept

    def _keep(self, staged: Staged, refusal: Refused) -> None:
        """Keep what is refused, once."""
        if self.has_kept(staged.sha256, refusal):
            discard(staged)
            return
        self.quarantine.keep(staged, self.origin, refusal)
        if len(self._kept) < KEPT_MAX:
            self._kept.add((staged.sha256, refusal.code))


def told(done: Ingested) -> Result:
    """Return what a client is told of an instance that was ingested."""
    if done.outcome is Outcome.CONFLICT:
        conflict = InstanceConflict(sop_instance_uid=done.sop_instance_uid)
        return Failed(conflict, done.sop_class_uid, done.sop_instance_uid)
    return Stored(done.study_instance_uid, done.series_instance_uid, done.sop_class_uid, done.sop_instance_uid)


class _Pending(Protocol):
    def result(self) -> Result:
        """Wait for what became of an instance; asked as often as one likes."""
        ...


class _Grouped:
    """One instance of a group."""

    __slots__ = ("_indexed", "_prepared", "_result", "_taker")

    def __init__(self, taker: Taker, prepared: Prepared) -> None:
        self._taker = taker
        self._prepared: Prepared | None = prepared
        self._indexed: Future[Ingested] | None = None
        self._result: Result | None = None

    @property
    def prepared(self) -> Prepared:
        """What is to be committed."""
        assert self._prepared is not None, "asked before the result"
        return self._prepared

    def committing(self, indexed: Future[Ingested]) -> None:
        """Note that its commit was asked for."""
        self._indexed = indexed

    def fail(self, error: Exception) -> None:
        """Note that its commit could not even be asked for."""
        self._end(None, error)

    def result(self) -> Result:
        """Wait for its commit, once it was asked for."""
        if self._result is None:
            assert self._indexed is not None, "a group is committed before its instances are waited for"
            try:
                self._end(self._indexed.result(), None)
            except Exception as error:  # noqa: BLE001 (as in `Taker.take`)
                self._end(None, error)
        assert self._result is not None
        return self._result

    def _end(self, ingested: Ingested | None, error: Exception | None) -> None:
        """Keep the result and nothing else of it."""
        prepared, self._prepared, self._indexed = self.prepared, None, None
        prepared.end(ingested)
        if ingested is not None:
            self._result = told(ingested)
        elif error is not None:
            attributes = prepared.received.attributes
            self._result = self._taker.failed(error, attributes.sop_class_uid, attributes.sop_instance_uid)


class Takings:
    """What is made durable while the next is received: at most IN_FLIGHT_MAX at once, results in their order.

    `settle` may come from another thread while one still takes: of a request that was given up.
    """

    def __init__(self, taker: Taker, ingesters: Executor) -> None:
        self.taker = taker
        self._ingesters = ingesters
        self._results: list[Result | _Pending] = []
        self._in_flight: deque[_Pending] = deque()
        self._group: list[_Grouped] = []  # the youngest of them: their commit was not asked for yet
        self._group_max = GROUP_MAX
        self._last_s = taker.clock.monotonic_s()
        self._lock = threading.Lock()

    def take(self, staged: Staged, refusal: Refused | None) -> None:
        """Ingest a stage, or keep it apart; waits for the oldest when too many are on their way."""
        with self._lock:
            self._take(staged, refusal)

    def _take(self, staged: Staged, refusal: Refused | None) -> None:
        if len(self._in_flight) >= IN_FLIGHT_MAX:
            self._commit()
            while len(self._in_flight) >= IN_FLIGHT_MAX:
                self._in_flight.popleft().result()
        pending: _Pending
        if refusal is not None or staged.size_bytes > TOGETHER_BYTES_MAX:
            pending = self._ingesters.submit(self.taker.take, staged, refusal)
        else:
            try:
                pending = _Grouped(self.taker, self.taker.prepare(staged))
            except Exception as error:  # noqa: BLE001 (as in `Taker.take`)
                self._results.append(self.taker.failed(error, staged.sop_class_uid, staged.sop_instance_uid))
                return
            self._group.append(pending)
        self._in_flight.append(pending)
        self._results.append(pending)
        now_s = self.taker.clock.monotonic_s()
        if len(self._group) >= self._group_max or now_s - self._last_s > SLOW_S:
            self._commit()
        self._last_s = now_s

    def fail(self, error: Exception) -> None:
        """Note a part of which there is nothing to keep."""
        if not isinstance(error, ExchangeError):
            log.error("stage_failed", session=self.taker.origin.session, exc_info=error)
        self._results.append(Failed(error))

    def results(self) -> list[Result]:
        """Wait for all and return one result for each, in order."""
        with self._lock:
            self._commit()
            return [result if isinstance(result, Stored | Failed) else result.result() for result in self._results]

    def settle(self) -> None:
        """Wait for those in flight: they are whole and stay."""
        with self._lock:
            self._group_max = 1  # nobody asks for results: what may still come waits for nothing
            self._commit()
            for pending in self._in_flight:
                pending.result()

    def commit(self) -> None:
        """Ask for the commit of those that wait for one: no more comes for the moment."""
        with self._lock:
            self._commit()

    def _commit(self) -> None:
        """Ask for the commit of those that wait for one."""
        group, self._group = self._group, []
        if not group:
            return
        try:
            indexed = self.taker.committer.submit_all([(one.prepared.received, one.prepared.flushing) for one in group])
        except ExchangeError as error:  # busy, or the node is stopping: nothing was promised
            for one in group:
                one.fail(error)
            return
        for one, future in zip(group, indexed, strict=True):
            one.committing(future)
