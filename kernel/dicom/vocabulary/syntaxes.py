"""Transfer syntaxes and storage SOP classes as tables. Source: PS3.6 annex A, in the edition of the installed pydicom.

Every transfer syntax in which an instance can be *stored* is here, also retired ones and those nobody can decode:
taking and keeping bytes needs no codec. Video over a live link (SMPTE ST 2110) and JPIP, which stores no pixels, are
here too, marked not decodable.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from pydicom._uid_dict import UID_dictionary

from kernel.dicom.vocabulary.uids import JPEG_BASELINE

IMPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2"
EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1"
DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN: Final = "1.2.840.10008.1.2.1.99"
ENCAPSULATED_UNCOMPRESSED: Final = "1.2.840.10008.1.2.1.98"
EXPLICIT_VR_BIG_ENDIAN: Final = "1.2.840.10008.1.2.2"
JPEG_EXTENDED: Final = "1.2.840.10008.1.2.4.51"
JPEG_LOSSLESS: Final = "1.2.840.10008.1.2.4.57"
JPEG_LOSSLESS_SV1: Final = "1.2.840.10008.1.2.4.70"
JPEG_LS_LOSSLESS: Final = "1.2.840.10008.1.2.4.80"
JPEG_LS_NEAR_LOSSLESS: Final = "1.2.840.10008.1.2.4.81"
JPEG_2000_LOSSLESS: Final = "1.2.840.10008.1.2.4.90"
HTJ2K_LOSSLESS: Final = "1.2.840.10008.1.2.4.201"
HTJ2K_LOSSLESS_RPCL: Final = "1.2.840.10008.1.2.4.202"
RLE_LOSSLESS: Final = "1.2.840.10008.1.2.5"
DEFLATED_FRAMES: Final = "1.2.840.10008.1.2.8.1"

_JPEG = "1.2.840.10008.1.2.4."
JPEG_LOSSY: Final = frozenset({JPEG_BASELINE, JPEG_EXTENDED})
JPEG_2000_FAMILY: Final = frozenset(_JPEG + number for number in ("90", "91", "92", "93", "201", "202", "203"))
STREAMS: Final[Mapping[str, str]] = (
    MappingProxyType(  # videos, by the coding of their one stream (PS3.5 8.2.5 to 8.2.9)
        {
            f"{_JPEG}{number}{fragmentable}": coding
            for coding, numbers in (("MPEG-2", range(100, 102)), ("H.264", range(102, 107)), ("HEVC", range(107, 109)))
            for number in numbers
            for fragmentable in ("", ".1")
        }
    )
)
_NATIVE = {IMPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_LITTLE_ENDIAN, EXPLICIT_VR_BIG_ENDIAN}
_DEFLATED = {DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, _JPEG + "95", _JPEG + "205"}
_REFERENCED = {_JPEG + "94", _JPEG + "95", _JPEG + "204", _JPEG + "205"}  # JPIP: pixels elsewhere
_LOSSY = {
    *(_JPEG + str(number) for number in (*range(50, 57), *range(59, 65), 81, 91, 93, 94, 95, 111, 112, 203, 204, 205)),
    *STREAMS,
}
_DECODABLE = {
    *_NATIVE,
    *(DEFLATED_EXPLICIT_VR_LITTLE_ENDIAN, ENCAPSULATED_UNCOMPRESSED, RLE_LOSSLESS, DEFLATED_FRAMES),
    *(_JPEG + str(number) for number in (50, 51, 57, 70, 80, 81, 90, 91, 201, 202, 203)),
}
_NEWER_STORAGE_CLASSES = {  # in PS3.4 B.5 since edition 2023b, not yet in pydicom's dictionary
    "1.2.840.10008.5.1.4.1.1.9.100.1": "Waveform Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.9.100.2": "Waveform Acquisition Presentation State Storage",
    "1.2.840.10008.5.1.4.1.1.66.7": "Label Map Segmentation Storage",
    "1.2.840.10008.5.1.4.1.1.66.8": "Height Map Segmentation Storage",
}
# In PS3.5 A.4 since edition 2025b, not yet in pydicom's dictionary. pynetdicom adds them when it is imported; here they
# are always, in this order.
_NEWER_SYNTAXES = {
    _JPEG + "110": ("JPEG XL Lossless", "Transfer Syntax", "", "", "JPEGXLLossless"),
    _JPEG + "111": ("JPEG XL JPEG Recompression", "Transfer Syntax", "", "", "JPEGXLJPEGRecompression"),
    _JPEG + "112": ("JPEG XL", "Transfer Syntax", "", "", "JPEGXL"),
    DEFLATED_FRAMES: ("Deflated Image Frame Compression", "Transfer Syntax", "", "", "DeflatedImageFrameCompression"),
}
_NOT_FOR_INSTANCES = {"1.2.840.10008.1.2.6.1", "1.2.840.10008.1.2.6.2", "1.2.840.10008.1.20"}  # MIME, XML, Papyrus


@dataclass(frozen=True, slots=True)
class TransferSyntax:
    """How a data set is encoded (PS3.5 10, annex A)."""

    uid: str
    name: str
    explicit: bool  # the VR is written with each element
    little_endian: bool
    deflated: bool  # the whole data set is compressed (PS3.5 A.5)
    encapsulated: bool  # pixel data is a sequence of fragments (PS3.5 A.4)
    lossy: bool  # may hold lossy compressed pixels
    retired: bool
    decodable: bool  # `kernel.dicom.pixels.reading` can give its frames as arrays


def _transfer_syntaxes() -> Mapping[str, TransferSyntax]:
    table: dict[str, TransferSyntax] = {}
    for uid, (name, kind, _, retired, _) in (UID_dictionary | _NEWER_SYNTAXES).items():
        if kind != "Transfer Syntax" or uid in _NOT_FOR_INSTANCES:
            continue
        table[uid] = TransferSyntax(
            uid=uid,
            name=name,
            explicit=uid != IMPLICIT_VR_LITTLE_ENDIAN,
            little_endian=uid != EXPLICIT_VR_BIG_ENDIAN,
            deflated=uid in _DEFLATED,
            encapsulated=uid not in _NATIVE | _DEFLATED | _REFERENCED,
            lossy=uid in _LOSSY,
            retired=bool(retired),
            decodable=uid in _DECODABLE,
        )
    return MappingProxyType(table)


def _storage_classes() -> Mapping[str, str]:
    """Every SOP class of the Storage and Non-Patient Object Storage services, retired ones too (PS3.4 B.5, GG)."""
    other = ("Storage Commitment", "Media Storage Directory", "Storage Management")
    listed = {
        uid: name
        for uid, (name, kind, *_) in UID_dictionary.items()
        if kind == "SOP Class" and "Storage" in name and not name.startswith(other)
    }
    return MappingProxyType(listed | _NEWER_STORAGE_CLASSES)


SYNTAXES: Final = _transfer_syntaxes()
STORAGE_CLASSES: Final = _storage_classes()
