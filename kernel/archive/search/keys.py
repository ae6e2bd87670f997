"""What a query asks for, as SQL conditions, and the candidates that plan.py may lead a search by. Pure."""

import re
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, false, func, or_, select, true, union_all

from kernel.archive.rows import clean
from kernel.archive.search.conditions import (
    FOLDED,
    WILD,
    begins,
    condition_of,
    folded,
    has_modality,
    has_sop_class,
    like,
    unindexed,
)
from kernel.archive.search.key_columns import COLUMNS, EVERY
from kernel.archive.tables import distinct_name, study, study_modality
from kernel.dicom.queries.matching import AllOf, AnyOf, Combined, Exact, Match, Range, Universal, Wildcard, Words
from kernel.dicom.vocabulary.levels import Level
from kernel.dicom.vocabulary.names import fold
from kernel.errors import InvalidQuery

TEXT: Final = "text"  # the words of a query, beside the keywords of its keys
TEXT_CHARACTERS_MAX: Final = 256
WORDS_MAX: Final = 8
_IDENTIFIERS: Final = (study.c.patient_id, study.c.accession_number)

_PINNING: Final = ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "PatientID", "AccessionNumber")
_LEADING: Final = ("PatientBirthDate", "PatientID", "AccessionNumber", "PatientName")  # with an index of their own
_COVERED: Final = frozenset({"StudyDate", "PatientName", "PatientSex", "ModalitiesInStudy"})  # and the site

Candidates = Select[*tuple[Any, ...]] | CompoundSelect[*tuple[Any, ...]]


