"""What a C-FIND asks for: its identifier read against its information model, and what was agreed on (PS3.4 C.4.1, C.5.1).

Pure. Hierarchical queries name one entity of each level above theirs; relational ones need not. Keys of a level below the
query's are not supported and left out, of which the pending status tells (FF01).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

from gateway.dimse.scp.retrieve_identifier import KEYS, LEVELS, Root
from kernel.dicom.queries.identifier import Identifier, Model, Tree, Wanted, combined, of_model, texts
from kernel.dicom.queries.matching import Exact, Rules
from kernel.dicom.queries.timezone import in_zone, parse_offset
from kernel.dicom.vocabulary.dictionary import TAG_OF
from kernel.dicom.vocabulary.levels import NOT_KEPT, Level, is_of
from kernel.errors import IdentifierMismatch

# Information models (PS3.4 C.6, C.7). Patient/Study Only is retired, and still asked for.
FIND_MODELS: Final[Mapping[str, Root]] = {
    "1.2.840.10008.5.1.4.1.2.1.1": "patient",
    "1.2.840.10008.5.1.4.1.2.2.1": "study",
    "1.2.840.10008.5.1.4.1.2.3.1": "patient-study",
}
LEVEL_OF: Final[Mapping[str, Level]] = {"PATIENT": "patient", "STUDY": "study", "SERIES": "series", "IMAGE": "instance"}
LEVEL_TAG: Final = TAG_OF["QueryRetrieveLevel"]
RETRIEVE_AE_TITLE: Final = TAG_OF["RetrieveAETitle"]
ZONE: Final = TAG_OF["TimezoneOffsetFromUTC"]
_CHARACTER_SET: Final = TAG_OF["SpecificCharacterSet"]
_CONTROL: Final = frozenset({LEVEL_TAG, _CHARACTER_SET, ZONE, RETRIEVE_AE_TITLE})  # they say how, or are told anyway

# Bytes of the extended negotiation, in order (PS3.4 table C.5-1)
Matching = Literal["relational", "combines", "fuzzy", "zones", "multiframe", "empty", "multiple"]
BYTES: Final[tuple[Matching, ...]] = ("relational", "combines", "fuzzy", "zones", "multiframe", "empty", "multiple")
SUPPORTED: Final = frozenset(BYTES) - {"multiframe"}


def extend(information: bytes) -> bytes:
    """Return what is agreed to of a requestor's service-class-application-information (PS3.4 C.5.1.1)."""
    asked = zip(BYTES, information, strict=False)
    return bytes(value == 1 and name in SUPPORTED for name, value in asked)


@dataclass(frozen=True, slots=True)
class FindRequest:
    """A C-FIND in our words."""

    level: Level
    keys: Tree
    wanted: Wanted  # without what every answer has
    all_supported: bool  # whether every key of the identifier is matched and answered
    zone_minutes: int | None  # east of UTC, in which dates and times are asked for and told; None: the archive's own


def read_find(model: Model, root: Root, extended: bytes, archive_zone_minutes: int) -> FindRequest:
    """Read the identifier of a C-FIND, a DICOM JSON object.

    Parameters
    ----------
    extended
        What was agreed on, as `extend` made it; empty: nothing.

    Raises
    ------
    IdentifierMismatch
        No level of this model, or a hierarchical query without one entity of each level above.
    InvalidQuery
        A value that is no key of its VR, or too many keys.
    """
    agreed = {name for name, value in zip(BYTES, extended, strict=False) if value}
    rules = Rules(fuzzy="fuzzy" in agreed, empty="empty" in agreed, multiple="multiple" in agreed)
    asked = {name: one for name, one in model.items() if int(name, 16) not in _CONTROL}
    level = _level_of(model, root)
    unusable = {name for name in asked if not is_of(int(name, 16), LEVEL_OF[level]) or int(name, 16) in NOT_KEPT}
    identifier = of_model({name: one for name, one in asked.items() if name not in unusable}, rules)
    if "relational" not in agreed:
        _check_above(identifier, LEVELS[root], level)
    keys = combined(identifier.keys) if "combines" in agreed else identifier.keys
    zone_minutes = parse_offset(_first(model, ZONE)) if "zones" in agreed else None
    if zone_minutes is not None:
        keys = in_zone(keys, zone_minutes - archive_zone_minutes)
    wanted = dict(identifier.wanted)
    if ZONE in map(_tag, model) and zone_minutes is None:
        wanted[ZONE] = None
    return FindRequest(
        LEVEL_OF[level],
        keys,
        wanted,
        not unusable and not identifier.unsupported,
        zone_minutes,
    )


def _level_of(model: Model, root: Root) -> Literal["PATIENT", "STUDY", "SERIES", "IMAGE"]:
    text = _first(model, LEVEL_TAG)
    for level in LEVELS[root]:
        if level == text:
            return level
    raise IdentifierMismatch(reason=f"its Query/Retrieve Level is none of {', '.join(LEVELS[root])}")


def _check_above(
    identifier: Identifier, levels: tuple[Literal["PATIENT", "STUDY", "SERIES", "IMAGE"], ...], level: str
) -> None:
    for above in levels[: levels.index(level)]:  # pyright: ignore[reportArgumentType] (it is one of them)
        tag, keyword = KEYS[above]
        if not isinstance(identifier.keys.get(tag), Exact):
            raise IdentifierMismatch(reason=f"at level {level} it must name one {keyword}")


def _tag(name: str) -> int:
    return int(name, 16)


def _first(model: Model, tag: int) -> str:
    return next(iter(texts(model.get(f"{tag:08X}"))), "")
