"""Bulk data by the URI that the metadata name (PS3.18 10.4.1.5): a value's bytes, little endian, as they are stored.

The path is that of `kernel.dicom.models.json_model`: tags in hexadecimal, item numbers from zero. Encoded pixel data are
decoded unless they may have lost something (`native_pixels`), or another transfer syntax is asked for; as they are stored
they are given frame by frame, each a part. A video is one stream, a report in PDF is one for who asks. A value that comes
alone as it is has byte ranges. What the metadata of a slide leave out (Per-Frame Functional Groups of very many frames) is
here under its tag: the items of the sequence.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import IMMUTABLE, Made, Piece, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import MULTIPART, OCTETS, Offer, choose
from gateway.dicomweb.http.ranges import ranged
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.frame_media import offers
from gateway.dicomweb.retrieve.frame_source import frame_source, mapped, opened
from gateway.dicomweb.retrieve.instances import VARY, sending
from gateway.dicomweb.retrieve.native_pixels import is_decoded_unasked, native_pixels
from gateway.dicomweb.retrieve.pixel_parts import pixels_of
from gateway.dicomweb.retrieve.videos import STREAM_TYPES, is_stream, stream_of
from kernel.archive.records import Located
from kernel.dicom.scanning.elements import UNDEFINED, Header, PixelData
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.transcoding.frames import can_transcode
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import NotFound, Refused

PDF: Final = "application/pdf"
PDF_STORAGE: Final = "1.2.840.10008.5.1.4.1.1.104.1"
DOCUMENT: Final = "00420011"  # Encapsulated Document
PIXEL_DATA: Final = "7FE00010"
_PATH_CHARS_MAX: Final = 1024
_DELIMITER_BYTES: Final = 8


def retrieve_bulkdata(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}/bulkdata/{path}."""
    located = call.locate(call.open_study(call.params["study"]))
    values, stored = values_of(call, located, call.params["path"])
    is_report = located.sop_class_uid == PDF_STORAGE and call.params["path"] == DOCUMENT
    types = (STREAM_TYPES[stored], OCTETS) if stored in STREAM_TYPES else (OCTETS, *((PDF,) if is_report else ()))
    plain = [*_decoded(stored), *_as_stored(stored, types, len(values), is_unasked=not is_decoded_unasked(stored))]
    offer = choose(call.accept, [*plain, *_encoded(located, call.params["path"])])
    if offer not in plain:
        return _frames(call, located, offer)
    headers = _headers(located, call.params["path"], offer)
    if known := not_modified(call.headers, headers):  # of what is made, too: it was made once
        return known
    if offer.transfer_syntax_uid != stored:
        try:
            values = [[_made(call.services.blobs.path(located.blob_key))]]
        except Refused:  # they cannot be decoded: who asked for nothing else gets them as they are
            offer = choose(call.accept, _as_stored(stored, types, len(values)))
            headers = _headers(located, call.params["path"], offer)
            if known := not_modified(call.headers, headers):
                return known
    kind, syntax = headers["Content-Type"], offer.transfer_syntax_uid
    if not offer.is_multipart:
        return ranged(call.headers, headers, values[0], sending(call))
    boundary = call.room.boundary
    headers["Content-Type"] = (
        f'{MULTIPART}; type="{offer.media_type}"; transfer-syntax={syntax}; boundary={boundary.decode()}'
    )
    pieces: list[Piece] = []
    for value in values:
        pieces += [part_head(boundary, {"Content-Type": kind}), *value, PART_TAIL]
    pieces.append(body_tail(boundary))
    return streamed(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)


def _headers(located: Located, path: str, offer: Offer) -> dict[str, str]:
    kind = f"{offer.media_type}; transfer-syntax={offer.transfer_syntax_uid}"
    etag = tag_of(located.sha256, path, str(offer))
    return {"ETag": etag, "Content-Type": kind, "Cache-Control": IMMUTABLE, "Vary": VARY}


def _as_stored(syntax: str, types: Sequence[str], values: int, *, is_unasked: bool = True) -> list[Offer]:
    """Return as what values are on offer as they are, also without a transfer syntax if that is meant; alone only one."""
    asked = frozenset({"", "*", syntax} if is_unasked else {"*", syntax})
    shapes = (False, True) if values == 1 else (True,)
    return [Offer(one, is_multipart, asked, syntax) for one in types for is_multipart in shapes]


