"""WADO-RS metadata (PS3.18 10.4.1.1.2): DICOM JSON or XML of studies, series and instances.

JSON is sent as it was folded, compressed once. A client that has the answer already is told so by its ETag. What is too
large to fold, and everything that is not plain JSON, is streamed in pieces.
"""

import hashlib
from collections.abc import Iterator
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Answer, Chunked
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import is_known, tag_of
from gateway.dicomweb.http.content_coding import IDENTITY, WORTH_BYTES, chosen, coded, coded_chunks
from gateway.dicomweb.http.listing import OFFERS as PLAIN
from gateway.dicomweb.http.listing import as_xml_parts, xml_parts_type
from gateway.dicomweb.http.negotiation import JSON, XML, Offer, choose
from gateway.dicomweb.retrieve.metadata_items import Item, as_json, items_of, recolored
from kernel.access import StudyGrant
from kernel.access.memory import about_to_wait
from kernel.archive.derived.metadata import Folded
from kernel.dicom.transcoding.frames import TARGETS

_IN_A_SYNTAX: Final = tuple(Offer(JSON, False, frozenset({uid}), uid) for uid in sorted(TARGETS))  # noqa: FBT003 (a row)
OFFERS: Final = (*PLAIN, *_IN_A_SYNTAX)
VARY: Final = "Accept, Accept-Encoding, Authorization, Cookie"


def metadata(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}]/metadata."""
    offer = choose(call.accept, OFFERS)
    grant, series, url = call.open_study(call.params["study"]), call.params.get("series"), call.address.base_url
    kept = call.room.metadata
    folded = kept.remembered(grant, series, url)
    if folded is None:
        about_to_wait()
        folded = kept.folded(grant, series, url)
    return _answer(call, offer, grant, folded)


def instance(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}/series/{series}/instances/{instance}/metadata."""
    offer = choose(call.accept, OFFERS)
    grant = call.open_study(call.params["study"])
    body = call.room.metadata.of_instance(grant, call.params["series"], call.params["instance"], call.address.base_url)
    tag = hashlib.sha256(body).hexdigest()[:32]
    if offer not in PLAIN or offer.media_type == XML:
        return _items(call, offer, grant, [body], tag)
    headers = {"Content-Type": offer.media_type}
    coding = _coding(call) if len(body) >= WORTH_BYTES else IDENTITY
    if coding == IDENTITY:
        return _tagged(call, headers, tag, body)
    return _tagged(call, {**headers, "Content-Encoding": coding}, f"{tag}-{coding}", coded(body, coding))


def _answer(call: Call, offer: Offer, grant: StudyGrant, folded: Folded | None) -> ASGIApp:
    if offer in PLAIN and offer.media_type != XML:
        return _folded(call, folded, offer.media_type) if folded else _pieces(call, grant, offer.media_type)
    about_to_wait()
    return _items(call, offer, grant, _json_of(call, grant), folded.etag if folded else "")


def _coding(call: Call) -> str:
    return chosen(call.headers.get("accept-encoding", ""))


def _json_of(call: Call, grant: StudyGrant) -> Iterator[bytes]:
    return call.room.metadata.pieces(grant, call.params.get("series"), call.address.base_url)


def _folded(call: Call, folded: Folded, media_type: str) -> Answer:
    headers, coding = {"Content-Type": media_type}, _coding(call)
    if coding == "gzip":
        return _tagged(call, {**headers, "Content-Encoding": "gzip"}, folded.etag, folded.gzipped)
    tag = f"{folded.etag}-{coding}"
    if known := _known(call, tag):
        return known
    about_to_wait()  # many megabytes, perhaps
    body = folded.json()
    if coding == IDENTITY:
        return _tagged(call, headers, tag, body)
    return _tagged(call, {**headers, "Content-Encoding": coding}, tag, coded(body, coding))


def _items(call: Call, offer: Offer, grant: StudyGrant, pieces: "Iterator[bytes] | list[bytes]", tag: str) -> ASGIApp:
    """Return what is made item by item: XML, or the metadata of another transfer syntax."""
    coding = _coding(call)
    headers = {"Vary": VARY, "Content-Type": offer.media_type}
    if tag:
        headers["ETag"] = "W/" + tag_of(tag, str(offer), coding)
        if is_known(call.headers.get("if-none-match", ""), headers["ETag"]):
            return Answer(304, {"ETag": headers["ETag"], "Vary": VARY})
    items: Iterator[Item] = items_of(pieces)
    if offer.media_type == XML:
        boundary = call.room.boundary
        headers["Content-Type"] = xml_parts_type(boundary)
        chunks = as_xml_parts(items, boundary)
    else:
        headers["Content-Type"] += f"; transfer-syntax={offer.transfer_syntax_uid}"
        chunks = as_json(recolored(items, _stored(call, grant), offer.transfer_syntax_uid))
    return _coded(call, headers, chunks, coding)


def _stored(call: Call, grant: StudyGrant) -> dict[str, str]:
    """Return the transfer syntax of each instance that is told of."""
    return {one.sop_instance_uid: one.transfer_syntax_uid for one in call.locate_all(grant)}


def _known(call: Call, tag: str) -> Answer | None:
    etag = f'"{tag}"'
    if is_known(call.headers.get("if-none-match", ""), etag):
        return Answer(304, {"ETag": etag, "Vary": VARY})
    return None


def _tagged(call: Call, headers: dict[str, str], tag: str, body: bytes) -> Answer:
    if known := _known(call, tag):
        return known
    return Answer(200, {**headers, "ETag": f'"{tag}"', "Vary": VARY}, body)


def _pieces(call: Call, grant: StudyGrant, media_type: str) -> Chunked:
    headers = {"Content-Type": media_type, "Vary": VARY}
    return _coded(call, headers, _json_of(call, grant), _coding(call))


def _coded(call: Call, headers: dict[str, str], chunks: Iterator[bytes], coding: str) -> Chunked:
    if coding != IDENTITY:
        headers["Content-Encoding"] = coding
    chunks = coded_chunks(chunks, coding)
    return Chunked(headers, chunks, call.room.readers, call.services.config.http.body_timeout_s)
