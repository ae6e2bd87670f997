"""Documents of a study that people save in the reading room: each saving is another instance, the newest one counts.

None is overwritten, so what was once there can be shown. The versions of one document are a series of their own; who
saves names the version that they worked on, and is refused when somebody was faster. What a document says is decided
elsewhere (`consult.slides.mark_documents`, `consult.findings`).
"""

import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes, token_hex
from typing import Final, Generic, TypeVar

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.blobs.store import Blobs
from kernel.archive.ingest.committer import Committer
from kernel.archive.ingest.ingest import Ingest
from kernel.archive.records import Located, Origin
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.scanning.part10 import open_dataset
from kernel.dicom.vocabulary.uids import uid_of
from kernel.errors import BlobMissing, DocumentChanged, MalformedInstance, NotFound

DOCUMENT_BYTES_MAX: Final = 16 * 1024 * 1024  # of somebody else's that is read for a screen
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_PEER: Final = "reading room"
_DELIMITERS: Final = str.maketrans("^=\\", "   ")
_PERSON_OBSERVER: Final = "121008"
# Of patient and study, empty in a document where its evidence lacks them (PS3.3 C.7.1.1, C.7.2.1).
_TYPE_2: Final = (
    "PatientName", "PatientID", "PatientBirthDate", "PatientSex",
    "StudyDate", "StudyTime", "ReferringPhysicianName", "StudyID", "AccessionNumber",
)  # fmt: skip

Content = TypeVar("Content")


@dataclass(frozen=True, slots=True)
class Author:
    """Who saves."""

    account: str
    display: str
    address: str

    @property
    def name(self) -> str:
        """For the screen."""
        return self.display or self.account


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a new version is called."""

    series_instance_uid: str
    sop_instance_uid: str
    number: int  # Instance Number; the highest is the present state
    at: datetime
    author: str


@dataclass(frozen=True, slots=True)
class Version(Generic[Content]):
    """A state of a document and what it says; `sop_instance_uid` is None while nothing was saved."""

    sop_instance_uid: str | None
    author: str
    at: datetime | None
    content: Content


class Documents:
    """Reads and saves documents; safe in threads."""

    def __init__(self, db: Database, blobs: Blobs, *, ingest: Ingest, committer: Committer, clock: Clock) -> None:
        self._db = db
        self._blobs = blobs
        self._ingest = ingest
        self._committer = committer
        self._clock = clock
        self._saving = threading.Lock()

    def newest(self, grant: StudyGrant, series_instance_uid: str) -> Dataset | None:
        """Return what was saved last as a document.

        Raises
        ------
        MalformedInstance, BlobMissing
            It cannot be read.
        """
        versions = self._versions(grant, series_instance_uid)
        return self.read(versions[-1]) if versions else None

    def read(self, located: Located) -> Dataset:
        """Return an instance's data set without its pixels. Raises MalformedInstance, BlobMissing."""
        try:
            return open_dataset(self._blobs.path(located.blob_key), stop_before_pixels=True)
        except FileNotFoundError:
            raise BlobMissing(key=located.blob_key) from None

    def readable(self, located: Iterable[Located]) -> list[Dataset]:
        """Return those that can be read and have at most DOCUMENT_BYTES_MAX: one that cannot does not hide the others."""
        found: list[Dataset] = []
        for one in located:
            if one.size_bytes <= DOCUMENT_BYTES_MAX:
                with suppress(MalformedInstance, BlobMissing):
                    found.append(self.read(one))
        return found

    def save(
        self,
        grant: StudyGrant,
        series_instance_uid: str,
        base: str | None,
        author: Author,
        build: Callable[[Sheet, Dataset | None], Dataset],
    ) -> Sheet:
        """Keep what `build` makes of the new version's sheet and the last version; durable when this returns.

        Parameters
        ----------
        base
            SOP Instance UID of the version that was worked on, None when there was none.

        Raises
        ------
        DocumentChanged
            Somebody saved another version since.
        """
        with self._saving:
            last = self.newest(grant, series_instance_uid)
            if base != (None if last is None else str(last.SOPInstanceUID)):
                raise DocumentChanged(series_instance_uid=series_instance_uid)
            number = 1 if last is None else number_of(last) + 1
            sheet = Sheet(series_instance_uid, uid_of(token_bytes(16)), number, self._clock.now(), author.name)
            self._take_in(build(sheet, last), grant, author)
        return sheet

    def _versions(self, grant: StudyGrant, series_instance_uid: str) -> list[Located]:
        try:
            with self._db.read() as connection:
                return archive_index.locate_series(connection, grant, series_instance_uid)
        except NotFound:
            return []

    def _take_in(self, ds: Dataset, grant: StudyGrant, author: Author) -> None:
        session = token_hex(8)
        origin = Origin(grant.site, "upload", _PEER, "", author.address, session, grant.trace_id)
        stage = self._blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, _EXPLICIT, None)
        stage.write(_encoded(ds))
        try:
            self._ingest.ingest(stage.finish(), origin, study_instance_uid=grant.study_instance_uid)
        finally:
            self._committer.end_session(grant.site, session, None)


def completed(evidence: Dataset) -> Dataset:
    """Give evidence what a document takes over from it, empty where it is missing; returns it."""
    for keyword in _TYPE_2:
        if keyword not in evidence:
            setattr(evidence, keyword, None)
    return evidence


def person_name(words: str) -> str:
    """Return a name for the screen as a Person Name of one component (PS3.5 6.2.1)."""
    return f"{words.translate(_DELIMITERS)[:64]}^"


def date(ds: Dataset, now: datetime) -> None:
    """Say when a document was made; its maker read the machine's clock."""
    ds.SpecificCharacterSet = "ISO_IR 192"
    ds.TimezoneOffsetFromUTC = now.strftime("%z") or "+0000"
    for prefix in ("Content", "InstanceCreation", "Series"):
        setattr(ds, f"{prefix}Date", now.strftime("%Y%m%d"))
        setattr(ds, f"{prefix}Time", now.strftime("%H%M%S"))


def number_of(ds: Dataset) -> int:
    """Return a version's Instance Number; 0 where it has none, or more than one number."""
    try:
        return int(ds.InstanceNumber)
    except (AttributeError, TypeError, ValueError):
        return 0


def version_of(ds: Dataset, content: Content) -> Version[Content]:
    """Return the version that a document is, with what was read of it."""
    return Version(str(ds.SOPInstanceUID), author_of(ds), moment_of(ds), content)


def author_of(ds: Dataset) -> str:
    """Return the person who observed (TID 1003), empty when the document names none."""
    for item in ds.get("ContentSequence", ()):
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].get("CodeValue") == _PERSON_OBSERVER:
            return str(item.get("PersonName", "")).rstrip("^")
    return ""


def moment_of(ds: Dataset) -> datetime | None:
    """Return when the content was made, if the document says so with its offset from UTC."""
    try:
        return datetime.strptime(f"{ds.ContentDate}{ds.ContentTime}{ds.TimezoneOffsetFromUTC}", "%Y%m%d%H%M%S%z")
    except (AttributeError, ValueError):
        return None


def _encoded(ds: Dataset) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, Dataset(ds))
    return stream.getvalue()
