"""C-STORE as a transport of `routing`, and plain sending of files for `vienanh send`.

Instances go in the transfer syntax in which they are stored; one association serves as long as batches follow and the
peer keeps it. What the peer writes into Error Comment is not repeated anywhere: it may name a patient.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from gateway import refusals
from gateway.dimse.scu.calling import Lost, Target
from gateway.dimse.scu.line import Line
from gateway.dimse.scu.proposal import CONTEXTS_MAX, Pair
from kernel.dicom.scanning.part10 import META_BYTES_MAX, read_file_meta
from kernel.errors import Refused
from routing.transport import Cause, Manifest, Parcel, Receipt, ReceiptState, failed

BATCH_INSTANCES = 64  # of `send_files`
DIRECTORY_CLASS = "1.2.840.10008.1.3.10"  # Media Storage Directory: an index of files, nothing to store

WARNINGS = frozenset({0x0001, 0x0107, 0x0116})  # PS3.7 C.4; those of C-STORE are Bxxx (PS3.4 table B.2-1)
NOT_AUTHORISED = 0x0124
DUPLICATE_INSTANCE = 0x0111
PROCESSING_FAILURE = 0x0110


def outcome_of(status: int) -> tuple[ReceiptState, Cause | None]:
    """Say what a C-STORE status means to the relay (PS3.4 table B.2-1, PS3.7 C)."""
    if status == 0 or status in WARNINGS or status & 0xF000 == 0xB000:
        return ReceiptState.DELIVERED, None
    if status & 0xFF00 == 0xA700:
        return ReceiptState.RETRY, Cause.FULL
    if status == NOT_AUTHORISED:
        return ReceiptState.RETRY, Cause.AUTHENTICATION
    if status == PROCESSING_FAILURE:  # like a 5xx: something is broken there, not this instance
        return ReceiptState.RETRY, Cause.LINK
    return ReceiptState.REFUSED, Cause.CONFLICT if status == DUPLICATE_INSTANCE else Cause.POISON


class DimseSender:
    """The way to one DIMSE destination."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._line: Line | None = None

    def deliver(self, batch: Sequence[Parcel], manifest: Manifest | None = None) -> list[Receipt]:
        """Send a batch by C-STORE, instance by instance; see `routing.transport.Transport`."""
        del manifest  # C-STORE cannot carry it
        receipts: list[Receipt] = []
        try:
            line = self._line_for(_pairs(batch))
            for parcel in batch:
                receipts.append(self._store(line, parcel))
                cause = receipts[-1].cause
                if cause is Cause.FULL or cause is Cause.AUTHENTICATION:  # the next ones would hear the same
                    left = batch[len(receipts) :]
                    return receipts + failed(left, cause, receipts[-1].status, "not sent after a refusal")
        except Lost as lost:
            self._drop()
            receipts += failed(batch[len(receipts) :], lost.cause, lost.status, lost.detail)
        except OSError:
            self._drop()
            raise
        return receipts

    def announce(self, manifest: Manifest) -> None:
        """Do nothing: no DIMSE peer knows manifests."""

    def probe(self) -> Receipt:
        """C-ECHO."""
        try:
            status = self._line_for(()).echo()
        except Lost as lost:
            self._drop()
            return Receipt("", ReceiptState.RETRY, lost.cause, lost.status, lost.detail)
        if status == 0:
            return Receipt("", ReceiptState.DELIVERED, status="0000")
        return Receipt(
            "", ReceiptState.RETRY, Cause.LINK, f"{status:04X}", "the peer does not answer C-ECHO with Success"
        )

    def close(self) -> None:
        """Release the association."""
        line, self._line = self._line, None
        if line is not None:
            line.release()

    def expect(self, pairs: Iterable[Pair]) -> None:
        """Open an association that fits what will be sent, so that it need not be opened again.

        Raises
        ------
        Lost
            The peer cannot be reached, or rejects.
        """
        self._line_for(tuple(dict.fromkeys(pairs)))

    def _store(self, line: Line, parcel: Parcel) -> Receipt:
        uid = parcel.sop_instance_uid
        if not line.accepts((parcel.sop_class_uid, parcel.transfer_syntax_uid)):
            detail = "the peer does not take this SOP class in this transfer syntax"
            return Receipt(uid, ReceiptState.REFUSED, Cause.POISON, "context", detail)
        status = line.store(parcel)
        state, cause = outcome_of(status)
        detail = "" if cause is None else f"C-STORE status {status:04X}{refusals.told(status)}"
        return Receipt(uid, state, cause, f"{status:04X}", detail)

    def _line_for(self, pairs: Sequence[Pair]) -> Line:
        """Return the open association if it proposed all `pairs`, else a new one that does."""
        line = self._line
        before: Sequence[Pair] = ()
        if line is not None:
            if set(pairs) <= set(line.proposed) and line.alive:
                return line
            before = line.proposed
            if line.alive:
                self.close()
            else:
                self._drop()
        wanted = list(dict.fromkeys((*pairs, *before)))[: CONTEXTS_MAX - 1]
        self._line = Line(self._target, wanted)
        return self._line

    def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.abort()


