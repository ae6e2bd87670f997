"""Attributes that no row has and no instance says: told of other rows, only when they are asked for."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, func, select

from kernel.archive.search.found import InstanceRow, SeriesRow
from kernel.archive.search.items import Item, Row
from kernel.archive.tables import instance, series, study
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.levels import Level

DERIVED: Final[Mapping[Level, Sequence[str]]] = {
    "patient": ("NumberOfPatientRelatedStudies", "NumberOfPatientRelatedSeries", "NumberOfPatientRelatedInstances"),
    "study": ("SOPClassesInStudy",),
    "series": (),
    "instance": (),
}


def derive(connection: Connection, rows: Sequence[Row], level: Level, wanted: frozenset[int] | None) -> dict[int, Item]:
    """Return what is derived for each row's patient and study, by the row's key; `wanted` None: whatever there is.

    SOP Classes in Study is not told of patients (PS3.4 C.6.1.1.2).
    """
    found: dict[int, Item] = {row.pk: {} for row in rows}
    studies = {row.pk: _study_pk(row) for row in rows}
    ways: list[tuple[Level, Callable[[Connection, Sequence[int]], dict[int, Item]]]]
    ways = [("patient", _related)] if level == "patient" else [("patient", _related), ("study", _sop_classes)]
    for above, tell in ways:
        if wanted is None or wanted & {TAG_OF[keyword] for keyword in DERIVED[above]}:
            items = tell(connection, sorted(set(studies.values())))
            for pk, study_pk in studies.items():
                found[pk] |= items.get(study_pk, {})
    return found


def _related(connection: Connection, study_pks: Sequence[int]) -> dict[int, Item]:
    """Return how many studies, series and instances each study's patient has."""
    own, others = study.alias("own"), study.alias("others")
    counts = (func.count(), func.sum(others.c.number_of_series), func.sum(others.c.number_of_instances))
    query = select(own.c.pk, *counts).join(others, others.c.patient_pk == own.c.patient_pk).group_by(own.c.pk)
    return {
        pk: {
            f"{TAG_OF[keyword]:08X}": {"vr": "IS", "Value": [int(one)]}
            for keyword, one in zip(DERIVED["patient"], row, strict=True)
        }
        for pk, *row in connection.execute(query.where(own.c.pk.in_(study_pks)))
    }


def _sop_classes(connection: Connection, study_pks: Sequence[int]) -> dict[int, Item]:
    """Return the SOP classes of each study's instances, in order."""
    columns = (series.c.study_pk, instance.c.sop_class_uid)
    query = select(*columns).join_from(series, instance).where(series.c.study_pk.in_(study_pks)).distinct()
    name, found = f"{TAG_OF['SOPClassesInStudy']:08X}", dict[int, Item]()
    for pk, sop_class_uid in connection.execute(query.order_by(*columns)):
        found.setdefault(pk, {name: {"vr": "UI", "Value": []}})[name]["Value"].append(sop_class_uid)
    return found


def _study_pk(row: Row) -> int:
    if isinstance(row, InstanceRow):
        row = row.series
    return row.study.pk if isinstance(row, SeriesRow) else row.pk
