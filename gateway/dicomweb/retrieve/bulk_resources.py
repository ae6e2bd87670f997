"""All bulk data, or all pixel data, of a study, series or instance (PS3.18 10.4.1.1.5 and .6, 10.4.3.3.5 and .6).

A multipart message; the Content-Location of each part is the BulkDataURI that metadata tell. Native pixel data are one
part, a stored video is one, encoded frames are a part each, in their order. It is made an instance at a time while it is
sent. What cannot be had as it was asked for comes as it is stored, which its part's Content-Type says.

Bulk data come as their URIs give them; pixel data as frames do. Without a transfer-syntax parameter octets are native
samples, but among bulk data frames that may have lost something stay as they are (`native_pixels`).
"""

from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import Made, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, weak_tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import MULTIPART, OCTETS, Offer, choose
from gateway.dicomweb.retrieve.bulkdata import value_in
from gateway.dicomweb.retrieve.frame_media import offers
from gateway.dicomweb.retrieve.frame_source import mapped
from gateway.dicomweb.retrieve.instances import VARY
from gateway.dicomweb.retrieve.pixel_parts import UNASKED, Part, bytes_of, pixels_of
from gateway.dicomweb.retrieve.representations import AS_STORED, stored_syntaxes
from gateway.dicomweb.retrieve.videos import STREAM_TYPES
from kernel.access import StudyGrant
from kernel.archive.records import Located
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import NotFound

_STORED: Final = Offer(OCTETS, True, frozenset({"*"}), AS_STORED)  # noqa: FBT003 (a row)
BULK_OFFERS: Final = (
    Offer(OCTETS, True, frozenset({""}), UNASKED),  # noqa: FBT003 (a row)
    _STORED,
    Offer(OCTETS, True, frozenset({EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN),  # noqa: FBT003 (a row)
)


_PartsOf = Callable[[Located], Iterator[Part]]


def retrieve_bulkdata(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}[/instances/{instance}]]/bulkdata."""
    grant, located = _asked(call)
    offer = choose(call.accept, BULK_OFFERS)
    return _given(call, located, offer, lambda one: _all_of(call, grant, one, offer), "bulk data")


def retrieve_pixel_data(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}[/instances/{instance}]]/pixeldata."""
    _, located = _asked(call)
    offer = choose(call.accept, pixel_offers(stored_syntaxes(located)))
    return _given(call, located, offer, lambda one: pixels_of(call, one, offer), "pixel data")


@lru_cache(maxsize=256)
def pixel_offers(stored: frozenset[str]) -> tuple[Offer, ...]:
    """Return as what the pixel data of instances of these transfer syntaxes are on offer."""
    if len(stored) > 1:
        return (_STORED, *offers(EXPLICIT_VR_LITTLE_ENDIAN, is_single=False))
    (syntax,) = stored
    if syntax in STREAM_TYPES:
        asked = frozenset({"", "*", syntax})
        return tuple(Offer(one, True, asked, syntax) for one in (STREAM_TYPES[syntax], OCTETS))  # noqa: FBT003 (a row)
    return offers(syntax, is_single=False)


def _asked(call: Call) -> tuple[StudyGrant, list[Located]]:
    grant = call.open_study(call.params["study"])
    if "instance" in call.params:
        return grant, [call.locate(grant)]
    located = call.locate_all(grant)
    call.tell_labels(grant, *located)
    return grant, located


def _given(call: Call, located: list[Located], offer: Offer, parts_of: _PartsOf, what: str) -> ASGIApp:
    digests = (text for one in located for text in (one.sop_instance_uid, one.sha256))
    headers = {"ETag": weak_tag_of((what, call.address.base_url, str(offer), *digests)), "Vary": VARY}
    if known := not_modified(call.headers, headers):
        return known
    boundary = call.services.random(16).encode()
    headers["Content-Type"] = f'{MULTIPART}; type="{offer.media_type}"; boundary={boundary.decode()}'

    def body() -> Iterator[bytes]:
        is_empty = True
        for one in located:
            for part in parts_of(one):
                is_empty = False
                kind = f"{part.media_type}; transfer-syntax={part.transfer_syntax_uid}"
                place = f"{_url_of(call, one)}/bulkdata/{part.path}"
                yield part_head(boundary, {"Content-Type": kind, "Content-Location": place})
                yield from part.content
                yield PART_TAIL
        if is_empty:  # nothing is sent yet: a message has at least one part (RFC 2046 5.1.1)
            raise NotFound(what=what)
        yield body_tail(boundary)

    return streamed(headers, [Made(body)], call.room.readers, call.services.config.http.body_timeout_s)


def _url_of(call: Call, one: Located) -> str:
    named = f"studies/{one.study_instance_uid}/series/{one.series_instance_uid}/instances/{one.sop_instance_uid}"
    return f"{call.address.base_url}/{named}"


def _all_of(call: Call, grant: StudyGrant, one: Located, offer: Offer) -> Iterator[Part]:
    """Yield every value of an instance that its metadata name by URI, in the order of the data set."""
    base_url = call.address.base_url
    told = call.room.metadata.of_instance(grant, one.series_instance_uid, one.sop_instance_uid, base_url)
    paths = [uri.removeprefix(f"{_url_of(call, one)}/bulkdata/") for uri in _uris(msgspec.json.decode(told))]
    if not paths:
        return
    blob = call.services.blobs.path(one.blob_key)
    with mapped(blob) as view:
        header = scan_apart(view, one.transfer_syntax_uid, offset=one.dataset_offset)
        for path in paths:
            if header.pixel_data is not None and path == f"{header.pixel_data.tag:08X}":
                yield from pixels_of(call, one, offer)
            else:
                yield Part(path, OCTETS, EXPLICIT_VR_LITTLE_ENDIAN, bytes_of([value_in(header, blob, path)]))


def _uris(model: Any) -> Iterator[str]:
    """Yield the BulkDataURIs in DICOM JSON, those in sequences too; its depth is the scanner's."""
    if isinstance(model, list):
        for one in model:
            yield from _uris(one)
    elif isinstance(model, dict):
        for key, value in model.items():
            if key == "BulkDataURI":
                yield value
            else:
                yield from _uris(value)
