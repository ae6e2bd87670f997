"""What a C-MOVE or C-GET asks for: its identifier read against its information model (PS3.4 C.4.2.1.4, C.4.3.1.3). Pure.

At the level of the request a list of UIDs may stand; above it one value each. A Patient ID above the level is optional
here, as most systems leave it out, but must be right when it is given.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.vocabulary.limits import Limits
from kernel.errors import IdentifierMismatch, InvalidQuery, LimitExceeded

Level = Literal["PATIENT", "STUDY", "SERIES", "IMAGE"]
Root = Literal["patient", "study", "patient-study", "composite"]

IDENTIFIER_BYTES_MAX: Final = 1024 * 1024  # some 16,000 UIDs
UIDS_MAX: Final = 10_000  # named in one request
_LIMITS: Final = Limits(header_bytes_max=IDENTIFIER_BYTES_MAX)

# Information models (PS3.4 C.6, C.7, Y.6): abstract syntax -> root. Patient/Study Only is retired, and still asked for.
MOVE_MODELS: Final[Mapping[str, Root]] = {
    "1.2.840.10008.5.1.4.1.2.1.2": "patient",
    "1.2.840.10008.5.1.4.1.2.2.2": "study",
    "1.2.840.10008.5.1.4.1.2.3.2": "patient-study",
    "1.2.840.10008.5.1.4.1.2.4.2": "composite",
}
GET_MODELS: Final[Mapping[str, Root]] = {
    "1.2.840.10008.5.1.4.1.2.1.3": "patient",
    "1.2.840.10008.5.1.4.1.2.2.3": "study",
    "1.2.840.10008.5.1.4.1.2.3.3": "patient-study",
    "1.2.840.10008.5.1.4.1.2.4.3": "composite",
}
LEVELS: Final[Mapping[Root, tuple[Level, ...]]] = {
    "patient": ("PATIENT", "STUDY", "SERIES", "IMAGE"),
    "study": ("STUDY", "SERIES", "IMAGE"),
    "patient-study": ("PATIENT", "STUDY"),
    "composite": ("IMAGE",),
}
# Level -> tag and keyword of its unique key.
KEYS: Final[Mapping[Level, tuple[int, str]]] = {
    "PATIENT": (0x00100020, "PatientID"),
    "STUDY": (0x0020000D, "StudyInstanceUID"),
    "SERIES": (0x0020000E, "SeriesInstanceUID"),
    "IMAGE": (0x00080018, "SOPInstanceUID"),
}
_LEVEL: Final = 0x00080052
_UID_CHARACTERS: Final = frozenset("0123456789.")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for: everything under the values of the lowest level that has some."""

    level: Level
    patient_id: str = ""
    study_instance_uids: tuple[str, ...] = ()
    series_instance_uids: tuple[str, ...] = ()
    sop_instance_uids: tuple[str, ...] = ()


def read_wanted(data_set: bytes, transfer_syntax_uid: str, root: Root) -> Wanted:
    """Read the identifier of a retrieval.

    Raises
    ------
    IdentifierMismatch
        No level of this model, a unique key missing, or several values above the level.
    MalformedInstance
        No data set.
    LimitExceeded
        More than `UIDS_MAX` UIDs.
    """
    header = scan(data_set, transfer_syntax_uid, limits=_LIMITS)
    level = _level_of(header, root)
    values: dict[Level, tuple[str, ...]] = {}
    levels = LEVELS[root]
    for one in levels[: levels.index(level) + 1]:
        values[one] = _values(header, one, listed=one == level)
        if not values[one] and (one == level or one != "PATIENT"):
            raise IdentifierMismatch(reason=f"{KEYS[one][1]} is missing at level {level}")
    return Wanted(
        level,
        next(iter(values.get("PATIENT", ())), ""),
        values.get("STUDY", ()),
        values.get("SERIES", ()),
        values.get("IMAGE", ()),
    )


def _level_of(header: Header, root: Root) -> Level:
    text = header.raw(_LEVEL).decode("ascii", "replace").strip(" \0")
    for level in LEVELS[root]:
        if level == text:
            return level
    raise IdentifierMismatch(reason=f"its Query/Retrieve Level is none of {', '.join(LEVELS[root])}")


def _values(header: Header, level: Level, *, listed: bool) -> tuple[str, ...]:
    tag, keyword = KEYS[level]
    raw = header.raw(tag)
    if level == "PATIENT":  # LO, of which a backslash separates values: there is one
        return tuple(filter(None, (raw.decode("utf-8", "replace").strip(" \0"),)))
    values = tuple(filter(None, (part.strip(" \0") for part in raw.decode("ascii", "replace").split("\\"))))
    if len(values) > UIDS_MAX:
        raise LimitExceeded(limit="UIDS_MAX", value=len(values), bound=UIDS_MAX)
    if len(values) > 1 and not listed:
        raise IdentifierMismatch(reason=f"{keyword} has several values above the level of the request")
    if not all(len(value) <= 64 and _UID_CHARACTERS.issuperset(value) for value in values):
        raise InvalidQuery(reason=f"{keyword} is not a UID")
    return tuple(dict.fromkeys(values))
