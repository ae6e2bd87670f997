"""The marks of a study: one document of it (`consult.documents`), in a series whose UID is made of the study's."""

import hashlib
from collections.abc import Sequence
from typing import Final

from pydicom.dataset import Dataset

from consult.documents import Author, Documents, Sheet, Version, version_of
from consult.findings.marks import Mark, checked
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.archive.records import Located
from kernel.database import Database
from kernel.dicom.vocabulary.uids import uid_of
from kernel.errors import InvalidRequest

MARKS_ROLE: Final = "measurements"

Marks = Version[tuple[Mark, ...]]
NOTHING: Final[Marks] = Version(None, "", None, ())


class Measurements:
    """Reads and saves the marks of studies; safe in threads."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    def of(self, grant: StudyGrant) -> Marks:
        """Return what was saved last. Raises as `Documents.newest`."""
        ds = self._documents.newest(grant, series_of(grant, MARKS_ROLE))
        if ds is None:
            return NOTHING
        from consult.findings.mark_documents import marks_of  # not before it is needed: it leads to highdicom

        return version_of(ds, marks_of(ds))

    def save(self, grant: StudyGrant, marks: Sequence[Mark], base: str | None, author: Author) -> Marks:
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
            The marks are none, or one is on an image that the study does not have.
        """
        from consult.findings.mark_documents import document, referred

        kept = checked(marks)
        wanted = {(mark.where.series_instance_uid, mark.where.sop_instance_uid) for mark in kept}

        def build(sheet: Sheet, last: Dataset | None) -> Dataset:
            if not wanted and last is None:
                raise InvalidRequest(reason="nothing was drawn and nothing was saved before")
            images = images_of(self._db, grant, wanted or referred(last or Dataset()))
            return document(self._documents.read(images[0]), images, kept, sheet)

        sheet = self._documents.save(grant, series_of(grant, MARKS_ROLE), base, author, build)
        return Version(sheet.sop_instance_uid, sheet.author, sheet.at, kept)


def series_of(grant: StudyGrant, role: str) -> str:
    """Return the series of a study in which the versions of a document are."""
    return uid_of(hashlib.sha256(f"{grant.study_instance_uid} {role}".encode()).digest()[:16])


def images_of(db: Database, grant: StudyGrant, wanted: set[tuple[str, str]]) -> list[Located]:
    """Return the instances of a study of these (series, instance).

    Raises
    ------
    InvalidRequest
        The study does not have one of them.
    """
    with db.read() as connection:
        found = archive_index.locate_some(connection, grant, sorted(uid for _, uid in wanted))
    if not found or {(one.series_instance_uid, one.sop_instance_uid) for one in found} != wanted:
        raise InvalidRequest(reason="something is marked on an image that the study does not have")
    return found
