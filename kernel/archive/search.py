"""Search of studies, series and instances by matching keys, for QIDO-RS, C-FIND and the worklist.

Which index drives a search is decided in plan.py. A page is found by keys alone, in an index that has all that is
asked; its rows are read last. A search that costs too much is stopped and refused: narrow it by date.
"""

from array import array
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, select, text
from sqlalchemy.exc import DBAPIError

from kernel.archive.found import PKS, SELECTS, SeriesRow, StudyPage, StudyRow, series_of, studies_of
from kernel.archive.index import IN_SERIES, IN_STUDY
from kernel.archive.keys import Keys
from kernel.archive.plan import plan
from kernel.archive.tables import ARRIVAL, arrival, study
from kernel.database import is_sqlite
from kernel.dicom.levels import Level
from kernel.dicom.matching import Match
from kernel.errors import QueryTooBroad

ROWS_MAX: Final = 10_000  # of one page, whatever is asked for
SQLITE_STEPS_MAX: Final = 200_000_000  # virtual machine instructions of one search: a few seconds
POSTGRESQL_MS_MAX: Final = 5_000
COUNT_SHARE: Final = 500  # to count what is beyond a page may cost one part in so many of a search: 10 ms
_STEPS_EACH: Final = 100_000

__all__ = [
    "SeriesRow",
    "StudyPage",
    "StudyQuery",
    "StudyRow",
    "count_beyond",
    "planned",
    "search_pks",
    "search_studies",
    "series_of_study",
]


Planned = Select[*tuple[Any, ...]]


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


def planned(connection: Connection, query: StudyQuery, level: Level) -> Planned:
    """Return the statement that gives the keys of the rows that match, in order; planning it asks the indexes.

    Of the level `patient` they are the keys of each patient's newest study that matches. Raises as `search_studies`.
    """
    with _bounded(connection):
        return _pks(connection, query, level)


def search_pks(
    connection: Connection, query: StudyQuery, level: Level, most: int, statement: Planned | None = None
) -> "tuple[array[int], bool]":
    """Return the keys of the rows that match, in order, at most `most`, and whether there are more.

    For answers of any length: eight bytes a match, taken at one moment, while rows are read a page at a time later.
    `statement` is the query's own when it is planned already. Raises as `search_studies`.
    """
    if query.sites is not None and not query.sites:
        return array("q"), False
    statement = planned(connection, query, level) if statement is None else statement
    with _bounded(connection):
        found = array("q", connection.execute(statement.limit(most + 1).offset(query.offset)).scalars())
    return found[:most], len(found) > most


def count_beyond(connection: Connection, query: StudyQuery, statement: Planned, most: int) -> int | None:
    """Return how many match beyond the page of `query`, at most `most`; None if counting them would cost too much.

    On a connection of its own: when counting is stopped, its transaction is over on PostgreSQL.
    """
    try:
        with _bounded(connection, share=COUNT_SHARE):
            beyond = statement.limit(most).offset(query.offset + query.limit)
            return connection.execute(select(func.count()).select_from(beyond.subquery())).scalar_one()
    except QueryTooBroad:
        return None


def _pks(connection: Connection, query: StudyQuery, level: Level) -> Planned:
    if level != "patient":
        return _matching(connection, query, level, PKS[level])
    newest = func.max(study.c.pk)
    statement = _matching(connection, query, "study", select(newest)).group_by(study.c.patient_pk)
    return statement.order_by(None).order_by(func.max(study.c.study_date).desc(), newest.desc())


def _matching(
    connection: Connection, query: StudyQuery, level: Level, wanted: Select[*tuple[Any, ...]]
) -> Select[*tuple[Any, ...]]:
    """Return `wanted` of the rows that match, in order."""
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
    by_arrival = query.received_from is not None or query.received_before is not None
    chosen = plan(connection, keys, others, by_date=by_date, reads_rows=by_date and by_arrival)
    return wanted.where(*chosen.conditions).order_by(*_order(query, level, is_walk=chosen.is_walk))


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


@contextmanager
def _bounded(connection: Connection, share: int = 1) -> Generator[None]:
    """Stop a search that costs too much: more than one part in `share` of the bound.

    Raises
    ------
    QueryTooBroad
        It was stopped.
    """
    driver: Any = connection.connection.driver_connection
    on_sqlite = is_sqlite(connection)
    if on_sqlite:
        left = iter(range(SQLITE_STEPS_MAX // _STEPS_EACH // share))
        driver.set_progress_handler(lambda: next(left, None) is None, _STEPS_EACH)
    else:
        connection.execute(text(f"SET LOCAL statement_timeout = {POSTGRESQL_MS_MAX // share}"))
    try:
        yield
    except DBAPIError as error:
        if _was_stopped(error):
            raise QueryTooBroad(reason="it would take too long") from None
        raise
    finally:
        if on_sqlite:
            driver.set_progress_handler(None, 0)


def _was_stopped(error: DBAPIError) -> bool:
    return "interrupted" in str(error.orig) or getattr(error.orig, "sqlstate", None) == "57014"
