"""The bytes of one encapsulated frame, whether in one fragment or in several, and stretches of them."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from anonymizer.words import color_profiles
from kernel.dicom.pixels.frames import Span
from kernel.dicom.vocabulary.limits import exceeded

CHUNK_BYTES: Final = 64 * 1024
NEAR_BYTES: Final = 64  # looked at first, then twice as many: a frame may have what is searched every few bytes
FOUND_BYTES_MAX: Final = 4
BLANK: Final = b" "
PADDING: Final = b"\0\xff" + BLANK
PROFILE_PARTS_MAX: Final = 255  # of a color profile: they are numbered in one byte (ICC.1 B.4)
SEGMENTS_MAX: Final = 500_000  # of one frame; 16,384 by 16,384 pixels in 4,096 tiles of six parts have some 50,000


class Stretch(NamedTuple):
    """Bytes of a frame, and what is put there."""

    position: int  # from the frame's first byte
    length: int
    fill: bytes = BLANK  # one byte


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

    def flat(self) -> tuple[memoryview, int]:
        """Return a view of its bytes as one, and where in it they begin; copied if they are in several fragments."""
        if len(self._spans) == 1:
            return self._view, self._spans[0].offset
        return memoryview(self.read(0, self.length)), 0

    def places(self, position: int, count: int) -> Iterator[Span]:
        """Yield where bytes of the frame are in the buffer."""
        at = bisect_right(self._begins, position) - 1
        while count > 0 and at < len(self._spans):
            skipped = position - self._begins[at]
            size = min(count, self._spans[at].length - skipped)
            yield Span(self._spans[at].offset + skipped, size)
            position, count, at = position + size, count - size, at + 1

    def find(self, pattern: re.Pattern[bytes], position: int) -> int | None:
        """Return where a pattern of at most FOUND_BYTES_MAX is from a position on."""
        if len(self._spans) == 1:
            offset, length = self._spans[0]
            found = pattern.search(self._view, offset + position, offset + length)
            return found.start() - offset if found else None
        size = NEAR_BYTES
        while position < self.length:
            found = pattern.search(self.read(position, size + FOUND_BYTES_MAX - 1))
            if found:
                return position + found.start()
            position, size = position + size, min(2 * size, CHUNK_BYTES)
        return None

    def words(self, position: int, length: int) -> Iterator[Stretch]:
        """Yield the stretch of so many bytes if there is anything besides padding."""
        for at in range(position, position + length, CHUNK_BYTES):
            if self.read(at, min(CHUNK_BYTES, position + length - at)).strip(PADDING):
                yield Stretch(position, length)
                return

    def profile_words(self, parts: Sequence[Stretch]) -> Iterator[Stretch]:
        """Yield the stretches of words of a color profile that stands in these parts.

        Raises
        ------
        MalformedInstance, LimitExceeded
            It is not understood (`anonymizer.words.color_profiles`), or in more than PROFILE_PARTS_MAX parts.
        """
        if len(parts) > PROFILE_PARTS_MAX:
            raise exceeded("PROFILE_PARTS_MAX", len(parts), PROFILE_PARTS_MAX)
        begins = list(accumulate((part.length for part in parts), initial=0))
        if begins[-1] > color_profiles.PROFILE_BYTES_MAX:
            raise exceeded("PROFILE_BYTES_MAX", begins[-1], color_profiles.PROFILE_BYTES_MAX)
        profile = b"".join(self.read(part.position, part.length) for part in parts)
        for position, length in color_profiles.words_in(profile):
            for part, begin in zip(parts, begins, strict=False):
                first, last = max(position, begin), min(position + length, begin + part.length)
                if first < last:
                    yield Stretch(part.position + first - begin, last - first, color_profiles.BLANK)

    def trailing(self, position: int, end: int) -> Iterator[Stretch]:
        """Yield what follows an end marker, if that is more than one byte of padding."""
        if end - position > 1:
            yield from self.words(position, end - position)
