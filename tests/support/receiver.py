"""A destination in memory: keeps what it says it has, records what it was told, and fails as a test asks."""

import hashlib
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from kernel.errors import Forbidden, PeerBusy, PeerUnreachable
from routing.transport import Cause, Manifest, Parcel, Receipt, ReceiptState, failed


@dataclass
class Receiver:
    """One receiver; `transport` gives any number of ways to it."""

    instances: dict[str, str] = field(default_factory=dict)  # SOP Instance UID to SHA-256 of the data set
    studies: dict[str, list[str]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    batches: list[list[str]] = field(default_factory=list)  # as they were sent, whatever came of them
    batch_manifests: list[Manifest | None] = field(default_factory=list)
    announced: list[Manifest] = field(default_factory=list)
    probes: int = 0
    down: Cause | None = None
    retry_after_s: float | None = None
    poison: set[str] = field(default_factory=set)
    hangs_up_on: set[str] = field(default_factory=set)
    cut_after: int | None = None  # takes so many of the next batch, then the link is cut; once
    loses_next_answer: bool = False  # takes the next batch whole, and the answer is lost
    before_deliver: Callable[[Sequence[Parcel]], None] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def transport(self) -> "InMemory":
        return InMemory(self)


class InMemory:
    """Implements `routing.transport.Transport`."""

    def __init__(self, receiver: Receiver) -> None:
        self._to = receiver

    def deliver(self, batch: Sequence[Parcel], manifest: Manifest | None = None) -> Sequence[Receipt]:
        to = self._to
        if to.before_deliver:
            to.before_deliver(batch)
        with to.lock:
            to.batches.append([parcel.sop_instance_uid for parcel in batch])
            to.batch_manifests.append(manifest)
            if to.down:
                receipts = failed(batch, to.down, "503", "not now")
                return [_asking(receipt, to.retry_after_s) for receipt in receipts]
            return self._deliver(batch)

    def _deliver(self, batch: Sequence[Parcel]) -> list[Receipt]:
        to, receipts = self._to, []
        for number, parcel in enumerate(batch):
            if to.cut_after == number or parcel.sop_instance_uid in to.hangs_up_on:
                to.cut_after = None
                return receipts + failed(batch[number:], Cause.LINK, "", "the connection was lost")
            receipts.append(self._take(parcel))
        if to.loses_next_answer:
            to.loses_next_answer = False
            return failed(batch, Cause.LINK, "", "the answer was lost")
        return receipts

    def _take(self, parcel: Parcel) -> Receipt:
        to, uid = self._to, parcel.sop_instance_uid
        if uid in to.poison:
            return Receipt(uid, ReceiptState.REFUSED, Cause.POISON, "C000", "cannot understand")
        content = b"".join(bytes(chunk) for chunk in parcel.chunks(parcel.dataset_offset))
        digest = hashlib.sha256(content).hexdigest()
        if uid in to.instances:
            if to.instances[uid] != digest:
                return Receipt(uid, ReceiptState.REFUSED, Cause.CONFLICT, "0111", "other bytes")
            return Receipt(uid, ReceiptState.DUPLICATE, None, "0000")
        to.instances[uid] = digest
        to.contents[uid] = content
        to.studies.setdefault(parcel.study_instance_uid, []).append(uid)
        return Receipt(uid, ReceiptState.DELIVERED, None, "0000")

    def announce(self, manifest: Manifest) -> None:
        to = self._to
        match to.down:
            case Cause.AUTHENTICATION:
                raise Forbidden(action="announce")
            case Cause.FULL:
                raise PeerBusy(peer="receiver", reason="full")
            case Cause():
                raise PeerUnreachable(peer="receiver", reason="down")
            case None:
                to.announced.append(manifest)

    def probe(self) -> Receipt:
        self._to.probes += 1
        if self._to.down:
            return _asking(Receipt("", ReceiptState.RETRY, self._to.down, "503", "not now"), self._to.retry_after_s)
        return Receipt("", ReceiptState.DELIVERED)

    def close(self) -> None:
        pass


def _asking(receipt: Receipt, retry_after_s: float | None) -> Receipt:
    return Receipt(
        receipt.sop_instance_uid, receipt.state, receipt.cause, receipt.status, receipt.detail, retry_after_s
    )
