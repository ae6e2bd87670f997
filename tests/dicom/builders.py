"""Data sets for the tests of kernel.dicom, encoded by pydicom; and the comparison with what pydicom reads."""

import io
import struct
from collections.abc import Iterator

import pydicom
from pydicom.dataset import Dataset
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset
from pydicom.uid import UID

from kernel.dicom.scanning.elements import Element, Header
from kernel.dicom.scanning.part10 import file_meta

IMPLICIT = "1.2.840.10008.1.2"
EXPLICIT = "1.2.840.10008.1.2.1"
DEFLATED = "1.2.840.10008.1.2.1.99"
BIG_ENDIAN = "1.2.840.10008.1.2.2"
JPEG = "1.2.840.10008.1.2.4.50"
CT_IMAGE_STORAGE = "1.2.840.10008.5.1.4.1.1.2"


def encoded(ds: Dataset, transfer_syntax_uid: str = EXPLICIT) -> bytes:
    """Encode a data set without file meta."""
    syntax = UID(transfer_syntax_uid)
    file = DicomBytesIO()
    file.is_implicit_VR = syntax.is_implicit_VR
    file.is_little_endian = syntax.is_little_endian
    write_dataset(file, ds)
    return file.getvalue()


def part10(data_set: bytes, transfer_syntax_uid: str = EXPLICIT, class_uid: str = CT_IMAGE_STORAGE) -> bytes:
    return file_meta(class_uid, "1.2.3.4.5", transfer_syntax_uid) + data_set


def element(tag: int, vr: str, value: bytes, *, length: int | None = None) -> bytes:
    """Encode one explicit little endian element, right or wrong as the test wants."""
    size = len(value) if length is None else length
    group, number = tag >> 16, tag & 0xFFFF
    if vr in {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}:
        return struct.pack("<HH2sHI", group, number, vr.encode(), 0, size) + value
    return struct.pack("<HH2sH", group, number, vr.encode(), size) + value


def implicit_element(tag: int, value: bytes, *, length: int | None = None) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value) if length is None else length) + value


def item(content: bytes, *, undefined: bool = False) -> bytes:
    if undefined:
        return struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF) + content + struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
    return struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content


SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
UNDEFINED = 0xFFFFFFFF

Row = tuple[int, str, bytes | int, int]  # tag, VR, value or number of items, depth


def rows_of(header: Header) -> list[Row]:
    """Return what the scanner found, in document order; pixel data is not among it."""
    return [_row(header, one) for one in header.walk()]


def _row(header: Header, one: Element) -> Row:
    return one.tag, one.vr, header.value(one) if one.items is None else len(one.items), one.depth


def rows_of_pydicom(data_set: bytes, transfer_syntax_uid: str) -> list[Row]:
    """Return the same as pydicom reads it."""
    ds = pydicom.dcmread(io.BytesIO(part10(data_set, transfer_syntax_uid)))
    return list(_pydicom_rows(ds, 0))


def _pydicom_rows(ds: Dataset, depth: int) -> Iterator[Row]:
    for tag in sorted(ds.keys()):
        raw = ds.get_item(tag)
        value = raw.value
        vr = ds[tag].VR
        if vr == "SQ":
            yield int(tag), "SQ", len(ds[tag].value), depth
            for inside in ds[tag].value:
                yield from _pydicom_rows(inside, depth + 1)
        else:
            assert isinstance(value, bytes) or not value
            yield int(tag), vr, value or b"", depth
