"""What a destination promises, and the values that pass between the relay and a transport.

A transport carries instances to one destination and brings back one receipt for each. It decides nothing: when to try
again, how long to pause and what to tell people is `routing.jobs` and `routing.relay`. `gateway.dicomweb.client.sending` and
`gateway.dimse.scu.sender` implement it; `tests/test_transports.py` is the suite that every transport passes.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Protocol

CHUNK_BYTES = 1024 * 1024


class Cause(StrEnum):
    """Why an instance was not delivered; decides who pauses and who goes on (`routing.jobs`)."""

    LINK = "link"  # no connection, connection lost, time out, 5xx: nothing is known about the instance; the lane pauses
    AUTHENTICATION = "authentication"  # 401, 403, association rejected, 0x0124: the lane pauses until a person acts
    FULL = "full"  # 429, 503, 507, 0xA7xx: the peer is alive and cannot take more now; the lane pauses
    POISON = "poison"  # the peer will never take this instance: 0xA9xx, 0xCxxx, 0x0122, 4xx; only this instance stops
    CONFLICT = "conflict"  # the peer has other bytes under this SOP Instance UID; only this instance stops


class ReceiptState(StrEnum):
    """What the destination did with one instance."""

    DELIVERED = "delivered"  # it said that it has it
    DUPLICATE = "duplicate"  # it said that it had it already: as good as delivered
    REFUSED = "refused"  # it said no and will say no again; cause is poison or conflict
    RETRY = "retry"  # it did not say yes; cause is link, authentication or full


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a study consists of, as far as the sender knows; `version` only grows.

    `instances` counts the instances of the study that are meant for this destination. `complete` is the evidence
    that no more will come, such as `association-released`, or None while the study is open.
    """

    study_instance_uid: str
    version: int
    instances: int
    complete: str | None
    priority: str  # stat | urgent | routine
    trace_id: str


@dataclass(frozen=True, slots=True)
class Parcel:
    """One instance to deliver: the bytes of its Part 10 file are `head`, then a span of the file at `path`.

    Usually `head` is empty and the span is the whole blob. A rewritten header whose pixel data stay in the original
    blob is `head` (everything before the tail, file meta included) and the span of what was not changed.
    """

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    study_instance_uid: str
    sha256: str  # of the encoded data set, without preamble and file meta
    size_bytes: int  # of the whole Part 10 file: len(head) + tail_bytes
    dataset_offset: int  # where the data set begins in the Part 10 file; C-STORE sends from here
    path: Path
    tail_offset: int
    tail_bytes: int
    trace_id: str
    priority: str  # stat | urgent | routine
    head: bytes = b""

    def chunks(self, start: int = 0, chunk_bytes: int = CHUNK_BYTES) -> Iterator[memoryview | bytes]:
        """Yield the Part 10 file from byte `start` on; pass `dataset_offset` for the data set alone.

        At most `chunk_bytes` at once, and the file is never read whole into memory. A chunk is valid until the one
        after the next is asked for: who sends it holds one back to know which is the last.

        Raises
        ------
        OSError
            The blob cannot be read, or is shorter than promised.
        """
        for begin in range(start, len(self.head), chunk_bytes):
            yield self.head[begin : begin + chunk_bytes]
        left = self.tail_bytes - max(0, start - len(self.head))
        with self.path.open("rb", buffering=0) as file:
            file.seek(self.tail_offset + self.tail_bytes - left)
            size = min(chunk_bytes, max(left, 1))
            buffer, other = memoryview(bytearray(size)), memoryview(bytearray(size))
            while left > 0:
                count = file.readinto(buffer[: min(left, len(buffer))])
                if not count:
                    raise OSError("the blob is shorter than its parcel says")
                yield buffer[:count]
                left -= count
                buffer, other = other, buffer


@dataclass(frozen=True, slots=True)
class Receipt:
    """The destination's word about one instance; `detail` is for people and never names a patient."""

    sop_instance_uid: str
    state: ReceiptState
    cause: Cause | None = None  # None exactly when delivered or duplicate
    status: str = ""  # as the protocol gave it: "0000", "A700", "200", "503/A700"
    detail: str = ""
    retry_after_s: float | None = None  # what the peer asked for, such as the Retry-After header
    told_at: datetime | None = None  # by the peer's own clock, where a probe heard it

    @property
    def is_success(self) -> bool:
        """Whether the destination has the instance."""
        return self.state in (ReceiptState.DELIVERED, ReceiptState.DUPLICATE)


class Transport(Protocol):
    """The way to one destination. One thread uses it at a time; it keeps its connection open between batches."""

    def deliver(self, batch: Sequence[Parcel], manifest: Manifest | None = None) -> Sequence[Receipt]:
        """Send one batch, all of one study, and return one receipt for each parcel, in the batch's order.

        It promises:

        - A receipt says delivered or duplicate only on the peer's own word for that very instance (a C-STORE status,
          a STOW-RS ReferencedSOPSequence item). Silence, a cut or an unreadable answer is `retry` with cause link for
          every parcel without the peer's word; the parcels before it keep their receipts.
        - What a peer or a network does is never raised: it is a receipt. `OSError` of a blob is raised, as it is ours.
        - The bytes are sent as they are; a peer that takes the instance only in another transfer syntax refuses it.
        - It returns within the request time-out that it was made with for every silence of the peer, and it does not
          try again by itself, nor sleep.
        - Memory is bounded by CHUNK_BYTES, not by an instance's size.
        - No error text, log line or URL carries anything of the data set but UIDs.

        A transport whose protocol can carry `manifest` with the batch does so (the `Vienanh-Manifest` header of
        STOW-RS); the others ignore it.
        """
        ...

    def announce(self, manifest: Manifest) -> None:
        """Tell the destination how many instances the study has, when nothing is left to send with it.

        A peer that does not know manifests (404, 405, 501; every DIMSE peer) is no failure: return quietly.

        Raises
        ------
        kernel.errors.PeerUnreachable, kernel.errors.PeerBusy
            Try again later.
        kernel.errors.Denied, kernel.errors.Refused
            Not allowed, or not understood.
        """
        ...

    def probe(self) -> Receipt:
        """Ask whether the destination lives, as cheaply as the protocol allows (C-ECHO, a small GET).

        The receipt has an empty `sop_instance_uid`; delivered, or retry with its cause. Nothing is raised.
        """
        ...

    def close(self) -> None:
        """Close the connection; called last."""
        ...


def failed(batch: Sequence[Parcel], cause: Cause, status: str, detail: str) -> list[Receipt]:
    """Return one receipt for each parcel of a batch that failed as a whole."""
    state = ReceiptState.REFUSED if cause in (Cause.POISON, Cause.CONFLICT) else ReceiptState.RETRY
    return [Receipt(parcel.sop_instance_uid, state, cause, status, detail) for parcel in batch]
