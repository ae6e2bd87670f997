"""What every de-identified instance says about itself (PS3.15 E.1.1): that it was done, how, and what became of dates."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final

from anonymizer.profiles.dummies import code_item, encode, encode_items
from anonymizer.profiles.options import METHOD_MEANINGS
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.identifiers import name_of
from anonymizer.pseudonyms.patient import Patient
from kernel.dicom.scanning.elements import Header

KEPT_MAX: Final = 64  # declarations that are kept encoded
PATIENT_IDENTITY_REMOVED: Final = 0x00120062


def additions(profile: Profile, patient: Patient, header: Header) -> Iterator[tuple[int, bytes]]:
    """Yield encoded elements by tag, ascending; patient name and ID too where the source has none.

    The element of (0012,0062) is empty: `method` goes there once every cleaner has said what it did.
    """
    implicit = header.implicit
    if header.get(0x00100010) is None:
        yield 0x00100010, encode(0x00100010, "PN", name_of(patient.pseudonym).encode(), implicit=implicit)
    if header.get(0x00100020) is None:
        yield 0x00100020, encode(0x00100020, "LO", patient.pseudonym.encode(), implicit=implicit)
    yield PATIENT_IDENTITY_REMOVED, b""
    yield 0x00280303, encode(0x00280303, "CS", profile.dates.encode("ascii"), implicit=implicit)


def codes_of(profile: Profile, done: Iterable[str]) -> tuple[str, ...]:
    """Return the codes of CID 7050 of an instance: of the profile, and of the cleaners that were at work on it."""
    return tuple(sorted({*profile.method_codes, *done}))


@lru_cache(maxsize=KEPT_MAX)
def method(profile: Profile, codes: tuple[str, ...], *, implicit: bool) -> bytes:
    """Return (0012,0062) to (0012,0064), encoded."""
    text = f"VIENANH {profile.label} {profile.digest[:12]}"
    items = [code_item(code, "DCM", METHOD_MEANINGS[code], implicit=implicit) for code in codes]
    return b"".join((
        encode(0x00120062, "CS", b"YES", implicit=implicit),
        encode(0x00120063, "LO", text.encode("ascii"), implicit=implicit),
        encode_items(0x00120064, items, implicit=implicit) if items else b"",
    ))  # fmt: skip
