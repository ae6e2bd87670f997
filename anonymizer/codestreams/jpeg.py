"""Words within a JPEG or JPEG-LS frame: comments, application segments that no decoder needs, what follows the end.

Segments are skipped by their lengths (ITU-T T.81 B.1, T.87 C.1). Coded samples are searched for the marker that ends them:
words may stand behind any scan, and behind the end of the image.
"""

import re
from collections.abc import Iterator
from typing import Final

from anonymizer.codestreams.frame import SEGMENTS_MAX, Frame, Stretch
from anonymizer.words.color_profiles import is_profile
from kernel.dicom.vocabulary.limits import exceeded, malformed

MEMORY_BYTES_MAX: Final = 256 * 1024  # of a beginning that is known again
SOI: Final = b"\xff\xd8"
_EOI, _SOS, _COM, _FILL = 0xD9, 0xDA, 0xFE, 0xFF
_APP0, _APP2, _APP8, _APP14, _APP15 = 0xE0, 0xE2, 0xE8, 0xEE, 0xEF
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)} - {0xD8})  # markers without a length
# After FF coded samples have 00 (T.81), a byte below 80 (T.87) or a restart marker.
_NEXT_MARKER: Final = re.compile(rb"\xff[\x80-\xcf\xd8-\xfe]")
_ICC: Final = b"ICC_PROFILE\0"  # ICC.1 B.4; a byte tells which part it is, another how many there are
_ICC_BYTES: Final = len(_ICC) + 2


class JpegWalker:
    """Walks one frame after another. Most begin alike: such a beginning is known again by one look."""

    __slots__ = ("_beginning", "_found")

    def __init__(self) -> None:
        self._beginning = b"\0"  # of a frame, to the end of its first scan's header
        self._found: tuple[Stretch, ...] = ()  # in it

    def words_in(self, frame: Frame) -> Iterator[Stretch]:
        """Yield the stretches where words may stand, that are not blank.

        Raises
        ------
        MalformedInstance
            It is not understood.
        LimitExceeded
            It has more than SEGMENTS_MAX segments.
        """
        application, found, start = _Application(), list[Stretch](), len(SOI)
        is_known = frame.read(0, len(self._beginning)) == self._beginning
        if is_known:
            found += self._found
            start = frame.find(_NEXT_MARKER, len(self._beginning)) or frame.length
        for marker, position, length in _segments(frame, start):
            if marker == _EOI:
                found += frame.trailing(position - 2, frame.length)
            elif marker == _COM or _APP0 <= marker <= _APP15:
                kept = application.kept(frame, marker, position, length)
                found += frame.words(position + kept, max(length - kept, 0))
            elif marker == _SOS:
                found += application.words_in_profile(frame)
                if not is_known and position + length <= MEMORY_BYTES_MAX:
                    self._beginning, self._found, is_known = frame.read(0, position + length), tuple(found), True
        yield from found
        yield from application.words_in_profile(frame)


def _segments(frame: Frame, position: int) -> Iterator[tuple[int, int, int]]:
    """Yield marker, position and length of the content of each segment from a marker on, to the end of the image."""
    for _ in range(SEGMENTS_MAX if position < frame.length else 0):
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
    if position < frame.length:
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


class _Application:
    """Application segments that change how pixels are decoded: how many bytes of each must stay."""

    __slots__ = ("_has_spiff", "_profile")

    def __init__(self) -> None:
        self._has_spiff = False
        self._profile: list[tuple[int, Stretch]] = []  # its parts by number

    def words_in_profile(self, frame: Frame) -> Iterator[Stretch]:
        """Yield the stretches of words of the color profile whose parts are known by now; forget them."""
        parts = [part for _, part in sorted(self._profile)]
        self._profile.clear()
        yield from frame.profile_words(parts)

    def kept(self, frame: Frame, marker: int, position: int, length: int) -> int:
        """Return how many bytes stay of a segment's content."""
        content = frame.read(position, min(length, 64))
        if marker == _APP0 and content.startswith(b"JFIF\0"):
            return 14  # what follows is a thumbnail (T.871 10.1)
        if marker == _APP14 and content.startswith(b"Adobe"):
            return 12  # T.872 6.5.3
        if marker == _APP8:
            return self._kept_of_app8(content)
        if marker == _APP2 and content.startswith(_ICC) and length > _ICC_BYTES:
            if content[len(_ICC)] == 1 and not is_profile(content[_ICC_BYTES:]):
                return 0
            self._profile.append((content[len(_ICC)], Stretch(position + _ICC_BYTES, length - _ICC_BYTES)))
            return length
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
