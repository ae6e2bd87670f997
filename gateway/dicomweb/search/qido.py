"""QIDO-RS (PS3.18 10.6): search for studies, series and instances, as DICOM JSON or XML.

Every search is audited by its keys, never its values; what comes back is of the sites that the caller may see. Nothing
found is 200 with an empty array, in XML with an empty payload, as PS3.18 8.3.4.4.1 has it since CP-2473 (editions from
2019b to 2025 wanted 204, which Orthanc's client takes for a failure).
"""

from collections import Counter
from collections.abc import Callable, Iterable
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.listing import OFFERS, listed
from gateway.dicomweb.http.negotiation import Offer, choose
from gateway.dicomweb.retrieve.instances import VARY
from gateway.dicomweb.search.query import Query, parse
from gateway.dicomweb.search.result_items import result, tags_of
from kernel.access import Scope
from kernel.archive.search.finder import Asked, Found, Page
from kernel.archive.search.found import InstanceRow, SeriesRow, StudyRow
from kernel.archive.search.items import Item
from kernel.archive.search.search import COUNTED_MAX
from kernel.dicom.queries.matching import Exact, Match
from kernel.dicom.queries.timezone import parse_offset
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF
from kernel.dicom.vocabulary.levels import Level
from kernel.errors import NotFound

EVERYTHING_MAX: Final = 200  # results with all their attributes in one answer: some 20 MiB


def studies(call: Call) -> ASGIApp:
    """Answer GET /studies."""
    return _search(call, "study")


def series(call: Call) -> ASGIApp:
    """Answer GET /series and GET /studies/{study}/series."""
    return _search(call, "series")


def instances(call: Call) -> ASGIApp:
    """Answer GET /instances and those below a study or a series."""
    return _search(call, "instance")


def _search(call: Call, level: Level) -> ASGIApp:
    zone_minutes = parse_offset(call.services.config.archive.timezone) or 0
    offer = choose(call.accept, OFFERS)
    query = parse(call.query.multi_items(), level, call.services.config.archive.results_max, zone_minutes)
    try:
        asked = _asked(call, query, level)
    except NotFound:
        return _answer(call, offer, [], Page([], more=False))
    page = call.room.finder.page(asked)
    levels: list[Level] = [level]
    if level == "instance" and "series" not in call.params:
        levels.insert(0, "series")
    if "study" not in call.params:
        levels[:0] = ["patient", "study"] if level != "study" else ["patient"]
    urls, later = _urls(call, page.found), 0 if query.zone_minutes is None else query.zone_minutes - zone_minutes
    items = [result(one, query, levels, urls(one), later) for one in page.found]
    return _answer(call, offer, items, page)


def _asked(call: Call, query: Query, level: Level) -> Asked:
    """Return what is looked for: in the study that may be read, or at the sites that may be searched.

    Raises
    ------
    NotFound
        The study that the URL names is not here, or not for this caller.
    """
    pinned: dict[str, Match] = {}
    sites: frozenset[str] | None
    named = call.params.get("study") or call.principal.study  # who was let in to one study finds that one
    if named is not None:
        grant = call.open_study(named)
        pinned["StudyInstanceUID"] = Exact(grant.study_instance_uid)
        sites = frozenset({grant.site})
    else:
        names = [KEYWORD_OF.get(tag, "") for tag in query.keys]
        sites = call.services.access.may_search(call.principal, names, call.address.peer)
        if call.address.site is not None:
            only = frozenset({call.address.site})
            sites = only if sites is None else sites & only
    if "series" in call.params:
        pinned["SeriesInstanceUID"] = Exact(call.params["series"])
    return Asked(
        level,
        query.keys,
        sites,
        tags=tags_of(query, level),
        all_tags=query.includes_all,
        pinned=pinned,
        limit=min(query.limit, EVERYTHING_MAX) if query.includes_all else query.limit,
        offset=query.offset,
        labels=Scope.LABELS_READ in call.principal.scopes,
    )


def _urls(call: Call, found: Iterable[Found]) -> Callable[[Found], str]:
    """Return what gives a study's Retrieve URL; one whose UID several sites of this page have is named by its site."""
    studies = {(row.site, row.study_instance_uid) for row in map(_study, found)}
    counted = Counter(uid for _, uid in studies)

    def url(one: Found) -> str:
        row = _study(one)
        uid = row.study_instance_uid
        base = call.address.base_url if counted[uid] == 1 else call.address.site_url(row.site)
        return f"{base}/studies/{uid}"

    return url


def _study(found: Found) -> StudyRow:
    row = found.row
    row = row.series if isinstance(row, InstanceRow) else row
    return row.study if isinstance(row, SeriesRow) else row


def _answer(call: Call, offer: Offer, items: list[Item], page: Page) -> Answer:
    headers = {"Vary": VARY}
    if page.more:
        headers["Warning"] = f'299 {call.address.base_url} "{_more(page.remaining)}"'
    return listed(items, offer, headers, call.room.boundary, call.headers.get("accept-encoding", ""))


def _more(remaining: int | None) -> str:
    """Say that there is more (PS3.18 8.3.4.4.1); counted only as far as counting is cheap."""
    if remaining is None:
        return "There are additional results that can be requested"
    count = f"at least {remaining}" if remaining >= COUNTED_MAX else str(remaining)
    return f"There are {count} additional results that can be requested"
