"""The annotations of a slide: kept as instances of its study, the newest of which is the present state.

Each saving is a new document (PS3.3 A.35.14); none is overwritten, so what was once there can be shown. They are in a
series of their own, whose UID is made of the slide's.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from secrets import token_bytes, token_hex
from typing import Final

from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from consult.slides.marks import Mark, checked
from consult.slides.shelf import OpenSlide, Shelf
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.blobs import Blobs
from kernel.archive.committer import Committer
from kernel.archive.ingest import Ingest
from kernel.archive.records import Located, Origin
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.part10 import open_dataset
from kernel.dicom.uids import uid_of
from kernel.errors import AnnotationsChanged, InvalidRequest, NotFound
from wsi.dicom_header import slide_uid

_ROLE: Final = "annotations"
_EXPLICIT: Final = "1.2.840.10008.1.2.1"
_PEER: Final = "reading room"


@dataclass(frozen=True, slots=True)
class Author:
    """Who draws."""

    account: str
    display: str
    address: str


@dataclass(frozen=True, slots=True)
class Saved:
    """The present state; `sop_instance_uid` is None while nothing was saved."""

    sop_instance_uid: str | None
    author: str
    at: datetime | None
    marks: tuple[Mark, ...]


NOTHING: Final = Saved(None, "", None, ())


class Annotations:
    """Reads and saves the marks of slides; safe in threads."""

    def __init__(
        self, db: Database, blobs: Blobs, shelf: Shelf, *, ingest: Ingest, committer: Committer, clock: Clock
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._ingest = ingest
        self._committer = committer
        self._shelf = shelf
        self._clock = clock
        self._saving = threading.Lock()

    def of(self, grant: StudyGrant, series_instance_uid: str) -> Saved:
        """Return what was saved last.

        Raises
        ------
        MalformedInstance, BlobMissing
            It cannot be read.
        """
        from consult.slides.mark_documents import marks_of  # highdicom takes a second to import

        versions = self._versions(grant, series_instance_uid)
        if not versions:
            return NOTHING
        ds = open_dataset(self._blobs.path(versions[-1].blob_key))
        return Saved(versions[-1].sop_instance_uid, _author_of(ds), _moment_of(ds), marks_of(ds))

    def save(
        self, grant: StudyGrant, series_instance_uid: str, marks: Sequence[Mark], base: str | None, author: Author
    ) -> Saved:
        """Keep marks as the new state, durable when this returns.

        Parameters
        ----------
        base
            The state that they were drawn on, as `of` gave it.

        Raises
        ------
        AnnotationsChanged
            Somebody saved another state since.
        InvalidRequest
            The marks are none, or the slide does not say where it lies on the glass.
        """
        from consult.slides.mark_documents import document

        kept = checked(marks)
        opened = self._shelf.current(grant, series_instance_uid)
        evidence = _evidence(opened)
        series_uid = slide_uid(series_instance_uid.encode(), _ROLE)
        with self._saving:
            versions = self._versions(grant, series_instance_uid)
            if base != (versions[-1].sop_instance_uid if versions else None):
                raise AnnotationsChanged(series_instance_uid=series_instance_uid)
            now, number = self._clock.now(), self._number_after(versions)
            instance_uid = uid_of(token_bytes(16))
            ds = document(
                evidence, kept, author.display or author.account, now, uids=(series_uid, instance_uid), number=number
            )
            self._take_in(ds, grant, author)
        return Saved(instance_uid, author.display or author.account, now, kept)

    def _versions(self, grant: StudyGrant, series_instance_uid: str) -> list[Located]:
        series_uid = slide_uid(series_instance_uid.encode(), _ROLE)
        try:
            with self._db.read() as connection:
                return archive_index.locate_series(connection, grant, series_uid)
        except NotFound:
            return []

    def _number_after(self, versions: list[Located]) -> int:
        if not versions:
            return 1
        return int(open_dataset(self._blobs.path(versions[-1].blob_key)).InstanceNumber) + 1

    def _take_in(self, ds: Dataset, grant: StudyGrant, author: Author) -> None:
        session = token_hex(8)
        origin = Origin(grant.site, "upload", _PEER, "", author.address, session, grant.trace_id)
        stage = self._blobs.stage(ds.SOPClassUID, ds.SOPInstanceUID, _EXPLICIT, None)
        stage.write(_encoded(ds))
        try:
            self._ingest.ingest(stage.finish(), origin, study_instance_uid=grant.study_instance_uid)
        finally:
            self._committer.end_session(grant.site, session, None)


def _evidence(opened: OpenSlide) -> Dataset:
    """Return the header of one instance of the finest level."""
    index = opened.slide.index
    file = int(index.levels[0].files[0])
    ds = open_dataset(opened.paths[file], stop_before_pixels=True)
    if index.on_glass is None or index.mpp is None or not ds.get("FrameOfReferenceUID"):
        raise InvalidRequest(reason="the slide does not say where it lies on the glass, so marks cannot be kept")
    return ds


def _encoded(ds: Dataset) -> bytes:
    stream = DicomBytesIO()
    stream.is_little_endian, stream.is_implicit_VR = True, False
    write_dataset(stream, Dataset(ds))
    return stream.getvalue()


def _author_of(ds: Dataset) -> str:
    for item in ds.get("ContentSequence", ()):
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].get("CodeValue") == "121008":  # Person Observer Name
            return str(item.get("PersonName", "")).rstrip("^")
    return ""


def _moment_of(ds: Dataset) -> datetime | None:
    try:
        return datetime.strptime(f"{ds.ContentDate}{ds.ContentTime}{ds.TimezoneOffsetFromUTC}", "%Y%m%d%H%M%S%z")
    except (AttributeError, ValueError):
        return None
