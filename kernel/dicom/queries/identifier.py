"""Identifiers (PS3.4 C.4.1.1.3): keys to match and attributes to return, as trees of tags over DICOM JSON objects. Pure.

A sequence is matched by the keys of its one item, all of them in the same item of the entity (C.2.2.2.6). Times are
matched together with their dates when that was agreed on (C.2.2.2.5.3). Requests of QIDO-RS and of C-FIND both become
an `Identifier`; what searches by SQL takes out of `keys` what it has columns for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

from kernel.dicom.queries.key_text import parse_key
from kernel.dicom.queries.matching import (
    USUAL,
    AllOf,
    AnyOf,
    Combined,
    Exact,
    Match,
    Moments,
    Range,
    Rules,
    Universal,
    matches_any,
)
from kernel.dicom.vocabulary.dictionary import BULK_VRS, KEYWORD_OF, TAG_OF, VR_OF
from kernel.dicom.vocabulary.moments import without_offset
from kernel.errors import InvalidQuery

KEYS_MAX: Final = 512  # keys of one identifier, those in sequences too
DEPTH_MAX: Final = 8  # sequences in sequences
_NUMERIC: Final = frozenset({"DS", "IS", "US", "SS", "UL", "SL", "UV", "SV", "FL", "FD"})

Model = dict[str, Any]  # a DICOM JSON object
Tree = Mapping[int, "Match | Tree"]
Wanted = Mapping[int, "Wanted | None"]  # None: the whole attribute

# Each date and its time: StudyDate and StudyTime, ContentDate and ContentTime, ...
TIME_OF: Final[Mapping[int, str]] = {
    tag: time
    for tag, keyword in KEYWORD_OF.items()
    if keyword.endswith("Date")
    and VR_OF[tag] == "DA"
    and VR_OF.get(TAG_OF.get(time := f"{keyword[:-4]}Time", 0)) == "TM"
}


@dataclass(frozen=True, slots=True)
class Identifier:
    """What is asked for. Keys that match everything are only in `wanted`."""

    keys: Tree
    wanted: Wanted
    unsupported: frozenset[int] = frozenset()  # keys that cannot be matched or returned; they are left out


def of_model(model: Model, rules: Rules = USUAL) -> Identifier:
    """Return the identifier of a request that is a DICOM JSON object.

    Raises
    ------
    InvalidQuery
        A value is no key of its VR, or there are more than `KEYS_MAX` or deeper than `DEPTH_MAX`.
    """
    if _count(model) > KEYS_MAX:
        raise InvalidQuery(reason=f"more than {KEYS_MAX} keys")
    keys, wanted, unsupported = _level(model, rules, 0)
    return Identifier(keys, wanted, frozenset(unsupported))


def of_paths(paths: Iterable[tuple[Sequence[int], str]], rules: Rules = USUAL) -> Tree:
    """Return the tree of matching keys, each the tags from the outermost sequence inwards and its text.

    Raises
    ------
    InvalidQuery
        As `of_model`; or one path names both a sequence and something in it.
    """
    model: Model = {}
    for path, text in paths:
        if len(path) > DEPTH_MAX:
            raise InvalidQuery(reason=f"sequences deeper than {DEPTH_MAX}")
        level = model
        for tag in path[:-1]:
            if VR_OF.get(tag) != "SQ":
                raise InvalidQuery(reason=f"{KEYWORD_OF.get(tag, 'one of the keys')} is no sequence")
            level = level.setdefault(f"{tag:08X}", {"vr": "SQ", "Value": [{}]})["Value"][0]
        tag = path[-1]
        if _vr(tag) == "SQ":
            raise InvalidQuery(reason=f"{KEYWORD_OF[tag]}: a sequence is matched by the attributes in it")
        level[f"{tag:08X}"] = {"vr": _vr(tag), "Value": [text]}
    identifier = of_model(model, rules)
    if identifier.unsupported:
        names = ", ".join(sorted(KEYWORD_OF.get(tag, "a private attribute") for tag in identifier.unsupported))
        raise InvalidQuery(reason=f"{names} cannot be matched")
    return identifier.keys


def combined(keys: Tree) -> Tree:
    """Return the keys with each range of dates and the like range of its times put together, at every depth.

    Ranges of different forms, such as days from and to with times from, are matched apart (C.2.2.2.5.3).
    """
    together: dict[int, Match | Tree] = {
        tag: combined(key) if isinstance(key, Mapping) else key for tag, key in keys.items()
    }
    for tag, time_keyword in TIME_OF.items():
        days, times = together.get(tag), together.get(TAG_OF[time_keyword])
        if isinstance(days, Range) and isinstance(times, Range) and _same_form(days, times):
            lower = days.lower and days.lower + (times.lower or "")
            upper = days.upper and days.upper + (times.upper or "")
            together[tag] = Combined(time_keyword, Range(lower, upper))
            del together[TAG_OF[time_keyword]]
    return together


def _same_form(days: Range, times: Range) -> bool:
    """Return whether both are ranges open at the same end, or at none: only these are one interval (C.2.2.2.5.3)."""
    return not times.is_value and (
        (days.lower is None, days.upper is None) == (times.lower is None, times.upper is None)
    )


def fits(keys: Tree, model: Model) -> bool:
    """Return whether an entity, as a DICOM JSON object, matches every key."""
    return all(_fits(tag, key, model) for tag, key in keys.items())


def chosen(wanted: Wanted, keys: Tree, model: Model) -> Model:
    """Return the wanted attributes of an entity, empty where it has none; of sequences the items that match."""
    found: Model = {}
    for tag, inner in sorted(wanted.items()):
        name = f"{tag:08X}"
        element = model.get(name)
        if inner is None or element is None or element["vr"] != "SQ":
            found[name] = element or {"vr": _vr(tag)}
            continue
        inner_keys = keys.get(tag, {})
        inner_keys = inner_keys if isinstance(inner_keys, Mapping) else {}
        items = [chosen(inner, inner_keys, item) for item in element.get("Value", ()) if fits(inner_keys, item)]
        found[name] = {"vr": "SQ", "Value": items} if items else {"vr": "SQ"}
    return found


def texts(element: Mapping[str, Any] | None) -> list[str]:
    """Return the values of an attribute as texts; a name with its component groups, a missing value as an empty one."""
    return [] if element is None else [_text(value) for value in element.get("Value", ())]


# --- a request ------------------------------------------------------------------------------------------------------


def _count(model: Model) -> int:
    inside = (item for element in model.values() if element["vr"] == "SQ" for item in element.get("Value", ()))
    return len(model) + sum(_count(item) for item in inside)


def _level(model: Model, rules: Rules, depth: int) -> tuple[Tree, Wanted, set[int]]:
    if depth > DEPTH_MAX:
        raise InvalidQuery(reason=f"sequences deeper than {DEPTH_MAX}")
    keys: dict[int, Match | Tree] = {}
    wanted: dict[int, Wanted | None] = {}
    unsupported: set[int] = set()
    for name, element in model.items():
        tag, vr = int(name, 16), element["vr"]
        if tag not in VR_OF or vr in BULK_VRS or (vr == "SQ") != (_vr(tag) == "SQ"):
            unsupported.add(tag)
            continue
        if vr != "SQ":
            wanted[tag] = None
            match = parse_key(KEYWORD_OF.get(tag, name), vr, "\\".join(texts(element)), rules)
            if not isinstance(match, Universal):
                keys[tag] = match
            continue
        item = next(iter(element.get("Value", ())), None)
        inner_keys, inner_wanted, inside = _level(item or {}, rules, depth + 1)
        wanted[tag] = inner_wanted or None
        unsupported |= {tag} if inside else set()
        if inner_keys:
            keys[tag] = inner_keys
    return keys, wanted, unsupported


# --- an entity ------------------------------------------------------------------------------------------------------


def _fits(tag: int, key: "Match | Tree", model: Model) -> bool:
    element = model.get(f"{tag:08X}")
    if isinstance(key, Mapping):
        items = (element or {}).get("Value", ())  # of whatever VR who sent it gave the sequence
        return any(fits(key, item) for item in items if isinstance(item, dict))
    if isinstance(key, Combined):
        times = texts(model.get(f"{TAG_OF[key.time_keyword]:08X}")) or [""]
        return matches_any(key.within, [day + time for day in texts(element) for time in times[:1]])
    vr = element["vr"] if element else _vr(tag)
    if vr in _NUMERIC:
        return matches_any(_numeric(key), [_number(text) for text in texts(element)])
    if vr == "DT" and not isinstance(key, Moments):  # a key without an offset is of the same zone as the value
        return matches_any(key, [without_offset(text)[0] for text in texts(element)])
    return matches_any(key, texts(element), name=vr == "PN")


def _vr(tag: int) -> str:
    return VR_OF.get(tag, "UN")[:2]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        name = cast("dict[str, Any]", value)
        return "=".join(str(name.get(part, "")) for part in ("Alphabetic", "Ideographic", "Phonetic")).rstrip("=")
    return "" if value is None else str(value)


def _numeric(match: Match) -> Match:
    match match:
        case Exact(value=value):
            return Exact(_number(value))
        case AnyOf(values=values):
            return AnyOf(tuple(map(_number, values)))
        case AllOf(values=values):
            return AllOf(tuple(map(_number, values)))
        case _:
            return match


def _number(text: str) -> str:
    """Return one text for every spelling of a number: 7, 07 and 7.0."""
    try:
        return format(float(text), ".12g")
    except ValueError:
        return text
