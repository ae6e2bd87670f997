"""What reading and ordering have to say when instances are deleted: nothing speaks against it, and what goes with them.

Forms and drafts go with their study. What was shown goes with its series as soon as anything of that goes: another
instance may come under the UID of one that was seen. Orders, performed steps and work items are the hospital's own and
stay; but they name the patient, so those of a study go with it when it is erased.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, Table, delete, select

from consult.draft_tables import draft
from consult.pathology.tables import pathology_form
from consult.shown.tables import shown_series
from consult.tables import performed_instance, performed_step, scheduled_step
from consult.workitem_tables import subscription, workitem, workitem_report
from kernel.archive.deletion.reclaim import Freed
from kernel.archive.deletion.removal import Doomed, takes_all
from kernel.archive.index import batched
from kernel.archive.tables import series

WITH_STUDY: Final = (pathology_form, draft)
ERASED_WITH_STUDY: Final = (scheduled_step, performed_step, workitem)


class ReadingDependents:
    """What people wrote, saw and ordered of what is deleted (`kernel.archive.deletion.deletion.Dependents`)."""

    def obstacles(self, connection: Connection, doomed: Doomed) -> Sequence[str]:
        """Return nothing."""
        del connection, doomed
        return ()

    def forget(self, connection: Connection, doomed: Doomed, *, erase: bool, at: datetime) -> Sequence[Freed]:
        """Remove the rows; no blob is theirs."""
        del at
        if takes_all(connection, doomed):
            if erase:
                _forget_what_hangs_on(connection, doomed)
            for table in (*WITH_STUDY, *(ERASED_WITH_STUDY if erase else ())):
                connection.execute(delete(table).where(*_of_study(table, doomed)))
        touched = sorted({series_pk for _, series_pk, _ in doomed.instances})
        uids = connection.scalars(select(series.c.series_instance_uid).where(series.c.pk.in_(touched))).all()
        for some in batched(uids):
            gone = shown_series.c.series_instance_uid.in_(some)
            connection.execute(delete(shown_series).where(*_of_study(shown_series, doomed), gone))
        return ()


def _forget_what_hangs_on(connection: Connection, doomed: Doomed) -> None:
    """Remove the instances that steps name, and who waits for news of work items, with the news."""
    steps = select(performed_step.c.pk).where(*_of_study(performed_step, doomed))
    connection.execute(delete(performed_instance).where(performed_instance.c.step_pk.in_(steps)))
    items = select(workitem.c.uid).where(*_of_study(workitem, doomed))
    for table in (subscription, workitem_report):
        connection.execute(delete(table).where(table.c.site == doomed.site, table.c.uid.in_(items)))


def _of_study(table: Table, doomed: Doomed) -> tuple[ColumnElement[bool], ...]:
    return table.c.site == doomed.site, table.c.study_instance_uid == doomed.study_instance_uid
