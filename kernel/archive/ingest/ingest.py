"""The one way in: check, make the blob durable, commit rows and event, answer.

    stage (bytes on disk) -> check (header, identifiers, DICOM JSON) -> blob durable -> commit (index, event, jobs)

Only the commit needs the database: listener processes do the rest and hand the result to the process that owns the
index. For instances of usual size the index's statements run while the disk flushes the blob, and the commit waits for
the flush: a row without its blob is never durable.
A refusal puts the bytes into quarantine before it is raised: nothing that was sent disappears silently.
"""

import mmap
import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

import zstandard

from kernel.archive.blobs.flushing import Flushing
from kernel.archive.blobs.store import Blobs, discard, key_of
from kernel.archive.ingest.committer import Committer
from kernel.archive.ingest.quarantine import Quarantine
from kernel.archive.records import Ingested, Origin, Received, Staged
from kernel.clock import Clock
from kernel.dicom.models.json_model import to_json
from kernel.dicom.scanning.attributes import InstanceAttributes, read_attributes
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan, scan_apart
from kernel.errors import IdentityMismatch, Refused
from kernel.telemetry import INSTANCES, stage

TOGETHER_BYTES_MAX: Final = 4 * 1024 * 1024  # larger blobs are flushed before the index hears of them: it never waits
METADATA_LEVEL: Final = 3  # zstd; higher levels cost more time than the bytes are worth
_per_thread = threading.local()
_counter = cache(INSTANCES.labels)


@dataclass(frozen=True, slots=True)
class Ahead:
    """What the first bytes of a data set told, and how long it is if they told everything."""

    dataset_bytes: int
    attributes: InstanceAttributes
    metadata: bytes


@dataclass(frozen=True, slots=True)
class Prepared:
    """An instance that was checked, and whose blob is on its way to be durable; `end` must follow."""

    received: Received
    flushing: Flushing

    def end(self, ingested: Ingested | None) -> None:
        """Let go of the blob: its rows were committed, or will never be."""
        self.flushing.end()
        if ingested is not None:
            _counter(self.received.origin.channel, ingested.outcome.value).inc()


Beginning = Ahead | Literal["nothing"]
Permit = Callable[[InstanceAttributes], None]
"""Called with what an instance says of itself before it is kept; raises to refuse it."""


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

    def read_ahead(self, head: bytes, transfer_syntax_uid: str, origin: Origin) -> Beginning:
        """Read the header from the first bytes of a data set while the rest comes in.

        They tell everything when native pixel data fills what they lack, else nothing: encapsulated pixel data may be
        followed by more, and a header may go on. Nothing is refused here: `ingest` says what is wrong, when all of it
        is there.
        """
        try:
            header = scan(head, transfer_syntax_uid, prefix=True)
            pixels = header.pixel_data
            if pixels is None or pixels.is_encapsulated or header.reencoded:
                return "nothing"
            attributes, metadata = _read(header, transfer_syntax_uid, self._fallback_charset_of(origin))
        except Refused:
            return "nothing"
        return Ahead(pixels.value_offset + pixels.length, attributes, metadata)

    def ingest(
        self,
        staged: Staged,
        origin: Origin,
        *,
        study_instance_uid: str | None = None,
        ahead: Beginning | None = None,
        permit: Permit | None = None,
    ) -> Ingested:
        """Take an instance in; when this returns, its bytes, name, digest, index and event are durable.

        Parameters
        ----------
        ahead
            What `read_ahead` found in the first bytes of this very instance; None when nobody looked.
        permit
            What its sender may store.
        study_instance_uid
            The study that the instance must belong to, when the sender's URL names one (PS3.18 10.5).

        Raises
        ------
        MalformedInstance, MissingIdentifier, InvalidIdentifier, IdentityMismatch, LimitExceeded
            The instance cannot be taken; it is in quarantine.
        StorageFull, Busy, ShuttingDown, DatabaseUnavailable
            Nothing was promised; the same instance may be sent again.
        Denied
            `permit` did not let it pass; nothing of it is kept.
        """
        received = self._check(staged, origin, study_instance_uid, ahead, permit)
        try:
            ingested = self._keep(staged, received)
        except BaseException:
            discard(staged)
            raise
        _counter(origin.channel, ingested.outcome.value).inc()
        return ingested

    def prepare(self, staged: Staged, origin: Origin, *, study_instance_uid: str | None = None) -> Prepared:
        """Begin to take an instance in: check it and begin to make its blob durable; its rows are the caller's to commit.

        Raises
        ------
        As `ingest`, of what can be wrong before the commit.
        """
        received = self._check(staged, origin, study_instance_uid, None, None)
        try:
            return Prepared(received, self._blobs.begin(staged))
        except BaseException:
            discard(staged)
            raise

    def _keep(self, staged: Staged, received: Received) -> Ingested:
        """Make blob and rows durable: both at the same time, and the index commits after the flush."""
        with self._blobs.begin(staged) as flushing:
            if staged.size_bytes > TOGETHER_BYTES_MAX:
                flushing.wait()
            return self._committer.commit(received, flushing)

    def _check(
        self,
        staged: Staged,
        origin: Origin,
        study_instance_uid: str | None,
        ahead: Beginning | None,
        permit: Permit | None,
    ) -> Received:
        with stage("prepare"):
            try:
                attributes, metadata = self._examine(staged, origin, ahead)
                _check_identity(staged, attributes, study_instance_uid)
                if permit is not None:
                    permit(attributes)
            except Refused as refusal:
                self._quarantine.keep(staged, origin, refusal)
                _counter(origin.channel, "quarantined").inc()
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

    def _examine(self, staged: Staged, origin: Origin, ahead: Beginning | None) -> tuple[InstanceAttributes, bytes]:
        """Read the header from the bytes kept in memory if they tell everything, else from the file."""
        fallback, dataset_bytes = self._fallback_charset_of(origin), staged.size_bytes - staged.dataset_offset
        if len(staged.head) == dataset_bytes:
            return _read(scan_apart(staged.head, staged.transfer_syntax_uid), staged.transfer_syntax_uid, fallback)
        if ahead is None:
            ahead = self.read_ahead(staged.head, staged.transfer_syntax_uid, origin)
        if ahead != "nothing" and ahead.dataset_bytes == dataset_bytes:
            return ahead.attributes, ahead.metadata
        with staged.path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            header = scan_apart(view, staged.transfer_syntax_uid, offset=staged.dataset_offset)
            return _read(header, staged.transfer_syntax_uid, fallback)


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
