"""A profile made ready for one kind of instance: a number for every tag that the standard knows.

Conditional codes are decided by the IOD of the SOP class at the top level, and by the sequence that holds it for a
nested attribute. Beyond Table E.1-1, whatever may name a person, a place or an instance by its very kind is treated
too (`_beyond`). Tags that are not in the result are not known to the standard: the engine drops them.
"""

from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final

from anonymizer.profiles.actions import Action, resolve
from anonymizer.profiles.content_items import Overlay, overlay_of
from anonymizer.profiles.dummies import TEXT_VRS
from anonymizer.profiles.profile import SITE, Profile, Rule, table
from kernel.dicom.scanning.elements import Item
from kernel.dicom.vocabulary.dictionary import KEYWORD_OF, VR_OF

PATIENT_NAME, PATIENT_ID, PATIENT_AGE = 0x00100010, 0x00100020, 0x00101010
ICC_PROFILE: Final = 0x00282000
TABLES_MAX: Final = 64  # SOP classes and profiles whose tables are kept

# UIDs that name a kind of thing, not a thing: SOP classes, transfer syntaxes, coding schemes, context groups.
_DEFINING: Final = frozenset({
    0x00080016, 0x0008001A, 0x0008001B, 0x00080062, 0x0008010C, 0x0008010D, 0x00080117, 0x00080118, 0x0008040E,
    0x00081150, 0x0008115A, 0x00083002, 0x00340003, 0x04000010, 0x04000510, 0x30100052, 0x30100053,
})  # fmt: skip
_HARMLESS_URLS: Final = frozenset({0x0008010E, 0x00080120})  # of a coding scheme; a coded URN
_DROPPED: Final = frozenset(
    {
        0x04000500,  # Encrypted Attributes Sequence: the identity itself, sealed for somebody else
        0x4FFE0001,  # MAC Parameters Sequence: of signatures that no longer hold
        0xFFFAFFFA,
        0xFFFCFFFC,
    }
)
# What the table forgot, or left because it is retired: people, places, order numbers, comments in free text.
_NAMING: Final = frozenset({
    0x00100024, 0x00100026, 0x00100027, 0x00100033, 0x00100034, 0x00102294, 0x00102295, 0x00102296, 0x00321031, 0x00321034,
    0x00400400, 0x00401006, 0x00401007, 0x00402006, 0x00402007, 0x0040A16A, 0x0040A224, 0x0040A33A, 0x0040A992, 0x0040E001,
})  # fmt: skip
_GROUPS_DROPPED: Final = frozenset({0x0038, 0x4000, 0x4008})  # visit; results and interpretation (retired)
_KINDS_DROPPED: Final = frozenset({"PN", "DA", "TM", "DT", "AE", "UR"})
_OWN: Final = frozenset({0x00120062, 0x00120063, 0x00120064, 0x00280303})  # written anew by the engine
_BY_CLEANERS: Final[Mapping[str, Action]] = {
    "clean_structured_content": Action.STRUCTURED,
    "clean_graphics": Action.GRAPHICS,
}
_OF_DESCRIPTORS: Final = frozenset({0x00400275})  # Request Attributes: descriptions, codes and numbers, each with a row
_OF_TEXT: Final = frozenset({"clean_descriptors", "retain_patient_characteristics", SITE})
_IDENTITY: Final[Mapping[int, Action]] = {PATIENT_ID: Action.PATIENT_ID, PATIENT_NAME: Action.PATIENT_NAME}
_BY_VALUE: Final[Mapping[int, Action]] = {PATIENT_AGE: Action.AGE, ICC_PROFILE: Action.COLORS}  # that are kept
_OF_A_SITE: Final[Mapping[str, Action]] = {"REPLACE": Action.REPLACE, "HASH": Action.HASH}


class ActionTable:
    """Actions by tag: at the top level of one kind of instance, and in the items of a sequence."""

    __slots__ = (
        "_by_overlay",
        "_by_parent",
        "_inside",
        "_nested",
        "fallback",
        "options",
        "safe_private",
        "top",
        "values",
    )

    def __init__(self, profile: Profile, types: Mapping[str, str] | None, modality: str) -> None:
        rules = dict(_single(profile, modality))
        self.top: Mapping[int, Action] = _actions(profile, rules, types)
        self.fallback: Mapping[int, Action] = {  # for what reads a value, when it cannot be cleaned
            tag: resolve(rule.basic, (types or {}).get(f"{tag:08X}"), iod_known=types is not None)
            for tag, rule in rules.items()
        }
        self.values: Mapping[int, str] = {tag: rule.value for tag, rule in rules.items() if rule.value is not None}
        self.options = profile.options
        self.safe_private = "retain_safe_private" in profile.options
        self._inside, self._nested = _nested(profile, modality)
        self._by_parent: dict[int, Mapping[int, Action]] = {}
        self._by_overlay: dict[tuple[int, Overlay], Mapping[int, Action]] = {}

    def inside(self, parent: int) -> Mapping[int, Action]:
        """Return the actions for the items of the sequence `parent`."""
        special = self._nested.get(parent)
        if special is None:
            return self._inside
        if parent not in self._by_parent:
            self._by_parent[parent] = {**self._inside, **special}
        return self._by_parent[parent]

    def of_item(self, parent: int, item: Item, view: memoryview) -> Mapping[int, Action]:
        """Return the actions for one item of a sequence of content items: what it is about decides, too."""
        overlay = overlay_of(item, view, self.options)
        key = parent, overlay
        if key not in self._by_overlay:
            self._by_overlay[key] = {**self.inside(parent), **dict(overlay)}
        return self._by_overlay[key]


