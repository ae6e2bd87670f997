"""The statements by which the patient, study and series of an instance are found and made: compiled once (prepared.py)."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Table, bindparam, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from kernel.archive.tables import distinct_name, manifest, patient, series, study, study_day, study_modality
from kernel.database import Prepared


def _values_of(table: Table) -> tuple[list[str], dict[str, Any]]:
    """Return the columns that a new row gives, and the values of those that nothing is said of."""
    columns = [column for column in table.c if column.name != "pk"]
    unsaid: dict[str, Any] = {column.name: getattr(column.default, "arg", None) for column in columns}
    return [column.name for column in columns], unsaid


def _insert_unless_there(table: Table, *key: str) -> Callable[[bool], sqlite.Insert | postgresql.Insert]:
    """Return what builds INSERT ... ON CONFLICT DO NOTHING."""
    return lambda on_sqlite: (
        (sqlite if on_sqlite else postgresql).insert(table).on_conflict_do_nothing(index_elements=key)
    )


def _add_to_day(on_sqlite: bool) -> sqlite.Insert | postgresql.Insert:  # noqa: FBT001 (which engine)
    statement = (sqlite if on_sqlite else postgresql).insert(study_day)
    more = study_day.c.studies + statement.excluded.studies
    return statement.on_conflict_do_update(index_elements=["study_date"], set_={"studies": more})


IDENTITY: Final = ("site", "issuer", "patient_id", "only_in_study")
OF_A_STUDY, UNSAID_OF_A_STUDY = _values_of(study)
OF_A_SERIES, UNSAID_OF_A_SERIES = _values_of(series)

FIND_STUDY: Final = Prepared(
    lambda _: select(
        study.c.pk,
        study.c.trace_id,
        study.c.issuer,
        study.c.patient_id,
        study.c.patient_disputed,
        study.c.study_date,
        study.c.modalities,
        study.c.body_part,
    ).where(study.c.site == bindparam("site_"), study.c.study_instance_uid == bindparam("uid_")),
    ("site_", "uid_"),
)
FIND_MANIFEST: Final = Prepared(
    lambda _: select(manifest.c.instances_expected, manifest.c.priority).where(
        manifest.c.site == bindparam("site_"), manifest.c.study_instance_uid == bindparam("uid_")
    ),
    ("site_", "uid_"),
)
INSERT_STUDY: Final = Prepared(
    lambda on_sqlite: _insert_unless_there(study, "site", "study_instance_uid")(on_sqlite).returning(study.c.pk),
    OF_A_STUDY,
)
INSERT_NAME: Final = Prepared(_insert_unless_there(distinct_name, "name_fold"), ("name_fold",))
COUNT_DAY: Final = Prepared(_add_to_day, ("study_date", "studies"))
INSERT_PATIENT: Final = Prepared(
    _insert_unless_there(patient, *IDENTITY), [column.name for column in patient.c if column.name != "pk"]
)
FIND_PATIENT: Final = Prepared(
    lambda _: select(patient.c.pk).where(*(patient.c[name] == bindparam(f"{name}_") for name in IDENTITY)),
    [f"{name}_" for name in IDENTITY],
)
FIND_SERIES: Final = Prepared(
    lambda _: select(series.c.pk).where(
        series.c.study_pk == bindparam("study_"), series.c.series_instance_uid == bindparam("uid_")
    ),
    ("study_", "uid_"),
)
INSERT_SERIES: Final = Prepared(lambda _: insert(series).returning(series.c.pk), OF_A_SERIES)
INSERT_MODALITY: Final = Prepared(
    _insert_unless_there(study_modality, "modality", "study_date", "study_pk"), ("modality", "study_date", "study_pk")
)
ADD_SERIES: Final = Prepared(
    lambda _: (
        update(study)
        .where(study.c.pk == bindparam("pk_"))
        .values(
            number_of_series=study.c.number_of_series + 1,
            modalities=bindparam("modalities_"),
            body_part=bindparam("body_part_"),
        )
    ),
    ("pk_", "modalities_", "body_part_"),
)
