"""WADO-RS metadata (PS3.18 10.4.1.1.2): DICOM JSON of studies, series and instances, gzip as it was folded.

A client that has the answer already is told so by its ETag. What is too large to fold is streamed in pieces.
"""

import hashlib
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.answers import Answer, Chunked
from gateway.dicomweb.call import Call
from gateway.dicomweb.conditional import is_known
from gateway.dicomweb.negotiation import JSON, Offer, choose
from kernel.access import StudyGrant
from kernel.archive.metadata import Folded

OFFERS: Final = (Offer(JSON), Offer("application/json"))
VARY: Final = "Accept, Accept-Encoding, Authorization, Cookie"


def study(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/metadata."""
    media_type = choose(call.accept, OFFERS).media_type
    grant = call.open_study(call.params["study"])
    folded = call.room.metadata.of_study(grant, call.address.base_url)
    return _folded(call, folded, media_type) if folded else _pieces(call, grant, None, media_type)


def series(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/metadata."""
    media_type = choose(call.accept, OFFERS).media_type
    grant, uid = call.open_study(call.params["study"]), call.params["series"]
    folded = call.room.metadata.of_series(grant, uid, call.address.base_url)
    return _folded(call, folded, media_type) if folded else _pieces(call, grant, uid, media_type)


def instance(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/instances/{instance}/metadata."""
    media_type = choose(call.accept, OFFERS).media_type
    grant = call.open_study(call.params["study"])
    body = call.room.metadata.of_instance(grant, call.params["series"], call.params["instance"], call.address.base_url)
    return _tagged(call, {"Content-Type": media_type}, hashlib.sha256(body).hexdigest()[:32], body)


def accepts_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip (RFC 9110 12.5.3)."""
    for item in header.lower().split(","):
        name, _, parameter = item.partition(";")
        if name.strip() in ("gzip", "x-gzip", "*"):
            return parameter.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False


def _folded(call: Call, folded: Folded, media_type: str) -> Answer:
    headers = {"Content-Type": media_type}
    if accepts_gzip(call.headers.get("accept-encoding", "")):
        return _tagged(call, {**headers, "Content-Encoding": "gzip"}, folded.etag, folded.gzipped)
    return _tagged(call, headers, folded.etag + "-identity", folded.json())


def _tagged(call: Call, headers: dict[str, str], tag: str, body: bytes) -> Answer:
    etag = f'"{tag}"'
    cached = {"ETag": etag, "Vary": VARY}
    if is_known(call.headers.get("if-none-match", ""), etag):
        return Answer(304, cached)
    return Answer(200, {**headers, **cached}, body)


def _pieces(call: Call, grant: StudyGrant, series_instance_uid: str | None, media_type: str) -> Chunked:
    pieces = call.room.metadata.pieces(grant, series_instance_uid, call.address.base_url)
    headers = {"Content-Type": media_type, "Vary": VARY}
    return Chunked(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)