@dataclass(frozen=True, slots=True)
class Sent:
    """What became of one file of `send_files`."""

    path: Path
    receipt: Receipt
    number: int  # counts from one
    total: int


def send_files(paths: Sequence[Path], target: Target, progress: Callable[[Sent], None] = lambda _: None) -> list[Sent]:
    """Send files, and all Part 10 files of folders, by C-STORE over one association.

    A named file that is no instance gets a refusal; inside folders such files are passed over.

    Parameters
    ----------
    progress
        Called after each file.
    """
    found = list(_found(paths))
    total = len(found)
    sent: list[Sent] = []

    def tell(path: Path, receipt: Receipt) -> None:
        sent.append(Sent(path, receipt, len(sent) + 1, total))
        progress(sent[-1])

    sender = DimseSender(target)
    parcels = [(path, parcel) for path, parcel in found if isinstance(parcel, Parcel)]
    for path, refusal in found:
        if isinstance(refusal, Receipt):
            tell(path, refusal)
    pairs = list(dict.fromkeys(_pairs([parcel for _, parcel in parcels])))
    try:
        sender.expect(pairs[: CONTEXTS_MAX - 1])
    except Lost as lost:
        for path, parcel in parcels:
            tell(path, failed([parcel], lost.cause, lost.status, lost.detail)[0])
        return sent
    for path, parcel in parcels:
        tell(path, sender.deliver([parcel])[0])
    sender.close()
    return sent


def _found(paths: Sequence[Path]) -> Iterator[tuple[Path, Parcel | Receipt]]:
    for path in paths:
        if not path.is_dir():
            yield path, _parcel(path)
            continue
        for inside in sorted(candidate for candidate in path.rglob("*") if candidate.is_file()):
            parcel = _parcel(inside)
            if isinstance(parcel, Parcel):
                yield inside, parcel


def _parcel(path: Path) -> Parcel | Receipt:
    try:
        with path.open("rb") as file:
            meta = read_file_meta(file.read(META_BYTES_MAX))
            size_bytes = file.seek(0, 2)
    except OSError as error:
        return Receipt("", ReceiptState.REFUSED, Cause.POISON, "file", f"cannot be read: {error.strerror}")
    except Refused as error:
        return Receipt("", ReceiptState.REFUSED, Cause.POISON, "file", str(error))
    if meta.sop_class_uid == DIRECTORY_CLASS:
        return Receipt("", ReceiptState.REFUSED, Cause.POISON, "file", "a DICOMDIR is not an instance to store")
    return Parcel(
        sop_class_uid=meta.sop_class_uid,
        sop_instance_uid=meta.sop_instance_uid,
        transfer_syntax_uid=meta.transfer_syntax_uid,
        study_instance_uid="",
        sha256="",
        size_bytes=size_bytes,
        dataset_offset=meta.dataset_offset,
        path=path,
        tail_offset=0,
        tail_bytes=size_bytes,
        trace_id="",
        priority="routine",
    )


def _pairs(batch: Sequence[Parcel]) -> tuple[Pair, ...]:
    return tuple(dict.fromkeys((parcel.sop_class_uid, parcel.transfer_syntax_uid) for parcel in batch))
