"""Words within a stream of MPEG-2, H.264 or HEVC: user data, and units that no decoder of pictures needs.

Streams are searched for the start codes of such units alone (ISO/IEC 13818-2 6.2.1, ITU-T H.264 and H.265 Annex B). Of
supplemental enhancement information messages of numbers stay; the others are made blank within their size. Containers
around a stream are followed elsewhere (`container`).
"""

import re
from bisect import bisect_left
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from anonymizer.codestreams.frame import PADDING, SEGMENTS_MAX, Frame, Stretch
from kernel.dicom.vocabulary.limits import exceeded, malformed

MESSAGES_BYTES_MAX: Final = 1024 * 1024  # of one unit of supplemental enhancement information
_BEGINNING: Final = re.compile(rb"\0*\0\0\x01")
_BEGINNING_BYTES: Final = 64
_NEXT: Final = re.compile(rb"\0\0[\0\1]")
_ESCAPE: Final = re.compile(rb"\0\0\x03")
_ESCAPE_BYTES: Final = 4  # with the byte for which it is there
_TRAILING: Final = re.compile(rb"\x80\0*\Z")  # bits behind the last message
_STUFFING: Final = PADDING + b"\x80"
# Messages that hold numbers alone: times, buffers, frames, points of entry, displays, colors, digests (H.264 D.1, H.265 D.2).
_OF_NUMBERS: Final = frozenset(
    {0, 1, 2, 3, *range(6, 22), 23, 45, 47, *range(128, 133), *range(134, 138), 142, 144, 147}
)


@dataclass(frozen=True, slots=True)
class Codec:
    """Which units of a stream may hold words: by their first byte, the one behind their start code."""

    words: re.Pattern[bytes]  # start code and that byte
    firsts: frozenset[int]  # those bytes
    messages: frozenset[int]  # of these bytes those that begin supplemental enhancement information
    header_bytes: int


def _codec(words: Collection[int], messages: Collection[int] = (), header_bytes: int = 1) -> Codec:
    firsts = frozenset({*words, *messages})
    telling = b"".join(re.escape(bytes((one,))) for one in sorted(firsts))
    return Codec(re.compile(rb"\0\0\x01[" + telling + rb"]"), firsts, frozenset(messages), header_bytes)


# User data, the end of a sequence, reserved codes, and what belongs into a container.
_MPEG_2: Final = _codec({0xB0, 0xB1, 0xB2, 0xB6, 0xB7, *range(0xB9, 0x100)})
# By type: 6 SEI; 10 and 11 end, 12 filler, 0 and 22 to 31 unspecified, 16 to 18 reserved. A set first bit is forbidden.
_H264: Final = _codec(
    {one for one in range(256) if one >= 0x80 or one & 31 in {0, *range(10, 13), 16, 17, 18, *range(22, 32)}},
    {one for one in range(128) if one & 31 == 6},
)
# 39 and 40 SEI; 36 and 37 end, 38 filler, 41 to 47 reserved, 48 to 63 unspecified.
_HEVC: Final = _codec(
    {one for one in range(256) if one >= 0x80 or one >> 1 in {*range(36, 39), *range(41, 64)}},
    {one for one in range(128) if one >> 1 in {39, 40}},
    header_bytes=2,
)
CODECS: Final[Mapping[str, Codec]] = {"MPEG-2": _MPEG_2, "H.264": _H264, "HEVC": _HEVC}  # by coding


def words_in_stream(frame: Frame, codec: Codec) -> Iterator[Stretch]:
    """Yield the stretches of a bare stream where words may stand, ascending, that are not blank.

    Raises
    ------
    MalformedInstance
        It begins as none of its codec, or is not understood.
    LimitExceeded
        It has more than SEGMENTS_MAX units that may hold words, or one of more than MESSAGES_BYTES_MAX.
    """
    start = frame.read(0, _BEGINNING_BYTES)
    found = _BEGINNING.match(start)
    first = start[found.end() : found.end() + 1] if found else b""
    if not first or (first != b"\xb3" if codec is _MPEG_2 else first >= b"\x80"):
        raise malformed(
            "a video of the pixel data begins as no stream of its transfer syntax, or is in a container that is not"
            " followed: send it as a bare stream or as MP4"
        )
    position = 0
    for _ in range(SEGMENTS_MAX):
        at = frame.find(codec.words, position)
        if at is None:
            return
        end = frame.find(_NEXT, at + 3 + codec.header_bytes)
        position = frame.length if end is None else end
        yield from words_in_unit(frame, codec, at + 3, position)
    raise exceeded("SEGMENTS_MAX", SEGMENTS_MAX + 1, SEGMENTS_MAX)


def words_in_unit(frame: Frame, codec: Codec, start: int, end: int) -> Iterator[Stretch]:
    """Yield the stretches of one unit, from its first byte on, without start code or length."""
    first, begin = frame.read(start, 1)[0], start + codec.header_bytes
    if first in codec.messages:
        yield from _words_in_messages(frame, begin, end)
    elif first in codec.firsts and frame.read(begin, max(end - begin, 0)).strip(_STUFFING):
        yield Stretch(begin, end - begin)


def _words_in_messages(frame: Frame, begin: int, end: int) -> Iterator[Stretch]:
    """Yield those of supplemental enhancement information (H.264 7.3.2.3, H.265 7.3.2.4)."""
    if end - begin > MESSAGES_BYTES_MAX:
        raise exceeded("MESSAGES_BYTES_MAX", end - begin, MESSAGES_BYTES_MAX)
    coded = frame.read(begin, end - begin)
    escapes = [found.start() for found in _ESCAPE.finditer(coded)]
    plain = coded.replace(b"\0\0\3", b"\0\0")
    # Of each escape its third byte is not in `plain`: where the byte behind it would stand there.
    seconds = [at + 2 - number for number, at in enumerate(escapes)]

    def place(position: int) -> int:
        return position + bisect_left(seconds, position + 1)

    position = 0
    while position < len(plain) and not _TRAILING.match(plain, position):
        kind, position = _number(plain, position)
        size, position = _number(plain, position)
        if position + size > len(plain):
            raise malformed("a message within a video of the pixel data has an impossible length")
        if kind not in _OF_NUMBERS:
            first, last = place(position), place(position + size)
            yield from _around(coded, first, last, begin)
        position += size


def _around(coded: bytes, first: int, last: int, begin: int) -> Iterator[Stretch]:
    """Yield what lies between escapes, so that as many bytes are escaped as before."""
    position = first
    for escape in (*_ESCAPE.finditer(coded, max(first - _ESCAPE_BYTES, 0), last), None):
        stop = escape.start() if escape else last
        if position < stop and coded[position:stop].strip(PADDING):
            yield Stretch(begin + position, stop - position)
        position = max(position, escape.start() + _ESCAPE_BYTES) if escape else last


def _number(plain: bytes, position: int) -> tuple[int, int]:
    """Return a type or size, and where what follows it is."""
    number = 0
    while position < len(plain) and plain[position] == 0xFF:
        number, position = number + 255, position + 1
    if position >= len(plain):
        raise malformed("a message within a video of the pixel data has an impossible length")
    return number + plain[position], position + 1
