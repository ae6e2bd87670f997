"""Retrieve Capabilities (PS3.18 8.9): what this service can, as WADL or, as `application/json`, its OpenAPI description."""

from importlib.metadata import version
from typing import Final

import msgspec
from starlette.types import ASGIApp

from gateway.dicomweb.description import openapi, wadl
from gateway.dicomweb.http.answers import Answer
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import Offer, choose

WADL_TYPE: Final = "application/vnd.sun.wadl+xml"
_OFFERS: Final = (Offer(WADL_TYPE), Offer("application/json"))


def describe(call: Call) -> ASGIApp:
    """Answer OPTIONS on the service's root."""
    media_type = choose(call.accept, _OFFERS).media_type
    rows = call.room.rows
    body = wadl(rows, call.address.base_url)
    if media_type != WADL_TYPE:
        body = msgspec.json.encode(openapi(rows, version("vienanh")))
    return Answer(200, {"Content-Type": media_type, "Cache-Control": "no-store", "Vary": "Accept"}, body)
