"""One matching key as a SQL condition, for both engines. Pure: nothing is executed.

Names are compared folded (`kernel.dicom.vocabulary.names.fold`), everything else as it is written (PS3.4 C.2.2.2).
"""

import re
from typing import Any, Final

from sqlalchemy import ColumnElement, and_, false, func, literal, or_, select, true
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from kernel.archive.rows import clean
from kernel.archive.tables import instance, series, study, study_modality
from kernel.dicom.queries.matching import (
    AllOf,
    AnyOf,
    Combined,
    Empty,
    Exact,
    Match,
    Moments,
    Range,
    Universal,
    Wildcard,
    Words,
)
from kernel.dicom.vocabulary.names import fold

FOLDED: Final = ("PatientName", "ReferringPhysicianName")
WILD: Final = re.compile(r"[*?]")
_NUMBERS: Final = ("SeriesNumber", "InstanceNumber")
_PLUS: Final = custom_op[Any]("+")  # of SQLite: the column, but not for an index
_LAST: Final = "\U0010ffff"  # sorts after every text that continues a prefix
_INDEXED: Final = (
    study.c.study_instance_uid,
    study.c.study_date,
    study.c.patient_id,
    study.c.accession_number,
    study.c.patient_birth_date,
    study.c.name_fold,
)


def condition_of(keyword: str, column: ColumnElement[Any], match: Match, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return the condition of one key; `column` may be any expression of the key's column."""
    prepare = folded if keyword in FOLDED else clean
    if keyword in _NUMBERS:
        return _number_condition(column, match)
    match match:
        case Exact(value=value):
            return column == prepare(value)
        case AnyOf(values=values):
            return column.in_([prepare(value) for value in values])
        case AllOf(values=values):  # of an attribute with one value
            return and_(*(column == prepare(value) for value in values))
        case Empty():
            return column == ""
        case Words(words=words):
            return and_(*(like(column, f"*{word}*", on_sqlite=on_sqlite) for word in words))
        case Wildcard(pattern=pattern):
            return _wildcard(column, prepare(pattern), on_sqlite=on_sqlite)
        case Range() | Combined() | Moments():
            return _range(column, match)
        case Universal():
            return true()


def _range(column: ColumnElement[Any], match: Range | Combined | Moments) -> ColumnElement[bool]:
    if isinstance(match, Moments):
        return false()  # of a DT, which no column is
    if isinstance(match, Combined):
        match = match.days
    bounds = [column >= match.lower] if match.lower else [column != ""]
    bounds += [column <= match.upper] if match.upper is not None else []
    return and_(*bounds)


def _wildcard(column: ColumnElement[Any], pattern: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    prefix = WILD.split(pattern, maxsplit=1)[0]
    whole = like(column, pattern, on_sqlite=on_sqlite)
    return and_(begins(column, prefix), whole) if prefix else whole


def folded(value: str) -> str:
    """Return a name as it is compared."""
    return fold(clean(value))


def _number_condition(column: ColumnElement[Any], match: Match) -> ColumnElement[bool]:
    """Return the condition of an IS key: compared as numbers, `07` is 7."""
    if isinstance(match, Empty):
        return column.is_(None)
    if isinstance(match, AllOf):
        return and_(*(_number_condition(column, Exact(value)) for value in match.values))
    texts = match.values if isinstance(match, AnyOf) else (match.value,) if isinstance(match, Exact) else ()
    numbers = [int(value) for value in texts if re.fullmatch(r"[+-]?[0-9]{1,12}", value.strip())]
    return column.in_(numbers)


def has_modality(match: Match, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return whether a study has a series of the modality; of each, when all of several are wanted.

    The study's own list of them is in the indexes that are walked, so that no row is read for it.
    """
    listed = literal("\\").concat(study.c.modalities).concat("\\")
    match match:
        case Exact(value=value):  # the first condition is the cheaper one, and mostly settles it
            return and_(
                like(study.c.modalities, f"*{value}*", on_sqlite=on_sqlite),
                like(listed, f"*\\{value}\\*", on_sqlite=on_sqlite),
            )
        case AllOf(values=values):
            return and_(*(has_modality(Exact(value), on_sqlite=on_sqlite) for value in values))
        case AnyOf(values=values):
            return or_(*(has_modality(Exact(value), on_sqlite=on_sqlite) for value in values))
        case Empty():
            return study.c.modalities == ""
        case _:
            # Not EXISTS: SQLite makes a join of that, and begins it at the modality however common that is.
            condition = condition_of("", study_modality.c.modality, match, on_sqlite=on_sqlite)
            of_study = select(func.count()).where(study_modality.c.study_pk == study.c.pk, condition)
            return of_study.correlate(study).scalar_subquery() > 0


def has_sop_class(match: Match, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return whether a study has an instance of the SOP class; of each, when all of several are wanted."""
    if isinstance(match, AllOf):
        return and_(*(has_sop_class(Exact(value), on_sqlite=on_sqlite) for value in match.values))
    own_series, own = series.alias("own_series"), instance.alias("own_instance")
    one = select(own.c.pk).join_from(own_series, own, own.c.series_pk == own_series.c.pk).limit(1)
    one = one.where(own_series.c.study_pk == study.c.pk).correlate(study)
    if isinstance(match, Empty):
        return one.scalar_subquery().is_(None)
    return one.where(condition_of("", own.c.sop_class_uid, match, on_sqlite=on_sqlite)).scalar_subquery().is_not(None)


def like(column: ColumnElement[Any], pattern: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return a comparison with wildcards, by case: GLOB on SQLite, whose LIKE folds ASCII; LIKE on PostgreSQL."""
    if on_sqlite:
        return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def begins(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    """Return whether a text begins with `prefix`, as a range of its index."""
    return and_(column >= prefix, column <= prefix + _LAST)


def unindexed(column: ColumnElement[Any], *, on_sqlite: bool) -> ColumnElement[Any]:
    """Return the same text as an expression that no index answers; a column without an index of its own stays."""
    if not any(column is indexed for indexed in _INDEXED):
        return column
    return UnaryExpression(column, operator=_PLUS, type_=column.type) if on_sqlite else column.concat("")
