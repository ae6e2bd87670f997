"""Deflated and big endian data sets made explicit little endian (PS3.5 A.2, A.5), within bounds.

The rest of the exchange reads little endian only. Big endian is retired and rare; it is walked as it is and its values
are swapped by their VR. A deflated stream is inflated no further than a limit, whatever it claims (a "bomb").
"""

import struct
import zlib
from array import array
from collections.abc import Iterable, Iterator
from typing import Final

from kernel.dicom.scanning.elements import UNDEFINED, Buffer, Element, PixelData
from kernel.dicom.scanning.walker import Walker
from kernel.dicom.vocabulary.dictionary import LONG_VRS
from kernel.dicom.vocabulary.limits import LIMITS, MEBIBYTE, Limits, exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_BIG_ENDIAN, SYNTAXES

_UNITS: Final = {"US": "H", "SS": "H", "OW": "H", "AT": "H", "UL": "I", "SL": "I", "FL": "I", "OF": "I", "OL": "I"}
_UNITS_LONG: Final = {"FD": "Q", "OD": "Q", "OV": "Q", "SV": "Q", "UV": "Q"}
_UNIT_OF: Final = _UNITS | _UNITS_LONG
_BITS_ALLOCATED: Final = 0x00280100
_ITEM: Final = struct.pack("<HHI", 0xFFFE, 0xE000, UNDEFINED)
_ITEM_END: Final = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END: Final = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)


def inflate(buffer: Buffer, offset: int, bytes_max: int) -> tuple[bytes, bool]:
    """Return at most `bytes_max` inflated bytes of the deflated data set at `offset`, and whether that is all.

    Raises
    ------
    MalformedInstance
        The stream is damaged, or ends too early.
    """
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    chunks: list[bytes] = []
    size = 0
    for position in range(offset, len(buffer), MEBIBYTE):
        chunk = bytes(buffer[position : position + MEBIBYTE])
        while chunk:
            try:
                inflated = stream.decompress(chunk, bytes_max - size + 1)
            except zlib.error:
                raise malformed("the deflated data set is damaged") from None
            size += len(inflated)
            chunks.append(inflated)
            if size > bytes_max:
                return b"".join(chunks)[:bytes_max], False
            chunk = stream.unconsumed_tail
        if stream.eof:
            return b"".join(chunks), True
    raise malformed("the deflated data set ends too early")


def little_endian_header(
    buffer: Buffer, offset: int, limits: Limits, *, prefix: bool
) -> tuple[bytes, PixelData | None, bool]:
    """Return the elements of a big endian data set, encoded explicit little endian without the pixel data.

    Also where the pixel data is in `buffer`, and whether the data set is complete.
    """
    elements, pixels, complete = _walk(buffer, offset, limits, prefix=prefix)
    return b"".join(_elements(buffer, elements)), PixelData.of(pixels) if pixels else None, complete


def to_explicit_little_endian(
    buffer: Buffer, transfer_syntax_uid: str, *, offset: int = 0, limits: Limits = LIMITS
) -> bytes:
    """Return a deflated or big endian data set wholly as Explicit VR Little Endian, pixel data too.

    Raises
    ------
    LimitExceeded
        It takes more than `inflated_bytes_max` in memory.
    """
    bound = limits.inflated_bytes_max
    if SYNTAXES[transfer_syntax_uid].deflated:
        inflated, whole = inflate(buffer, offset, bound)
        if not whole:
            raise exceeded("inflated_bytes_max", len(inflated) + 1, bound)
        return inflated
    assert transfer_syntax_uid == EXPLICIT_VR_BIG_ENDIAN
    if len(buffer) - offset > bound:
        raise exceeded("inflated_bytes_max", len(buffer) - offset, bound)
    try:
        elements, pixels, _ = _walk(buffer, offset, limits, prefix=False)
    except (struct.error, IndexError):
        raise malformed("it ends inside an element") from None
    if pixels is None:
        return b"".join(_elements(buffer, elements))
    before = [element for element in elements if element.start < pixels.start]
    value = bytes(buffer[pixels.value_offset : pixels.value_offset + pixels.length])
    header = element_header(pixels.tag, pixels.vr, len(value))
    samples = swapped(value, _pixel_unit(buffer, elements, pixels.vr))
    return b"".join((*_elements(buffer, before), header, samples, *_elements(buffer, elements[len(before) :])))


def _pixel_unit(buffer: Buffer, elements: Iterable[Element], vr: str) -> str:
    """Return the VR that has the unit by which big endian pixel data is swapped: OW may hold larger samples."""
    for element in elements:
        if element.tag == _BITS_ALLOCATED and element.length == 2 and vr == "OW":
            bits = int.from_bytes(bytes(buffer[element.value_offset : element.end]), "big")
            return {32: "OL", 64: "OV"}.get(bits, vr)
    return vr


def _walk(buffer: Buffer, offset: int, limits: Limits, *, prefix: bool) -> tuple[list[Element], Element | None, bool]:
    walker = Walker(buffer, limits, prefix=prefix, little_endian=False)
    elements, stop = walker.data_set(offset, len(buffer), implicit=False)
    pixels = walker.pixels
    if pixels is not None and pixels.length == UNDEFINED:
        raise malformed("encapsulated pixel data in a big endian data set")
    header_bytes = stop - offset - (pixels.end - pixels.start if pixels else 0)
    if header_bytes > limits.header_bytes_max:
        raise exceeded("header_bytes_max", header_bytes, limits.header_bytes_max)
    return elements, pixels, walker.complete


def _elements(buffer: Buffer, elements: Iterable[Element]) -> Iterator[bytes]:
    for element in elements:
        if element.items is not None:
            yield from items(element.tag, (_elements(buffer, item.elements) for item in element.items))
            continue
        if element.length == UNDEFINED:
            raise malformed("encapsulated pixel data in a big endian data set")
        value = bytes(buffer[element.value_offset : element.value_offset + element.length])
        yield element_header(element.tag, element.vr, len(value))
        yield swapped(value, element.vr)


def items(tag: int, contents: Iterable[Iterable[bytes]]) -> Iterator[bytes]:
    """Yield a sequence of undefined length whose items hold the encoded elements given, in explicit little endian."""
    yield element_header(tag, "SQ", UNDEFINED)
    for content in contents:
        yield _ITEM
        yield from content
        yield _ITEM_END
    yield SEQUENCE_END


def element_header(tag: int, vr: str, length: int) -> bytes:
    """Return tag, VR and length in explicit little endian; a VR that cannot say the length becomes UN."""
    group, number = tag >> 16, tag & 0xFFFF
    if vr in LONG_VRS:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, length)
    if length > 0xFFFF:  # of an implicit element of a short VR
        return struct.pack("<HH2sHI", group, number, b"UN", 0, length)
    return struct.pack("<HH2sH", group, number, vr.encode(), length)


def swapped(value: bytes, vr: str) -> bytes:
    """Return a big endian value of `vr` in little endian."""
    unit = _UNIT_OF.get(vr)
    if unit is None:
        return value
    units = array(unit)
    whole = len(value) - len(value) % units.itemsize
    units.frombytes(value[:whole])
    units.byteswap()
    return units.tobytes() + value[whole:]
