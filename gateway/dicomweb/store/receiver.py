"""A STOW-RS body as it arrives: parts to the stage, complete ones to ingest while the next is received. No sockets.

`feed` and `finish` are called by one thread at a time. What is in memory is one chunk, and 64 kB of each instance in
flight.
"""

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from typing import Protocol

from gateway.dicomweb.http.multipart import Event, PartBegin, PartData, PartEnd
from gateway.dicomweb.store.part import Part
from gateway.dicomweb.store.results import Result
from gateway.dicomweb.store.taking import Taker, Takings
from kernel.errors import ExchangeError, InvalidRequest


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


class Receiver:
    """Receives one body of instances."""

    def __init__(self, framing: Framing, taker: Taker, ingesters: Executor) -> None:
        self._framing = framing
        self._takings = Takings(taker, ingesters)
        self._taker = taker
        self._lock = threading.Lock()  # an abort may come while the last chunk is still being written
        self._part: Part | None = None
        self._failed: Exception | None = None  # of the present part

    def feed(self, chunks: Sequence[bytes]) -> None:
        """Take the next chunks of the body; none: no more comes for the moment, so that what is whole waits for nothing.

        Raises
        ------
        InvalidRequest, LimitExceeded
            The body cannot be taken apart any further; complete instances before stay.
        """
        with self._lock:
            for chunk in chunks:
                for event in self._framing.feed(chunk):
                    self._handle(event)
            if not chunks:
                self._takings.commit()

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
            staged = part.finish() if self._failed is None and not self._was_kept(part) else None
        except Exception as error:  # noqa: BLE001 (this part fails, its neighbours do not; the result carries it)
            self._failed, staged = error, None
        if staged is not None:
            self._takings.take(staged, part.refusal)
            return
        part.discard()
        assert self._failed is not None, "what has no stage has failed"
        self._takings.fail(self._failed)

    def _was_kept(self, part: Part) -> bool:
        """Whether a part is refused as one before it was that is kept apart: it fails alike and never touches the disk."""
        digest, refusal = part.refused_digest(), part.refusal
        if digest is None or refusal is None or not self._taker.has_kept(digest, refusal):
            return False
        self._failed = refusal
        return True
