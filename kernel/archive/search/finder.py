"""Finding by any attribute: what has a column by SQL, everything else in the instances' stored DICOM JSON.

The keys of all rows that match by SQL are taken at once, eight bytes each; rows are then read a page at a time, each
page on a connection of its own, so that an answer of a hundred thousand matches to a slow peer holds no transaction
open. Where JSON must be looked through to match, each instance costs a parse, so it has a bound.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import Final, NamedTuple

from sqlalchemy import Connection

from kernel.archive.search.derived_items import DERIVED, derive
from kernel.archive.search.found import InstanceRow, rows_of
from kernel.archive.search.items import ATTRIBUTES, Row, item
from kernel.archive.search.key_columns import COLUMNS
from kernel.archive.search.search import Search, StudyQuery, search_pks
from kernel.archive.search.stored_models import models, representatives
from kernel.database import Readable
from kernel.dicom.queries.identifier import Model, Tree, fits
from kernel.dicom.queries.matching import Match
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, TAG_OF
from kernel.dicom.vocabulary.levels import LEVELS, Level
from kernel.errors import QueryTooBroad

PAGE_ROWS: Final = 100
MATCHES_MAX: Final = 200_000  # of one search: 1.6 MB of keys
LOOKED_THROUGH_MAX: Final = 10_000  # instances whose JSON is looked through for one search; about a second
ROWS_THROUGH_MAX: Final = 50_000  # rows that are looked through for what the index knows and has no column for
_KNOWN: Final[Mapping[Level, frozenset[int]]] = {
    level: frozenset(
        TAG_OF[keyword]
        for above in LEVELS[: LEVELS.index(level) + 1]
        for keyword in (*(one.keyword for one in ATTRIBUTES[above]), *DERIVED[above], "InstanceAvailability")
    )
    for level in LEVELS
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is looked for at one level, and of which sites (None: of all)."""

    level: Level
    keys: Tree
    sites: frozenset[str] | None
    tags: frozenset[int] = frozenset()  # wanted beside what the index knows
    all_tags: bool = False  # the whole stored JSON is wanted
    pinned: Mapping[str, Match] = field(default_factory=dict[str, Match])  # by keyword, as well as `keys`
    limit: int = MATCHES_MAX
    offset: int = 0
    labels: bool = False  # the pictures of slides' labels are found, too


class Found(NamedTuple):
    """One match: its row, and all that is known of it, as far as it was wanted."""

    row: Row
    model: Model


@dataclass(frozen=True, slots=True)
class Page:
    """A page of matches, whether there are more, and how many: at most COUNTED_MAX, None if nobody counted."""

    found: list[Found]
    more: bool
    remaining: int | None = None


class Finder:
    """Finds patients, studies, series and instances."""

    def __init__(self, database: Readable) -> None:
        self._database = database

    def page(self, asked: Asked) -> Page:
        """Return `asked.limit` matches after `asked.offset`.

        Raises
        ------
        InvalidQuery
            A key that this level does not have.
        QueryTooBroad
            The search would take too long, or look through too much.
        """
        matches, beyond = split(asked)
        query = StudyQuery(matches, sites=asked.sites, limit=asked.limit, offset=asked.offset)
        if beyond:
            matching = (one for some in self.pages(replace(asked, limit=MATCHES_MAX, offset=0)) for one in some)
            found = list(islice(matching, asked.offset, asked.offset + asked.limit))
            return Page(found, more=next(matching, None) is not None)
        with self._database.read() as connection:
            search = Search(connection, query, asked.level, asked.limit)
            starts = _starts(search.pks)
            pages = (_read(connection, asked, search.pks[start : start + PAGE_ROWS], beyond) for start in starts)
            found = [one for page in pages for one in page.matching]
            return Page(found, search.more, search.count_beyond())

    def pages(self, asked: Asked) -> Iterator[list[Found]]:
        """Yield all matches, up to `asked.limit` of them, in pages that are not empty. Raises as `page`.

        Raises
        ------
        QueryTooBroad
            Also at the end, after `asked.limit` matches, when there are more.
        """
        matches, beyond = split(asked)
        with self._database.read() as connection:
            pks, more = search_pks(connection, StudyQuery(matches, sites=asked.sites), asked.level, asked.limit)
        into_stored = needs_stored(asked.level, beyond)
        looked_through, names = 0, ", ".join(sorted(KEYWORD_OF.get(tag, "") for tag in beyond))
        for start in _starts(pks):
            if beyond and not into_stored and start > ROWS_THROUGH_MAX:
                raise QueryTooBroad(reason=f"more than {ROWS_THROUGH_MAX} entries to look through for {names}")
            with self._database.read() as connection:
                found = _read(connection, asked, pks[start : start + PAGE_ROWS], beyond)
            looked_through += found.looked_through if into_stored else 0
            if looked_through > LOOKED_THROUGH_MAX:
                raise QueryTooBroad(reason=f"more than {LOOKED_THROUGH_MAX} instances to look through for {names}")
            if found.matching:
                yield found.matching
        if more:
            raise QueryTooBroad(reason=f"more than {asked.limit} matches")