def _decoded(syntax: str) -> list[Offer]:
    """Return as what encoded frames are on offer decoded."""
    target = EXPLICIT_VR_LITTLE_ENDIAN
    if syntax == target or not can_transcode(syntax, target):
        return []
    asked = frozenset({"", target} if is_decoded_unasked(syntax) else {target})
    return [Offer(OCTETS, is_multipart, asked, target) for is_multipart in (False, True)]


def _encoded(located: Located, path: str) -> Sequence[Offer]:
    """Return as what pixel data are on offer frame by frame (PS3.18 table 8.7.3-5)."""
    if path.upper() != PIXEL_DATA or located.transfer_syntax_uid in STREAM_TYPES:
        return ()
    return offers(located.transfer_syntax_uid, is_single=False)


def _frames(call: Call, located: Located, offer: Offer) -> ASGIApp:
    """Return pixel data frame by frame, each a part."""
    headers = {"ETag": tag_of(located.sha256, PIXEL_DATA, str(offer)), "Cache-Control": IMMUTABLE, "Vary": VARY}
    if known := not_modified(call.headers, headers):
        return known
    boundary = call.room.boundary
    headers["Content-Type"] = f'{MULTIPART}; type="{offer.media_type}"; boundary={boundary.decode()}'

    def body() -> Iterator[bytes]:
        for part in pixels_of(call, located, offer):
            kind = f"{part.media_type}; transfer-syntax={part.transfer_syntax_uid}"
            yield part_head(boundary, {"Content-Type": kind})
            yield from part.content
            yield PART_TAIL
        yield body_tail(boundary)

    return streamed(headers, [Made(body)], call.room.readers, call.services.config.http.body_timeout_s)


def _made(blob: Path) -> Made:
    """Decode pixel data while they are sent; the first frame at once. Raises Refused."""

    def frames() -> Iterator[bytes]:
        with opened(blob) as pixels:
            yield from native_pixels(pixels)

    rest = frames()
    whole = chain([next(rest)], rest)
    return Made(lambda: whole)


def values_of(call: Call, located: Located, path: str) -> tuple[list[Sequence[Piece]], str]:
    """Return the value's pieces, one list for each part, and the transfer syntax in which they are."""
    blob = call.services.blobs.path(located.blob_key)
    if len(path) > _PATH_CHARS_MAX:
        raise NotFound(what="bulk data")
    with mapped(blob) as view:
        header = scan_apart(view, located.transfer_syntax_uid, offset=located.dataset_offset)
        pixels = header.pixel_data
        if pixels is not None and path.upper() == f"{pixels.tag:08X}":
            if is_stream(located):
                return [stream_of(call, located)], located.transfer_syntax_uid
            if pixels.is_encapsulated:
                source = frame_source(located, blob)
                count = source.frames.number_of_frames if source.frames else 0
                return [source.spans(frame_index) for frame_index in range(count)], located.transfer_syntax_uid
            return [[_native(blob, pixels, reencoded=header.reencoded)]], EXPLICIT_VR_LITTLE_ENDIAN
        groups = header.frame_groups_apart
        if groups is not None and not groups.implicit and path == f"{groups.tag:08X}":
            end = groups.end - (_DELIMITER_BYTES if groups.length == UNDEFINED else 0)  # items alone, no delimiter
            return [[_between(header, blob, groups.value_offset, end)]], EXPLICIT_VR_LITTLE_ENDIAN
        return [[value_in(header, blob, path)]], EXPLICIT_VR_LITTLE_ENDIAN


def value_in(header: Header, blob: Path, path: str) -> bytes | FileSpan:
    """Return the value of an element that is not the pixel data; `header` is that of the blob.

    Raises
    ------
    NotFound
        There is none of this path, or it is a sequence.
    """
    element = header.resolve(path)
    if element is None or element.items is not None:
        raise NotFound(what="bulk data")
    end = element.end if element.length == UNDEFINED else element.value_offset + element.length
    return _between(header, blob, element.value_offset, end)


def _between(header: Header, blob: Path, start: int, end: int) -> bytes | FileSpan:
    return bytes(header.buffer[start:end]) if header.reencoded else FileSpan(blob, start, end - start)


def _native(blob: Path, pixels: PixelData, *, reencoded: bool) -> Piece:
    return _made(blob) if reencoded else FileSpan(blob, pixels.value_offset, pixels.length)
