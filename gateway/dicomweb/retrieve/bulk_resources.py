"""All bulk data, or all pixel data, of a study, series or instance (PS3.18 10.4.1.1.5 and .6, 10.4.3.3.5 and .6).

A multipart message; the Content-Location of each part is the BulkDataURI that metadata tell. Native pixel data are one
part, a stored video is one, encoded frames are a part each, in their order. It is made an instance at a time while it is
sent. What cannot be had as it was asked for comes as it is stored, which its part's Content-Type says.

Bulk data come as their URIs give them; pixel data as frames do. Without a transfer-syntax parameter octets are native
samples, but among bulk data frames that may have lost something stay as they are (`native_pixels`).
"""

from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

import msgspec
from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import CHUNK_BYTES, Made, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, weak_tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import MULTIPART, OCTETS, Offer, choose
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.bulkdata import value_in
from gateway.dicomweb.retrieve.frame_media import offers
from gateway.dicomweb.retrieve.frame_source import frame_source, mapped, opened
from gateway.dicomweb.retrieve.instances import VARY
from gateway.dicomweb.retrieve.native_pixels import is_decoded_unasked, native_pixels
from gateway.dicomweb.retrieve.representations import AS_STORED, stored_syntaxes
from gateway.dicomweb.retrieve.videos import STREAM_TYPES, is_stream, stream_of
from kernel.access import StudyGrant
from kernel.archive.records import Located
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.transcoding.frames import NATIVE_TARGETS, check_frames, frames_in
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import NotFound, Refused

_STORED: Final = Offer(OCTETS, True, frozenset({"*"}), AS_STORED)  # noqa: FBT003 (a row)
UNASKED: Final = ""  # the transfer syntax that PS3.18 8.7.3.3 gives each instance
BULK_OFFERS: Final = (
    Offer(OCTETS, True, frozenset({""}), UNASKED),  # noqa: FBT003 (a row)
    Offer(OCTETS, True, frozenset({"*"}), AS_STORED),  # noqa: FBT003 (a row)
    Offer(OCTETS, True, frozenset({EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN),  # noqa: FBT003 (a row)
)


class _Part(NamedTuple):
    """One part of the message."""

    path: str  # of the value, as in its BulkDataURI
    media_type: str
    transfer_syntax_uid: str
    content: Iterable[bytes]


_PartsOf = Callable[[Located], Iterator[_Part]]


def retrieve_bulkdata(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}[/instances/{instance}]]/bulkdata."""
    grant, located = _asked(call)
    offer = choose(call.accept, BULK_OFFERS)
    return _given(call, located, offer, lambda one: _all_of(call, grant, one, offer), "bulk data")


def retrieve_pixel_data(call: Call) -> ASGIApp:
    """Answer GET /studies/{study}[/series/{series}[/instances/{instance}]]/pixeldata."""
    _, located = _asked(call)
    offer = choose(call.accept, pixel_offers(stored_syntaxes(located)))
    return _given(call, located, offer, lambda one: _pixels_of(call, one, offer), "pixel data")


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


def _all_of(call: Call, grant: StudyGrant, one: Located, offer: Offer) -> Iterator[_Part]:
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
                yield from _pixels_of(call, one, offer)
            else:
                yield _Part(path, OCTETS, EXPLICIT_VR_LITTLE_ENDIAN, _bytes_of([value_in(header, blob, path)]))


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


def _pixels_of(call: Call, one: Located, offer: Offer) -> Iterator[_Part]:
    """Yield the pixel data of an instance; nothing when it has none."""
    blob, stored = call.services.blobs.path(one.blob_key), one.transfer_syntax_uid
    with mapped(blob) as view:
        header = scan_apart(view, stored, offset=one.dataset_offset)
        pixels = header.pixel_data
    if pixels is None or not pixels.length:
        return
    path, target = f"{pixels.tag:08X}", offer.transfer_syntax_uid
    if target == UNASKED:
        target = EXPLICIT_VR_LITTLE_ENDIAN if is_decoded_unasked(stored) else AS_STORED
        offer = offer._replace(transfer_syntax_uid=target)
    if is_stream(one):
        media_type = offer.media_type if offer.media_type == STREAM_TYPES[stored] else OCTETS
        yield _Part(path, media_type, stored, _bytes_of(stream_of(call, one)))
        return
    as_it_is = _stored if pixels.is_encapsulated else _native
    if target in (AS_STORED, stored if pixels.is_encapsulated else EXPLICIT_VR_LITTLE_ENDIAN):
        yield from as_it_is(call, one, header, offer.media_type if target == stored else OCTETS)
        return
    made = _made(call, one, path, offer)
    try:
        first = next(made)  # it shows whether the others can be had
    except Refused:
        yield from as_it_is(call, one, header, OCTETS)
        return
    yield from chain([first], made)


def _native(call: Call, one: Located, header: Header, media_type: str) -> Iterator[_Part]:
    """Yield native pixel data, which are one part."""
    assert header.pixel_data is not None, "asked only of pixel data"
    pixels, blob = header.pixel_data, call.services.blobs.path(one.blob_key)
    if header.reencoded:  # deflated and big endian ones are no bytes of the file
        native = Offer(OCTETS, True, frozenset({""}), EXPLICIT_VR_LITTLE_ENDIAN)  # noqa: FBT003 (a row)
        yield from _made(call, one, f"{pixels.tag:08X}", native)
    else:
        span = FileSpan(blob, pixels.value_offset, pixels.length)
        yield _Part(f"{pixels.tag:08X}", media_type, EXPLICIT_VR_LITTLE_ENDIAN, _bytes_of([span]))


def _stored(call: Call, one: Located, header: Header, media_type: str) -> Iterator[_Part]:
    """Yield encapsulated frames as they are stored, each a part."""
    assert header.pixel_data is not None, "asked only of pixel data"
    source = frame_source(one, call.services.blobs.path(one.blob_key))
    assert source.frames is not None, "asked only of stored frames"
    path = f"{header.pixel_data.tag:08X}"
    for frame_index in range(source.frames.number_of_frames):
        yield _Part(path, media_type, one.transfer_syntax_uid, _bytes_of(source.spans(frame_index)))


def _made(call: Call, one: Located, path: str, offer: Offer) -> Iterator[_Part]:
    """Yield frames in another transfer syntax: native ones as one part, encoded ones as one each."""
    target = offer.transfer_syntax_uid
    with opened(call.services.blobs.path(one.blob_key)) as pixels:
        if target in NATIVE_TARGETS:
            yield _Part(path, OCTETS, target, native_pixels(pixels))
            return
        check_frames(pixels, target)
        for frame in frames_in(pixels, range(pixels.frames.number_of_frames), target):
            yield _Part(path, offer.media_type, target, (frame,))


def _bytes_of(pieces: Iterable[bytes | FileSpan]) -> Iterator[bytes]:
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from piece.chunks(CHUNK_BYTES)
