"""Search of studies, series and instances by matching keys, for QIDO-RS, C-FIND and the worklist.

On SQLite the plan is chosen here, by *capped probes*: each index that a key could use is asked for at most
`PROBE_MAX` candidates. The first one that has fewer drives the search and its candidates are sorted; when every key is
common, the studies are walked newest first and the page fills soon. The statistics-free planner of SQLite would take a
name index with a million hits (0.7 s to 53 s at ten million studies, against 0.1 to 0.2 s). PostgreSQL plans alone.
A search that still costs too much is stopped and refused: narrow it by date.
"""

from array import array
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

from sqlalchemy import ColumnElement, Connection, Select, func, select, text
from sqlalchemy.exc import DBAPIError

from kernel.archive.found import (
    PKS,
    SELECTS,
    AnyRow,
    InstancePage,
    InstanceRow,
    SeriesPage,
    SeriesRow,
    StudyPage,
    StudyRow,
    instance_of,
    series_of,
    study_of,
)
from kernel.archive.index import IN_SERIES, IN_STUDY
from kernel.archive.keys import Keys
from kernel.archive.tables import study
from kernel.database import is_sqlite
from kernel.dicom.levels import Level
from kernel.dicom.matching import Match
from kernel.errors import QueryTooBroad

ROWS_MAX: Final = 10_000  # of one page, whatever is asked for
PROBE_MAX: Final = 5_000  # candidates that are sorted rather than walked
SQLITE_STEPS_MAX: Final = 200_000_000  # virtual machine instructions of one search: a few seconds
POSTGRESQL_MS_MAX: Final = 5_000
COUNT_SHARE: Final = 100  # to count what is beyond a page may cost a hundredth of a search
_STEPS_EACH: Final = 100_000

__all__ = [
    "InstancePage",
    "InstanceRow",
    "SeriesPage",
    "SeriesRow",
    "StudyPage",
    "StudyQuery",
    "StudyRow",
    "count_beyond",
    "search_instances",
    "search_pks",
    "search_series",
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
    rows, more = _page(connection, query, "study")
    return StudyPage([study_of(row) for row in rows], more)


def search_series(connection: Connection, query: StudyQuery) -> SeriesPage:
    """Return a page of series; keys of the study level are matched too. Raises as `search_studies`."""
    rows, more = _page(connection, query, "series")
    return SeriesPage([series_of(row) for row in rows], more)


def search_instances(connection: Connection, query: StudyQuery) -> InstancePage:
    """Return a page of instances; keys of both levels above are matched too. Raises as `search_studies`."""
    rows, more = _page(connection, query, "instance")
    return InstancePage([instance_of(row) for row in rows], more)


def series_of_study(connection: Connection, site: str, study_instance_uid: str) -> list[SeriesRow]:
    """Return all series of one study in order of their numbers."""
    query = SELECTS["series"].where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
    return [series_of(row) for row in connection.execute(query.order_by(*IN_STUDY))]


def search_pks(connection: Connection, query: StudyQuery, level: Level, most: int) -> "tuple[array[int], bool]":
    """Return the keys of the rows that match, in order, at most `most`, and whether there are more.

    For answers of any length: eight bytes a match, taken at one moment, while rows are read a page at a time later.
    Of the level `patient` they are the keys of each patient's newest study that matches. Raises as `search_studies`.
    """
    if query.sites is not None and not query.sites:
        return array("q"), False
    with _bounded(connection):
        statement = _pks(connection, query, level)
        found = array("q", connection.execute(statement.limit(most + 1).offset(query.offset)).scalars())
    return found[:most], len(found) > most


def count_beyond(connection: Connection, query: StudyQuery, level: Level, most: int) -> int | None:
    """Return how many match beyond the page of `query`, at most `most`; None if counting them would cost too much.

    On a connection of its own: when counting is stopped, its transaction is over on PostgreSQL.
    """
    try:
        with _bounded(connection, share=COUNT_SHARE):
            statement = _pks(connection, query, level).limit(most).offset(query.offset + query.limit)
            return connection.execute(select(func.count()).select_from(statement.subquery())).scalar_one()
    except QueryTooBroad:
        return None


def _pks(connection: Connection, query: StudyQuery, level: Level) -> Select[*tuple[Any, ...]]:
    if level != "patient":
        return _matching(connection, query, level, PKS[level])
    newest = func.max(study.c.pk)
    statement = _matching(connection, query, "study", select(newest)).group_by(study.c.patient_pk)
    return statement.order_by(None).order_by(func.max(study.c.study_date).desc(), newest.desc())


def _page(connection: Connection, query: StudyQuery, level: Level) -> tuple[list[AnyRow], bool]:
    limit = max(0, min(query.limit, ROWS_MAX))
    if query.sites is not None and not query.sites:
        return [], False
    with _bounded(connection):
        statement = _matching(connection, query, level, SELECTS[level])
        rows = connection.execute(statement.limit(limit + 1).offset(query.offset)).all()
    return list(rows[:limit]), len(rows) > limit


def _matching(
    connection: Connection, query: StudyQuery, level: Level, wanted: Select[*tuple[Any, ...]]
) -> Select[*tuple[Any, ...]]:
    """Return `wanted` of the rows that match, in order."""
    keys, on_sqlite = Keys(query.matches, query.text, level), is_sqlite(connection)
    conditions = _conditions(connection, query, keys) if on_sqlite else keys.conditions(on_sqlite=False)
    if query.sites is not None:
        conditions.append(_site_in(query.sites, on_sqlite=on_sqlite))
    if query.received_from is not None:
        conditions.append(study.c.first_received_at >= query.received_from)
    if query.received_before is not None:
        conditions.append(study.c.first_received_at < query.received_before)
    return wanted.where(*conditions).order_by(*_order(query, level))


def _conditions(connection: Connection, query: StudyQuery, keys: Keys) -> list[ColumnElement[bool]]:
    """Return the conditions for SQLite, led by the first index with few candidates."""
    if keys.is_pinned:  # a UID or an identifier: nothing is more selective
        return keys.conditions(on_sqlite=True)
    for probe in keys.probes():
        capped = probe.limit(PROBE_MAX + 1).subquery()
        if len(connection.execute(select(capped)).all()) <= PROBE_MAX:
            return [study.c.pk.in_(probe), *keys.conditions(on_sqlite=True, indexed=False)]
    dated = query.order == "newest"
    return keys.conditions(on_sqlite=True, indexed=False, dated=dated)


def _site_in(sites: frozenset[str], *, on_sqlite: bool) -> ColumnElement[bool]:
    # The unique index begins with the site; SQLite would take it and sort all studies of the site.
    column = study.c.site.concat("") if on_sqlite else study.c.site
    return column.in_(sorted(sites))


def _order(query: StudyQuery, level: Level) -> tuple[ColumnElement[Any], ...]:
    newest = (
        (study.c.worklist_rank.desc(), study.c.pk.desc())
        if query.order == "worklist"
        else (study.c.study_date.desc(), study.c.pk.desc())
    )
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