def compiled(profile: Profile, sop_class_uid: str, modality: str = "") -> ActionTable:
    """Return the actions of `profile` for instances of a SOP class and modality; kept for the next of their kind."""
    iod = table("iod_types.json")["sop_classes"].get(sop_class_uid, "")
    return _compiled(profile, iod, modality if modality in profile.by_modality else "")


def type_of(sop_class_uid: str, tag: int, parent: int = 0) -> str:
    """Return the Type of an attribute with a conditional code, in words: at the top level, or in a sequence."""
    types = table("iod_types.json")
    if parent:
        return types["nested"].get(f"{parent:08X}", {}).get(f"{tag:08X}", "3 or none")
    known = _types_of_iods().get(types["sop_classes"].get(sop_class_uid, ""))
    return "unknown" if known is None else known.get(f"{tag:08X}", "3 or none")


@lru_cache(maxsize=TABLES_MAX)
def _compiled(profile: Profile, iod: str, modality: str) -> ActionTable:
    return ActionTable(profile, _types_of_iods().get(iod), modality)


@lru_cache(maxsize=TABLES_MAX)
def _nested(profile: Profile, modality: str) -> tuple[Mapping[int, Action], Mapping[int, Mapping[int, Action]]]:
    """Return the actions in any sequence, and what differs in some because PS3.3 demands a value there."""
    rules = dict(_single(profile, modality))
    parents: Mapping[str, Mapping[str, str]] = table("iod_types.json")["nested"]
    special = {
        int(parent, 16): {
            tag: _action(tag, rules[tag], kind, iod_known=True)
            for tag, kind in ((int(text, 16), kind) for text, kind in kinds.items())
        }
        for parent, kinds in parents.items()
    }
    return _actions(profile, rules, {}), special


def _single(profile: Profile, modality: str) -> Iterator[tuple[int, Rule]]:
    """Yield the rules for single tags; the engine drops repeating groups whole, and private ones as `private` says."""
    rules = {**profile.rules, **profile.by_modality.get(modality, {})}
    return ((int(text, 16), rule) for text, rule in rules.items() if "x" not in text and text != "PRIVATE")


def _actions(profile: Profile, rules: Mapping[int, Rule], types: Mapping[str, str] | None) -> dict[int, Action]:
    known = types is not None
    actions = {tag: _action(tag, rule, (types or {}).get(f"{tag:08X}"), iod_known=known) for tag, rule in rules.items()}
    beyond = _beyond(retain_uids="retain_uids" in profile.options)
    return {**beyond, **actions, **dict.fromkeys(_OWN | _DROPPED, Action.REMOVE)}


@cache
def _types_of_iods() -> Mapping[str, Mapping[str, str]]:
    rows: list[dict[str, Any]] = table("iod_types.json")["iods"]
    return {row["iod"]: row["types"] for row in rows}


def _action(tag: int, rule: Rule, kind: str | None, *, iod_known: bool) -> Action:
    if tag in _IDENTITY:
        return _IDENTITY[tag]
    if rule.code == "K" and tag in _BY_VALUE:
        return _BY_VALUE[tag]
    if rule.code in _OF_A_SITE:
        return _OF_A_SITE[rule.code]
    cleaning = _cleaning(tag, rule.option) if rule.code == "C" else None
    if cleaning is not None:
        return cleaning
    return resolve(rule.basic if rule.code == "C" else rule.code, kind, iod_known=iod_known)


def _cleaning(tag: int, option: str | None) -> Action | None:
    """Return how an option cleans an attribute; None when it cannot be cleaned, so that the Basic Profile applies."""
    vr = VR_OF.get(tag, "")
    if option in _BY_CLEANERS:
        return _BY_CLEANERS[option]
    if option == "retain_modified_dates":
        if vr in {"TM", "SH"}:
            return Action.TIME
        if vr in {"DA", "DT", ""}:
            return Action.SHIFT
    if option in _OF_TEXT and vr in TEXT_VRS:
        return Action.CLEAN
    if option == "clean_descriptors" and tag in _OF_DESCRIPTORS:
        return Action.KEEP
    return None


@cache
def _beyond(*, retain_uids: bool) -> Mapping[int, Action]:
    """Return what happens to the attributes that Table E.1-1 does not name."""
    return dict(_beyond_rows(retain_uids=retain_uids))


def _beyond_rows(*, retain_uids: bool) -> Iterator[tuple[int, Action]]:
    for tag, vr in VR_OF.items():
        group, number = tag >> 16, tag & 0xFFFF
        if (
            group <= 6
            or number == 0
            or group in _GROUPS_DROPPED
            or tag in _NAMING
            or tag not in KEYWORD_OF  # taken back by the standard: nobody knows what is in it
            or (vr in _KINDS_DROPPED and tag not in _HARMLESS_URLS)
        ):
            yield tag, Action.REMOVE
        elif vr == "UI" and tag not in _DEFINING and not retain_uids:
            yield tag, Action.UID
        elif tag == ICC_PROFILE:
            yield tag, Action.COLORS
        else:
            yield tag, Action.KEEP
