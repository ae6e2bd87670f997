"""Studies, series and instances as lists show them, and how their rows are selected."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, Row, Select, bindparam, select

from kernel.archive.tables import instance, series, study
from kernel.dicom.vocabulary.levels import Level

AnyRow = Row[*tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class StudyRow:
    """A study as lists show it."""

    pk: int
    site: str
    study_instance_uid: str
    study_date: str
    study_time: str
    accession_number: str
    study_id: str
    study_description: str
    referring_physician_name: str
    patient_name: str
    patient_id: str
    issuer: str
    patient_birth_date: str
    patient_sex: str
    patient_disputed: bool  # an instance names another patient
    modalities: tuple[str, ...]
    body_part: str
    number_of_series: int
    number_of_instances: int
    size_bytes: int
    first_received_at: datetime
    last_received_at: datetime
    state: str  # receiving | complete
    evidence: str
    priority: int  # 0 STAT, 1 urgent, 2 routine
    expected_instances: int | None
    trace_id: str
    revision: int


@dataclass(frozen=True, slots=True)
class SeriesRow:
    """A series as lists show it."""

    pk: int
    study: StudyRow
    series_instance_uid: str
    modality: str
    series_number: int | None
    series_description: str
    body_part_examined: str
    series_date: str
    series_time: str
    number_of_instances: int
    number_of_frames: int
    last_received_at: datetime
    revision: int


@dataclass(frozen=True, slots=True)
class InstanceRow:
    """An instance as lists show it."""

    pk: int
    series: SeriesRow
    sop_instance_uid: str
    sop_class_uid: str
    transfer_syntax_uid: str
    instance_number: int | None
    number_of_frames: int
    rows: int | None
    columns: int | None
    bits_allocated: int | None
    size_bytes: int
    received_at: datetime
    shows_label: bool


@dataclass(frozen=True, slots=True)
class StudyPage:
    """Studies in order, and whether there are more."""

    rows: list[StudyRow]
    more: bool


_STUDY_COLUMNS: Final = tuple(study.c[name] for name in StudyRow.__dataclass_fields__)
_SERIES_COLUMNS: Final = tuple(series.c[name] for name in SeriesRow.__dataclass_fields__ if name != "study")
_INSTANCE_COLUMNS: Final = tuple(instance.c[name] for name in InstanceRow.__dataclass_fields__ if name != "series")
SELECTS: Final[Mapping[Level, Select[*tuple[Any, ...]]]] = {
    "study": select(*_STUDY_COLUMNS),
    "series": select(*_STUDY_COLUMNS, *_SERIES_COLUMNS).join_from(series, study),
    "instance": select(*_STUDY_COLUMNS, *_SERIES_COLUMNS, *_INSTANCE_COLUMNS).join_from(instance, series).join(study),
}
PKS: Final[Mapping[Level, Select[*tuple[Any, ...]]]] = {  # the key of each row alone
    "study": select(study.c.pk),
    "series": select(series.c.pk).join_from(series, study),
    "instance": select(instance.c.pk).join_from(instance, series).join(study),
}
_PK: Final[Mapping[Level, ColumnElement[int]]] = {"study": study.c.pk, "series": series.c.pk, "instance": instance.c.pk}
_BY_PKS: Final = {  # made once: to build a statement costs as much as to run it
    level: SELECTS[level].where(pk.in_(bindparam("pks", expanding=True))) for level, pk in _PK.items()
}
_MODALITIES: Final = list(StudyRow.__dataclass_fields__).index("modalities")


def rows_of(connection: Connection, level: Level, pks: Sequence[int]) -> "list[StudyRow | SeriesRow | InstanceRow]":
    """Return the rows of these keys in the order of the keys, studies for patients; one that is gone is left out."""
    if level in ("patient", "study"):
        return [*studies_of(connection, pks)]
    place = {pk: number for number, pk in enumerate(pks)}
    read = series_of if level == "series" else instance_of
    rows = [read(row) for row in connection.execute(_BY_PKS[level], {"pks": list(pks)})]
    return sorted(rows, key=lambda row: place[row.pk])


def studies_of(connection: Connection, pks: Sequence[int]) -> list[StudyRow]:
    """Return the studies of these keys as `rows_of`."""
    place = {pk: number for number, pk in enumerate(pks)}
    rows = map(study_of, connection.execute(_BY_PKS["study"], {"pks": list(pks)}))
    return sorted(rows, key=lambda row: place[row.pk])


def study_of(row: AnyRow) -> StudyRow:
    """Read the study of a row of any level."""
    values: list[Any] = list(row[: len(_STUDY_COLUMNS)])
    values[_MODALITIES] = tuple(filter(None, values[_MODALITIES].split("\\")))
    return StudyRow(*values)


def series_of(row: AnyRow) -> SeriesRow:
    """Read the series of a row of its level or below."""
    first = len(_STUDY_COLUMNS)
    pk, *rest = row[first : first + len(_SERIES_COLUMNS)]
    return SeriesRow(pk, study_of(row), *rest)


def instance_of(row: AnyRow) -> InstanceRow:
    """Read the instance of a row."""
    pk, *rest = row[len(_STUDY_COLUMNS) + len(_SERIES_COLUMNS) :]
    return InstanceRow(pk, series_of(row), *rest)
