"""Search of studies, series and instances by matching keys, for QIDO-RS, C-FIND and the worklist.

Which index drives a search is decided in plan.py. A page is found by keys alone, in an index that has all that is
asked; its rows are read last. A search that costs too much is stopped and refused: narrow it by date.
"""

from array import array
from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, Connection, Select, false, func, select, union_all

from kernel.archive.index import IN_SERIES, IN_STUDY
from kernel.archive.search.cost import bounded
from kernel.archive.search.found import PKS, SELECTS, SeriesRow, StudyPage, StudyRow, series_of, studies_of
from kernel.archive.search.keys import Keys, Lead
from kernel.archive.search.plan import plan
from kernel.archive.tables import (
    ARRIVAL,
    PRIORITY_ROUTINE,
    RANKS_OF_A_PRIORITY,
    arrival,
    study,
    study_day,
    study_modality,
)
from kernel.database import is_sqlite
from kernel.dicom.queries.matching import Match
from kernel.dicom.vocabulary.levels import Level
from kernel.errors import QueryTooBroad

ROWS_MAX: Final = 10_000  # of one page, whatever is asked for
FAR: Final = 5_000  # offset from which it is worth asking where its day begins
COUNTED_MAX: Final = 1_000  # matches beyond a page that are counted
COUNT_SHARE: Final = 500  # to count what is beyond a page may cost one part in so many of a search: 10 ms

__all__ = [
    "COUNTED_MAX",
    "Search",
    "SeriesRow",
    "StudyPage",
    "StudyQuery",
    "StudyRow",
    "search_pks",
    "search_studies",
    "series_of_study",
]


@dataclass(frozen=True, slots=True)
class StudyQuery:
    """What is searched for, at any level; an empty query means everything."""

    matches: Mapping[str, Match] = field(default_factory=dict[str, Match])  # by keyword
    text: str = ""  # words of the name in any order without accents, or the start of a Patient ID or accession number
    sites: frozenset[str] | None = None  # None: all
    received_from: datetime | None = None  # first arrival of the study; its own date may be shifted
    received_before: datetime | None = None
    limit: int = 100
    offset: int = 0
    order: Literal["newest", "worklist"] = "newest"  # worklist: STAT first, then as they came


def search_studies(connection: Connection, query: StudyQuery) -> StudyPage:
    """Return a page of studies.

    Raises
    ------
    InvalidQuery
        A key that studies do not have.
    QueryTooBroad
        The search costs too much.
    """
    pks, more = search_pks(connection, query, "study", max(0, min(query.limit, ROWS_MAX)))
    return StudyPage(studies_of(connection, pks), more)


def series_of_study(connection: Connection, site: str, study_instance_uid: str) -> list[SeriesRow]:
    """Return all series of one study in order of their numbers."""
    query = SELECTS["series"].where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
    return [series_of(row) for row in connection.execute(query.order_by(*IN_STUDY))]


class Search:
    """One search, planned and begun: the keys of its first rows; what lies beyond them may be counted.

    Raises
    ------
    InvalidQuery, QueryTooBroad
        As `search_studies`.
    """

    def __init__(self, connection: Connection, query: StudyQuery, level: Level, most: int) -> None:
        self.pks = array("q")  # of the rows that match, in order, at most `most`
        self.more = False
        self._connection = connection
        if query.sites is not None and not query.sites:
            return
        with bounded(connection):
            self._planned = _pks(connection, query, level)
            # SQLite finds a row when it is asked for; PostgreSQL finds all, so that there only what costs nothing is.
            self._goes_on = self._planned.is_counted_for_nothing or is_sqlite(connection)
            statement, offset = self._planned.statement, self._planned.offset
            self._beyond = statement.offset(offset + most).limit(COUNTED_MAX)
            limit = most + (COUNTED_MAX if self._goes_on else 1)
            self._result = connection.execute(statement.limit(limit).offset(offset)).scalars()
            found = array("q", self._result.fetchmany(most + 1))
        self.pks, self.more = found[:most], len(found) > most
        if not self.more:
            self._result.close()

    def count_beyond(self) -> int | None:
        """Return how many match beyond the first, at most COUNTED_MAX; None if counting them would cost too much.

        The last that is asked of a connection: when counting is stopped, PostgreSQL ends the transaction.
        """
        if not self.more:
            return 0
        is_here = self._goes_on and not is_sqlite(self._connection)  # PostgreSQL has found them already
        try:
            with nullcontext() if is_here else bounded(self._connection, share=COUNT_SHARE):
                if self._goes_on:
                    return 1 + len(self._result.fetchmany(COUNTED_MAX - 1))
                return self._connection.execute(select(func.count()).select_from(self._beyond.subquery())).scalar_one()
        except QueryTooBroad:
            return None
        finally:
            self._result.close()


