"""Comments and the like within encapsulated frames made blank where they stand: no length and no offset changes.

What a scanner, a camera or a converter wrote into the frames is seen by no search of the header. So every frame of a
JPEG, JPEG-LS, JPEG 2000, HTJ2K or JPEG XL transfer syntax is looked at (`jpeg`, `jpeg_2000` and `jpeg_xl` tell where),
whatever the profile says; pixels stay as they are. Streams of video are looked at as a whole
(`container`). Fragments are walked, not what Number of Frames or an offset table tells, so that what these pass over is
looked at, too.
"""

import struct
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache, lru_cache
from itertools import islice
from operator import attrgetter
from typing import Final, NamedTuple

from anonymizer.codestreams.container import words_in_video
from anonymizer.codestreams.frame import PADDING, Frame, Stretch
from anonymizer.codestreams.jpeg import SOI, JpegWalker
from anonymizer.codestreams.jpeg_2000 import JP2_SIGNATURE, SOC_SIZ, words_in_boxes, words_in_codestream
from anonymizer.codestreams.jpeg_xl import JXL_CODESTREAM, JXL_SIGNATURE, words_in_xl
from anonymizer.engine.result import NewPixels, Piece
from kernel.dicom.pixels.frames import Span
from kernel.dicom.scanning.elements import Buffer, Header, PixelData
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import STREAMS

PATCHES_MAX: Final = 500_000  # of one instance
LOOKED_AT: Final = frozenset(
    f"1.2.840.10008.1.2.4.{number}" for number in (*range(50, 71), 80, 81, 90, 91, 92, 93, 110, 111, 112, 201, 202, 203)
)
_BLANKS_BYTES: Final = 65_536
_NUMBER_OF_FRAMES: Final = 0x00280008
_ITEM_TAG: Final = b"\xfe\xff\x00\xe0"
_STARTS: Final = (SOI, SOC_SIZ, JP2_SIGNATURE, JXL_SIGNATURE)
_START_BYTES: Final = max(map(len, _STARTS))


def without_comments(
    source: Buffer, header: Header, transfer_syntax_uid: str, new: NewPixels | None
) -> NewPixels | None:
    """Return the pixel data with comments of the source's frames blank; `new`, if there are none.

    `new` is what becomes of the pixel data of `source` otherwise; None: it stays as it is. Masked frames within it were
    written anew, without comments of the source.

    Raises
    ------
    MalformedInstance
        A frame is not understood: what it holds cannot be told.
    LimitExceeded
        More than PATCHES_MAX.
    """
    pixels = header.pixel_data
    is_video = transfer_syntax_uid in STREAMS
    if pixels is None or not pixels.is_encapsulated or (transfer_syntax_uid not in LOOKED_AT and not is_video):
        return new
    patches: list[Patch] = []
    count, frames, jpeg = 0, 0, JpegWalker()
    with memoryview(source) as view:
        for frame in [Frame(view, list(_fragments(view, pixels)))] if is_video else _frames(view, pixels):
            frames += 1
            words = words_in_video(frame, STREAMS[transfer_syntax_uid]) if is_video else _words_in(frame, jpeg)
            for position, length, fill in words:
                places = islice(frame.places(position, length), PATCHES_MAX + 1 - len(patches))  # fragments are many
                patches += (Patch(*place, fill) for place in places)
                count += fill in PADDING  # a box that is renamed is no word
                if len(patches) > PATCHES_MAX:
                    raise exceeded("PATCHES_MAX", len(patches), PATCHES_MAX)
    if not patches:
        return new
    if not is_video and frames < _declared_frames(header):  # then what follows the end of one may be another
        raise malformed("the pixel data has fewer frames than it says, and words among them")
    patches.sort()
    new = new or NewPixels((Span(pixels.value_offset, pixels.end - pixels.value_offset),), transfer_syntax_uid)
    return replace(new, pieces=tuple(_spliced(new.pieces, patches)), comments=count)


class Patch(NamedTuple):
    """Bytes of the source, and what is put there."""

    offset: int
    length: int
    fill: bytes  # one byte


def _declared_frames(header: Header) -> int:
    value = header.raw(_NUMBER_OF_FRAMES).strip(b" \0")
    return int(value) if value.isdigit() and len(value) <= 10 else 1


def _words_in(frame: Frame, jpeg: JpegWalker) -> Iterator[Stretch]:
    start = frame.read(0, _START_BYTES)
    if start.startswith(SOI):
        return jpeg.words_in(frame)
    if start.startswith(SOC_SIZ):
        return words_in_codestream(frame, 0, frame.length)
    if start.startswith(JP2_SIGNATURE):
        return words_in_boxes(frame)
    if start.startswith((JXL_CODESTREAM, JXL_SIGNATURE)):
        return words_in_xl(frame)
    raise malformed("a frame of the pixel data begins as none of its transfer syntax")


def _frames(view: memoryview, pixels: PixelData) -> Iterator[Frame]:
    """Yield the frames: each begins with a fragment that begins as a codestream does (PS3.5 A.4)."""
    spans: list[Span] = []
    for span in _fragments(view, pixels):
        if spans and bytes(view[span.offset : span.offset + _START_BYTES]).startswith(_STARTS):
            yield Frame(view, spans)
            spans = []
        spans.append(span)
    if spans:
        yield Frame(view, spans)


def _fragments(view: memoryview, pixels: PixelData) -> Iterator[Span]:
    """Yield the fragments that are not empty, without the Basic Offset Table."""
    offset, end = pixels.value_offset, pixels.end - 8
    is_table = True
    while offset < end:
        if offset + 8 > end or bytes(view[offset : offset + 4]) != _ITEM_TAG:
            raise malformed("the fragments of the pixel data are damaged")
        (length,) = struct.unpack_from("<I", view, offset + 4)
        if offset + 8 + length > end:
            raise malformed("the fragments of the pixel data are damaged")
        if length and not is_table:
            yield Span(offset + 8, length)
        is_table = False
        offset += 8 + length


def _spliced(pieces: Iterable[Piece], patches: list[Patch]) -> Iterator[Piece]:
    """Yield pieces with blanks for what the patches, ascending, take out of their spans of the source."""
    for piece in pieces:
        if not isinstance(piece, Span):
            yield piece
            continue
        position, end = piece.offset, piece.offset + piece.length
        at = max(bisect_right(patches, position, key=attrgetter("offset")) - 1, 0)
        while at < len(patches) and patches[at].offset < end:
            first = max(patches[at].offset, position)
            last = min(patches[at].offset + patches[at].length, end)
            if first < last:
                if position < first:
                    yield Span(position, first - position)
                yield from _blanks(last - first, patches[at].fill)
                position = last
            at += 1
        if position < end:
            yield Span(position, end - position)


def _blanks(length: int, fill: bytes) -> Iterator[memoryview]:
    for begin in range(0, length, _BLANKS_BYTES):
        yield _blank(min(_BLANKS_BYTES, length - begin), fill)


@lru_cache(maxsize=1024)  # frames of one device have comments of one length
def _blank(length: int, fill: bytes) -> memoryview:
    return _of_blanks(fill)[:length]


@cache
def _of_blanks(fill: bytes) -> memoryview:
    return memoryview(fill * _BLANKS_BYTES)
