"""Stored JPEG tiles made complete without touching a coefficient: shared tables, colour mark, colour profile (ITU-T T.81).

A tile of a TIFF lacks its tables (TIFF technical note 2), and one from an Aperio scanner may hold RGB without saying
so: decoders then take it for YCbCr and show other colours. What a scanner wrote into comments
and application segments (names, dates, serial numbers) does not leave with a tile.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from kernel.errors import MalformedSlide
from wsi.limits import malformed

ICC_SPLICED_BYTES_MAX: Final = 4096  # of a profile that travels in every tile; a longer one is given once, by itself,
ICC_EMBEDDED_BYTES_MAX: Final = (
    1024 * 1024
)  # or in pictures for those who would not ask for it; one longer than this: never

Colour = Literal["RGB", "YCbCr", "grey"]

SOI: Final = b"\xff\xd8"
_EOI: Final = 0xD9
_SOS: Final = 0xDA
_APP0, _APP2, _APP14, _APP15, _COM = 0xE0, 0xE2, 0xEE, 0xEF, 0xFE
_STANDALONE: Final = frozenset({0x01, *range(0xD0, 0xD8)})
_BASELINE: Final = (
    0xC0  # Huffman, sequential, at most four tables: what browsers show and DICOM's .50 means (process 1)
)
_FRAMES: Final = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_TABLES: Final = frozenset({0xDB, 0xC4, 0xDD})  # quantization, Huffman, restart interval
_ADOBE: Final = b"\xff\xee\x00\x0eAdobe\x00\x64\x00\x00\x00\x00"  # its last byte follows: 0 RGB, 1 YCbCr
_ADOBE_BYTES: Final = 12  # of that segment's content
_ICC: Final = b"ICC_PROFILE\0"  # before the number of a segment and how many there are (ICC.1 B.4)
_ICC_BYTES_MAX: Final = 0xFFFF - 2 - len(_ICC) - 2  # of a profile in one segment


@dataclass(frozen=True, slots=True)
class Frame:
    """What a JPEG's frame header says (T.81 B.2.2)."""

    width: int
    height: int
    precision: int  # bits a sample
    components: int
    is_baseline: bool


@dataclass(frozen=True, slots=True)
class Segment:
    """One marker segment."""

    marker: int
    start: int  # of its FF byte
    end: int


def segments(stream: bytes) -> Iterator[Segment]:
    """Yield the segments up to and including the first start of scan.

    Raises
    ------
    MalformedSlide
        It is no JPEG, or it ends within its headers.
    """
    if stream[:2] != SOI:
        raise malformed("a tile is no JPEG")
    position, size = 2, len(stream)
    while position + 4 <= size:
        if stream[position] != 0xFF:
            raise malformed("a tile's JPEG has bytes between its segments")
        marker = stream[position + 1]
        if marker == 0xFF:  # a fill byte
            position += 1
            continue
        if marker == _EOI:
            return
        if marker in _STANDALONE:
            position += 2
            continue
        end = position + 2 + int.from_bytes(stream[position + 2 : position + 4], "big")
        if end > size or end < position + 4:
            break
        yield Segment(marker, position, end)
        if marker == _SOS:
            return
        position = end
    if stream[position : position + 2] != b"\xff\xd9":
        raise malformed("a tile's JPEG ends within its headers")


def frame_of(stream: bytes) -> Frame:
    """Return the frame header of a JPEG.

    Raises
    ------
    MalformedSlide
        It has none, or a broken one.
    """
    for segment in segments(stream):
        if segment.marker in _FRAMES:
            return _frame(stream, segment)
    raise malformed("a tile's JPEG has no frame")


def _frame(stream: bytes, segment: Segment) -> Frame:
    try:
        precision, height, width, count = struct.unpack_from(">BHHB", stream, segment.start + 4)
    except struct.error:
        raise malformed("a tile's JPEG has a broken frame header") from None
    if segment.start + 10 + 3 * count != segment.end:
        raise malformed("a tile's JPEG has a broken frame header")
    return Frame(width, height, precision, count, segment.marker == _BASELINE)


def tables_of(stream: bytes) -> bytes:
    """Return the table segments of a TIFF's JPEGTables field, without its start and end.

    Raises
    ------
    MalformedSlide
        It is no abbreviated JPEG of tables alone.
    """
    if not stream:
        return b""
    found = list(segments(stream))
    if any(segment.marker in _FRAMES or segment.marker == _SOS for segment in found):
        raise malformed("the tables that tiles share hold a picture")
    return b"".join(stream[segment.start : segment.end] for segment in found if segment.marker in _TABLES)


