"""QIDO-RS (PS3.18 10.6): search for studies, series and instances. Empty results are 200 with an empty array.

Every search is audited by its keys, never its values; what comes back is of the sites that the caller may see.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

import msgspec
from starlette.types import ASGIApp

from gateway.dicomweb.answers import Answer
from gateway.dicomweb.call import Call
from gateway.dicomweb.instances import VARY
from gateway.dicomweb.negotiation import JSON, Offer, choose
from gateway.dicomweb.query import Level, Query, parse
from gateway.dicomweb.result_items import Item, instance_item, series_item, study_item
from kernel.archive.search import InstanceRow, StudyQuery, StudyRow, search_instances, search_series
from kernel.dicom.matching import AnyOf, Exact, Match, Wildcard
from kernel.errors import NotFound

OFFERS: Final = (Offer(JSON), Offer("application/json"))
_MORE: Final = (
    '299 vienanh "The number of results exceeded the maximum supported by the server. Additional results can be '
    'requested."'
)


def studies(call: Call) -> ASGIApp:
    """Answer GET /studies."""
    query = _parsed(call, "study")
    sites = None if call.address.site is None else frozenset({call.address.site})
    page = call.services.access.search_studies(call.principal, _asked(query, sites), call.address.peer)
    urls = _urls(call, page.rows)
    return _answer(call, query, [study_item(row, urls(row)) for row in page.rows], more=page.more)


def series(call: Call) -> ASGIApp:
    """Answer GET /series and GET /studies/{study}/series."""
    query = _parsed(call, "series")
    try:
        asked = _below(call, query)
    except NotFound:
        return _answer(call, query, [], more=False)
    with call.services.db.read() as connection:
        page = search_series(connection, asked)
    urls, with_study = _urls(call, (row.study for row in page.rows)), "study" not in call.params
    items = [series_item(row, urls(row.study), with_study=with_study) for row in page.rows]
    return _answer(call, query, items, more=page.more)


def instances(call: Call) -> ASGIApp:
    """Answer GET /instances and those below a study or a series."""
    query = _parsed(call, "instance")
    try:
        asked = _below(call, query)
    except NotFound:
        return _answer(call, query, [], more=False)
    with call.services.db.read() as connection:
        page = search_instances(connection, asked)
    urls = _urls(call, (row.series.study for row in page.rows))
    above = {"with_study": "study" not in call.params, "with_series": "series" not in call.params}
    items = [_with_included(call, query, row, instance_item(row, urls(row.series.study), **above)) for row in page.rows]
    return _answer(call, query, items, more=page.more)


def _with_included(call: Call, query: Query, row: InstanceRow, item: Item) -> Item:
    """Add what `includefield` asks for from the instance's metadata; above instances, all that is known is given."""
    wanted = {f"{tag:08X}" for tag in query.included} - item.keys()
    if not wanted and not query.includes_all:
        return item
    series = row.series
    url = call.address.base_url
    whole = call.room.metadata.of_instance(series.study, series.series_instance_uid, row.sop_instance_uid, url)
    (metadata,) = msgspec.json.decode(whole, type=list[Item])
    more = metadata if query.includes_all else {tag: metadata[tag] for tag in wanted & metadata.keys()}
    return dict(sorted({**more, **item}.items()))


def _parsed(call: Call, level: Level) -> Query:
    return parse(call.query.multi_items(), level, call.services.config.archive.results_max)


def _asked(query: Query, sites: frozenset[str] | None) -> StudyQuery:
    matches, text = dict(query.matches), ""
    if query.is_fuzzy and "PatientName" in matches:
        text = _words(matches.pop("PatientName"))
    return StudyQuery(matches=matches, text=text, sites=sites, limit=query.limit, offset=query.offset)


def _words(match: Match) -> str:
    match match:
        case Exact(value=text) | Wildcard(pattern=text):
            return text.replace("*", " ").replace("?", " ").replace("^", " ")
        case AnyOf(values=values):
            return " ".join(values)
        case _:
            return ""


def _below(call: Call, query: Query) -> StudyQuery:
    """Return what is asked for below the study level: leave to read the study, or the sites that may be searched."""
    asked = _asked(query, None)
    pinned: dict[str, Match] = {}
    if "study" in call.params:
        grant = call.open_study(call.params["study"])
        pinned["StudyInstanceUID"] = Exact(grant.study_instance_uid)
        sites: frozenset[str] | None = frozenset({grant.site})
    else:
        sites = call.services.access.may_search(call.principal, list(query.matches), call.address.peer)
        if call.address.site is not None:
            only = frozenset({call.address.site})
            sites = only if sites is None else sites & only
    if "series" in call.params:
        pinned["SeriesInstanceUID"] = Exact(call.params["series"])
    return replace(asked, matches={**asked.matches, **pinned}, sites=sites)


def _urls(call: Call, rows: Iterable[StudyRow]) -> Callable[[StudyRow], str]:
    """Return what gives a study's Retrieve URL; one whose UID several sites of this page have is named by its site."""
    counted = Counter(uid for _, uid in {(row.site, row.study_instance_uid) for row in rows})

    def url(row: StudyRow) -> str:
        uid = row.study_instance_uid
        base = call.address.base_url if counted[uid] == 1 else call.address.site_url(row.site)
        return f"{base}/studies/{uid}"

    return url


def _answer(call: Call, query: Query, items: list[Item], *, more: bool) -> Answer:
    offer = choose(call.accept, OFFERS)
    headers = {"Content-Type": offer.media_type, "Vary": VARY}
    if more and query.is_capped:
        headers["Warning"] = _MORE
    return Answer(200, headers, msgspec.json.encode(items))
