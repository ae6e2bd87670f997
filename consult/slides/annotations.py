"""The annotations of a slide: one document of its study (`consult.documents`), in a series whose UID is made of the slide's."""

from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from consult.documents import Author, Documents, Sheet, Version, version_of
from consult.slides.marks import Mark, checked
from consult.slides.shelf import OpenSlide, Shelf
from kernel.access import StudyGrant
from kernel.dicom.scanning.part10 import open_dataset
from kernel.errors import InvalidRequest
from wsi.dicom_header import slide_uid

_ROLE: Final = "annotations"

SlideMarks = Version[tuple[Mark, ...]]
NOTHING: Final[SlideMarks] = Version(None, "", None, ())


class Annotations:
    """Reads and saves the marks of slides; safe in threads."""

    def __init__(self, documents: Documents, shelf: Shelf) -> None:
        self._documents = documents
        self._shelf = shelf

    def of(self, grant: StudyGrant, series_instance_uid: str) -> SlideMarks:
        """Return what was saved last. Raises as `Documents.newest`."""
        ds = self._documents.newest(grant, _series(series_instance_uid))
        if ds is None:
            return NOTHING
        from consult.slides.mark_documents import marks_of  # not before it is needed: it leads to highdicom

        return version_of(ds, marks_of(ds))

    def save(
        self, grant: StudyGrant, series_instance_uid: str, marks: Sequence[Mark], base: str | None, author: Author
    ) -> SlideMarks:
        """Keep marks as the new state, durable when this returns.

        Parameters
        ----------
        base
            The state that they were drawn on, as `of` gave it.

        Raises
        ------
        DocumentChanged
            Somebody saved another state since.
        InvalidRequest
            The marks are none, or the slide does not say where it lies on the glass.
        """
        from consult.slides.mark_documents import document

        kept = checked(marks)
        evidence = _evidence(self._shelf.current(grant, series_instance_uid))

        def build(sheet: Sheet, _: Dataset | None) -> Dataset:
            return document(evidence, kept, sheet)

        sheet = self._documents.save(grant, _series(series_instance_uid), base, author, build)
        return Version(sheet.sop_instance_uid, sheet.author, sheet.at, kept)


def _series(slide: str) -> str:
    return slide_uid(slide.encode(), _ROLE)


def _evidence(opened: OpenSlide) -> Dataset:
    """Return the header of one instance of the finest level."""
    index = opened.slide.index
    file = int(index.levels[0].files[0])
    ds = open_dataset(opened.paths[file], stop_before_pixels=True)
    if index.on_glass is None or index.mpp is None or not ds.get("FrameOfReferenceUID"):
        raise InvalidRequest(reason="the slide does not say where it lies on the glass, so marks cannot be kept")
    return ds
