"""What every de-identified instance says about itself (PS3.15 E.1.1): that it was done, how, and what became of dates."""

from collections.abc import Iterator
from functools import cache

from anonymizer.dummies import code_item, encode, encode_items
from anonymizer.patient import Patient
from anonymizer.profile import METHOD_MEANINGS, Profile
from kernel.dicom.elements import Header


def declaration(
    profile: Profile, patient: Patient, header: Header, codes: tuple[str, ...] = ()
) -> Iterator[tuple[int, bytes]]:
    """Yield encoded elements by tag, ascending; patient name and ID too where the source has none.

    `codes` of CID 7050 say what was done to this instance beyond the profile's rules.
    """
    implicit = header.implicit
    if header.get(0x00100010) is None:
        yield 0x00100010, encode(0x00100010, "PN", b"BN " + patient.pseudonym.encode(), implicit=implicit)
    if header.get(0x00100020) is None:
        yield 0x00100020, encode(0x00100020, "LO", patient.pseudonym.encode(), implicit=implicit)
    yield from _method(profile, codes, implicit=implicit)


@cache
def _method(profile: Profile, more: tuple[str, ...], *, implicit: bool) -> tuple[tuple[int, bytes], ...]:
    """Return what does not depend on the instance."""
    method = f"VIENANH {profile.label} {profile.digest[:12]}"
    done = (*profile.method_codes, *more)
    codes = [code_item(code, "DCM", METHOD_MEANINGS[code], implicit=implicit) for code in done]
    return (
        (0x00120062, encode(0x00120062, "CS", b"YES", implicit=implicit)),
        (0x00120063, encode(0x00120063, "LO", method.encode("ascii"), implicit=implicit)),
        (0x00120064, encode_items(0x00120064, codes, implicit=implicit)),
        (0x00280303, encode(0x00280303, "CS", profile.dates.encode("ascii"), implicit=implicit)),
    )
