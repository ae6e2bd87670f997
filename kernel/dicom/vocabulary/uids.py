"""Unique identifiers: one type for each kind, the check of PS3.5 9.1, and those that are needed without pydicom."""

from typing import Final, NewType

from kernel.errors import InvalidIdentifier, MissingIdentifier

StudyInstanceUID = NewType("StudyInstanceUID", str)
SeriesInstanceUID = NewType("SeriesInstanceUID", str)
SOPInstanceUID = NewType("SOPInstanceUID", str)

UID_CHARACTERS_MAX: Final = 64
IMPLEMENTATION_CLASS_UID: Final = "2.25.247160485923158839140735529174033291463"
IMPLEMENTATION_VERSION_NAME: Final = "VIENANH"  # at most 16 characters (PS3.5 6.2, SH)

JPEG_BASELINE: Final = "1.2.840.10008.1.2.4.50"  # a transfer syntax; the others are in `syntaxes`

_CHARACTERS = frozenset("0123456789.")


def uid_of(octets: bytes) -> str:
    """Return the UID that 16 octets make: 2.25 and a version 8 UUID as a decimal number (PS3.5 B.2, RFC 9562)."""
    number = int.from_bytes(octets) & ~(0xF << 76 | 0x3 << 62)
    return f"2.25.{number | 0x8 << 76 | 0x2 << 62}"


def check_uid(text: str, keyword: str) -> str:
    """Return `text` if it can be a UID: 1 to 64 digits and dots, no empty component (PS3.5 9.1).

    Components with leading zeros are taken although the standard forbids them: scanners send them, and two
    different texts stay two different identifiers.

    Raises
    ------
    MissingIdentifier
        The text is empty.
    InvalidIdentifier
        The text cannot be a UID. The message does not repeat it: it may be anything, a name too.
    """
    if not text:
        raise MissingIdentifier(keyword=keyword)
    if len(text) > UID_CHARACTERS_MAX:
        raise InvalidIdentifier(keyword=keyword, reason=f"{len(text)} characters, {UID_CHARACTERS_MAX} are allowed")
    if not _CHARACTERS.issuperset(text):
        raise InvalidIdentifier(keyword=keyword, reason="other characters than digits and dots")
    if text[0] == "." or text[-1] == "." or ".." in text:
        raise InvalidIdentifier(keyword=keyword, reason="an empty component")
    return text
