"""New identifiers from old ones, by a keyed hash: the same input and key give the same output, everywhere and always.

Nothing is stored for this; `anonymizer.pseudonyms.vault` keeps only the way back.
"""

import hashlib
import hmac
import re
from collections.abc import Mapping
from datetime import date, timedelta
from functools import lru_cache
from typing import Final

from kernel.dicom.vocabulary.uids import uid_of

WELL_KNOWN_ROOT: Final = b"1.2.840.10008."  # UIDs of the standard itself name nobody's data
UID_CACHE_MAX: Final = 65_536
PATIENT_CACHE_MAX: Final = 1_024
DATE_CACHE_MAX: Final = 4_096
DATE_BYTES_KEPT: Final = 64  # longer values are not kept: a stranger decides how long they are
PSEUDONYM_CHARACTERS: Final = "23456789ABCDEFGHJKMNPQRSTVWXY"  # 29, a prime; none of 0 O, 1 I L, U, Z
PSEUDONYM_DATA_LENGTH: Final = 11
PSEUDONYM_GROUP: Final = 4
SHIFT_DAYS_MIN, SHIFT_DAYS_MAX = 365, 3650
SPOKEN: Final[Mapping[str, str]] = {
    "2": "hai", "3": "ba", "4": "bốn", "5": "năm", "6": "sáu", "7": "bảy", "8": "tám", "9": "chín",
    "A": "a", "B": "bê-bò", "C": "xê", "D": "đê-đông", "E": "e", "F": "ép", "G": "giê", "H": "hát", "J": "gi",
    "K": "ca", "M": "em-mẹ", "N": "en-nam", "P": "pê-pin", "Q": "quy", "R": "e-rờ", "S": "ét-sì", "T": "tê-tây",
    "V": "vê-vui", "W": "vê-kép", "X": "ích", "Y": "i-dài",
}  # fmt: skip
PADDING: Final = b" \x00"

_REST = re.compile(rb"(?:\d{2,6}(?:\.\d{1,6})?)?(?:[-+]\d{4})?")  # time of day and offset from UTC
_DATE = re.compile(rb"(\d{4})(?:\.?)(\d{2})(?:\.?)(\d{2})")


@lru_cache(maxsize=UID_CACHE_MAX)
def new_uid(key: bytes, uid: bytes) -> bytes:
    """Return the UID that stands for `uid`: 2.25 and a version 8 UUID as a decimal number (PS3.5 B.2, RFC 9562).

    UIDs under the root of the standard, and an empty value, stay as they are. `uid` is without padding; whatever else
    it holds is replaced, so that a name in place of a UID does not pass.
    """
    if uid.startswith(WELL_KNOWN_ROOT) or not uid:
        return uid
    digest = hmac.digest(key, uid, hashlib.sha256)
    return uid_of(digest[:16]).encode("ascii")


@lru_cache(maxsize=PATIENT_CACHE_MAX)
def pseudonym(key: bytes, issuer: str, patient_id: str) -> str:
    """Return the pseudonym of a patient, such as `K7M2-9QXD-4TBC`: eleven characters and a check character.

    Any one wrong character and any two neighbours exchanged are noticed by `is_pseudonym`. With 29^11 pseudonyms, a
    site of a million patients has a chance of 4 in 100,000 that any two of them share one.
    """
    digest = hmac.digest(key, b"\x00".join((issuer.encode("utf-8"), patient_id.encode("utf-8"))), hashlib.sha256)
    number = int.from_bytes(digest[:16])
    values: list[int] = []
    for _ in range(PSEUDONYM_DATA_LENGTH):
        number, value = divmod(number, len(PSEUDONYM_CHARACTERS))
        values.append(value)
    values.append(_check(values))
    text = "".join(PSEUDONYM_CHARACTERS[value] for value in values)
    return "-".join(text[at : at + PSEUDONYM_GROUP] for at in range(0, len(text), PSEUDONYM_GROUP))


def name_of(pseudonym: str) -> str:
    """Return the Patient's Name that is given with a pseudonym (BN: bệnh nhân, patient)."""
    return f"BN {pseudonym}"


def is_pseudonym(text: str) -> bool:
    """Whether `text`, as heard or typed, can be a pseudonym: case, spaces and hyphens do not matter."""
    bare = re.sub(r"[\s-]", "", text.upper())
    if len(bare) != PSEUDONYM_DATA_LENGTH + 1 or any(character not in PSEUDONYM_CHARACTERS for character in bare):
        return False
    *values, check = (PSEUDONYM_CHARACTERS.index(character) for character in bare)
    return _check(values) == check


def spoken(text: str) -> str:
    """Return a pseudonym as it is read out in Vietnamese over the telephone, a comma between groups.

    Letters whose names sound alike there (bê, pê; dê, đê; em, en) are said with a word, as soldiers do.
    """
    bare = re.sub(r"[\s-]", "", text.upper())
    words = [SPOKEN[character] for character in bare]
    groups = (words[at : at + PSEUDONYM_GROUP] for at in range(0, len(words), PSEUDONYM_GROUP))
    return ", ".join(" ".join(group) for group in groups)


def _check(values: list[int]) -> int:
    weighted = sum((position + 2) * value for position, value in enumerate(values))
    return -weighted % len(PSEUDONYM_CHARACTERS)


@lru_cache(maxsize=PATIENT_CACHE_MAX)
def shift_days(key: bytes, issuer: str, patient_id: str) -> int:
    """Return by how many days the dates of a patient move: one to ten years back, the same for all of that patient."""
    digest = hmac.digest(key, b"\x00".join((issuer.encode("utf-8"), patient_id.encode("utf-8"))), hashlib.sha256)
    return -(SHIFT_DAYS_MIN + int.from_bytes(digest[:8]) % (SHIFT_DAYS_MAX - SHIFT_DAYS_MIN + 1))


def shift_date(value: bytes, days: int) -> bytes | None:
    """Return a DA or DT value moved by `days`, or None when it does not begin with a date.

    The time of day and the offset from UTC of a DT stay. Of several values each is moved.
    """
    return (_shifted if len(value) <= DATE_BYTES_KEPT else _shifted.__wrapped__)(value, days)


@lru_cache(maxsize=DATE_CACHE_MAX)  # the slices of a series have the same
def _shifted(value: bytes, days: int) -> bytes | None:
    shifted: list[bytes] = []
    for part in value.strip(PADDING).split(b"\\"):
        bare = part.strip(PADDING)
        found = _DATE.match(bare)
        if not bare or found is None:
            return None
        try:
            year, month, day = (int(number) for number in found.groups())
            moved = date(year, month, day) + timedelta(days=days)
        except (ValueError, OverflowError):
            return None
        if not _REST.fullmatch(bare, found.end()):
            return None
        shifted.append(b"%04d%02d%02d" % (moved.year, moved.month, moved.day) + bare[found.end() :])
    return b"\\".join(shifted)
