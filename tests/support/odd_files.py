"""Files that the scanner refuses and pydicom reads whole: what old exporters, dumps of network traffic and scripts write."""

import struct
from collections.abc import Callable

import numpy as np
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ExplicitVRLittleEndian, ImplicitVRLittleEndian

from kernel.dicom.scanning.part10 import read_file_meta
from tests.support.builders import as_file

_UNDEFINED = b"\xff\xff\xff\xff"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0\0\0\0\0"


def bare(ds: Dataset, syntax: str = ExplicitVRLittleEndian) -> bytes:
    """The data set alone: no preamble, no file meta information."""
    content = as_file(ds, syntax)
    return content[read_file_meta(content).dataset_offset :]


def _implicit(group: int, number: int, value: bytes) -> bytes:
    return struct.pack("<HHI", group, number, len(value)) + value


def with_a_command_set(ds: Dataset) -> bytes:
    """As a dump of a C-STORE has it (PS3.7 6.3.1), and a script that put both together."""
    command = _implicit(0, 0x0002, b"1.2.840.10008.5.1.4.1.1.2\0") + _implicit(0, 0x0100, b"\1\0")
    return _implicit(0, 0, struct.pack("<I", len(command))) + command + bare(ds, ImplicitVRLittleEndian)


def with_an_implicit_file_meta(ds: Dataset) -> bytes:
    meta = _implicit(2, 0x0002, ds.SOPClassUID.encode() + b"\0" * (len(ds.SOPClassUID) % 2))
    meta += _implicit(2, 0x0010, b"1.2.840.10008.1.2\0")
    return bytes(128) + b"DICM" + meta + bare(ds, ImplicitVRLittleEndian)


def without_a_transfer_syntax(ds: Dataset) -> bytes:
    content = as_file(ds)
    return content.replace(b"\2\0\x10\0UI\x14\x001.2.840.10008.1.2.1\0", b"")


def in_big_endian(ds: Dataset) -> bytes:
    ds.PixelData = np.frombuffer(ds.PixelData, "<u2").byteswap().tobytes()  # pydicom writes it as it is
    return bare(ds, ExplicitVRBigEndian)


def without_a_prefix(ds: Dataset) -> bytes:
    return as_file(ds)[132:]


def with_an_undefined_length_in_a_private_value(ds: Dataset) -> bytes:
    content = as_file(ds)
    at = content.index(b"\x10\0\x10\0PN")  # group 0009 belongs before it
    block = b"\x09\0\x10\0LO\4\0MADE" + b"\x09\0\x01\x10OB\0\0" + _UNDEFINED + b"\1\2\3\4" + _SEQUENCE_END
    return content[:at] + block + content[at:]


def with_an_item_longer_than_its_sequence(ds: Dataset) -> bytes:
    inner = Dataset()
    inner.ReferencedSOPClassUID, inner.ReferencedSOPInstanceUID = ds.SOPClassUID, "1.2.3.4"
    ds.ReferencedImageSequence = [inner]
    content = as_file(ds)
    at = content.index(b"\x08\0\x40\x11SQ") + 12
    length = struct.unpack_from("<I", content, at + 4)[0]
    return content[: at + 4] + struct.pack("<I", length + 6) + content[at + 8 :]


ODD: dict[str, Callable[[Dataset], bytes]] = {
    "no file meta": bare,
    "no file meta, implicit": lambda ds: bare(ds, ImplicitVRLittleEndian),
    "no file meta, big endian": in_big_endian,
    "no prefix": without_a_prefix,
    "a command set": with_a_command_set,
    "an implicit file meta": with_an_implicit_file_meta,
    "no transfer syntax": without_a_transfer_syntax,
    "an undefined length in a private value": with_an_undefined_length_in_a_private_value,
    "an item longer than its sequence": with_an_item_longer_than_its_sequence,
}
