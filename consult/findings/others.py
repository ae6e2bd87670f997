"""The marks of a study that were not made here: of other makers, of CAD, or of another node, come home.

Read only. Of a document that is one of our versions (`consult.documents`) the newest counts; anybody else's counts each.
What refers to whole slides is not told: places on glass are the slide's own (`consult.slides`).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from pydicom.dataset import Dataset

from consult.documents import Documents, author_of, moment_of, number_of
from consult.findings.content_tree import SR_CLASSES, content_of
from consult.findings.drawn import DrawnMark, drawn_in
from consult.findings.measurements import MARKS_ROLE, series_of
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.records import Located
from kernel.database import Database
from kernel.dicom.vocabulary.uids import IMPLEMENTATION_VERSION_NAME

DOCUMENTS_MAX: Final = 100  # that are read of a study, the newest of each series first
_KEY_OBJECT_SELECTION: Final = "1.2.840.10008.5.1.4.1.1.88.59"
_WHOLE_SLIDE: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"
_DEVICE_NAME: Final = "121013"


@dataclass(frozen=True, slots=True)
class OthersDocument:
    """One document and what it draws; `series` names the series of every image of the study that is drawn on."""

    sop_instance_uid: str
    title: str
    author: str
    at: datetime | None
    day: str  # Content Date, where no moment is known
    verified: bool
    marks: tuple[DrawnMark, ...]
    series: dict[str, str]


@dataclass(frozen=True, slots=True)
class OthersMarks:
    """What a study's other documents draw; `whole` is false when there is more, or one could not be read."""

    documents: tuple[OthersDocument, ...]
    whole: bool


class OthersBook:
    """Reads what others drew; safe in threads."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    def of(self, grant: StudyGrant) -> OthersMarks:
        """Return what documents of the study draw that this reading room did not save in it. Raises NotFound."""
        own = series_of(grant, MARKS_ROLE)
        with self._db.read() as connection:
            located = archive_index.locate_study(connection, grant)
        wanted = [one for one in located if _is_wanted(one) and one.series_instance_uid != own][::-1]
        read = self._documents.readable(wanted[:DOCUMENTS_MAX])
        told = [self._told(ds, grant) for ds in newest_of_ours(ds for ds in read if not _is_of_a_slide(ds))]
        documents = [(document, complete) for document, complete in told if document.marks]
        whole = len(read) == len(wanted) and all(complete for _, complete in documents)
        return OthersMarks(tuple(one for one, _ in documents), whole)

    def _told(self, ds: Dataset, grant: StudyGrant) -> tuple[OthersDocument, bool]:
        marks, complete = drawn_in(ds)
        images = {shape.sop_instance_uid for mark in marks for shape in mark.shapes if shape.sop_instance_uid}
        with self._db.read() as connection:
            here = archive_index.locate_some(connection, grant, sorted(images))
        content = content_of(ds)
        document = OthersDocument(
            sop_instance_uid=str(ds.SOPInstanceUID),
            title=content.title,
            author=author_of(ds).replace("^", " ") or _device_of(ds),
            at=moment_of(ds),
            day=str(ds.get("ContentDate", "")),
            verified=content.verified,
            marks=tuple(marks),
            series={one.sop_instance_uid: one.series_instance_uid for one in here},
        )
        return document, complete


def newest_of_ours(documents: Iterable[Dataset]) -> list[Dataset]:
    """Return documents without older versions of what a reading room of this program saved, in their order."""
    kept = list(documents)
    last: dict[str, int] = {}
    for ds in kept:
        if _is_ours(ds):
            series, number = str(ds.SeriesInstanceUID), number_of(ds)
            last[series] = max(number, last.get(series, number))
    return [ds for ds in kept if not _is_ours(ds) or number_of(ds) == last[str(ds.SeriesInstanceUID)]]


def _is_ours(ds: Dataset) -> bool:
    return str(ds.get("Manufacturer", "")) == IMPLEMENTATION_VERSION_NAME


def _is_wanted(one: Located) -> bool:
    return one.sop_class_uid.startswith(SR_CLASSES) and one.sop_class_uid != _KEY_OBJECT_SELECTION


def _is_of_a_slide(ds: Dataset) -> bool:
    return any(
        one.get("ReferencedSOPClassUID") == _WHOLE_SLIDE
        for study in ds.get("CurrentRequestedProcedureEvidenceSequence") or ()
        for series in study.get("ReferencedSeriesSequence") or ()
        for one in series.get("ReferencedSOPSequence") or ()
    )


def _device_of(ds: Dataset) -> str:
    """Return the device that observed (TID 1004), else what the equipment is called."""
    for item in ds.get("ContentSequence") or ():
        name = item.get("ConceptNameCodeSequence")
        if name and name[0].get("CodeValue") == _DEVICE_NAME and item.get("TextValue"):
            return str(item.TextValue)
    return " ".join(str(ds[one].value) for one in ("Manufacturer", "ManufacturerModelName") if ds.get(one))
