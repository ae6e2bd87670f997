"""The one way in: check, make the blob durable, commit rows and event, answer.

    stage (bytes on disk) -> check (header, identifiers, DICOM JSON) -> blob durable -> commit (index, event, jobs)

Only the commit needs the database: listener processes do the rest and hand the result to the process that owns the
index, where for instances of usual size the index's statements run while the blob is flushed, and the commit waits for
the flush: a row without its blob is never durable.
A refusal puts the bytes into quarantine before it is raised: nothing that was sent disappears silently.
"""

import mmap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final

import zstandard

from kernel.archive.blobs import Blobs, discard, key_of
from kernel.archive.committer import Committer
from kernel.archive.durable import Flush
from kernel.archive.quarantine import Quarantine
from kernel.archive.records import Ingested, Origin, Received, Staged
from kernel.clock import Clock
from kernel.dicom.attributes import InstanceAttributes, read_attributes
from kernel.dicom.elements import Header
from kernel.dicom.json_model import to_json
from kernel.dicom.scanner import scan
from kernel.errors import IdentityMismatch, Refused
from kernel.telemetry import INSTANCES, stage

TOGETHER_BYTES_MAX: Final = 4 * 1024 * 1024  # larger blobs are flushed before the index hears of them: it never waits
METADATA_LEVEL: Final = 3  # zstd; higher levels cost more time than the bytes are worth
_per_thread = threading.local()
_counter = cache(INSTANCES.labels)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the first bytes of an instance told before the last ones came."""

    header: Header
    attributes: InstanceAttributes
    metadata: bytes


class Ingest:
    """Takes staged instances into the archive. Safe to use from many threads."""

    def __init__(
        self,
        blobs: Blobs,
        committer: Committer,
        quarantine: Quarantine,
        clock: Clock,
        fallback_charset_of: Callable[[Origin], str | None],
    ) -> None:
        self._blobs = blobs
        self._committer = committer
        self._quarantine = quarantine
        self._clock = clock
        self._fallback_charset_of = fallback_charset_of

    def read_ahead(self, head: bytes, transfer_syntax_uid: str, origin: Origin) -> "Ahead | None":
        """Read the header from the first bytes of a data set while the rest comes in; None when that is too early.

        Nothing is refused here: what is wrong with an instance is said by `ingest`, when all of it is there.
        """
        try:
            header = scan(head, transfer_syntax_uid, prefix=True)
            if not _has_native_pixels(header):
                return None
            attributes, metadata = _read(header, transfer_syntax_uid, self._fallback_charset_of(origin))
        except Refused:
            return None
        return Ahead(header, attributes, metadata)

    def ingest(
        self,
        staged: Staged,
        origin: Origin,
        *,
        study_instance_uid: str | None = None,
        ahead: "Ahead | None" = None,
    ) -> Ingested:
        """Take an instance in; when this returns, its bytes, name, digest, index and event are durable.

        Parameters
        ----------
        ahead
            What `read_ahead` found in the first bytes of this very instance.
        study_instance_uid
            The study that the instance must belong to, when the sender's URL names one (PS3.18 10.5).

        Raises
        ------
        MalformedInstance, MissingIdentifier, InvalidIdentifier, IdentityMismatch, LimitExceeded
            The instance cannot be taken; it is in quarantine.
        StorageFull, Busy, ShuttingDown, DatabaseUnavailable
            Nothing was promised; the same instance may be sent again.
        """
        try:
            received = self._check(staged, origin, study_instance_uid, ahead)
        except Refused:
            _counter(origin.channel, "quarantined").inc()
            raise
        try:
            ingested = self._keep(staged, received)
        except BaseException:
            discard(staged)
            raise
        _counter(origin.channel, ingested.outcome.value).inc()
        return ingested

    def prepare(self, staged: Staged, origin: Origin, *, study_instance_uid: str | None = None) -> Received:
        """Check an instance and make its blob durable; the stage is gone afterwards. Raises as `ingest` does."""
        received = self._check(staged, origin, study_instance_uid)
        self._blobs.promote(staged)
        return received

    def _keep(self, staged: Staged, received: Received) -> Ingested:
        """Make blob and rows durable: the blob first, or at the same time and the index commits after the flush.

        At the same time only when another process writes the rows: within one it would cost more than it gains.
        """
        if self._committer.writes_here or staged.size_bytes > TOGETHER_BYTES_MAX:
            self._blobs.promote(staged)
            return self._committer.commit(received)
        flush = Flush()
        pending = self._committer.submit(received, flush)
        try:
            self._blobs.promote(staged)
        except BaseException as error:
            flush.fail(error)
            pending.exception()  # the rows are undone when this returns
            raise
        flush.succeed()
        return pending.result()

    def _check(
        self, staged: Staged, origin: Origin, study_instance_uid: str | None, ahead: "Ahead | None" = None
    ) -> Received:
        with stage("prepare"):
            try:
                if ahead is not None and _tells_everything(ahead.header, staged):
                    attributes, metadata = ahead.attributes, ahead.metadata
                else:
                    attributes, metadata = self._examine(staged, origin)
                _check_identity(staged, attributes, study_instance_uid)
            except Refused as refusal:
                self._quarantine.keep(staged, origin, refusal)
                raise
            except BaseException:
                discard(staged)
                raise
        return Received(
            origin=origin,
            attributes=attributes,
            blob_key=key_of(staged),
            size_bytes=staged.size_bytes,
            dataset_offset=staged.dataset_offset,
            sha256=staged.sha256,
            metadata=metadata,
            received_at=self._clock.now(),
        )

    def _examine(self, staged: Staged, origin: Origin) -> tuple[InstanceAttributes, bytes]:
        fallback = self._fallback_charset_of(origin)
        header = _scan_head(staged)
        if header is not None:
            return _read(header, staged.transfer_syntax_uid, fallback)
        with staged.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            header = scan(view, staged.transfer_syntax_uid, offset=staged.dataset_offset)
            return _read(header, staged.transfer_syntax_uid, fallback)


def _scan_head(staged: Staged) -> Header | None:
    """Scan the bytes kept in memory if they tell everything; None means that the file must be read.

    They tell everything when they are the whole data set, or when native pixel data fills exactly what they lack.
    """
    dataset_bytes = staged.size_bytes - staged.dataset_offset
    if len(staged.head) == dataset_bytes:
        return scan(staged.head, staged.transfer_syntax_uid)
    try:
        header = scan(staged.head, staged.transfer_syntax_uid, prefix=True)
    except Refused:  # too short for this header, or really malformed: the whole file will tell
        return None
    return header if _tells_everything(header, staged) else None


def _has_native_pixels(header: Header) -> bool:
    """Whether native pixel data of a known length ends the header, in the bytes as they were sent."""
    pixels = header.pixel_data
    return pixels is not None and not header.reencoded and not pixels.is_encapsulated


def _tells_everything(header: Header, staged: Staged) -> bool:
    """Whether native pixel data fills exactly what the scanned bytes lack of the data set."""
    pixels = header.pixel_data
    if pixels is None or not _has_native_pixels(header):
        return False
    return pixels.value_offset + pixels.length == staged.size_bytes - staged.dataset_offset


def _read(header: Header, transfer_syntax_uid: str, fallback: str | None) -> tuple[InstanceAttributes, bytes]:
    attributes = read_attributes(header, transfer_syntax_uid=transfer_syntax_uid, fallback_charset=fallback)
    return attributes, _compressor().compress(to_json(header, fallback_charset=fallback))


def _check_identity(staged: Staged, attributes: InstanceAttributes, study_instance_uid: str | None) -> None:
    """Compare what the sender declared with what the data set says (PS3.7 0xA900, PS3.18 10.5)."""
    pairs = (
        ("SOPClassUID", attributes.sop_class_uid, staged.sop_class_uid, "what the sender declared"),
        ("SOPInstanceUID", attributes.sop_instance_uid, staged.sop_instance_uid, "what the sender declared"),
        ("StudyInstanceUID", attributes.study.study_instance_uid, study_instance_uid, "the URL"),
    )
    for keyword, found, expected, elsewhere in pairs:
        if expected is not None and found != expected:
            raise IdentityMismatch(keyword=keyword, elsewhere=elsewhere)


def _compressor() -> zstandard.ZstdCompressor:
    """Return this thread's compressor: one may not serve two threads at once."""
    compressor: zstandard.ZstdCompressor | None = getattr(_per_thread, "compressor", None)
    if compressor is None:
        compressor = _per_thread.compressor = zstandard.ZstdCompressor(level=METADATA_LEVEL)
    return compressor
