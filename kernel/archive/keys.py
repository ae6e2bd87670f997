"""Matching keys as SQL conditions, and the candidates that plan.py may lead a search by. Pure: nothing is executed.

Names are compared folded (`kernel.dicom.names.fold`), everything else as it is written (PS3.4 C.2.2.2).
"""

import re
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    column,
    false,
    func,
    literal,
    or_,
    select,
    table,
    true,
    union_all,
)
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import custom_op

from kernel.archive.rows import clean
from kernel.archive.tables import instance, series, study, study_modality
from kernel.dicom.levels import Level
from kernel.dicom.matching import (
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
from kernel.dicom.names import fold
from kernel.errors import InvalidQuery

TEXT_CHARACTERS_MAX: Final = 256
WORDS_MAX: Final = 8
TRIGRAMS_MAX: Final = 24
_IDENTIFIERS: Final = (study.c.patient_id, study.c.accession_number)
_WILD: Final = re.compile(r"[*?]")
_NAMES: Final = table("study_name", column("rowid"), column("study_name"))  # FTS5; see tables.py
_PLUS: Final = custom_op[Any]("+")  # of SQLite: the column, but not for an index
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
_LEADING: Final = ("PatientBirthDate", "PatientID", "AccessionNumber", "PatientName")  # with an index of their own
_COVERED: Final = frozenset({"StudyDate", "PatientName", "PatientSex", "ModalitiesInStudy"})  # and the site
_INDEXED: Final = (
    study.c.study_instance_uid,
    study.c.study_date,
    study.c.patient_id,
    study.c.accession_number,
    study.c.patient_birth_date,
    study.c.name_fold,
)
EVERY: Final[Container[str]] = frozenset(_INSTANCE)

Candidates = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class Lead(NamedTuple):
    """Studies among which all that match are; `keyword` names the key whose own index finds them, else None."""

    candidates: Candidates
    keyword: str | None


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
    def pinned(self) -> frozenset[str]:
        """The keys that name one thing, so that their indexes are the right ones."""
        return frozenset(word for word in _PINNING if isinstance(self._matches.get(word), Exact | AnyOf))

    @property
    def is_covered(self) -> bool:
        """Whether an index that is walked answers all keys, so that no row is read for them."""
        return _COVERED.issuperset(self._matches)

    @property
    def dated(self) -> list[ColumnElement[bool]]:
        """The condition of the study's date alone."""
        match = self._matches.get("StudyDate")
        return [] if match is None else [_condition("StudyDate", study.c.study_date, match, on_sqlite=True)]

    @property
    def identified(self) -> Candidates | None:
        """The studies of which an identifier begins with the text; None without a text."""
        if not self._text:
            return None
        found = union_all(*(select(study.c.pk).where(one) for one in self._identifier_begins(_IDENTIFIERS)))
        return select(found.subquery().c.pk)

    def conditions(
        self, *, on_sqlite: bool, indexed: Container[str] = EVERY, identified: Candidates | None = None
    ) -> list[ColumnElement[bool]]:
        """Return what every row must fulfil.

        The engine is kept from driving the search by other keys of the study than `indexed`. `identified`: that these
        studies have an identifier as the text says is known, and their rows need not be read for it.
        """
        conditions: list[ColumnElement[bool]] = []
        for keyword, match in self._matches.items():
            if keyword == "ModalitiesInStudy":
                conditions.append(_has_modality(match, on_sqlite=on_sqlite))
                continue
            column = self._columns[keyword]
            if keyword not in indexed:
                column = _unindexed(column, on_sqlite=on_sqlite)
            if isinstance(match, Combined):
                within = column.concat(self._columns[match.time_keyword])
                conditions.append(_condition(keyword, within, match.within, on_sqlite=on_sqlite))
            conditions.append(_condition(keyword, column, match, on_sqlite=on_sqlite))
        if self._text:
            conditions.append(self._text_condition(on_sqlite=on_sqlite, identified=identified))
        return conditions

    def own_leads(self) -> Iterator[Lead]:
        """Yield what could lead the search by the index of a key alone: cheap to count."""
        for keyword in _LEADING:
            match = self._matches.get(keyword)
            own = None if match is None else _by_own_index(keyword, match)
            if own is not None:
                yield Lead(own, keyword)

    def other_leads(self, *, on_sqlite: bool, identified: Candidates | None) -> Iterator[Lead]:
        """Yield what else could: the trigrams of names, the table of modalities."""
        yield from self._by_trigrams(identified, on_sqlite=on_sqlite)
        modalities, date = self._matches.get("ModalitiesInStudy"), self._matches.get("StudyDate")
        if isinstance(modalities, AllOf):  # each has few candidates or none has
            modalities = Exact(modalities.values[0])
        if isinstance(modalities, Exact | AnyOf):
            conditions = [_condition("", study_modality.c.modality, modalities, on_sqlite=on_sqlite)]
            if date is not None:
                conditions.append(_condition("", study_modality.c.study_date, date, on_sqlite=on_sqlite))
            yield Lead(select(study_modality.c.study_pk).where(*conditions), None)

    def listed_by_modality(self) -> list[ColumnElement[bool]]:
        """Return the conditions of `study_modality` that are all that is asked for; empty when there is more."""
        modality, date = self._matches.get("ModalitiesInStudy"), self._matches.get("StudyDate")
        others = self._matches.keys() - {"ModalitiesInStudy", "StudyDate"}
        if others or self._text or not isinstance(modality, Exact) or isinstance(date, Combined):
            return []
        conditions = [_condition("", study_modality.c.modality, modality, on_sqlite=True)]
        if date is not None:
            conditions.append(_condition("", study_modality.c.study_date, date, on_sqlite=True))
        return conditions

    def _by_trigrams(self, identified: Candidates | None, *, on_sqlite: bool) -> Iterator[Lead]:
        match self._matches.get("PatientName"):
            case Wildcard(pattern=pattern):
                parts = _WILD.split(_folded(pattern))
                by_name = _by_trigrams(parts, [_folded(pattern)], on_sqlite=on_sqlite)
            case Words(words=words):
                by_name = _by_trigrams(words, _inside(words), on_sqlite=on_sqlite)
            case _:
                by_name = None
        if by_name is not None:
            yield Lead(by_name, None)
        by_text = _by_trigrams(self._words, _inside(self._words), on_sqlite=on_sqlite)
        if by_text is not None and identified is not None:
            yield Lead(union_all(by_text, identified), None)

    def _text_condition(self, *, on_sqlite: bool, identified: Candidates | None) -> ColumnElement[bool]:
        """Return: every word is in the name, or an identifier begins with the text."""
        name = _unindexed(study.c.name_fold, on_sqlite=on_sqlite)
        in_name = [_like(name, pattern, on_sqlite=on_sqlite) for pattern in _inside(self._words)]
        columns = [_unindexed(column, on_sqlite=on_sqlite) for column in _IDENTIFIERS]
        begins = self._identifier_begins(columns) if identified is None else [study.c.pk.in_(identified)]
        return or_(and_(*in_name) if in_name else false(), *begins)

    def _identifier_begins(self, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
        starts = sorted({self._text, self._text.upper()})
        return [_begins(column, start) for column in columns for start in starts]


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
    """Return whether a study has a series of the modality; of each, when all of several are wanted.

    The study's own list of them is in the indexes that are walked, so that no row is read for it.
    """
    listed = literal("\\").concat(study.c.modalities).concat("\\")
    match match:
        case Exact(value=value):  # the first condition is the cheaper one, and mostly settles it
            return and_(
                _like(study.c.modalities, f"*{value}*", on_sqlite=on_sqlite),
                _like(listed, f"*\\{value}\\*", on_sqlite=on_sqlite),
            )
        case AllOf(values=values):
            return and_(*(_has_modality(Exact(value), on_sqlite=on_sqlite) for value in values))
        case AnyOf(values=values):
            return or_(*(_has_modality(Exact(value), on_sqlite=on_sqlite) for value in values))
        case Empty():
            return study.c.modalities == ""
        case _:
            # Not EXISTS: SQLite makes a join of that, and begins it at the modality however common that is.
            condition = _condition("", study_modality.c.modality, match, on_sqlite=on_sqlite)
            of_study = select(func.count()).where(study_modality.c.study_pk == study.c.pk, condition)
            return of_study.correlate(study).scalar_subquery() > 0


def _by_own_index(keyword: str, match: Match) -> Candidates | None:
    """Return the studies that the index of a key finds: those with the value, or with the beginning of a wildcard."""
    prepare = _folded if keyword in _FOLDED else clean
    match match:
        case Exact() | AnyOf():
            condition = _condition(keyword, _STUDY[keyword], match, on_sqlite=True)
        case Wildcard(pattern=pattern) if prefix := _WILD.split(prepare(pattern), maxsplit=1)[0]:
            condition = _begins(_STUDY[keyword], prefix)
        case _:
            return None
    return select(study.c.pk).where(condition)


def _inside(words: Iterable[str]) -> list[str]:
    return [f"*{word}*" for word in words]


def _by_trigrams(
    literals: Iterable[str], patterns: Iterable[str], *, on_sqlite: bool
) -> Select[*tuple[Any, ...]] | None:
    """Return the studies whose names may match, by an index of trigrams; None when `literals` have none.

    SQLite's is asked for the trigrams of `literals`, PostgreSQL's for the `patterns` themselves.
    """
    found = dict.fromkeys(one[start : start + 3] for one in literals for start in range(len(one) - 2))
    if not found:
        return None
    if not on_sqlite:
        return select(study.c.pk).where(*(_like(study.c.name_fold, one, on_sqlite=False) for one in patterns))
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


def _unindexed(column: ColumnElement[Any], *, on_sqlite: bool) -> ColumnElement[Any]:
    """Return the same text as an expression that no index answers; a column without an index of its own stays."""
    if not any(column is indexed for indexed in _INDEXED):
        return column
    return UnaryExpression(column, operator=_PLUS, type_=column.type) if on_sqlite else column.concat("")
