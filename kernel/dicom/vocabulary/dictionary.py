"""The data dictionary as plain maps: tag to VR, keyword to tag. Source: PS3.6 in the edition of the installed pydicom.

The scanner looks up a VR for every element of an implicit data set, so these are dictionaries of integers, made once.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

from pydicom._dicom_dict import DicomDictionary, RepeatersDictionary
from pydicom._private_dict import private_dictionaries

PIXEL_REPRESENTATION: Final = 0x00280103
PIXEL_DATA_TAGS: Final = frozenset({0x7FE00010, 0x7FE00008, 0x7FE00009})  # integer, float, double (PS3.3 C.7.6.24)

SHORT_VRS: Final = frozenset(
    {
        "AE",
        "AS",
        "AT",
        "CS",
        "DA",
        "DS",
        "DT",
        "FL",
        "FD",
        "IS",
        "LO",
        "LT",
        "PN",
        "SH",
        "SL",
        "SS",
        "ST",
        "TM",
        "UI",
        "UL",
        "US",
    }
)
LONG_VRS: Final = frozenset(
    {"OB", "OD", "OF", "OL", "OV", "OW", "SQ", "SV", "UC", "UN", "UR", "UT", "UV"}
)  # 32-bit length (PS3.5 7.1.2)
BULK_VRS: Final = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
NUMBER_FORMATS: Final[Mapping[str, str]] = {  # of `struct` (PS3.5 6.2)
    "US": "H", "SS": "h", "UL": "I", "SL": "i", "UV": "Q", "SV": "q", "FL": "f", "FD": "d",
}  # fmt: skip

VR_OF: Final[Mapping[int, str]] = {tag: entry[0] for tag, entry in DicomDictionary.items() if tag >> 16 >= 2}
KEYWORD_OF: Final[Mapping[int, str]] = {tag: entry[4] for tag, entry in DicomDictionary.items() if entry[4]}
NAME_OF: Final[Mapping[int, str]] = {tag: entry[2] for tag, entry in DicomDictionary.items() if entry[4]}
TAG_OF: Final[Mapping[str, int]] = {keyword: tag for tag, keyword in KEYWORD_OF.items()}

# What an implicit element of an ambiguous VR is (PS3.5 annex A.1 and note in 6.2; "US or SS" see `ambiguous_vr`).
_AMBIGUOUS = {"OB or OW": "OW", "US or OW": "OW", "US or SS or OW": "OW"}

PLAIN_VR_OF: Final[Mapping[int, str]] = {
    tag: vr
    for tag, vr in VR_OF.items()
    if len(vr) == 2 and vr not in {"SQ", "NONE"} and tag not in PIXEL_DATA_TAGS and tag != PIXEL_REPRESENTATION
}


def ambiguous_vr(vr: str, *, signed: bool) -> str:
    """Return the one VR that an implicit element of an ambiguous VR such as `US or SS` has.

    `signed` says that the nearest Pixel Representation (0028,0103) is 1.
    """
    if vr == "US or SS":
        return "SS" if signed else "US"
    return _AMBIGUOUS.get(vr, vr)


def vr_of_unknown(tag: int) -> str:
    """Return the VR of a tag that the main table does not have: repeating groups, creators, group lengths, else UN."""
    group, number = tag >> 16, tag & 0xFFFF
    if number == 0:
        return "UL"
    if group & 1:
        return "LO" if 0x10 <= number <= 0xFF else "UN"
    if 0x5000 <= group <= 0x501E or 0x6000 <= group <= 0x601E:
        return _repeater(f"{group >> 8:02x}xx{number:04x}")
    if group in (0x0020, 0x1000, 0x1010):
        return _repeater(f"{group:04x}{number >> 8:02x}xx")
    return "UN"


def _repeater(mask: str) -> str:
    entry = RepeatersDictionary.get(mask)
    return ambiguous_vr(entry[0], signed=False) if entry else "UN"


@lru_cache(maxsize=8192)  # the same few hundred attributes in every slice of a vendor's series
def private_vr(tag: int, creator: str) -> str:
    """Return the VR that the vendor's published dictionary gives a private element, or UN (PS3.5 7.8)."""
    elements = private_dictionaries.get(creator)
    if elements is None:
        return "UN"
    group, number = f"{tag >> 16:04X}", f"{tag & 0xFFFF:04X}"
    for key in (group + number, f"{group}xx{number[2:]}", f"{group[:2]}xxxx{number[2:]}"):
        if entry := elements.get(key):
            return entry[0] if len(entry[0]) == 2 else ambiguous_vr(entry[0], signed=False)
    return "UN"
