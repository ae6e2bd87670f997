"""Matching keys as SQL conditions, and the index probes that SQLite's plans are chosen by. Pure: nothing is executed.

Names are compared folded (`kernel.dicom.names.fold`), everything else as it is written (PS3.4 C.2.2.2).
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    column,
    exists,
    false,
    or_,
    select,
    table,
    true,
    union_all,
)

from kernel.archive.rows import clean
from kernel.archive.tables import instance, series, study, study_modality
from kernel.dicom.levels import Level
from kernel.dicom.matching import AllOf, AnyOf, Combined, Empty, Exact, Match, Range, Universal, Wildcard, Words
from kernel.dicom.names import fold
from kernel.errors import InvalidQuery

TEXT_CHARACTERS_MAX: Final = 256
WORDS_MAX: Final = 8
TRIGRAMS_MAX: Final = 24
_WILD: Final = re.compile(r"[*?]")
_NAMES: Final = table("study_name", column("rowid"), column("study_name"))  # FTS5; see tables.py
_LAST: Final = "\U0010ffff"  # sorts after every text that continues a prefix

_STUDY: Final[Mapping[str, ColumnElement[Any]]] = {
    "StudyInstanceUID": study.c.study_instance_uid,
    "StudyDate": study.c.study_date,
    "StudyTime": study.c.study_time,
    "AccessionNumber": study.c.accession_number,
    "StudyID": study.c.study_id,
    "StudyDescription": study.c.study_description,
    "ReferringPhysicianName": study.c.referring_fold,
    "PatientName": study.c.name_fold,
    "PatientID": study.c.patient_id,
    "IssuerOfPatientID": study.c.issuer,
    "PatientBirthDate": study.c.patient_birth_date,
    "PatientSex": study.c.patient_sex,
    "ModalitiesInStudy": study_modality.c.modality,
}
_SERIES: Final[Mapping[str, ColumnElement[Any]]] = {
    **_STUDY,
    "SeriesInstanceUID": series.c.series_instance_uid,
    "Modality": series.c.modality,
    "SeriesNumber": series.c.series_number,
    "SeriesDescription": series.c.series_description,
    "BodyPartExamined": series.c.body_part_examined,
    "SeriesDate": series.c.series_date,
    "SeriesTime": series.c.series_time,
}
_INSTANCE: Final[Mapping[str, ColumnElement[Any]]] = {
    **_SERIES,
    "SOPInstanceUID": instance.c.sop_instance_uid,
    "SOPClassUID": instance.c.sop_class_uid,
    "InstanceNumber": instance.c.instance_number,
}
_PATIENT: Final = {
    keyword: _STUDY[keyword]
    for keyword in ("PatientName", "PatientID", "IssuerOfPatientID", "PatientBirthDate", "PatientSex")
}
COLUMNS: Final[Mapping[Level, Mapping[str, ColumnElement[Any]]]] = {
    "patient": _PATIENT,
    "study": _STUDY,
    "series": _SERIES,
    "instance": _INSTANCE,
}
_NUMBERS: Final = ("SeriesNumber", "InstanceNumber")
_FOLDED: Final = ("PatientName", "ReferringPhysicianName")
_PINNING: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "AccessionNumber")
_PROBED: Final = ("PatientName", "PatientID", "AccessionNumber")

Candidates = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class Keys:
    """What a query asks for, ready to become SQL.

    Raises
    ------
    InvalidQuery
        A keyword that this level does not have. The message never repeats a value: it may be a name.
    """

    def __init__(self, matches: Mapping[str, Match], words: str, level: Level) -> None:
        columns = COLUMNS[level]
        unknown = sorted(set(matches) - set(columns))
        if unknown:
            raise InvalidQuery(reason=f"{', '.join(unknown[:5])} cannot be searched at the {level} level")
        if len(words) > TEXT_CHARACTERS_MAX:
            raise InvalidQuery(reason=f"the text is longer than {TEXT_CHARACTERS_MAX} characters")
        self._columns = columns
        self._matches = {keyword: match for keyword, match in matches.items() if not isinstance(match, Universal)}
        words = clean(words)
        self._text = words.strip()
        self._words = [word for word in re.split(r"[\s^=,*?]+", fold(words)) if word][:WORDS_MAX]

    @property
    def is_pinned(self) -> bool:
        """Whether a key names one thing, so that its index is the right one."""
        return any(isinstance(self._matches.get(keyword), Exact | AnyOf) for keyword in _PINNING)

    def conditions(self, *, on_sqlite: bool, indexed: bool = True, dated: bool = True) -> list[ColumnElement[bool]]:
        """Return what every row must fulfil.

        With `indexed` false, SQLite is kept from driving the search by any of them but the date, and without `dated`
        from the date too, so that it walks in the order asked for.
        """
        conditions: list[ColumnElement[bool]] = []
        for keyword, match in self._matches.items():
            if keyword == "ModalitiesInStudy":
                conditions.append(_has_modality(match, on_sqlite=on_sqlite))
                continue
            column = self._columns[keyword]
            if not indexed and not (dated and keyword == "StudyDate"):
                column = _unindexed(column)
            if isinstance(match, Combined):
                within = column.concat(self._columns[match.time_keyword])
                conditions.append(_condition(keyword, within, match.within, on_sqlite=on_sqlite))
            conditions.append(_condition(keyword, column, match, on_sqlite=on_sqlite))
        if self._text:
            conditions.append(self._text_condition(on_sqlite=on_sqlite, indexed=indexed))
        return conditions

    def probes(self) -> Iterator[Candidates]:
        """Yield selects of candidate study keys, each answered by one index of SQLite, cheap ones first."""
        for keyword in _PROBED:
            match = self._matches.get(keyword)
            if match is not None:
                yield from _probes_of(keyword, match)
        by_name = _by_trigrams(self._words)
        if self._text and by_name is not None:
            begins = [select(study.c.pk).where(condition) for condition in self._identifier_begins(indexed=True)]
            yield union_all(by_name, *begins)
        modalities, date = self._matches.get("ModalitiesInStudy"), self._matches.get("StudyDate")
        if isinstance(modalities, AllOf):  # each has few candidates or none has
            modalities = Exact(modalities.values[0])
        if isinstance(modalities, Exact | AnyOf):
            conditions = [_condition("", study_modality.c.modality, modalities, on_sqlite=True)]
            if date is not None:
                conditions.append(_condition("", study_modality.c.study_date, date, on_sqlite=True))
            yield select(study_modality.c.study_pk).where(*conditions)

    def _text_condition(self, *, on_sqlite: bool, indexed: bool) -> ColumnElement[bool]:
        """Return: every word is in the name, or an identifier begins with the text."""
        name = study.c.name_fold if indexed else _unindexed(study.c.name_fold)
        in_name = [_like(name, f"*{word}*", on_sqlite=on_sqlite) for word in self._words]
        return or_(and_(*in_name) if in_name else false(), *self._identifier_begins(indexed=indexed))

    def _identifier_begins(self, *, indexed: bool) -> list[ColumnElement[bool]]:
        return [
            _begins(column if indexed else _unindexed(column), start)
            for column in (study.c.patient_id, study.c.accession_number)
            for start in sorted({self._text, self._text.upper()})
        ]


def _condition(keyword: str, column: ColumnElement[Any], match: Match, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return the condition of one key; `column` may be any expression of the key's column."""
    prepare = _folded if keyword in _FOLDED else clean
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
            return and_(*(_like(column, f"*{word}*", on_sqlite=on_sqlite) for word in words))
        case Wildcard(pattern=pattern):
            return _wildcard(column, prepare(pattern), on_sqlite=on_sqlite)
        case Range() | Combined():
            return _range(column, match.days if isinstance(match, Combined) else match)
        case Universal():
            return true()


