"""The values that pass between the rooms when instances are received and found."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Literal

from kernel.archive.digest import Digest
from kernel.archive.open_file import OpenFile
from kernel.dicom.scanning.attributes import InstanceAttributes

Channel = Literal["dimse", "dicomweb", "upload", "returned"]  # returned: re-identified here


@dataclass(frozen=True, slots=True)
class Origin:
    """Who handed over an instance, and how. Never anything of a patient's."""

    site: str  # the site whose patients these are; the first part of every identity
    channel: Channel
    peer: str  # calling AE title, or the name of the token
    called: str  # called AE title, or empty
    address: str  # numeric address of the peer
    session: str  # one association or one request; groups what arrived together
    trace_id: str | None = None  # the study's trace as the sender knows it; made here when None


@dataclass(frozen=True, slots=True)
class Staged:
    """A complete instance on disk of which nothing is promised yet: file meta, then the data set as sent."""

    path: Path
    size_bytes: int  # of the whole Part 10 file
    dataset_offset: int  # where the data set begins
    digest: Digest = field(repr=False, compare=False)
    transfer_syntax_uid: str
    sop_class_uid: str  # as the sender declared them, in the command or the file meta
    sop_instance_uid: str
    head: bytes = field(
        default=b"", repr=False, compare=False
    )  # the data set's first bytes, so that nobody reads twice
    file: OpenFile | None = field(default=None, repr=False, compare=False)  # where it is still open, to be flushed

    @property
    def sha256(self) -> str:
        """Of the encoded data set: equal for the same instance however it came."""
        return self.digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Received:
    """A staged instance that was checked and whose blob is durable: ready for the index."""

    origin: Origin
    attributes: InstanceAttributes = field(repr=False)  # a patient's: never printed
    blob_key: str
    size_bytes: int
    dataset_offset: int
    sha256: str
    metadata: bytes = field(
        repr=False
    )  # DICOM JSON of the instance (PS3.18 F.2), zstd, bulk data by relative BulkDataURI
    received_at: datetime


class Outcome(StrEnum):
    """What ingest did with an instance."""

    STORED = "stored"  # new, durable, indexed
    DUPLICATE = "duplicate"  # the same bytes were here; nothing changed
    CONFLICT = "conflict"  # other bytes under the same UID were here; kept apart and reported


@dataclass(frozen=True, slots=True)
class Ingested:
    """The answer of ingest for one instance."""

    outcome: Outcome
    study_instance_uid: str
    series_instance_uid: str
    sop_class_uid: str
    sop_instance_uid: str
    trace_id: str


@dataclass(frozen=True, slots=True)
class Stored:
    """A new instance and its rows, as told to whoever takes part in the transaction that made them."""

    received: Received
    ingested: Ingested
    instance_pk: int
    series_pk: int
    study_pk: int


@dataclass(frozen=True, slots=True)
class Completed:
    """A study that now counts as complete, and why."""

    study_pk: int
    site: str
    study_instance_uid: str
    evidence: str  # association-released, send-now, manifest, quiet
    number_of_instances: int
    revision: int
    trace_id: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused instance whose bytes are in quarantine: ready for its row."""

    origin: Origin
    at: datetime
    code: str  # the class of the refusal
    reason: str
    sop_class_uid: str  # as declared; may be anything, bounded
    sop_instance_uid: str
    sha256: str
    blob_key: str
    size_bytes: int
    dataset_offset: int


@dataclass(frozen=True, slots=True)
class Located:
    """Where a stored instance is and how it is encoded: enough to serve its bytes without a look at the database."""

    site: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    blob_key: str
    size_bytes: int
    dataset_offset: int
    number_of_frames: int
    sha256: str
    shows_label: bool = False  # of a slide
