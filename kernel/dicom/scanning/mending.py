"""Instances that the scanner does not understand and pydicom does, written again in Explicit VR Little Endian.

For files from elsewhere: without preamble or file meta information, with a command set before them (PS3.7 6.3), with
undefined lengths where none belong, with items of wrong lengths. Values are copied as they are encoded; text is not
decoded. It costs what a stranger decides: `kernel.dicom.scanning.menders` does it in a process of its own.
"""

import io
import warnings
from collections.abc import Iterator
from typing import Final, cast

from pydicom.dataelem import DataElement, RawDataElement
from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from kernel.dicom.scanning.elements import UNDEFINED
from kernel.dicom.scanning.part10 import PYDICOM_ERRORS, file_meta, open_dataset
from kernel.dicom.scanning.reencode import SEQUENCE_END, element_header, items, swapped
from kernel.dicom.vocabulary.dictionary import (
    LONG_VRS,
    PIXEL_DATA_TAGS,
    PIXEL_REPRESENTATION,
    VR_OF,
    ambiguous_vr,
    private_vr,
    vr_of_unknown,
)
from kernel.dicom.vocabulary.limits import LIMITS, exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, SYNTAXES

TRAILING_BYTES_MAX: Final = 1024  # of zeros
CUT_OFF: Final = "End of file reached before delimiter"  # what pydicom warns of, and then goes on without the rest
_PATIENT: Final = (0x00100010, 0x00100020)  # Type 2 in every IOD of a patient
_SOP_CLASS, _SOP_INSTANCE, _BITS_ALLOCATED = 0x00080016, 0x00080018, 0x00280100
_UNITS_OF_PIXELS: Final = {32: "OL", 64: "OV"}  # OW may hold larger samples


def mended(source: bytes) -> bytes:
    """Return a Part 10 file with everything that pydicom reads in `source`.

    Raises
    ------
    MalformedInstance
        pydicom reads nothing of it, or not all; or so that it makes no sense: elements in no order, no patient.
    LimitExceeded
        Sequences are nested deeper than `LIMITS.depth_max`.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=CUT_OFF)
        try:
            return _mended(source)
        except UserWarning:
            raise malformed(CUT_OFF) from None
        except PYDICOM_ERRORS as error:  # what is read when it is asked for
            raise malformed(f"pydicom says {type(error).__name__}") from error


def _mended(source: bytes) -> bytes:
    stream = io.BytesIO(source)
    ds = open_dataset(stream, forgiving=True)
    rest = source[stream.tell() :]
    if len(rest) > TRAILING_BYTES_MAX or any(rest):
        raise malformed("pydicom reads only its beginning")
    declared = str(ds.file_meta.get("TransferSyntaxUID", ""))
    known = SYNTAXES.get(declared)
    if known is not None and known.deflated:
        raise malformed("nobody can say whether a deflated data set was read to its end")
    is_native = not declared or (known is not None and not known.encapsulated)
    if any(tag not in ds for tag in _PATIENT):
        raise malformed("no patient is where it should be")
    encoded = b"".join(_elements(ds, 0, signed=False, is_native=is_native))
    sop_class_uid, sop_instance_uid = str(ds[_SOP_CLASS].value), str(ds[_SOP_INSTANCE].value)
    return file_meta(sop_class_uid, sop_instance_uid, EXPLICIT_VR_LITTLE_ENDIAN if is_native else declared) + encoded


def _elements(ds: Dataset, depth: int, *, signed: bool, is_native: bool) -> Iterator[bytes]:
    """Yield the elements of a data set, but groups 0 and 2; they must be in order, or the lengths were misread."""
    if depth > LIMITS.depth_max:
        raise exceeded("depth_max", depth, LIMITS.depth_max)
    bits = 0
    found = {int(key): ds.get_item(key, keep_deferred=True) for key in ds.keys()}  # noqa: SIM118 it yields decoded ones
    tags = [tag for tag in found if tag >> 16 not in {0, 2}]
    if tags != sorted(tags):
        raise malformed("its elements are in no order")
    for tag in tags:
        element = found[tag]
        vr = _vr(ds, element, tag, signed=signed)
        if vr == "SQ":
            contents = (
                _elements(item, depth + 1, signed=signed, is_native=is_native)
                for item in cast("list[Dataset]", ds[tag].value)
            )
            yield from items(tag, contents)
        else:
            value = _value(element)
            if tag == PIXEL_REPRESENTATION and len(value) == 2:
                signed = any(value)
            if tag == _BITS_ALLOCATED:
                bits = sum(value)  # of one byte that is not zero, in either order
            yield from _element(element, vr, value, bits=bits, is_native=is_native or depth > 0)


def _element(
    element: RawDataElement | DataElement, vr: str, value: bytes, *, bits: int, is_native: bool
) -> Iterator[bytes]:
    """Yield one element with its value; `bits` are allocated for each sample of pixel data."""
    tag = int(element.tag)
    is_little_endian, has_length = True, True
    if isinstance(element, RawDataElement):
        is_little_endian, has_length = element.is_little_endian, element.length != UNDEFINED
    if tag in PIXEL_DATA_TAGS and not has_length:
        if is_native:
            raise malformed("its pixel data is compressed, and nothing says how")
        yield from (element_header(tag, "OB", UNDEFINED), value, SEQUENCE_END)
        return
    if not has_length and vr not in LONG_VRS:
        vr = "UN"
    value += b"\0" * (len(value) % 2)
    yield element_header(tag, vr, len(value))
    yield value if is_little_endian else swapped(value, _UNITS_OF_PIXELS.get(bits, vr) if vr == "OW" else vr)


def _value(element: RawDataElement | DataElement) -> bytes:
    """Return an encoded value. Raises MalformedInstance where the end of the file cut it off."""
    if isinstance(element, DataElement):  # the character set: pydicom needs it to read on
        if element.VR != "CS":
            raise malformed("pydicom decodes what should be bytes")
        values = element.value if isinstance(element.value, MultiValue) else [element.value or ""]
        return "\\".join(map(str, values)).encode("latin-1")
    value = element.value or b""
    if element.length not in {len(value), UNDEFINED}:
        raise malformed("it ends inside an element")
    return value


def _vr(ds: Dataset, element: RawDataElement | DataElement, tag: int, *, signed: bool) -> str:
    """Return the VR that an element has, or that the dictionaries give one of an implicit data set."""
    if element.VR is not None:
        return str(element.VR)
    if tag in PIXEL_DATA_TAGS:
        return "OW" if tag == 0x7FE00010 else VR_OF[tag]
    vr = VR_OF.get(tag) or vr_of_unknown(tag)
    if vr == "UN" and tag >> 16 & 1:
        block = tag & 0xFFFF0000 | tag >> 8 & 0xFF
        creator = ds.get_item(block).value if block in ds else None
        vr = private_vr(tag, creator.decode("latin-1").strip(" \0") if isinstance(creator, bytes) else "")
        if vr == "SQ" and str(ds[tag].VR) != "SQ":
            return "UN"
    return vr if len(vr) == 2 else ambiguous_vr(vr, signed=signed)