class Lead(NamedTuple):
    """Studies among which all that match are: found by the index of the key `keyword`, or else `among` says which."""

    candidates: Candidates
    keyword: str = ""
    among: ColumnElement[bool] = true()
    settles: frozenset[str] = frozenset()  # what all of them fulfil and need not be asked for: keywords, TEXT


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
        self.level: Level = level
        self._columns = columns
        self._matches = {keyword: match for keyword, match in matches.items() if not isinstance(match, Universal)}
        words = clean(words)
        self._text = words.strip()
        self._identifies = bool(self._text)  # an identifier may begin with the text
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
        return self.of_days(study.c.study_date)

    def of_days(self, column: ColumnElement[Any]) -> list[ColumnElement[bool]]:
        """Return the condition of the study's date for a column that has it."""
        match = self._matches.get("StudyDate")
        return [] if match is None else [condition_of("StudyDate", column, match, on_sqlite=True)]

    @property
    def are_days(self) -> bool:
        """Whether days are all that is asked for: who walks by date meets nothing else."""
        days = self._matches.get("StudyDate")
        return len(self._matches) == 1 and isinstance(days, Exact | Range) and not self._text

    @property
    def are_days_at_most(self) -> bool:
        """Whether days, or nothing, is all that is asked for."""
        return self.are_days or not (self._matches or self._text)

    @property
    def identified(self) -> Candidates | None:
        """The studies of which an identifier begins with the text; None when there can be none."""
        if not self._identifies:
            return None
        found = union_all(*(select(study.c.pk).where(one) for one in self._identifier_begins(_IDENTIFIERS)))
        return select(found.subquery().c.pk)

    def of_names_alone(self) -> "Keys":
        """Return the same, where it is known that no identifier begins with the text."""
        same = copy(self)
        same._identifies = False  # noqa: SLF001 (its own)
        return same

    def conditions(
        self,
        *,
        on_sqlite: bool,
        indexed: Container[str] = EVERY,
        identified: Candidates | None = None,
        settled: Container[str] = (),
    ) -> list[ColumnElement[bool]]:
        """Return what every row must fulfil, beside what is `settled` (see `Lead`).

        The engine is kept from driving the search by other keys of the study than `indexed`. `identified`: that these
        studies have an identifier as the text says is known, and their rows need not be read for it.
        """
        conditions: list[ColumnElement[bool]] = []
        for keyword, match in self._matches.items():
            if keyword in settled:
                continue
            if keyword == "ModalitiesInStudy":
                conditions.append(has_modality(match, on_sqlite=on_sqlite))
                continue
            if keyword == "SOPClassesInStudy":
                conditions.append(has_sop_class(match, on_sqlite=on_sqlite))
                continue
            column = self._columns[keyword]
            if keyword not in indexed:
                column = unindexed(column, on_sqlite=on_sqlite)
            if isinstance(match, Combined):
                within = column.concat(self._columns[match.time_keyword])
                conditions.append(condition_of(keyword, within, match.within, on_sqlite=on_sqlite))
            conditions.append(condition_of(keyword, column, match, on_sqlite=on_sqlite))
        if self._text and TEXT not in settled:
            conditions.append(self._text_condition(on_sqlite=on_sqlite, identified=identified))
        return conditions

    def own_leads(self) -> Iterator[Lead]:
        """Yield what could lead the search by the index of a key alone: cheap to count."""
        for keyword in _LEADING:
            match = self._matches.get(keyword)
            own = None if match is None else _by_own_index(keyword, match)
            if own is not None:
                yield Lead(own, keyword)

    def by_names(self, *, on_sqlite: bool) -> Lead | None:
        """Return what could lead by the distinct names that match: of few texts, however many studies have them."""
        match = self._matches.get("PatientName")
        if not isinstance(match, Wildcard | Words):
            return None
        name = distinct_name.c.name_fold
        among = [condition_of("PatientName", name, match, on_sqlite=on_sqlite)]
        return _by_names(among, "PatientName", on_sqlite=on_sqlite)

    def by_text(self, identified: Candidates | None, *, on_sqlite: bool) -> Lead | None:
        """Return what could lead by the text: distinct names that have its words, and what it identifies."""
        if not self._words or (identified is None and self._identifies):
            return None
        in_name = [like(distinct_name.c.name_fold, one, on_sqlite=on_sqlite) for one in _inside(self._words)]
        named = _by_names(in_name, TEXT, on_sqlite=on_sqlite)
        if identified is None:
            return named
        candidates = union_all(named.candidates, identified)
        return Lead(candidates, among=study.c.pk.in_(candidates), settles=named.settles)

    def by_modality(self, *, on_sqlite: bool) -> Lead | None:
        """Return what could lead by the table of modalities."""
        modalities, date = self._matches.get("ModalitiesInStudy"), self._matches.get("StudyDate")
        if isinstance(modalities, AllOf):  # each has few candidates or none has
            modalities = Exact(modalities.values[0])
        if not isinstance(modalities, Exact | AnyOf):
            return None
        conditions = [condition_of("", study_modality.c.modality, modalities, on_sqlite=on_sqlite)]
        if date is not None:
            conditions.append(condition_of("", study_modality.c.study_date, date, on_sqlite=on_sqlite))
        candidates = select(study_modality.c.study_pk).where(*conditions)
        return Lead(candidates, among=study.c.pk.in_(candidates))

    def listed_by_modality(self) -> list[ColumnElement[bool]]:
        """Return the conditions of `study_modality` that are all that is asked for; empty when there is more."""
        modality, date = self._matches.get("ModalitiesInStudy"), self._matches.get("StudyDate")
        others = self._matches.keys() - {"ModalitiesInStudy", "StudyDate"}
        if others or self._text or not isinstance(modality, Exact) or isinstance(date, Combined):
            return []
        conditions = [condition_of("", study_modality.c.modality, modality, on_sqlite=True)]
        if date is not None:
            conditions.append(condition_of("", study_modality.c.study_date, date, on_sqlite=True))
        return conditions

    def _text_condition(self, *, on_sqlite: bool, identified: Candidates | None) -> ColumnElement[bool]:
        """Return: every word is in the name, or an identifier begins with the text."""
        name = unindexed(study.c.name_fold, on_sqlite=on_sqlite)
        in_name = [like(name, pattern, on_sqlite=on_sqlite) for pattern in _inside(self._words)]
        if not self._identifies:
            return and_(*in_name) if in_name else false()
        columns = [unindexed(column, on_sqlite=on_sqlite) for column in _IDENTIFIERS]
        starts = self._identifier_begins(columns) if identified is None else [study.c.pk.in_(identified)]
        return or_(and_(*in_name) if in_name else false(), *starts)

    def _identifier_begins(self, columns: Iterable[ColumnElement[Any]]) -> list[ColumnElement[bool]]:
        starts = sorted({self._text, self._text.upper()})
        return [begins(column, start) for column in columns for start in starts]


def _by_own_index(keyword: str, match: Match) -> Candidates | None:
    """Return the studies that the index of a key finds: those with the value, or with the beginning of a wildcard."""
    prepare = folded if keyword in FOLDED else clean
    match match:
        case Exact() | AnyOf():
            condition = condition_of(keyword, COLUMNS["study"][keyword], match, on_sqlite=True)
        case Wildcard(pattern=pattern) if prefix := WILD.split(prepare(pattern), maxsplit=1)[0]:
            condition = begins(COLUMNS["study"][keyword], prefix)
        case _:
            return None
    return select(study.c.pk).where(condition)


def _by_names(conditions: Sequence[ColumnElement[bool]], settles: str, *, on_sqlite: bool) -> Lead:
    """Return the studies with those of the distinct names that fulfil `conditions`, which are all that is asked by `settles`."""
    names = select(distinct_name.c.name_fold).where(*conditions)
    # PostgreSQL would guess how many they are, and may look at every study: of an array it asks the index.
    among = (
        study.c.name_fold.in_(names)
        if on_sqlite
        else study.c.name_fold == func.any(func.array(names.scalar_subquery()))
    )
    return Lead(select(study.c.pk).where(among), among=among, settles=frozenset({settles}))


def _inside(words: Iterable[str]) -> list[str]:
    return [f"*{word}*" for word in words]
