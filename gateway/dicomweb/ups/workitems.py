"""UPS-RS (PS3.18 11): create, retrieve, update, change the state of, cancel and search work items."""

from typing import Final

import msgspec
from starlette.types import ASGIApp

from consult.ordering import By, random_uid
from consult.workitem import CREATED_WITH_MODIFICATIONS
from consult.workitem_model import Model
from gateway.dicomweb.http import listing
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import JSON, XML, Offer, choose
from gateway.dicomweb.retrieve.instances import VARY
from gateway.dicomweb.ups import ups_query
from gateway.dicomweb.ups.ups_body import warning, with_body
from kernel.access import Scope
from kernel.dicom.models.xml_model import to_xml
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF
from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidRequest, NotFound, Refused

OFFERS: Final = (Offer(JSON), Offer("application/json"), Offer(XML))
REQUESTING_AE_CHARACTERS: Final = 16
_NO_STORE: Final = {"Cache-Control": "no-store"}


def create(call: Call) -> ASGIApp:
    """Answer POST /workitems: the UID is the whole query, or its parameter `workitem`; without one it gets a new one."""
    site = writing_site(call)

    def handle(model: Model) -> Answer:
        uid = _named_uid(call) or random_uid()
        modified = call.room.workitems.create(site, uid, model, by(call))
        headers = {**_NO_STORE, "Location": f"{call.address.base_url}/workitems/{uid}"}
        headers["Content-Location"] = headers["Location"]
        if modified:
            headers["Warning"] = warning(call, CREATED_WITH_MODIFICATIONS)
        return Answer(201, headers)

    return with_body(call, handle)


def retrieve(call: Call) -> ASGIApp:
    """Answer GET /workitems/{workitem}."""
    offer = choose(call.accept, OFFERS)
    model = call.room.workitems.retrieve(reading_site(call), call.params["workitem"])
    body = to_xml(model) if offer.media_type == XML else msgspec.json.encode([model])
    return Answer(200, {**_NO_STORE, "Content-Type": offer.media_type, "Vary": VARY}, body)


def update(call: Call) -> ASGIApp:
    """Answer POST /workitems/{workitem}: the Transaction UID is a query parameter, or in the body."""
    site = writing_site(call)

    def handle(model: Model) -> Answer:
        lock = call.query.get("transaction-uid") or call.query.get("transactionuid") or ""
        call.room.workitems.update(site, call.params["workitem"], model, lock or _bare(call), by(call))
        return Answer(200, _NO_STORE)

    return with_body(call, handle)


def change_state(call: Call) -> ASGIApp:
    """Answer PUT /workitems/{workitem}/state."""
    site = writing_site(call)

    def handle(model: Model) -> Answer:
        told = call.room.workitems.change_state(site, call.params["workitem"], model, by(call))
        return Answer(200, {**_NO_STORE, **({"Warning": warning(call, told)} if told else {})})

    return with_body(call, handle)


def request_cancellation(call: Call) -> ASGIApp:
    """Answer POST /workitems/{workitem}/cancelrequest."""
    site = writing_site(call)

    def handle(model: Model) -> Answer:
        requesting_ae = call.principal.name[:REQUESTING_AE_CHARACTERS]
        desk = call.room.workitems
        told = desk.request_cancellation(site, call.params["workitem"], model, requesting_ae, by(call))
        return Answer(202, {**_NO_STORE, **({"Warning": warning(call, told)} if told else {})})

    return with_body(call, handle, may_be_empty=True)


def search(call: Call) -> ASGIApp:
    """Answer GET /workitems; nothing found is an empty list, as in `search.qido`."""
    offer = choose(call.accept, listing.OFFERS)
    asked = ups_query.parse(call.query.multi_items(), call.services.config.archive.results_max)
    keywords = [KEYWORD_OF.get(key, "") for key in asked.keys]
    models, more = call.room.workitems.search(listed_sites(call, keywords), asked.keys, asked.limit, asked.offset)
    headers = {**_NO_STORE, "Vary": VARY}
    if more:
        headers["Warning"] = warning(call, "There are additional results that can be requested")
    items = [asked.shown(model) for model in models]
    return listing.listed(items, offer, headers, call.room.boundary, call.headers.get("accept-encoding", ""))


def by(call: Call) -> By:
    """Return who asks, for the audit."""
    return By(call.principal.name, call.address.peer)


def writing_site(call: Call) -> str:
    """Return the site whose work items the caller may change. Raises Forbidden."""
    return call.services.access.may_write(call.principal, Scope.WORKLIST_WRITE, call.address.site)


def listed_sites(call: Call, keywords: list[str]) -> frozenset[str] | None:
    """Return the sites whose work items the caller may see, None for all; audited."""
    access, named = call.services.access, call.address.site
    seen = access.may_list(call.principal, Scope.WORKLIST_READ, "work items", keywords, call.address.peer)
    if named is None:
        return seen
    return frozenset({named}) if seen is None else frozenset({named}) & seen


def reading_site(call: Call) -> str:
    """Return the site whose work item the URL names: its own, else the caller's, else this node's; audited.

    Raises
    ------
    NotFound
        The caller may not see it.
    """
    site = call.address.site or call.principal.site or call.services.config.node.site
    seen = listed_sites(call, ["SOPInstanceUID"])
    if seen is not None and site not in seen:
        raise NotFound(what="workitem")
    return site


def _named_uid(call: Call) -> str:
    uid = call.query.get("workitem") or call.query.get("AffectedSOPInstanceUID") or _bare(call)
    if not uid:
        return ""
    try:
        return check_uid(uid, "workitem")
    except Refused:
        raise InvalidRequest(reason="the workitem of the URL is not a UID") from None


def _bare(call: Call) -> str:
    """Return a query string that is a UID alone, as in /workitems?1.2.3 (PS3.18 before 2019b, and many clients)."""
    return next((name for name, value in call.query.multi_items() if not value and name[:1].isdigit()), "")
