"""Values of a scanned data set by tag, as texts and numbers; absent and unreadable are empty or None, never an error.

Where a value decides whether an instance is taken (a UID), `kernel.dicom.scanning.attributes` checks it; here nothing is judged.
"""

import math
import struct
from typing import Final

from kernel.dicom.scanning.elements import UNDEFINED, Element, Header
from kernel.dicom.vocabulary.charset import decode, parse_charsets

SPECIFIC_CHARACTER_SET: Final = 0x00080005
CHARACTER_SET_BYTES_MAX: Final = 1024
TEXT_CHARACTERS_MAX: Final = 1024  # of one value; longer ones are cut here, not in the blob
NUMBERS_MAX: Final = 65536  # of one value: the largest lookup table


class Values:
    """The values of one level: a data set, or an item of a sequence in it."""

    __slots__ = ("_charsets", "_fallback", "_header", "_index")

    def __init__(
        self, header: Header, elements: tuple[Element, ...] | None = None, fallback: str | None = None
    ) -> None:
        self._header = header
        self._fallback = fallback
        self._index = header.index if elements is None else {element.tag: element for element in elements}
        self._charsets = parse_charsets(header.raw(SPECIFIC_CHARACTER_SET)[:CHARACTER_SET_BYTES_MAX])

    def __contains__(self, tag: int) -> bool:
        return tag in self._index

    def vr(self, tag: int) -> str:
        """Return the VR of an element; empty if it is absent."""
        element = self._index.get(tag)
        return element.vr if element else ""

    def raw(self, tag: int, bytes_max: int = 4 * TEXT_CHARACTERS_MAX) -> bytes:
        """Return the beginning of an encoded value."""
        element = self._index.get(tag)
        if element is None or element.items is not None or element.length == UNDEFINED:
            return b""
        start = element.value_offset
        return bytes(self._header.buffer[start : start + min(element.length, bytes_max)])

    def text(self, tag: int) -> str:
        """Return a text without its padding."""
        return decode(self.raw(tag), self._charsets, self._fallback).strip(" \0")[:TEXT_CHARACTERS_MAX]

    def integer(self, tag: int) -> int | None:
        """Return the first value of an IS; None if it is no number or out of the range of IS (PS3.5 6.2)."""
        text = self.raw(tag, 64).split(b"\\")[0].strip(b" \0")
        if not text or b"_" in text:
            return None
        try:
            number = int(text.decode("ascii"))
        except (ValueError, UnicodeDecodeError):
            return None
        return number if -(2**31) <= number < 2**31 else None

    def decimals(self, tag: int) -> tuple[float, ...]:
        """Return the finite values of a DS, FL or FD."""
        value, vr = self.raw(tag), self.vr(tag)
        numbers: list[float] = []
        if vr in ("FL", "FD"):
            code, size = ("f", 4) if vr == "FL" else ("d", 8)
            numbers += struct.unpack(f"<{len(value) // size}{code}", _whole(value, size))
        else:
            for text in value.split(b"\\"):
                try:
                    numbers.append(float(text.strip(b" \0").decode("ascii")))
                except (ValueError, UnicodeDecodeError):
                    continue
        return tuple(number for number in numbers if math.isfinite(number))

    def decimal(self, tag: int) -> float | None:
        """Return the first value of a DS, FL or FD."""
        return next(iter(self.decimals(tag)), None)

    def words(self, tag: int, *, signed: bool = False) -> tuple[int, ...]:
        """Return 16-bit values: US, SS or OW."""
        value = _whole(self.raw(tag, 2 * NUMBERS_MAX), 2)
        return struct.unpack(f"<{len(value) // 2}{'h' if signed else 'H'}", value)

    def unsigned(self, tag: int) -> int | None:
        """Return the first value of a US."""
        value = self.raw(tag, 2)
        return int.from_bytes(value, "little") if len(value) == 2 else None

    def items(self, tag: int) -> list["Values"]:
        """Return the items of a sequence."""
        element = self._index.get(tag)
        items = element.items if element is not None and element.items is not None else ()
        return [Values(self._header, item.elements, self._fallback) for item in items]

    def item(self, tag: int, number: int = 0) -> "Values | None":
        """Return one item of a sequence, counted from zero."""
        element = self._index.get(tag)
        if element is None or element.items is None or number >= len(element.items):
            return None
        return Values(self._header, element.items[number].elements, self._fallback)


def _whole(value: bytes, size: int) -> bytes:
    return value[: len(value) // size * size]
