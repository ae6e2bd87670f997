"""The pixel data of an instance as parts of a message, in the form that was chosen (PS3.18 8.7.3.3, 10.4.3.3.5).

Native pixel data are one part, a stored video is one, encoded frames are a part each, in their order. What cannot be had as
it was asked for comes as it is stored, which its part's Content-Type says.
"""

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from gateway.dicomweb.http.answers import CHUNK_BYTES
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.negotiation import OCTETS, Offer
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.frame_source import frame_source, mapped, opened
from gateway.dicomweb.retrieve.native_pixels import is_decoded_unasked, native_pixels
from gateway.dicomweb.retrieve.representations import AS_STORED
from gateway.dicomweb.retrieve.videos import STREAM_TYPES, is_stream, stream_of
from kernel.archive.records import Located
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.transcoding.frames import NATIVE_TARGETS, check_frames, frames_in
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN
from kernel.errors import Refused

UNASKED: Final = ""  # the transfer syntax that PS3.18 8.7.3.3 gives each instance


class Part(NamedTuple):
    """One part of the message."""

    path: str  # of the value, as in its BulkDataURI
    media_type: str
    transfer_syntax_uid: str
    content: Iterable[bytes]


def pixels_of(call: Call, one: Located, offer: Offer) -> Iterator[Part]:
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
        yield Part(path, media_type, stored, bytes_of(stream_of(call, one)))
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


def _native(call: Call, one: Located, header: Header, media_type: str) -> Iterator[Part]:
    """Yield native pixel data, which are one part."""
    assert header.pixel_data is not None, "asked only of pixel data"
    pixels, blob = header.pixel_data, call.services.blobs.path(one.blob_key)
    if header.reencoded:  # deflated and big endian ones are no bytes of the file
        native = Offer(OCTETS, True, frozenset({""}), EXPLICIT_VR_LITTLE_ENDIAN)  # noqa: FBT003 (a row)
        yield from _made(call, one, f"{pixels.tag:08X}", native)
    else:
        span = FileSpan(blob, pixels.value_offset, pixels.length)
        yield Part(f"{pixels.tag:08X}", media_type, EXPLICIT_VR_LITTLE_ENDIAN, bytes_of([span]))


def _stored(call: Call, one: Located, header: Header, media_type: str) -> Iterator[Part]:
    """Yield encapsulated frames as they are stored, each a part."""
    assert header.pixel_data is not None, "asked only of pixel data"
    source = frame_source(one, call.services.blobs.path(one.blob_key))
    assert source.frames is not None, "asked only of stored frames"
    path = f"{header.pixel_data.tag:08X}"
    for frame_index in range(source.frames.number_of_frames):
        yield Part(path, media_type, one.transfer_syntax_uid, bytes_of(source.spans(frame_index)))


def _made(call: Call, one: Located, path: str, offer: Offer) -> Iterator[Part]:
    """Yield frames in another transfer syntax: native ones as one part, encoded ones as one each."""
    target = offer.transfer_syntax_uid
    with opened(call.services.blobs.path(one.blob_key)) as pixels:
        if target in NATIVE_TARGETS:
            yield Part(path, OCTETS, target, native_pixels(pixels))
            return
        check_frames(pixels, target)
        for frame in frames_in(pixels, range(pixels.frames.number_of_frames), target):
            yield Part(path, offer.media_type, target, (frame,))


def bytes_of(pieces: Iterable[bytes | FileSpan]) -> Iterator[bytes]:
    """Yield what pieces hold, a chunk at a time."""
    for piece in pieces:
        if isinstance(piece, bytes):
            yield piece
        else:
            yield from piece.chunks(CHUNK_BYTES)
