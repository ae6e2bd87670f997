"""The structured reports of a series, to be read: which there are, and what one says."""

from typing import Final

from consult.documents import DOCUMENT_BYTES_MAX, Documents, Version, version_of
from consult.findings.content_tree import SR_CLASSES, Content, content_of
from kernel.access import StudyGrant
from kernel.archive import index as archive_index
from kernel.database import Database
from kernel.errors import LimitExceeded, NotFound

LISTED_MAX: Final = 200  # of one series, the newest

Report = Version[Content]


class Reports:
    """Reads structured reports; safe in threads."""

    def __init__(self, db: Database, documents: Documents) -> None:
        self._db = db
        self._documents = documents

    def listed(self, grant: StudyGrant, series_instance_uid: str) -> list[str]:
        """Return the SOP Instance UIDs of a series' reports, the newest first. Raises NotFound."""
        with self._db.read() as connection:
            located = archive_index.locate_series(connection, grant, series_instance_uid)
        found = [one.sop_instance_uid for one in located if one.sop_class_uid.startswith(SR_CLASSES)]
        return found[::-1][:LISTED_MAX]

    def read(self, grant: StudyGrant, series_instance_uid: str, sop_instance_uid: str) -> Report:
        """Return one report.

        Raises
        ------
        NotFound
            The study has no such report.
        LimitExceeded
            It is too large for a screen.
        """
        with self._db.read() as connection:
            located = archive_index.locate_instance(connection, grant, series_instance_uid, sop_instance_uid)
        if not located.sop_class_uid.startswith(SR_CLASSES):
            raise NotFound(what="report")
        if located.size_bytes > DOCUMENT_BYTES_MAX:
            raise LimitExceeded(limit="document_bytes_max", value=str(located.size_bytes), bound=DOCUMENT_BYTES_MAX)
        ds = self._documents.read(located)
        return version_of(ds, content_of(ds))
