"""The DICOM file format (PS3.10 7): preamble, prefix, file meta information; and the door to pydicom's own reader."""

import io
import struct
import warnings
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pydicom
import pydicom.config
from pydicom.errors import BytesLengthException, InvalidDicomError

from kernel.dicom.scanning.elements import Buffer
from kernel.dicom.scanning.file_meta import MAGIC, PREAMBLE_BYTES
from kernel.dicom.scanning.file_meta import file_meta as file_meta
from kernel.dicom.vocabulary.limits import exceeded, malformed

META_BYTES_MAX: Final = 64 * 1024
PYDICOM_ERRORS: Final = (
    BytesLengthException,
    InvalidDicomError,
    OSError,
    EOFError,
    ValueError,
    TypeError,
    LookupError,
    AttributeError,
    NotImplementedError,
    RecursionError,
    struct.error,
    zlib.error,
)

# pydicom's warnings and log lines quote values, and a value may be a patient's name: none of them may reach a log.
pydicom.config.logger.setLevel(100)
pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
warnings.filterwarnings("ignore", module=r"pydicom\.")

_LONG: Final = frozenset({b"OB", b"OW", b"UN", b"UT", b"SQ", b"UC", b"UR"})


@dataclass(frozen=True, slots=True)
class FileMeta:
    """What the file meta information says (PS3.10 7.1); texts are empty when absent."""

    sop_class_uid: str
    sop_instance_uid: str
    transfer_syntax_uid: str
    dataset_offset: int  # where the data set begins in the file


def read_file_meta(buffer: Buffer) -> FileMeta:
    """Read the file meta information at the start of a Part 10 file, or of a prefix that holds all of it.

    The group length is not relied upon: it is absent or wrong in real files. Group 2 ends where another group begins.

    Raises
    ------
    MalformedInstance
        No `DICM` prefix, no Transfer Syntax UID, or damage.
    LimitExceeded
        More than `META_BYTES_MAX`.
    """
    offset = PREAMBLE_BYTES + len(MAGIC)
    if len(buffer) < offset or bytes(buffer[PREAMBLE_BYTES:offset]) != MAGIC:
        raise malformed("it has no DICM prefix")
    texts = {0x0002: "", 0x0003: "", 0x0010: ""}
    try:
        while offset < len(buffer):
            group, number, vr, length = struct.unpack_from("<HH2sH", buffer, offset)
            if group != 2:
                break
            value = offset + 8
            if vr in _LONG:
                (length,) = struct.unpack_from("<I", buffer, value)
                value += 4
            offset = value + length
            if offset > META_BYTES_MAX:
                raise exceeded("META_BYTES_MAX", offset, META_BYTES_MAX)
            if offset > len(buffer):
                raise malformed("it ends inside the file meta information")
            if number in texts:
                texts[number] = bytes(buffer[value:offset]).decode("latin-1").strip(" \0")
    except struct.error:
        raise malformed("it ends inside the file meta information") from None
    if not texts[0x0010]:
        raise malformed("the file meta information has no Transfer Syntax UID")
    return FileMeta(texts[0x0002], texts[0x0003], texts[0x0010], offset)


def open_dataset(
    source: Path | str | bytes | io.BytesIO, *, stop_before_pixels: bool = False, forgiving: bool = False
) -> pydicom.Dataset:
    """Read a Part 10 file, or its bytes, with pydicom. The only place that calls its reader.

    For what needs a whole `Dataset`: writing structured reports, tests, tools. Receiving and serving use the scanner.
    `forgiving`: also without a `DICM` prefix, which pydicom then guesses what to make of (`kernel.dicom.scanning.mending`).

    Raises
    ------
    MalformedInstance
        pydicom cannot read it.
    """
    file = io.BytesIO(source) if isinstance(source, bytes) else source
    try:
        return pydicom.dcmread(file, stop_before_pixels=stop_before_pixels, force=forgiving)
    except FileNotFoundError:
        raise
    except PYDICOM_ERRORS as error:
        raise malformed(f"pydicom says {type(error).__name__}") from error
