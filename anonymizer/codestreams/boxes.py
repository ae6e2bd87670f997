"""Boxes around codestreams: of JPEG 2000 (ITU-T T.800 I.4), JPEG XL (ISO/IEC 18181-2) and MP4 (ISO/IEC 14496-12)."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from anonymizer.codestreams.frame import PADDING, SEGMENTS_MAX, Frame
from kernel.dicom.vocabulary.limits import exceeded, malformed

_LARGEST_HEAD: Final = 16  # of a box of more than 4 GiB


class Box(NamedTuple):
    """One box; an empty kind is what follows the last."""

    kind: bytes
    begin: int  # of its content, from the frame's first byte
    end: int

    @property
    def length(self) -> int:
        """How long its content is."""
        return self.end - self.begin


def boxes_in(frame: Frame, position: int, end: int) -> Iterator[Box]:
    """Yield the boxes that fill a stretch of a frame, and padding behind the last.

    Raises
    ------
    MalformedInstance, LimitExceeded
        One is longer than the stretch; there are more than SEGMENTS_MAX.
    """
    for _ in range(SEGMENTS_MAX):
        head = frame.read(position, min(_LARGEST_HEAD, max(end - position, 0)))
        if not head.strip(PADDING):
            yield Box(b"", position, end)
            return
        size, kind, begin = int.from_bytes(head[:4], "big"), head[4:8], position + 8
        if size == 1:
            size, begin = int.from_bytes(head[8:], "big"), position + _LARGEST_HEAD
        following = position + size if size else end
        if not begin <= following <= end:
            raise malformed("a box within a frame of the pixel data has an impossible length")
        yield Box(kind, begin, following)
        position = following
    raise exceeded("SEGMENTS_MAX", SEGMENTS_MAX + 1, SEGMENTS_MAX)
