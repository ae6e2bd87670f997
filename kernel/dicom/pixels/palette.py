"""PALETTE COLOR to RGB (PS3.3 C.7.6.3.1.5, C.7.9): plain and segmented tables, 8 and 16 bits."""

import struct
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.limits import exceeded, malformed

ENTRIES_MAX: Final = 65536
BYTE_MAX: Final = 255
SEGMENTS_MAX: Final = 2 * ENTRIES_MAX  # steps of one expansion; segments may be empty, and copied many times
_DESCRIPTORS: Final = (0x00281101, 0x00281102, 0x00281103)
_TABLES: Final = (0x00281201, 0x00281202, 0x00281203)
_SEGMENTED: Final = (0x00281221, 0x00281222, 0x00281223)
_DISCRETE, _LINEAR, _INDIRECT = 0, 1, 2


def apply_palette(array: NDArray[Any], header: Header, image: ImagePixel) -> NDArray[np.uint8]:
    """Return indices, shape (rows, columns), as 8-bit RGB, shape (rows, columns, 3).

    Entries of more than eight bits give their high byte, unless all three tables hold values of one byte alone: some
    makers write those.

    Raises
    ------
    MalformedInstance
        The tables are absent or damaged.
    """
    values = Values(header)
    signed = image.pixel_representation == 1
    channels: list[NDArray[np.uint16]] = []
    wide = False
    for descriptor_tag, table_tag, segmented_tag in zip(_DESCRIPTORS, _TABLES, _SEGMENTED, strict=True):
        descriptor = values.words(descriptor_tag)
        if len(descriptor) != 3 or array.ndim != 2:
            raise malformed("a palette is missing")
        count, first, bits = descriptor
        count = count or ENTRIES_MAX
        first = first - 65536 if signed and first >= 32768 else first
        entries = _entries(values, table_tag, segmented_tag, count, bits)
        positions = np.clip(array.astype(np.int64) - first, 0, count - 1)
        channels.append(entries[positions])
        wide |= bits > 8 and int(entries.max()) > BYTE_MAX
    return (np.stack(channels, axis=-1) >> (8 if wide else 0)).astype(np.uint8)


def _entries(values: Values, table_tag: int, segmented_tag: int, count: int, bits: int) -> NDArray[np.uint16]:
    if segmented_tag in values:
        data = values.raw(segmented_tag, 2 * ENTRIES_MAX)
        expansion = _Expansion(data, bits, count)
        try:
            expansion.run(0, SEGMENTS_MAX)
        except IndexError:
            raise malformed("a segmented palette is damaged") from None
        entries = np.asarray(expansion.entries, dtype=np.uint16)
    else:
        data = values.raw(table_tag, 2 * ENTRIES_MAX)
        packed = bits <= 8 and len(data) < 2 * count
        entries = np.frombuffer(data[: len(data) // 2 * 2], "<u2") if not packed else np.frombuffer(data, np.uint8)
    if len(entries) < count:
        raise malformed("a palette is shorter than it says")
    return entries[:count].astype(np.uint16)


class _Expansion:
    """Segments of a table expanded (C.7.9.2), to no more entries than the table has and no more steps than it may."""

    def __init__(self, data: bytes, bits: int, count: int) -> None:
        code = "B" if bits <= 8 else "H"
        self._size = struct.calcsize(code)
        self._words = struct.unpack(f"<{len(data) // self._size}{code}", data[: len(data) // self._size * self._size])
        self._count = count
        self._steps = SEGMENTS_MAX
        self.entries: list[int] = []

    def run(self, at: int, segments: int, *, copying: bool = False) -> None:
        """Expand so many segments from a word on; `copying`: they are what an indirect segment points to."""
        words, entries = self._words, self.entries
        while at + 1 < len(words) and segments > 0 and len(entries) < self._count:
            segments -= 1
            self._steps -= 1
            kind, length = words[at], words[at + 1]
            at += 2
            if self._steps < 0:
                raise exceeded("SEGMENTS_MAX", SEGMENTS_MAX + 1, SEGMENTS_MAX)
            if kind == _DISCRETE:
                entries += words[at : at + length]
                at += length
            elif kind == _LINEAR and entries:
                self._line(words[at], length)
                at += 1
            elif kind == _INDIRECT and not copying:
                width = 4 // self._size
                offset = int.from_bytes(
                    b"".join(w.to_bytes(self._size, "little") for w in words[at : at + width]), "little"
                )
                self.run(offset // self._size, length, copying=True)
                at += width
            else:
                raise malformed("a segmented palette is damaged")
        del entries[self._count :]

    def _line(self, target: int, length: int) -> None:
        """Go straight from the last entry to `target`."""
        last = self.entries[-1]
        steps = range(1, min(length, self._count) + 1)
        self.entries += [round(last + (target - last) * step / length) for step in steps]
