"""Preamble, prefix and file meta information (PS3.10 7.1) as we write them; `part10` reads them, with pydicom beside it."""

import struct
from typing import Final

from kernel.dicom.vocabulary.uids import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME

PREAMBLE_BYTES: Final = 128
MAGIC: Final = b"DICM"


def file_meta(sop_class_uid: str, sop_instance_uid: str, transfer_syntax_uid: str) -> bytes:
    """Return preamble, prefix and file meta information in our canonical form: a function of the three UIDs alone."""
    elements = b"".join(
        (
            struct.pack("<HH2sHI", 2, 1, b"OB", 0, 2) + b"\0\1",
            _short(0x0002, b"UI", sop_class_uid.encode("ascii"), b"\0"),
            _short(0x0003, b"UI", sop_instance_uid.encode("ascii"), b"\0"),
            _short(0x0010, b"UI", transfer_syntax_uid.encode("ascii"), b"\0"),
            _short(0x0012, b"UI", IMPLEMENTATION_CLASS_UID.encode("ascii"), b"\0"),
            _short(0x0013, b"SH", IMPLEMENTATION_VERSION_NAME.encode("ascii"), b" "),
        )
    )
    length = struct.pack("<HH2sHI", 2, 0, b"UL", 4, len(elements))
    return b"\0" * PREAMBLE_BYTES + MAGIC + length + elements


def _short(number: int, vr: bytes, value: bytes, pad: bytes) -> bytes:
    value += pad * (len(value) % 2)
    return struct.pack("<HH2sH", 2, number, vr, len(value)) + value
