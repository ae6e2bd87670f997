"""A STOW-RS body as it arrives: parts to the stage, complete ones to ingest while the next is received. No sockets.

`feed` and `finish` are called by one thread at a time; ingest runs in threads of its own, some instances at once, so
that their commits share flushes. What is in memory is one chunk, and 64 kB of each instance in flight.
"""

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field
from typing import Final, Protocol

from gateway.dicomweb.http.multipart import Event, PartBegin, PartData, PartEnd
from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.results import Failed, Result, Stored
from kernel.archive.blobs import Blobs, discard
from kernel.archive.ingest import Ingest
from kernel.archive.quarantine import Quarantine
from kernel.archive.records import Origin, Outcome, Staged
from kernel.errors import ExchangeError, InstanceConflict, InvalidRequest, Refused
from kernel.telemetry import get_logger

IN_FLIGHT_MAX: Final = 8  # instances of one request that are being made durable at once
KEPT_MAX: Final = 100  # refusals of one request that are remembered
log = get_logger("gateway.dicomweb")


class Framing(Protocol):
    """How a body is taken apart: `multipart.MultipartParser`, or `Single`."""

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take the next bytes; yield what they complete."""
        ...

    def finish(self) -> None:
        """Say that the body has ended; raises when it was cut."""
        ...


class Single:
    """A body that is one instance (Content-Type application/dicom)."""

    def __init__(self) -> None:
        self._begun = False

    def feed(self, chunk: bytes) -> Iterator[Event]:
        """Take the next bytes; yield what they complete."""
        if not self._begun:
            self._begun = True
            yield PartBegin({})
        if chunk:
            yield PartData(memoryview(chunk))

    def finish(self) -> None:
        """Say that the body has ended."""
        if not self._begun:
            raise InvalidRequest(reason="the body is empty")


@dataclass(frozen=True, slots=True)
class Taker:
    """What becomes of a complete part: ingest, or quarantine."""

    blobs: Blobs
    ingest: Ingest
    quarantine: Quarantine
    origin: Origin
    study_instance_uid: str | None  # which all instances must belong to, when the URL names one
    instance_bytes_max: int
    _kept: set[tuple[str, ...]] = field(default_factory=set[tuple[str, ...]])  # of this request; at most KEPT_MAX

    def take(self, staged: Staged, refusal: Refused | None) -> Result:
        """Ingest a staged instance, or keep apart what is none. Never raises: the result says."""
        try:
            if refusal is not None:
                self._keep(staged, refusal)
                return Failed(refusal, staged.sop_class_uid, staged.sop_instance_uid)
            done = self.ingest.ingest(staged, self.origin, study_instance_uid=self.study_instance_uid)
        except Exception as error:  # one instance must not fail the others; the result carries it
            if not isinstance(error, ExchangeError):
                log.exception("ingest_failed", session=self.origin.session)
            return Failed(error, staged.sop_class_uid, staged.sop_instance_uid)
        if done.outcome is Outcome.CONFLICT:
            conflict = InstanceConflict(sop_instance_uid=done.sop_instance_uid)
            return Failed(conflict, done.sop_class_uid, done.sop_instance_uid)
        return Stored(done.study_instance_uid, done.series_instance_uid, done.sop_class_uid, done.sop_instance_uid)

    def _keep(self, staged: Staged, refusal: Refused) -> None:
        """Keep what is refused; thousands of equal parts are written and flushed once."""
        declared = (staged.transfer_syntax_uid, staged.sop_class_uid, staged.sop_instance_uid)
        what = (staged.sha256, *declared, refusal.code)
        if what in self._kept:
            discard(staged)
            return
        self.quarantine.keep(staged, self.origin, refusal)
        if len(self._kept) < KEPT_MAX:
            self._kept.add(what)


class Takings:
    """What is made durable while the next is received: at most IN_FLIGHT_MAX at once, results in their order."""

    def __init__(self, taker: Taker, ingesters: Executor) -> None:
        self.taker = taker
        self._ingesters = ingesters
        self._results: list[Result | Future[Result]] = []
        self._in_flight: deque[Future[Result]] = deque()

    def take(self, staged: Staged, refusal: Refused | None) -> None:
        """Ingest a stage, or keep it apart; waits for the oldest when too many are on their way."""
        while len(self._in_flight) >= IN_FLIGHT_MAX:
            self._in_flight.popleft().exception()  # waits; the result is read at the end
        future = self._ingesters.submit(self.taker.take, staged, refusal)
        self._in_flight.append(future)
        self._results.append(future)

    def fail(self, error: Exception) -> None:
        """Note a part of which there is nothing to keep."""
        if not isinstance(error, ExchangeError):
            log.error("stage_failed", session=self.taker.origin.session, exc_info=error)
        self._results.append(Failed(error))

    def results(self) -> list[Result]:
        """Wait for all and return one result for each, in order."""
        return [result if isinstance(result, Stored | Failed) else result.result() for result in self._results]

    def settle(self) -> None:
        """Wait for those in flight: they are whole and stay."""
        for future in self._in_flight:
            future.exception()


class Receiver:
    """Receives one body of instances."""

    def __init__(self, framing: Framing, taker: Taker, ingesters: Executor) -> None:
        self._framing = framing
        self._takings = Takings(taker, ingesters)
        self._taker = taker
        self._lock = threading.Lock()  # an abort may come while the last chunk is still being written
        self._part: Part | None = None
        self._failed: Exception | None = None  # of the present part

    def feed(self, chunks: Iterable[bytes]) -> None:
        """Take the next chunks of the body.

        Raises
        ------
        InvalidRequest, LimitExceeded
            The body cannot be taken apart any further; complete instances before stay.
        """
        with self._lock:
            for chunk in chunks:
                for event in self._framing.feed(chunk):
                    self._handle(event)

    def finish(self) -> list[Result]:
        """Say that the body has ended; return one result per part, in their order.

        Raises
        ------
        InvalidRequest
            The body was cut; complete instances stay.
        """
        with self._lock:
            self._framing.finish()
            if self._part is not None:
                self._end_part(self._part)
        return self._takings.results()

    def abort(self) -> None:
        """Forget the part that is being received and wait for those in flight: they are whole and stay."""
        with self._lock:
            if self._part is not None:
                self._part.discard()
        self._takings.settle()

    def _handle(self, event: Event) -> None:
        match event:
            case PartBegin(headers):
                self._part = Part(self._taker.blobs, headers, self._taker.instance_bytes_max)
                self._failed = None
            case PartData(data):
                assert self._part is not None, "data follow the beginning of a part"
                if self._failed is None:
                    try:
                        self._part.write(data)
                    except ExchangeError as error:  # this part fails; the rest of the body is still read
                        self._failed = error
            case PartEnd():
                assert self._part is not None, "an end follows the beginning of a part"
                self._end_part(self._part)

    def _end_part(self, part: Part) -> None:
        self._part = None
        try:
            staged = part.finish() if self._failed is None else None
        except Exception as error:  # noqa: BLE001 (this part fails, its neighbours do not; the result carries it)
            self._failed, staged = error, None
        if staged is not None:
            self._takings.take(staged, part.refusal)
            return
        part.discard()
        assert self._failed is not None, "what has no stage has failed"
        self._takings.fail(self._failed)
