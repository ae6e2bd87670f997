"""How a search is driven: the capped-probe planner, for both engines.

Neither engine can be left alone with it. SQLite keeps no statistics: it would take a name's index with a million hits.
PostgreSQL's are of single columns, and guess badly what several keys leave over. So they are asked, at a bounded price:

1. Does the index of a key have few candidates, or have few studies a name that matches? Then it leads, and what it
   finds is sorted. Names are looked for in the list of distinct ones, which is much shorter than that of studies.
2. Do enough of the newest studies match? Then the studies are walked in the order asked for, and the page fills soon.
   Where days alone are asked for, all of them do.
3. Have not too many studies a name that matches, did they arrive when it was asked for, or have they a modality that is
   asked for? Then they lead.
4. What is left matches hardly anything by keys that are all common: a name's index leads if there is one, or the walk
   sees everything.

What is walked, and what the index of names finds, has in the index itself whatever lists are usually narrowed by (date,
site, sex, modalities, name): a row of the table is read for the page alone. So a million studies are walked to their
end in less than a tenth of a second when nothing matches.
"""

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from kernel.archive.search.found import PKS
from kernel.archive.search.keys import Candidates, Keys, Lead
from kernel.archive.tables import study
from kernel.database import is_sqlite

PROBE_MAX: Final = 1_000  # candidates whose rows are read one by one
NAMED_MAX: Final = 5_000  # candidates with names that match, fewer than a walk would see until its page is full
NAMES_MAX: Final = 20_000  # the same, when a walk would go far
ARRIVED_MAX: Final = 10_000  # candidates of the index of ranks; their rows are read
TEXTS_MAX: Final = 5_000  # candidates of a text; their rows are read
IDENTIFIED_MAX: Final = 20_000  # studies of which an identifier begins with a text
NEAR: Final = 20_000  # newest studies that are looked at to see how soon a page would be full
NEAR_READ: Final = 1_000  # the same when their rows must be read
NEAR_SHARE: Final = 2_000  # one match in so many is enough for the walk


@dataclass(frozen=True, slots=True)
class Plan:
    """Conditions, put so that the engine takes the way chosen here."""

    conditions: list[ColumnElement[bool]]
    is_walk: bool  # in the order asked for; else what was found is sorted


def plan(
    connection: Connection, keys: Keys, others: list[ColumnElement[bool]], *, by_date: bool, arrived: Lead | None
) -> Plan:
    """Return how `keys` and the `others`, which lead nothing, are searched for.

    `by_date`: newest first, else in the worklist's order; `arrived`: what could lead by the arrival that `others` ask for.
    """
    on_sqlite = is_sqlite(connection)
    if keys.pinned:  # a UID or an identifier: nothing is more selective
        return Plan([*keys.conditions(on_sqlite=on_sqlite, indexed=keys.pinned), *others], is_walk=False)
    keys, identified = _identified(connection, keys)

    def led(lead: Lead) -> Plan:
        among = [] if lead.keyword else [lead.among]
        indexed = frozenset({lead.keyword} if lead.keyword else ())
        rest = keys.conditions(on_sqlite=on_sqlite, indexed=indexed, identified=identified, settled=lead.settles)
        return Plan([*among, *rest, *others], is_walk=False)

    common: Lead | None = None
    for lead in keys.own_leads():
        if _has_at_most(connection, lead.candidates, PROBE_MAX):
            return led(lead)
        common = lead if by_date and lead.keyword == "PatientName" else common
    by_names, by_text = keys.by_names(on_sqlite=on_sqlite), keys.by_text(identified, on_sqlite=on_sqlite)
    for lead, most in ((by_names, NAMED_MAX), (by_text, PROBE_MAX)):
        if lead is not None and _has_at_most(connection, lead.candidates, most):
            return led(lead)
    indexed = frozenset({"StudyDate"}) if by_date else frozenset[str]()
    walk = Plan([*keys.conditions(on_sqlite=on_sqlite, indexed=indexed, identified=identified), *others], is_walk=True)
    reads_rows = not keys.is_covered or (by_date and arrived is not None)  # the rank is in no index by date
    near = NEAR_READ if reads_rows else NEAR
    matches_all = not walk.conditions or (by_date and keys.are_days and not others)
    if matches_all or _fills_soon(connection, walk, keys, near, by_date=by_date):
        return walk
    for lead, most in (
        (by_names, NAMES_MAX),
        (by_text, TEXTS_MAX),
        (arrived, ARRIVED_MAX),
        (keys.by_modality(on_sqlite=on_sqlite), PROBE_MAX),
    ):
        if lead is not None and _has_at_most(connection, lead.candidates, most):
            return led(lead)
    return walk if common is None else led(common)


def _identified(connection: Connection, keys: Keys) -> tuple[Keys, Candidates | None]:
    """Look for the studies of which an identifier begins with the text: None if there are many, or none at all."""
    found = keys.identified
    count = 0 if found is None else _count(connection, found.limit(IDENTIFIED_MAX + 1))
    if not count:
        return keys.of_names_alone(), None
    return keys, found if count <= IDENTIFIED_MAX else None


def _has_at_most(connection: Connection, candidates: Candidates, most: int) -> bool:
    return _count(connection, candidates.limit(most + 1)) <= most


def _count(connection: Connection, capped: Candidates) -> int:
    return connection.execute(select(func.count()).select_from(capped.subquery())).scalar_one()


def _fills_soon(connection: Connection, walk: Plan, keys: Keys, near: int, *, by_date: bool) -> bool:
    """Whether enough of the newest `near` studies match, of the days asked for."""
    first: ColumnElement[Any] = study.c.study_date if by_date else study.c.worklist_rank
    order = (first.desc(), study.c.pk.desc())
    newest = select(first).where(*keys.dated if by_date else ()).order_by(*order).offset(near).limit(1)
    since = func.coalesce(newest.correlate(None).scalar_subquery(), "" if by_date else 0)
    enough = max(1, near // NEAR_SHARE)
    # In order, although they are only counted: so that both engines walk, whatever they guess.
    some = PKS[keys.level].where(*walk.conditions, first >= since).order_by(*order).limit(enough)
    return _count(connection, some) >= enough