def split(asked: Asked) -> tuple[dict[str, Match], Tree]:
    """Return what has a column, by keyword, and the tree of what is looked for in the models."""
    columns = COLUMNS[asked.level]
    matches: dict[str, Match] = dict(asked.pinned)
    beyond: dict[int, Match | Tree] = {}
    for tag, key in asked.keys.items():
        keyword = KEYWORD_OF.get(tag, "")
        if keyword in columns and keyword not in matches and not isinstance(key, Mapping):
            matches[keyword] = key
        else:
            beyond[tag] = key
    return matches, beyond


def needs_stored(level: Level, tags: Iterable[int]) -> bool:
    """Return whether one of these attributes is only in the stored JSON."""
    return not _KNOWN[level].issuperset(tags)


class _Looked(NamedTuple):
    matching: list[Found]
    looked_through: int


def _starts(pks: Sequence[int]) -> range:
    return range(0, len(pks), PAGE_ROWS)


def _read(connection: Connection, asked: Asked, pks: Sequence[int], beyond: Tree) -> _Looked:
    """Read the rows of a page, describe them, and keep those that match `beyond`."""
    rows = [row for row in rows_of(connection, asked.level, pks) if asked.labels or not _shows_label(row)]
    items = {row.pk: item(row, LEVELS[: LEVELS.index(asked.level) + 1]) for row in rows}
    wanted = asked.tags | beyond.keys()
    for pk, derived in derive(connection, rows, asked.level, None if asked.all_tags else wanted).items():
        items[pk] |= derived
    if not asked.all_tags and not needs_stored(asked.level, wanted):
        return _Looked([Found(row, items[row.pk]) for row in rows if fits(beyond, items[row.pk])], 0)
    described = representatives(connection, asked.level, [row.pk for row in rows])
    if not needs_stored(asked.level, beyond):  # nothing is looked for in them: the first will do
        described = {pk: some[:1] for pk, some in described.items()}
    kept = None if asked.all_tags else _names(wanted)
    stored = models(connection, (one for some in described.values() for one in some), kept)
    matching: list[Found] = []
    for row in rows:
        known = items[row.pk]
        entities = (stored[one] | known for one in described.get(row.pk, ()) if one in stored)
        entity = next((entity for entity in entities if fits(beyond, entity)), None)
        if entity is not None:
            matching.append(Found(row, entity))
    return _Looked(matching, len(stored))


def _shows_label(row: Row) -> bool:
    return isinstance(row, InstanceRow) and row.shows_label


def _names(tags: frozenset[int]) -> frozenset[str]:
    """Return tags as DICOM JSON names them, with the creators of private ones."""
    creators = {tag & 0xFFFF0000 | tag >> 8 & 0xFF for tag in tags if tag >> 16 & 1}
    return frozenset(f"{tag:08X}" for tag in tags | creators)
