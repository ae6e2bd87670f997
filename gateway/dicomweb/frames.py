"""WADO-RS frames (PS3.18 10.4.1.6): as they are stored, by range reads; or decoded to explicit little endian.

The way of one native frame is the fastest of the node: leave to read from memory, whereabouts from memory, one read
into the answer's own buffer.
"""

import errno
import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from types import MappingProxyType
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.answers import IMMUTABLE, Answer, FileSpan, Piece, streamed
from gateway.dicomweb.call import Call
from gateway.dicomweb.frame_source import FrameSource, frame_source, opened
from gateway.dicomweb.instances import VARY
from gateway.dicomweb.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.negotiation import MULTIPART, OCTETS, Offer, choose
from kernel.access.memory import NotRemembered, about_to_wait, may_wait
from kernel.dicom.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import BlobMissing, InvalidRequest, LimitExceeded

FRAMES_MAX: Final = 1000  # in one request
AT_ONCE_BYTES_MAX: Final = 4 * 1024 * 1024  # a frame up to this size is read whole and sent at once; others stream
_DIGITS_MAX: Final = 8

_JPEG: Final = "1.2.840.10008.1.2.4."
# PS3.18 tables 8.7.3-2, 8.7.3-4 and 8.7.3-5; JPEG XL from Supplement 232. Others are given as octets only.
MEDIA_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        **dict.fromkeys((_JPEG + n for n in ("50", "51", "57", "70")), "image/jpeg"),
        **dict.fromkeys((_JPEG + n for n in ("80", "81")), "image/jls"),
        **dict.fromkeys((_JPEG + n for n in ("90", "91")), "image/jp2"),
        **dict.fromkeys((_JPEG + n for n in ("92", "93")), "image/jpx"),
        **dict.fromkeys((_JPEG + n for n in ("201", "202", "203")), "image/jphc"),
        **dict.fromkeys((_JPEG + n for n in ("110", "111", "112")), "image/jxl"),
        "1.2.840.10008.1.2.5": "image/dicom-rle",
    }
)
_WITHOUT_WAITING: Final[int] = getattr(os, "RWF_NOWAIT", 0)  # Linux: only what the page cache has
_NATIVE: Final = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})


