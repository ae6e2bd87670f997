"""UPS-RS subscriptions (PS3.18 11.10 to 11.12): to a work item, to the worklist, and to the filtered worklist."""

import re
from typing import Final
from urllib.parse import quote

from starlette.types import ASGIApp

from consult.subscriptions import FILTERED, WORKLISTS, Subscriber, Terms
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.ups.ups_body import answered, warning
from kernel.access import Scope
from kernel.errors import InvalidRequest, NotFound

_AE_TITLE: Final = re.compile(r"[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]{0,14}[\x21-\x5b\x5d-\x7e])?")
_NO_STORE: Final = {"Cache-Control": "no-store"}


def subscribe(call: Call) -> ASGIApp:
    """Answer POST /workitems/{resource}/subscribers/{aetitle}; says where the event channel is (11.10.3.2)."""
    return answered(call, lambda: _subscribe(call))


def _subscribe(call: Call) -> Answer:
    who, uid = subscriber(call), call.params["workitem"]
    asked = (call.query.get("deletionlock") or "false").lower()
    if asked not in ("true", "false"):
        raise InvalidRequest(reason="deletionlock is true or false")
    query = call.query.get("filter") or ""
    if (uid == FILTERED) != bool(query):
        raise InvalidRequest(reason="filter goes with the filtered worklist")
    lock = asked == "true"
    granted = lock and Scope.WORKLIST_WRITE in call.principal.scopes
    call.room.workitems.subscribe(who, uid, Terms(granted, query))
    headers = {**_NO_STORE, "Content-Location": channel_url(call, who.ae_title)}
    if lock and not granted:
        headers["Warning"] = warning(call, "Deletion Lock not granted.")
    return Answer(201, headers)


def unsubscribe(call: Call) -> ASGIApp:
    """Answer DELETE /workitems/{resource}/subscribers/{aetitle}."""

    def handle() -> Answer:
        call.room.workitems.unsubscribe(subscriber(call), call.params["workitem"])
        return Answer(200, _NO_STORE)

    return answered(call, handle)


def suspend(call: Call) -> ASGIApp:
    """Answer POST /workitems/{worklist}/subscribers/{aetitle}/suspend."""

    def handle() -> Answer:
        uid = call.params["workitem"]
        if uid not in WORKLISTS:
            raise NotFound(what="worklist")
        call.room.workitems.suspend(subscriber(call), uid)
        return Answer(200, _NO_STORE)

    return answered(call, handle)


def subscriber(call: Call) -> Subscriber:
    """Return the application entity that the URL names, for which the caller speaks.

    Raises
    ------
    InvalidRequest
        It is no AE title.
    NotFound
        The URL's site is none that the caller may see.
    """
    title = call.params["ae"]
    if not _AE_TITLE.fullmatch(title):
        raise InvalidRequest(reason="the subscriber of the URL is no AE title")
    site = call.address.site or call.principal.site or call.services.config.node.site
    if not call.principal.sees(site):
        raise NotFound(what="worklist")
    principal = call.principal
    return Subscriber(site, title, f"{principal.kind} {principal.name}"[:128], Scope.ADMIN in principal.scopes)


def channel_url(call: Call, ae_title: str) -> str:
    """Return the URL of a subscriber's event channel."""
    return f"ws{call.address.base_url.removeprefix('http')}/ws/subscribers/{quote(ae_title)}"
