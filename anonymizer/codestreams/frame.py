"""The bytes of one encapsulated frame, whether in one fragment or in several, and stretches of them."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from kernel.dicom.pixels.frames import Span

CHUNK_BYTES: Final = 64 * 1024
BLANK: Final = b" "
PADDING: Final = b"\0\xff" + BLANK
SEGMENTS_MAX: Final = 500_000  # of one frame; 16,384 by 16,384 pixels in 4,096 tiles of six parts have some 50,000


class Stretch(NamedTuple):
    """Bytes of a frame."""

    position: int  # from the frame's first byte
    length: int


class Frame:
    """The bytes of one frame, whether it is in one fragment or in several."""

    __slots__ = ("_begins", "_spans", "_view", "length")

    def __init__(self, view: memoryview, spans: Sequence[Span]) -> None:
        self._view, self._spans = view, spans
        *self._begins, self.length = accumulate((span.length for span in spans), initial=0)

    def read(self, position: int, count: int) -> bytes:
        """Return bytes; fewer where the frame ends."""
        if len(self._spans) == 1:
            offset, length = self._spans[0]
            return bytes(self._view[offset + position : offset + min(position + count, length)])
        return b"".join(self._view[one.offset : one.offset + one.length] for one in self.places(position, count))

    def places(self, position: int, count: int) -> Iterator[Span]:
        """Yield where bytes of the frame are in the buffer."""
        at = bisect_right(self._begins, position) - 1
        while count > 0 and at < len(self._spans):
            skipped = position - self._begins[at]
            size = min(count, self._spans[at].length - skipped)
            yield Span(self._spans[at].offset + skipped, size)
            position, count, at = position + size, count - size, at + 1

    def find(self, pattern: re.Pattern[bytes], position: int) -> int | None:
        """Return where a pattern of two bytes is from a position on."""
        while position < self.length:
            found = pattern.search(self.read(position, CHUNK_BYTES + 1))
            if found:
                return position + found.start()
            position += CHUNK_BYTES
        return None

    def words(self, position: int, length: int) -> Iterator[Stretch]:
        """Yield the stretch of so many bytes if there is anything besides padding."""
        for at in range(position, position + length, CHUNK_BYTES):
            if self.read(at, min(CHUNK_BYTES, position + length - at)).strip(PADDING):
                yield Stretch(position, length)
                return

    def trailing(self, position: int, end: int) -> Iterator[Stretch]:
        """Yield what follows an end marker, if that is more than one byte of padding."""
        if end - position > 1:
            yield from self.words(position, end - position)
