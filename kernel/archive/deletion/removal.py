"""The rows of instances that are deleted, and what hangs on them, found by its foreign keys: no table is forgotten.

Counters of what stays are counted anew; a series or study without instances goes, and a patient without studies.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import Connection, Table, delete, exists, func, select, text, update

from kernel.archive.deletion.reclaim import Freed
from kernel.archive.tables import (
    distinct_name,
    instance,
    manifest,
    patient,
    series,
    study,
    study_day,
    study_modality,
)
from kernel.database import is_sqlite, metadata
from kernel.errors import LimitExceeded, NotFound

INSTANCES_MAX: Final = 50_000  # deleted at once
CHUNK: Final = 500  # keys in one statement
Level = Literal["study", "series", "instance"]


@dataclass(frozen=True, slots=True)
class Target:
    """A study, or one series or instance of it."""

    site: str
    study_instance_uid: str
    series_instance_uid: str | None = None
    sop_instance_uid: str | None = None

    @property
    def level(self) -> Level:
        """What is named."""
        if self.sop_instance_uid is not None:
            return "instance"
        return "study" if self.series_instance_uid is None else "series"


@dataclass(frozen=True, slots=True)
class Doomed:
    """What a target comes to."""

    site: str
    study_instance_uid: str
    study_pk: int
    patient_pk: int
    trace_id: str
    last_received_at: datetime
    instances: tuple[tuple[int, int, str], ...]  # instance.pk, series.pk, SOP Instance UID


def find(connection: Connection, target: Target) -> Doomed:
    """Return what a target comes to.

    Raises
    ------
    NotFound
        There is no such study, series or instance.
    LimitExceeded
        More than INSTANCES_MAX instances.
    """
    query = (
        select(
            *(instance.c.pk, instance.c.series_pk, instance.c.sop_instance_uid, instance.c.received_at),
            *(study.c.pk.label("study_pk"), study.c.patient_pk, study.c.trace_id),
        )
        .join_from(instance, series)
        .join(study)
        .where(study.c.site == target.site, study.c.study_instance_uid == target.study_instance_uid)
        .limit(INSTANCES_MAX + 1)
    )
    if target.series_instance_uid is not None:
        query = query.where(series.c.series_instance_uid == target.series_instance_uid)
    if target.sop_instance_uid is not None:
        query = query.where(instance.c.sop_instance_uid == target.sop_instance_uid)
    rows = connection.execute(query).all()
    if len(rows) > INSTANCES_MAX:
        raise LimitExceeded(limit="INSTANCES_MAX", value=len(rows), bound=INSTANCES_MAX)
    if not rows:
        raise NotFound(what=target.level)
    return Doomed(
        target.site,
        target.study_instance_uid,
        rows[0].study_pk,
        rows[0].patient_pk,
        rows[0].trace_id,
        max(row.received_at for row in rows),
        tuple((row.pk, row.series_pk, row.sop_instance_uid) for row in rows),
    )


def takes_all(connection: Connection, doomed: Doomed) -> bool:
    """Tell whether nothing of its study stays; the same before its rows went and after."""
    of_study = select(func.count()).select_from(instance).join(series, instance.c.series_pk == series.c.pk)
    left = connection.scalar(of_study.where(series.c.study_pk == doomed.study_pk)) or 0
    return left in (0, len(doomed.instances))


def remove(connection: Connection, doomed: Doomed) -> list[Freed]:
    """Delete the rows and return the blobs that they named; other rows may name them, too."""
    if not is_sqlite(connection):  # another node of this database may just be adding a study of the same name
        connection.execute(text("LOCK TABLE distinct_name IN SHARE ROW EXCLUSIVE MODE"))
    keys = _delete(connection, instance, [pk for pk, _, _ in doomed.instances])
    touched = sorted({series_pk for _, series_pk, _ in doomed.instances})
    empty = [pk for pk in touched if not _recount_series(connection, pk)]
    keys += _delete(connection, series, empty)
    if _recount_study(connection, doomed.study_pk):
        return keys
    whose = select(study.c.name_fold, study.c.study_date).where(study.c.pk == doomed.study_pk)
    named, day = connection.execute(whose).one()
    same = (manifest.c.site == doomed.site, manifest.c.study_instance_uid == doomed.study_instance_uid)
    connection.execute(delete(manifest).where(*same))
    keys += _delete(connection, study, [doomed.study_pk])
    namesakes = exists().where(study.c.name_fold == named)
    connection.execute(delete(distinct_name).where(distinct_name.c.name_fold == named, ~namesakes))
    others = select(study.c.pk).where(study.c.patient_pk == doomed.patient_pk).limit(1)
    if connection.scalar(others) is None:
        keys += _delete(connection, patient, [doomed.patient_pk])
    one_less = {"studies": study_day.c.studies - 1}
    connection.execute(update(study_day).where(study_day.c.study_date == day).values(one_less))
    connection.execute(delete(study_day).where(study_day.c.study_date == day, study_day.c.studies <= 0))
    return keys


def _delete(connection: Connection, table: Table, pks: Sequence[int]) -> list[Freed]:
    """Delete rows by their key, after whatever refers to them; return the blobs of all of them."""
    keys: list[Freed] = []
    for some in _chunks(pks):
        for child, column in _children(table):
            refer = child.c[column].in_(some)
            if "pk" in child.c:
                keys += _delete(connection, child, connection.execute(select(child.c.pk).where(refer)).scalars().all())
            else:
                connection.execute(delete(child).where(refer))
        if "blob_key" in table.c:
            freed = select(table.c.blob_key, table.c.sop_instance_uid).where(table.c.pk.in_(some))
            keys += [Freed(*row) for row in connection.execute(freed)]
        connection.execute(delete(table).where(table.c.pk.in_(some)))
    return keys


def _children(table: Table) -> Iterator[tuple[Table, str]]:
    """Yield every table of the node, and its column, that refers to `table` by its key."""
    for child in metadata.sorted_tables:
        for key in child.foreign_keys:
            if key.column is table.c.pk:
                yield child, key.parent.name


def _chunks(pks: Sequence[int]) -> Iterator[Sequence[int]]:
    for start in range(0, len(pks), CHUNK):
        yield pks[start : start + CHUNK]


def _recount_series(connection: Connection, pk: int) -> int:
    """Count a series anew and return how many instances it has."""
    counted = select(func.count(), func.coalesce(func.sum(instance.c.number_of_frames), 0))
    instances, frames = connection.execute(counted.where(instance.c.series_pk == pk)).one()
    values = {"number_of_instances": instances, "number_of_frames": frames, "revision": series.c.revision + 1}
    connection.execute(update(series).where(series.c.pk == pk).values(values))
    return instances


def _recount_study(connection: Connection, pk: int) -> int:
    """Count a study anew and return how many series it has."""
    inside = select(series.c.modality, series.c.pk).where(series.c.study_pk == pk)
    rows = connection.execute(inside).all()
    sums = select(func.count(), func.coalesce(func.sum(instance.c.size_bytes), 0)).join_from(instance, series)
    instances, size = connection.execute(sums.where(series.c.study_pk == pk)).one()
    modalities = sorted({row.modality for row in rows} - {""})
    values: dict[str, Any] = {
        "number_of_series": len(rows),
        "number_of_instances": instances,
        "size_bytes": size,
        "modalities": "\\".join(modalities),
        "revision": study.c.revision + 1,
    }
    connection.execute(update(study).where(study.c.pk == pk).values(values))
    gone = (study_modality.c.study_pk == pk, study_modality.c.modality.not_in(modalities))
    connection.execute(delete(study_modality).where(*gone))
    return len(rows)