class Completion:
    """What every tile of a level lacks, made once: it stands between a tile's start and its own segments.

    Tiles of one level begin alike as a rule, so the last beginning and what was made of it are remembered.
    """

    __slots__ = ("_height", "_inserted", "_is_exact", "_last", "_width")

    def __init__(self, inserted: bytes, width: int, height: int, *, is_exact: bool) -> None:
        self._inserted = inserted
        self._width = width  # that no tile exceeds, pixels
        self._height = height
        self._is_exact = is_exact  # nor is smaller
        self._last = (b"\0", b"")  # a beginning up to its first scan, and the new one

    def complete(self, stream: bytes) -> bytes:
        """Return a tile that stands for itself: with tables, colour mark and profile, without comments.

        Raises
        ------
        MalformedSlide
            It is not of the size that its level says, not baseline, not of 8 bits, or not of one or three components.
        """
        length, made = self.beginning(stream)
        return made + stream[length:]

    def beginning(self, stream: bytes | memoryview) -> tuple[int, bytes]:
        """Return how long a tile's beginning is, and what stands there instead; the errors are those of `complete`."""
        beginning, made = self._last
        if stream[: len(beginning)] != beginning:
            beginning, made = self._last = self._begun(bytes(stream))
        return len(beginning), made

    def _begun(self, stream: bytes) -> tuple[bytes, bytes]:
        parts = [SOI, self._inserted]
        frame: Frame | None = None
        kept_from = end = 2
        for segment in segments(stream):
            end = segment.end
            if segment.marker in _FRAMES:
                frame = _frame(stream, segment)
            elif segment.marker == _COM or _APP0 <= segment.marker <= _APP15:
                parts.append(stream[kept_from : segment.start])
                kept_from = segment.end
        if frame is None or not self._fits(frame):
            raise malformed("a tile's JPEG is not of its level's size")
        if not frame.is_baseline or frame.precision != 8 or frame.components not in (1, 3):
            raise malformed("a tile's JPEG is of a kind that browsers do not show")
        parts.append(stream[kept_from:end])
        return stream[:end], b"".join(parts)

    def _fits(self, frame: Frame) -> bool:
        """Whether a tile may have this size: some converters do not pad those at the right and lower edge."""
        if self._is_exact:
            return (frame.width, frame.height) == (self._width, self._height)
        return 0 < frame.width <= self._width and 0 < frame.height <= self._height


def spliced_profile(icc_profile: bytes) -> bytes:
    """Return the profile that travels in every tile; empty where it is given once, by itself."""
    return icc_profile if len(icc_profile) <= ICC_SPLICED_BYTES_MAX else b""


def profile_segments(icc_profile: bytes) -> bytes:
    """Return the application segments that hold a profile (ICC.1 B.4): as many as it takes, at most 255."""
    pieces = [icc_profile[at : at + _ICC_BYTES_MAX] for at in range(0, len(icc_profile), _ICC_BYTES_MAX)]
    heads = (struct.pack(">BBH", 0xFF, _APP2, len(_ICC) + 4 + len(piece)) + _ICC for piece in pieces)
    return b"".join(
        head + bytes((number, len(pieces))) + piece
        for number, (head, piece) in enumerate(zip(heads, pieces, strict=True), 1)
    )


def embedded_profile(icc_profile: bytes) -> bytes:
    """Return the profile that travels in pictures for viewers that do not ask for it; empty where it is too long."""
    return icc_profile if len(icc_profile) <= ICC_EMBEDDED_BYTES_MAX else b""


def with_profile(tile: bytes, icc_profile: bytes) -> bytes:
    """Return a colour tile with the profile that is too long to be in every tile, for viewers that do not ask for it."""
    if len(icc_profile) <= ICC_SPLICED_BYTES_MAX or frame_of(tile).components == 1:
        return tile
    return SOI + profile_segments(embedded_profile(icc_profile)) + tile[len(SOI) :]


def marked_colour(stream: bytes) -> Colour | None:
    """Return what three components hold as the stream says itself; None if it does not say, or is no JPEG.

    JFIF is always YCbCr (ITU-T T.871 7), Adobe's mark says which (ITU-T T.872 6.5.3); in this order, as libjpeg looks.
    """
    adobe: Colour | None = None
    try:
        for segment in segments(stream):
            content = stream[segment.start + 4 : segment.end]
            if segment.marker == _APP0 and content.startswith(b"JFIF\0"):
                return "YCbCr"
            if segment.marker == _APP14 and content.startswith(b"Adobe") and len(content) >= _ADOBE_BYTES:
                adobe = "YCbCr" if content[_ADOBE_BYTES - 1] else "RGB"
    except MalformedSlide:
        return None
    return adobe


def completion(
    tables: bytes, colour: Colour, icc_profile: bytes, width: int, height: int, *, is_exact: bool = False
) -> Completion:
    """Make what is put into every tile of a level.

    Parameters
    ----------
    tables
        From `tables_of`; empty when each tile has its own.
    colour
        What the tiles hold; written down, because three components mean YCbCr to those who are not told.
    icc_profile
        Left out when it is longer than ICC_SPLICED_BYTES_MAX.
    is_exact
        Refuse tiles that are smaller than the level says.
    """
    parts: list[bytes] = []
    if colour != "grey":
        parts.append(_ADOBE + (b"\x01" if colour == "YCbCr" else b"\x00"))
    parts += profile_segments(spliced_profile(icc_profile)), tables
    return Completion(b"".join(parts), width, height, is_exact=is_exact)
