"""What reading has to say when instances are deleted: nothing speaks against it, and what was kept of them goes, too.

Forms and drafts go with their study. What was shown goes with its series as soon as anything of that goes: another
instance may come under the UID of one that was seen.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from consult.draft_tables import draft
from consult.pathology.tables import pathology_form
from consult.shown.tables import shown_series
from kernel.archive.deletion.reclaim import Freed
from kernel.archive.deletion.removal import Doomed, takes_all
from kernel.archive.index import batched
from kernel.archive.tables import series

WITH_STUDY: Final = (pathology_form, draft)


class ReadingDependents:
    """What readers wrote and saw of what is deleted (`kernel.archive.deletion.deletion.Dependents`)."""

    def obstacles(self, connection: Connection, doomed: Doomed) -> Sequence[str]:
        """Return nothing."""
        del connection, doomed
        return ()

    def forget(self, connection: Connection, doomed: Doomed, *, erase: bool, at: datetime) -> Sequence[Freed]:
        """Remove the rows; no blob is theirs."""
        del erase, at
        if takes_all(connection, doomed):
            for table in WITH_STUDY:
                connection.execute(delete(table).where(*_of_study(table, doomed)))
        touched = sorted({series_pk for _, series_pk, _ in doomed.instances})
        uids = connection.scalars(select(series.c.series_instance_uid).where(series.c.pk.in_(touched))).all()
        for some in batched(uids):
            gone = shown_series.c.series_instance_uid.in_(some)
            connection.execute(delete(shown_series).where(*_of_study(shown_series, doomed), gone))
        return ()


def _of_study(table: Table, doomed: Doomed) -> tuple[ColumnElement[bool], ...]:
    return table.c.site == doomed.site, table.c.study_instance_uid == doomed.study_instance_uid