def retrieve_frames(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}/frames/{frames}."""
    numbers = frame_numbers(call.params["frames"])
    source = source_of(call)
    offer = choose(call.accept, offers(source.located.transfer_syntax_uid, is_single=len(numbers) == 1))
    as_stored = source.frames is not None and offer.transfer_syntax_uid == _given(source.located.transfer_syntax_uid)
    bodies = [_stored(source, number - 1) if as_stored else _decoded(source, number - 1) for number in numbers]
    kind = f"{offer.media_type}; transfer-syntax={offer.transfer_syntax_uid}"
    if not offer.is_multipart:
        return _answer(call, kind, [bodies[0]])
    boundary = call.room.boundary
    head = part_head(boundary, {"Content-Type": kind})
    pieces = [[head, *body, PART_TAIL] for body in bodies]
    outer = f'{MULTIPART}; type="{offer.media_type}"; transfer-syntax={offer.transfer_syntax_uid}; boundary='
    return _answer(call, outer + boundary.decode(), [*pieces, [body_tail(boundary)]])


def source_of(call: Call) -> FrameSource:
    """Return where the frames of the instance that the URL names are; leave to read it is asked for first."""
    grant = call.open_study(call.params["study"])
    key = (grant.site, grant.study_instance_uid, call.params["series"], call.params["instance"])
    source = call.room.frames.get(key)
    if source is None:
        about_to_wait()
        located = call.locate(grant)
        source = frame_source(located, call.services.blobs.path(located.blob_key))
        call.room.frames.put(key, source, source.weight)
    return source


def frame_numbers(text: str) -> list[int]:
    """Read a frame list such as `1,3,2`.

    Raises
    ------
    InvalidRequest, LimitExceeded
        It is no list of numbers from one, or has more than FRAMES_MAX.
    """
    parts = text.split(",", FRAMES_MAX)
    if len(parts) > FRAMES_MAX:
        raise LimitExceeded(limit="FRAMES_MAX", value="a longer list", bound=FRAMES_MAX)
    if not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS_MAX for part in parts) or "0" in parts:
        raise InvalidRequest(reason="frames are a list of numbers from one, such as 1,2,3")
    return [int(part) for part in parts]


@lru_cache(maxsize=256)
def offers(stored: str, *, is_single: bool) -> tuple[Offer, ...]:
    """Return what can be given of a frame stored in this transfer syntax; single parts only of one frame."""
    syntax = SYNTAXES.get(stored)
    if stored in _NATIVE:
        kinds = [(OCTETS, frozenset({"", "*", *_NATIVE}), EXPLICIT_VR_LITTLE_ENDIAN)]
    elif syntax is not None and not syntax.encapsulated:  # big endian, deflated: always decoded
        kinds = [(OCTETS, frozenset({"", "*", EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN)]
    else:
        kinds = [(OCTETS, frozenset({"*", stored}), stored)]
        if stored in MEDIA_TYPES:
            kinds.insert(0, (MEDIA_TYPES[stored], frozenset({"", "*", stored}), stored))
        if syntax is not None and syntax.decodable:
            kinds.append((OCTETS, frozenset({"", EXPLICIT_VR_LITTLE_ENDIAN}), EXPLICIT_VR_LITTLE_ENDIAN))
    shapes = (True, False) if is_single else (True,)
    return tuple(Offer(name, shape, asked, given) for name, asked, given in kinds for shape in shapes)


def _given(stored: str) -> str:
    """Return the transfer syntax in which stored frames are given: native ones are the same bytes in both."""
    return EXPLICIT_VR_LITTLE_ENDIAN if stored in _NATIVE else stored


def _stored(source: FrameSource, frame_index: int) -> Sequence[Piece]:
    if not source.is_shared and source.is_resolved(frame_index):
        return source.spans(frame_index)
    about_to_wait()
    return [source.shifted(frame_index)] if source.is_shared else source.spans(frame_index)


def _decoded(source: FrameSource, frame_index: int) -> Sequence[Piece]:
    """Return a frame as native little endian samples; color that was compressed comes as RGB, by pixel."""
    about_to_wait()
    with opened(source.path) as pixels:
        if pixels.transfer_syntax_uid in _NATIVE:
            return [pixels.read(frame_index)]
        return [pixels.decode(frame_index).tobytes()]


def _answer(call: Call, kind: str, parts: Sequence[Sequence[Piece]]) -> ASGIApp:
    headers = {"Content-Type": kind, "Cache-Control": IMMUTABLE, "Vary": VARY}
    pieces = [piece for part in parts for piece in part]
    if sum(map(_size, pieces)) <= AT_ONCE_BYTES_MAX:
        return Answer(200, headers, _joined(pieces))
    return streamed(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)


def _size(piece: Piece) -> int:
    return piece.size_bytes if isinstance(piece, FileSpan) else len(piece)


def _joined(pieces: Sequence[Piece]) -> bytearray:
    """Read all pieces into one buffer; what is read is never copied again."""
    body, position = bytearray(sum(map(_size, pieces))), 0
    view = memoryview(body)
    for piece in pieces:
        end = position + _size(piece)
        if isinstance(piece, FileSpan):
            _read_into(piece, view[position:end])
        else:
            view[position:end] = piece
        position = end
    return body


def _read_into(span: FileSpan, target: memoryview) -> None:
    waits = may_wait()
    try:
        descriptor = os.open(span.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        raise BlobMissing(key=span.path.name) from None
    try:
        read = os.preadv(descriptor, [target], span.offset, 0 if waits else _WITHOUT_WAITING)
    except OSError as error:
        if not waits and error.errno in (errno.EAGAIN, errno.EOPNOTSUPP, errno.EINVAL):
            raise NotRemembered from None
        raise
    finally:
        os.close(descriptor)
    if read != len(target):
        about_to_wait()  # only a part of it is in the page cache
        raise BlobMissing(key=span.path.name)