def search_pks(connection: Connection, query: StudyQuery, level: Level, most: int) -> "tuple[array[int], bool]":
    """Return the keys of the rows that match, in order, at most `most`, and whether there are more.

    For answers of any length: eight bytes a match, taken at one moment, while rows are read a page at a time later.
    Of the level `patient` they are the keys of each patient's newest study that matches. Raises as `search_studies`.
    """
    if query.sites is not None and not query.sites:
        return array("q"), False
    with bounded(connection):
        planned = _pks(connection, query, level)
        statement = planned.statement.limit(most + 1).offset(planned.offset)
        found = array("q", connection.execute(statement).scalars())
    return found[:most], len(found) > most


class _Planned(NamedTuple):
    statement: Select[*tuple[Any, ...]]  # gives the keys of the rows that match, in order
    offset: int  # of the first that is wanted among them
    is_counted_for_nothing: bool  # another thousand rows would cost next to nothing


def _pks(connection: Connection, query: StudyQuery, level: Level) -> _Planned:
    if level != "patient":
        return _matching(connection, query, level, PKS[level])
    newest = func.max(study.c.pk)
    planned = _matching(connection, query, "study", select(newest).group_by(study.c.patient_pk))
    ordered = planned.statement.order_by(None).order_by(func.max(study.c.study_date).desc(), newest.desc())
    return planned._replace(statement=ordered)


def _matching(connection: Connection, query: StudyQuery, level: Level, wanted: Select[*tuple[Any, ...]]) -> _Planned:
    """Return `wanted` of the rows that match, in order; planning it asks the indexes."""
    keys = Keys(query.matches, query.text, level)
    others: list[ColumnElement[bool]] = []
    if query.sites is not None:
        # As an expression: the unique index begins with the site, and all studies of a site would be sorted.
        others.append(study.c.site.concat("").in_(sorted(query.sites)))
    if query.received_from is not None:
        others.append(arrival(query.received_from) <= ARRIVAL)
    if query.received_before is not None:
        others.append(arrival(query.received_before) > ARRIVAL)
    by_date = query.order == "newest"
    if wanted is PKS["study"] and by_date and not others and (listed := keys.listed_by_modality()):
        newest = (study_modality.c.study_date.desc(), study_modality.c.study_pk.desc())
        listed_pks = select(study_modality.c.study_pk).where(*listed).order_by(*newest)
        return _Planned(listed_pks, query.offset, is_counted_for_nothing=True)
    arrived = _arrived(query)
    chosen = plan(connection, keys, others, by_date=by_date, arrived=arrived)
    statement = wanted.where(*chosen.conditions).order_by(*_order(query, level, is_walk=chosen.is_walk))
    if wanted is PKS["study"] and by_date and not others and keys.are_days_at_most:  # whatever is walked matches
        since, offset = _nearer(connection, keys, query.offset) if query.offset >= FAR else ([], query.offset)
        return _Planned(statement.where(*since), offset, is_counted_for_nothing=True)
    return _Planned(statement, query.offset, not chosen.is_walk or not chosen.conditions)


def _nearer(connection: Connection, keys: Keys, offset: int) -> tuple[list[ColumnElement[bool]], int]:
    """Return the day in which the study at an offset is, as a condition, and its offset from there.

    Among days that are all that is asked for: what lies above is counted by days, so that nothing is walked to get there.
    """
    above, day = 0, study_day.c.study_date
    days = select(day, study_day.c.studies).where(*keys.of_days(day)).order_by(day.desc())
    for on, studies in connection.execute(days):
        if above + studies > offset:
            return [study.c.study_date <= on], offset - above
        above += studies
    return [false()], 0


def _arrived(query: StudyQuery) -> Lead | None:
    """Return the studies that arrived when they were asked for: a range of ranks for each priority."""
    if query.received_from is None and query.received_before is None:
        return None
    lower = arrival(query.received_from) if query.received_from is not None else 0
    upper = arrival(query.received_before) if query.received_before is not None else RANKS_OF_A_PRIORITY
    firsts = [priority * RANKS_OF_A_PRIORITY for priority in range(PRIORITY_ROUTINE + 1)]
    rank = study.c.worklist_rank
    each = [select(study.c.pk).where(rank >= first + lower, rank < first + upper) for first in firsts]
    candidates = union_all(*each)
    return Lead(candidates, among=study.c.pk.in_(candidates))


def _order(query: StudyQuery, level: Level, *, is_walk: bool) -> tuple[ColumnElement[Any], ...]:
    """Return the order; unless it is walked, as expressions that no index answers."""
    first: ColumnElement[Any]
    if query.order == "worklist":
        first = study.c.worklist_rank if is_walk else study.c.worklist_rank + 0
    else:
        first = study.c.study_date if is_walk else study.c.study_date.concat("")
    newest = (first.desc(), study.c.pk.desc())
    if level == "study":
        return newest
    return (*newest, *IN_STUDY) if level == "series" else (*newest, *IN_STUDY, *IN_SERIES)
