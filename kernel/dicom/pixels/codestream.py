"""The size that a compressed frame claims for itself, read before any codec sees it.

A codec allocates what the codestream asks for, whatever the header of the instance says: a few bytes can ask for
gigabytes. So the two must agree (`kernel.dicom.pixels.reading` checks) before a frame is decoded.
"""

import struct
from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

Components = Literal["none", "reversible", "irreversible"]

JP2_HEADER_BYTES_MAX: Final = 64 * 1024  # boxes that some put before a JPEG 2000 codestream
ADOBE_BYTES: Final = 14  # of an Adobe segment; a shorter one has no transform flag
MARKERS_MAX: Final = 10_000  # JPEG segments before the frame header

_COD, _SOT = 0xFF52, 0xFF90
_SOC_SIZ: Final = b"\xff\x4f\xff\x51"
_NO_FRAME_HEADER: Final = frozenset({0xC4, 0xC8, 0xCC})  # DHT, JPG, DAC share the range of SOF markers
_ALONE: Final = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length


class StreamSize(NamedTuple):
    """What a frame header says (ITU-T T.81 B.2.2, T.87 C.1.2, T.800 A.5.1)."""

    rows: int  # 0: told later, by a DNL marker, which no codec of ours reads
    columns: int
    components: int
    precision: int  # bits of the first component
    is_signed: bool = False  # only JPEG 2000 knows


def stream_size(data: bytes) -> StreamSize | None:
    """Return what a JPEG, JPEG-LS, JPEG 2000 or HTJ2K frame claims; None if it is none or has no frame header."""
    try:
        if data[:2] == b"\xff\xd8":
            return _jpeg(data)
        start = data.find(_SOC_SIZ, 0, JP2_HEADER_BYTES_MAX)
        return _jpeg_2000(data, start) if start >= 0 else None
    except (struct.error, IndexError):
        return None


def is_stored_as_rgb(data: bytes, photometric_interpretation: str) -> bool:
    """Return whether the three components of a JPEG frame are red, green and blue, and not luminance and chrominance.

    What the codestream says goes before Photometric Interpretation, which is often wrong about it: component
    identifiers "RGB", a JFIF marker (luminance and chrominance), an Adobe marker with its transform flag.
    """
    try:
        for marker, at, length in jpeg_segments(data):
            if _is_frame_header(marker):
                identifiers = bytes(data[at + 6 : at + length - 2 : 3])
                return identifiers in (b"RGB", b"rgb") or photometric_interpretation == "RGB"
            if marker == 0xE0 and data[at : at + 4] == b"JFIF":
                return False
            if marker == 0xEE and data[at : at + 5] == b"Adobe" and length >= ADOBE_BYTES:
                return data[at + 11] == 0
    except (struct.error, IndexError):
        pass
    return photometric_interpretation == "RGB"


def _is_frame_header(marker: int) -> bool:
    return (0xC0 <= marker <= 0xCF and marker not in _NO_FRAME_HEADER) or marker == 0xF7  # SOF0 to SOF15, SOF55


def jpeg_segments(data: bytes) -> Iterator[tuple[int, int, int]]:
    """Yield (marker, offset of its parameters, length field) up to the first scan (T.81 B.1.1)."""
    offset = 2
    for _ in range(MARKERS_MAX):
        while data[offset] == 0xFF and data[offset + 1] == 0xFF:  # fill bytes
            offset += 1
        marker = data[offset + 1]
        if data[offset] != 0xFF or marker == 0xDA:
            return
        if marker in _ALONE:
            offset += 2
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        yield marker, offset + 4, max(length, 2)
        offset += 2 + max(length, 2)


def _jpeg(data: bytes) -> StreamSize | None:
    for marker, at, _ in jpeg_segments(data):
        if _is_frame_header(marker):
            precision, rows, columns, components = struct.unpack_from(">BHHB", data, at)
            return StreamSize(rows, columns, components, precision)
    return None


def without_boxes(data: bytes) -> bytes:
    """Return the codestream of a JPEG 2000 frame without the JP2 boxes that some put around it (PS3.5 8.2.4 forbids).

    OpenJPEG does not return from some damaged boxes; and nothing in them may change what the header says.
    """
    start = data.find(_SOC_SIZ, 0, JP2_HEADER_BYTES_MAX)
    return data[start:] if start > 0 else data


def _jpeg_2000(data: bytes, start: int) -> StreamSize:
    right, bottom, left, top = struct.unpack_from(">4I", data, start + 8)
    components, precision = struct.unpack_from(">HB", data, start + 40)
    rows, columns = max(0, bottom - top), max(0, right - left)
    return StreamSize(rows, columns, components, (precision & 0x7F) + 1, precision >= 0x80)


def jpeg_sampling(data: bytes) -> list[int]:
    """Return the sampling factors of each component of a JPEG frame, as they are written: H and V in one byte."""
    for marker, at, _ in jpeg_segments(data):
        if _is_frame_header(marker):
            return [data[at + 7 + 3 * number] for number in range(data[at + 5])]
    return []


def coding_of_components(data: bytes) -> Components:
    """Return how the components of a JPEG 2000 codestream were transformed together (T.800 A.6.1, COD).

    Raises
    ------
    struct.error, IndexError
        The codestream has no such marker in its main header.
    """
    offset = data.index(_SOC_SIZ, 0, JP2_HEADER_BYTES_MAX) + 2 if _SOC_SIZ in data[:JP2_HEADER_BYTES_MAX] else len(data)
    for _ in range(MARKERS_MAX):
        marker, length = struct.unpack_from(">HH", data, offset)
        if marker == _COD:
            if not data[offset + 8]:
                return "none"
            return "reversible" if data[offset + 13] == 1 else "irreversible"
        if marker == _SOT:
            break
        offset += 2 + max(length, 2)
    raise IndexError("no COD marker")
