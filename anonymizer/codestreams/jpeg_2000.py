"""Words within a JPEG 2000 or HTJ2K frame: comments in its headers, boxes around it, what follows the end.

The main header and those of tile-parts are walked; tile-parts themselves are skipped by their lengths (ITU-T T.800 A.2).
"""

import re
from collections.abc import Iterator
from typing import Final

from anonymizer.codestreams.boxes import boxes_in
from anonymizer.codestreams.frame import PADDING, SEGMENTS_MAX, Frame, Stretch
from kernel.dicom.vocabulary.limits import exceeded, malformed

SOC_SIZ: Final = b"\xff\x4f\xff\x51"
JP2_SIGNATURE: Final = b"\x00\x00\x00\x0cjP"  # of boxes that some put around a codestream; PS3.5 8.2.4 forbids them
_COM, _SOT, _SOD, _EOC = 0xFF64, 0xFF90, 0xFF93, 0xFFD9
_ALONE: Final = frozenset({*range(0xFF30, 0xFF40), _SOD, _EOC})  # markers without a length
_REGISTRATION_BYTES: Final = 2  # of a comment, before its text (A.9.2)
_TILE_PART_BYTES: Final = 12  # of SOT
_KEPT_BOXES: Final = frozenset({b"jP  ", b"jP\x1a\x1a", b"ftyp"})
_OF_COLORS: Final = frozenset({b"ihdr", b"bpcc", b"colr", b"pclr", b"cmap", b"cdef", b"res "})  # of jp2h
_BY_PROFILE: Final = (b"\2", b"\3")  # the method of a colr box: an ICC profile stands in it
_METHOD_BYTES: Final = 3  # method, precedence, approximation
_END: Final = re.compile(rb"\xff\xd9")  # coded samples have nothing above FF8F (T.800 A.1)


def words_in_codestream(frame: Frame, start: int, end: int) -> Iterator[Stretch]:
    """Yield the stretches where words may stand, ascending, that are not blank.

    Raises
    ------
    MalformedInstance
        It is not understood.
    LimitExceeded
        It has more than SEGMENTS_MAX segments.
    """
    for marker, position, length in _segments(frame, start, end):
        if marker == _COM:
            yield from frame.words(position + _REGISTRATION_BYTES, max(length - _REGISTRATION_BYTES, 0))
        elif marker == _EOC:
            yield from frame.trailing(position - 2, end)


def words_in_boxes(frame: Frame) -> Iterator[Stretch]:
    """Yield those of a JP2 file (T.800 I.4): all boxes but those that a decoder needs may hold words."""
    for kind, begin, end in boxes_in(frame, 0, frame.length):
        if not kind:
            yield from frame.trailing(begin, end)
        elif kind == b"jp2c":
            yield from words_in_codestream(frame, begin, end)
        elif kind == b"jp2h":
            yield from _words_in_header_box(frame, begin, end)
        elif kind not in _KEPT_BOXES:
            yield from frame.words(begin, end - begin)


def _words_in_header_box(frame: Frame, start: int, stop: int) -> Iterator[Stretch]:
    """Yield those of the boxes that tell how samples become colors (T.800 I.5.3)."""
    for kind, begin, end in boxes_in(frame, start, stop):
        if kind == b"colr" and frame.read(begin, 1) in _BY_PROFILE:
            yield from frame.profile_words([Stretch(begin + _METHOD_BYTES, max(end - begin - _METHOD_BYTES, 0))])
        elif kind not in _OF_COLORS:
            yield from frame.words(begin, end - begin)


def _segments(frame: Frame, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield marker, position and length of the content of each segment in headers, and of the end marker."""
    position, following = start + 2, end
    for _ in range(SEGMENTS_MAX):
        marker, length = _segment(frame, position, end)
        yield marker, position + 4, length - 2
        if marker == _EOC:
            return
        if marker == _SOT:
            size = int.from_bytes(frame.read(position + 6, 4), "big")
            following = position + size if size else end
        position += 2 + length
        if marker == _SOD:
            if following >= end:  # the last: it goes on until the end marker
                ended = frame.find(_END, position)
                if ended is not None and ended < end:
                    yield _EOC, ended + 4, 0
                return
            if following < position:
                raise malformed("a tile-part of the pixel data has an impossible length")
            if not frame.read(following, min(_TILE_PART_BYTES, end - following)).strip(PADDING):
                yield _EOC, following + 2, 0  # it ends without its marker
                return
            position = following
    raise exceeded("SEGMENTS_MAX", SEGMENTS_MAX + 1, SEGMENTS_MAX)


def _segment(frame: Frame, position: int, end: int) -> tuple[int, int]:
    """Return the marker at a position and the length from after it, 0 of those without."""
    head = frame.read(position, min(4, max(end - position, 0)))
    marker = int.from_bytes(head[:2], "big")
    if len(head) < 2 or marker < 0xFF00:
        raise malformed("a codestream of the pixel data has no marker where one must be")
    if marker in _ALONE:
        return marker, 0
    length = int.from_bytes(head[2:], "big")
    if len(head) < 4 or length < 2 or position + 2 + length > end:
        raise malformed("a segment within a codestream of the pixel data has an impossible length")
    return marker, length
