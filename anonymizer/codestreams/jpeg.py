"""Words within a JPEG or JPEG-LS frame: comments, application segments that no decoder needs, what follows the end.

Segments are skipped by their lengths (ITU-T T.81 B.1, T.87 C.1). Coded samples are read only where a frame has several
scans, or does not end with its end marker.
"""

import re
from collections.abc import Iterator
from typing import Final

from anonymizer.codestreams.frame import SEGMENTS_MAX, Frame, Stretch
from kernel.dicom.vocabulary.limits import exceeded, malformed

MEMORY_BYTES_MAX: Final = 4096  # of a beginning that is known again; it has no long profile
SOI: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_EOI, _SOS, _COM, _FILL = 0xD9, 0xDA, 0xFE, 0xFF
_APP0, _APP2, _APP8, _APP14, _APP15 = 0xE0, 0xE2, 0xE8, 0xEE, 0xEF
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)} - {0xD8})  # markers without a length
# Frames that one scan may hold whole: baseline, extended, lossless, each also arithmetic, and JPEG-LS.
_ONE_SCAN: Final = frozenset({0xC0, 0xC1, 0xC3, 0xC9, 0xCB, 0xF7})
# After FF coded samples have 00 (T.81), a byte below 80 (T.87) or a restart marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")


class JpegWalker:
    """Walks one frame after another. Most begin alike: such a beginning is known again by one look."""

    __slots__ = ("_beginning", "_found")

    def __init__(self) -> None:
        self._beginning = b"\0"  # of a frame of one scan, to the end of the scan's header
        self._found: tuple[Stretch, ...] = ()  # in it

    def words_in(self, frame: Frame) -> Iterator[Stretch]:
        """Yield the stretches where words may stand, ascending, that are not blank.

        Raises
        ------
        MalformedInstance
            It is not understood.
        LimitExceeded
            It has more than SEGMENTS_MAX segments.
        """
        if frame.read(0, len(self._beginning)) == self._beginning and _is_ended(frame):
            yield from self._found
            return
        found: list[Stretch] = []
        application, components = _Application(), 0
        for marker, position, length in _segments(frame):
            if marker == _EOI:
                yield from frame.trailing(position - 2, frame.length)
            elif marker == _COM or _APP0 <= marker <= _APP15:
                kept = application.kept(frame, marker, position, length)
                for stretch in frame.words(position + kept, max(length - kept, 0)):
                    found.append(stretch)
                    yield stretch
            elif marker in _ONE_SCAN:
                components = frame.read(position + 5, 1)[0]
            elif marker == _SOS and frame.read(position, 1)[0] == components and _is_ended(frame):
                if position + length <= MEMORY_BYTES_MAX:
                    self._beginning, self._found = frame.read(0, position + length), tuple(found)
                return


def _segments(frame: Frame) -> Iterator[tuple[int, int, int]]:
    """Yield marker, position and length of the content of each segment, to the end of the image."""
    position = len(SOI)
    for _ in range(SEGMENTS_MAX):
        marker, length = _segment(frame, position)
        yield marker, position + 4, length - 2
        if marker == _EOI:
            return
        position += 2 + length
        if marker == _SOS:
            following = frame.find(_NEXT_MARKER, position)
            if following is None:
                return
            position = following
    raise exceeded("SEGMENTS_MAX", SEGMENTS_MAX + 1, SEGMENTS_MAX)


def _segment(frame: Frame, position: int) -> tuple[int, int]:
    """Return the marker at a position and the length from after it; 0 of those without, -1 of a fill byte."""
    head = frame.read(position, 4)
    if len(head) < 2 or head[0] != _FILL:
        raise malformed("a frame of the pixel data has no marker where one must be")
    marker = head[1]
    if marker == _FILL:
        return marker, -1
    if marker in _ALONE:
        return marker, 0
    length = int.from_bytes(head[2:], "big")
    if len(head) < 4 or length < 2 or position + 2 + length > frame.length:
        raise malformed("a segment within a frame of the pixel data has an impossible length")
    return marker, length


def _is_ended(frame: Frame) -> bool:
    """Whether a frame ends with its end marker, and perhaps one byte that makes its length even."""
    return _END in frame.read(max(frame.length - 3, 0), 3)


class _Application:
    """Application segments that change how pixels are decoded: how many bytes of each must stay."""

    __slots__ = ("_has_profile", "_has_spiff")

    def __init__(self) -> None:
        self._has_profile = self._has_spiff = False

    def kept(self, frame: Frame, marker: int, position: int, length: int) -> int:
        """Return how many bytes stay of a segment's content."""
        content = frame.read(position, min(length, 64))
        if marker == _APP0 and content.startswith(b"JFIF\0"):
            return 14  # what follows is a thumbnail (T.871 10.1)
        if marker == _APP14 and content.startswith(b"Adobe"):
            return 12  # T.872 6.5.3
        if marker == _APP8:
            return self._kept_of_app8(content)
        if marker == _APP2 and content.startswith(b"ICC_PROFILE\0"):  # ICC.1 B.4; its header has a signature
            self._has_profile |= content[12:13] == b"\x01" and content[50:54] == b"acsp"
            return length if self._has_profile else 0
        return 0

    def _kept_of_app8(self, content: bytes) -> int:
        if content.startswith(b"mrfx"):
            return 5  # a color transform of JPEG-LS that decoders know
        if content.startswith(b"SPIFF\0"):
            self._has_spiff = True
            return 30  # T.84 F.2.1
        if self._has_spiff and content.startswith(b"\0\0\0"):  # an entry: its tag, and 1 ends the directory
            return 6 if content[3:4] == b"\1" else 4
        return 0
