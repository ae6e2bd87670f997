"""Elements of a scanned header written again, as explicit or implicit VR little endian (PS3.5 7.1, A.1, A.2).

What is encoded so already is copied as it is. Group lengths are left out: they are retired, and would be wrong.
"""

import struct
from collections.abc import Iterable, Iterator
from typing import Final

from kernel.dicom.scanning.elements import UNDEFINED, Buffer, Element, Header
from kernel.dicom.vocabulary.dictionary import LONG_VRS
from kernel.dicom.vocabulary.limits import MEBIBYTE

_ITEM: Final = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
_ITEM_END: Final = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
_SEQUENCE_END: Final = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
_SHORT_BYTES_MAX: Final = 0xFFFF


def element_header(tag: int, vr: str, length: int, *, implicit: bool) -> bytes:
    """Return tag, VR and length of an element; a value too long for its VR becomes UN (PS3.5 6.2.2)."""
    group, number = tag >> 16, tag & 0xFFFF
    if implicit:
        return struct.pack("<HHI", group, number, length)
    if vr in LONG_VRS:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, length)
    if length > _SHORT_BYTES_MAX:
        return struct.pack("<HH2sHI", group, number, b"UN", 0, length)
    return struct.pack("<HH2sH", group, number, vr.encode(), length)


def rewritten(header: Header, elements: Iterable[Element], *, implicit: bool) -> Iterator[bytes]:
    """Yield elements of a scanned header, in chunks of no more than a mebibyte."""
    for element in elements:
        if not element.tag & 0xFFFF:
            continue
        if _is_written_so(element, implicit=implicit):
            yield from _copied(header.buffer, element.start, element.end)
        elif element.items is None:
            yield element_header(element.tag, element.vr, element.length, implicit=implicit)
            yield from _copied(header.buffer, element.value_offset, element.end)
        else:
            yield element_header(element.tag, "SQ", UNDEFINED, implicit=implicit)
            for item in element.items:
                yield _ITEM
                yield from rewritten(header, item.elements, implicit=implicit)
                yield _ITEM_END
            yield _SEQUENCE_END


def _is_written_so(element: Element, *, implicit: bool) -> bool:
    if element.implicit != implicit:
        return False
    return all(_is_written_so(inner, implicit=implicit) for item in element.items or () for inner in item.elements)


def _copied(buffer: Buffer, start: int, end: int) -> Iterator[bytes]:
    for position in range(start, end, MEBIBYTE):
        yield bytes(buffer[position : min(position + MEBIBYTE, end)])