def _range(column: ColumnElement[Any], match: Range) -> ColumnElement[bool]:
    bounds = [column != ""]
    bounds += [column >= match.lower] if match.lower is not None else []
    bounds += [column <= match.upper] if match.upper is not None else []
    return and_(*bounds)


def _wildcard(column: ColumnElement[Any], pattern: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    prefix = _WILD.split(pattern, maxsplit=1)[0]
    like = _like(column, pattern, on_sqlite=on_sqlite)
    return and_(_begins(column, prefix), like) if prefix else like


def _folded(value: str) -> str:
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


def _has_modality(match: Match, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return whether a study has a series of the modality; of each, when all of several are wanted."""
    if isinstance(match, AllOf):
        return and_(*(_has_modality(Exact(value), on_sqlite=on_sqlite) for value in match.values))
    if isinstance(match, Empty):
        return ~exists().where(study_modality.c.study_pk == study.c.pk)
    condition = _condition("", study_modality.c.modality, match, on_sqlite=on_sqlite)
    return exists().where(study_modality.c.study_pk == study.c.pk, condition)


def _probes_of(keyword: str, match: Match) -> Iterator[Candidates]:
    prepare = _folded if keyword == "PatientName" else clean
    column = _STUDY[keyword]
    match match:
        case Exact(value=value):
            yield select(study.c.pk).where(column == prepare(value))
        case Wildcard(pattern=pattern):
            parts = _WILD.split(prepare(pattern))
            if parts[0]:
                yield select(study.c.pk).where(_begins(column, parts[0]))
            by_name = _by_trigrams(parts) if keyword == "PatientName" else None
            if by_name is not None:
                yield by_name
        case Words(words=words):
            by_name = _by_trigrams(words)
            if by_name is not None:
                yield by_name
        case _:
            return


def _by_trigrams(literals: Iterable[str]) -> Select[*tuple[Any, ...]] | None:
    """Return the studies whose names have all trigrams of `literals`, or None when they have too few characters."""
    found = dict.fromkeys(one[start : start + 3] for one in literals for start in range(len(one) - 2))
    if not found:
        return None
    quoted = " AND ".join('"' + one.replace('"', '""') + '"' for one in list(found)[:TRIGRAMS_MAX])
    return select(_NAMES.c.rowid).where(_NAMES.c.study_name.op("MATCH")(quoted))


def _like(column: ColumnElement[Any], pattern: str, *, on_sqlite: bool) -> ColumnElement[bool]:
    """Return a comparison with wildcards, by case: GLOB on SQLite, whose LIKE folds ASCII; LIKE on PostgreSQL."""
    if on_sqlite:
        return column.op("GLOB", is_comparison=True)(pattern.replace("[", "[[]"))
    escaped = re.sub(r"([\\%_])", r"\\\1", pattern)
    return column.like(escaped.replace("*", "%").replace("?", "_"), escape="\\")


def _begins(column: ColumnElement[Any], prefix: str) -> ColumnElement[bool]:
    return and_(column >= prefix, column <= prefix + _LAST)


def _unindexed(column: ColumnElement[Any]) -> ColumnElement[Any]:
    """Return the same text as an expression that no index of SQLite answers."""
    return column.concat("") if column.table is study else column
