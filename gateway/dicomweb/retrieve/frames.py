"""WADO-RS frames (PS3.18 10.4.1.6): as they are stored, by range reads; or in the transfer syntax that was asked for.

The way of one stored frame is the fastest of the node: leave to read from memory, whereabouts from memory, one read
into the answer's own buffer. A frame in another transfer syntax has the color space that its instance would have in it
(`kernel.dicom.transcoding.header`): metadata of a stored instance tell of its stored frames.
"""

import errno
import os
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final

from starlette.types import ASGIApp

from gateway.dicomweb.http.answers import IMMUTABLE, Answer, Made, Piece, size_of, streamed
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.conditional import not_modified, tag_of
from gateway.dicomweb.http.multipart import PART_TAIL, body_tail, part_head
from gateway.dicomweb.http.negotiation import MULTIPART, Offer, choose
from gateway.dicomweb.http.ranges import ranged
from gateway.dicomweb.http.spans import FileSpan
from gateway.dicomweb.retrieve.frame_media import as_given, offers
from gateway.dicomweb.retrieve.frame_source import FrameSource, frame_source, opened
from gateway.dicomweb.retrieve.instances import VARY, sending
from kernel.access.memory import NotRemembered, about_to_wait, may_wait
from kernel.archive.index import whose_answers
from kernel.dicom.transcoding.frames import check_frames, frames_in
from kernel.errors import BlobMissing, InvalidRequest, LimitExceeded

FRAMES_MAX: Final = 1000  # in one request
AT_ONCE_BYTES_MAX: Final = 4 * 1024 * 1024  # a frame up to this size is read whole and sent at once; others stream
_DIGITS_MAX: Final = 8
_WITHOUT_WAITING: Final[int] = getattr(os, "RWF_NOWAIT", 0)  # Linux: only what the page cache has


def retrieve_frames(call: Call) -> ASGIApp:
    """Answer GET .../instances/{instance}/frames/{frames}."""
    numbers = frame_numbers(call.params["frames"])
    source = source_of(call)
    stored = source.located.transfer_syntax_uid
    offer = _chosen(call.accept, stored, is_single=len(numbers) == 1)
    boundary = call.room.boundary
    etag = tag_of(source.located.sha256, call.params["frames"], str(offer), boundary.decode())
    headers = {"ETag": etag, "Cache-Control": IMMUTABLE, "Vary": VARY}
    if known := not_modified(call.headers, headers):
        return known
    kind = f"{offer.media_type}; transfer-syntax={offer.transfer_syntax_uid}"
    is_stored = source.frames is not None and offer.transfer_syntax_uid == as_given(stored)
    if not offer.is_multipart:
        headers["Content-Type"] = kind
        index = numbers[0] - 1
        return _repeatable(call, headers, _stored(source, index) if is_stored else [_made_one(source, index, offer)])
    head = part_head(boundary, {"Content-Type": kind})
    outer = f'{MULTIPART}; type="{offer.media_type}"; transfer-syntax={offer.transfer_syntax_uid}; boundary='
    headers["Content-Type"] = outer + boundary.decode()
    if is_stored:
        pieces: list[Piece] = []
        for number in numbers:
            pieces += [head, *_stored(source, number - 1), PART_TAIL]
    elif len(numbers) == 1:
        pieces = [head, _made_one(source, numbers[0] - 1, offer), PART_TAIL]
    else:
        about_to_wait()
        pieces = [Made(lambda: _made(source, numbers, offer, head))]
    return _repeatable(call, headers, [*pieces, body_tail(boundary)])


@lru_cache(maxsize=1024)  # clients send a handful of values, thousands of times
def _chosen(accept: str, stored: str, *, is_single: bool) -> Offer:
    return choose(accept, offers(stored, is_single=is_single))


def source_of(call: Call) -> FrameSource:
    """Return where the frames of the instance that the URL names are; leave to read it is asked for first."""
    grant = call.open_study(call.params["study"])
    key = (whose_answers(grant), grant.study_instance_uid, call.params["series"], call.params["instance"])
    source = call.room.frames.get(key)
    if source is None:
        about_to_wait()
        located = call.locate(grant)
        source = frame_source(located, call.services.blobs.path(located.blob_key))
        call.room.frames.put(key, source, source.weight)
    call.tell_labels(grant, source.located)
    return source


def frame_numbers(text: str) -> list[int]:
    """Read a frame list such as `1,3,2`; `4-6` among them is short for `4,5,6`, which is our own.

    Raises
    ------
    InvalidRequest, LimitExceeded
        It is no list of numbers from one, or has more than FRAMES_MAX.
    """
    numbers: list[int] = []
    for part in text.split(",", FRAMES_MAX):
        first, dash, last = part.partition("-")
        if not (_is_number(first) and (not dash or _is_number(last))) or (dash and int(last) < int(first)):
            raise InvalidRequest(reason="frames are a list of numbers from one, such as 1,2,3 or 1-3")
        start, stop = int(first), int(last) if dash else int(first)
        if len(numbers) + stop - start + 1 > FRAMES_MAX:
            raise LimitExceeded(limit="FRAMES_MAX", value="a longer list", bound=FRAMES_MAX)
        numbers += range(start, stop + 1)
    return numbers


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _DIGITS_MAX and int(text) > 0


def _stored(source: FrameSource, frame_index: int) -> Sequence[Piece]:
    if not source.is_shared and source.is_resolved(frame_index):
        return source.spans(frame_index)
    about_to_wait()
    return [source.shifted(frame_index)] if source.is_shared else source.spans(frame_index)


def _made_one(source: FrameSource, frame_index: int, offer: Offer) -> bytes:
    return next(_frames(source, [frame_index], offer))


def _made(source: FrameSource, numbers: Sequence[int], offer: Offer, head: bytes) -> Iterator[bytes]:
    for frame in _frames(source, [number - 1 for number in numbers], offer):
        yield head
        yield frame
        yield PART_TAIL


def _frames(source: FrameSource, indices: Sequence[int], offer: Offer) -> Iterator[bytes]:
    about_to_wait()
    with opened(source.path) as pixels:
        check_frames(pixels, offer.transfer_syntax_uid)
        yield from frames_in(pixels, indices, offer.transfer_syntax_uid)


def _repeatable(call: Call, headers: dict[str, str], pieces: Sequence[Piece]) -> ASGIApp:
    """Return bytes that are the same each time, ranges of them if that is asked.

    Cornerstone3D loads a picture in steps by ranges of the multipart message, its boundary and headers included.
    """
    if "range" in call.headers:
        about_to_wait()
        return ranged(call.headers, headers, pieces, sending(call))
    return _answer(call, {**headers, "Accept-Ranges": "bytes"}, pieces)


def _answer(call: Call, headers: dict[str, str], pieces: Sequence[Piece]) -> ASGIApp:
    size = size_of(pieces)
    if size is not None and size <= AT_ONCE_BYTES_MAX:
        return Answer(200, headers, _joined(pieces, size))
    about_to_wait()
    return streamed(headers, pieces, call.room.readers, call.services.config.http.body_timeout_s)


def _joined(pieces: Sequence[Piece], size: int) -> bytearray:
    """Read all pieces into one buffer; what is read is never copied again."""
    body, position = bytearray(size), 0
    view = memoryview(body)
    for piece in pieces:
        assert not isinstance(piece, Made)
        if isinstance(piece, FileSpan):
            end = position + piece.size_bytes
            _read_into(piece, view[position:end])
        else:
            end = position + len(piece)
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
