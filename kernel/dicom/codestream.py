"""The size that a compressed frame claims for itself, read before any codec sees it.

A codec allocates what the codestream asks for, whatever the header of the instance says: a few bytes can ask for
gigabytes. So the two must agree (`kernel.dicom.pixels` checks) before a frame is decoded.
"""

import struct
from typing import Final, NamedTuple

JP2_HEADER_BYTES_MAX: Final = 64 * 1024  # boxes that some put before a JPEG 2000 codestream
MARKERS_MAX: Final = 10_000  # JPEG segments before the frame header

_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_NO_FRAME_HEADER: Final = frozenset({0xC4, 0xC8, 0xCC})  # DHT, JPG, DAC share the range of SOF markers
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xDA)})  # markers without a length


class StreamSize(NamedTuple):
    """What a frame header says (ITU-T T.81 B.2.2, T.87 C.1.2, T.800 A.5.1)."""

    rows: int  # 0: told later, by a DNL marker
    columns: int
    components: int
    precision: int  # bits of the first component


def stream_size(data: bytes) -> StreamSize | None:
    """Return what a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame claims; None if it is none or has no frame header."""
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        start = data.find(_SOC_SIZ, 0, JP2_HEADER_BYTES_MAX)
        return _jpeg_2000(data, start) if start >= 0 else None
    except (struct.error, IndexError):
        return None


def _jpeg(data: bytes) -> StreamSize | None:
    offset = 2
    for _ in range(MARKERS_MAX):
        while data[offset] == 0xFF and data[offset + 1] == 0xFF:  # fill bytes
            offset += 1
        if data[offset] != 0xFF:
            return None
        marker = data[offset + 1]
        if marker in _ALONE:
            offset += 2
            continue
        if (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER) or marker == 0xF7:  # SOF0..15, JPEG-LS SOF55
            precision, rows, columns, components = struct.unpack_from(">BHHB", data, offset + 4)
            return StreamSize(rows, columns, components, precision)
        if marker == 0xDA:  # a scan before any frame header
            return None
        (length,) = struct.unpack_from(">H", data, offset + 2)
        offset += 2 + max(length, 2)
    return None


def _jpeg_2000(data: bytes, start: int) -> StreamSize:
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    components, precision = struct.unpack_from(">HB", data, start + 40)
    return StreamSize(max(0, bottom - top), max(0, right - left), components, (precision & 0x7F) + 1)
