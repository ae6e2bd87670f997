"""Values that say nothing, for attributes that may be neither absent nor empty, and the encoding of new elements."""

import struct
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from kernel.dicom.vocabulary.dictionary import LONG_VRS

WORD: Final = b"REMOVED "  # even length
DUMMY_VALUES: Final[Mapping[str, bytes]] = MappingProxyType({
    **dict.fromkeys(("AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UT"), WORD),
    "AS": b"000Y",
    "AT": bytes(4),
    "DA": b"19000101",
    "DS": b"0 ",
    "DT": b"19000101000000",
    "FD": bytes(8),
    "FL": bytes(4),
    "IS": b"0 ",
    "SL": bytes(4),
    "SS": bytes(2),
    "SV": bytes(8),
    "TM": b"000000",
    "UL": bytes(4),
    "UR": b"urn:removed ",
    "US": bytes(2),
    "UV": bytes(8),
    **dict.fromkeys(("OB", "OW", "UN"), bytes(2)),
    **dict.fromkeys(("OL", "OF"), bytes(4)),
    **dict.fromkeys(("OD", "OV"), bytes(8)),
})  # fmt: skip
TEXT_VRS: Final = frozenset(
    {"LO", "LT", "PN", "SH", "ST", "UC", "UT"}
)  # the specific character set applies (PS3.5 6.1)
PADDED_WITH_NUL: Final = frozenset({"UI", "OB", "UN"})

_EXPLICIT_SHORT, _EXPLICIT_LONG, _IMPLICIT = struct.Struct("<HH2sH"), struct.Struct("<HH2sHI"), struct.Struct("<HHI")
_ITEM = b"\xfe\xff\x00\xe0"


def encode(tag: int, vr: str, value: bytes, *, implicit: bool) -> bytes:
    """Return one element in little endian, its value padded to an even length."""
    if len(value) & 1:
        value += b"\x00" if vr in PADDED_WITH_NUL else b" "
    if implicit:
        return _IMPLICIT.pack(tag >> 16, tag & 0xFFFF, len(value)) + value
    if vr in LONG_VRS:
        return _EXPLICIT_LONG.pack(tag >> 16, tag & 0xFFFF, vr.encode(), 0, len(value)) + value
    return _EXPLICIT_SHORT.pack(tag >> 16, tag & 0xFFFF, vr.encode(), len(value)) + value


def encode_items(tag: int, items: Iterable[bytes], *, implicit: bool) -> bytes:
    """Return a sequence of defined length whose items hold the encoded elements given."""
    value = b"".join(_ITEM + struct.pack("<I", len(item)) + item for item in items)
    return encode(tag, "SQ", value, implicit=implicit)


def code_item(value: str, scheme: str, meaning: str, *, implicit: bool) -> bytes:
    """Return the elements of a coded entry (PS3.3 8.8)."""
    parts = ((0x00080100, "SH", value), (0x00080102, "SH", scheme), (0x00080104, "LO", meaning))
    return b"".join(encode(tag, vr, text.encode("ascii"), implicit=implicit) for tag, vr, text in parts)


def dummy_items(tag: int, *, implicit: bool) -> bytes | None:
    """Return the content of one item that makes the sequence `tag` valid and says nothing; None if there is none."""

    def element(number: int, vr: str, value: bytes) -> bytes:
        return encode(number, vr, value, implicit=implicit)

    code = code_item("REMOVED", "99VIENANH", "Removed", implicit=implicit)
    if tag in CODE_SEQUENCES:
        return code
    if tag == 0x0040A730:  # Content Sequence: a document of one sentence
        concept = encode_items(
            0x0040A043, [code_item("121106", "DCM", "Comment", implicit=implicit)], implicit=implicit
        )
        return b"".join((
            element(0x0040A010, "CS", b"CONTAINS"),
            element(0x0040A040, "CS", b"TEXT"),
            concept,
            element(0x0040A160, "UT", WORD),
        ))  # fmt: skip
    if tag == 0x0040A073:  # Verifying Observer Sequence
        return b"".join((
            element(0x0040A027, "LO", WORD),
            element(0x0040A030, "DT", DUMMY_VALUES["DT"]),
            element(0x0040A075, "PN", WORD),
            encode_items(0x0040A088, (), implicit=implicit),
        ))  # fmt: skip
    if tag == 0x00081072:  # Operator Identification Sequence
        return encode_items(0x00401101, [code], implicit=implicit)
    if tag == 0x00700001:  # Graphic Annotation Sequence
        text = b"".join((
            element(0x00700004, "CS", b"PIXEL"),
            element(0x00700006, "ST", WORD),
            element(0x00700014, "FL", struct.pack("<2f", 1, 1)),
            element(0x00700015, "CS", b"N"),
        ))  # fmt: skip
        return element(0x00700002, "CS", WORD) + encode_items(0x00700008, [text], implicit=implicit)
    if tag == 0x0040B020:  # Waveform Annotation Sequence
        return element(0x0040A0B0, "US", bytes(4)) + element(0x00700006, "ST", WORD)
    if tag == 0x00340001:  # Flow Identifier Sequence
        return b"".join((
            element(0x00340002, "OB", bytes(2)),
            element(0x00340003, "UI", b"1.2.840.10008.1.2.1"),
            element(0x00340004, "UL", bytes(4)),
        ))  # fmt: skip
    return None


CODE_SEQUENCES: Final = frozenset({0x00080082, 0x00401101, 0x0040A088, 0x0040A168})
DUMMY_SEQUENCES: Final = CODE_SEQUENCES | {0x0040A730, 0x0040A073, 0x00081072, 0x00700001, 0x0040B020, 0x00340001}
