"""Matching keys as values (PS3.4 C.2.2.2): what a C-FIND identifier or a QIDO parameter asks for, parsed once.

Searching rooms turn a `Match` into SQL; `matches` says in memory what it means. Names are compared as the standard
allows (C.2.2.2.1): without regard to case and accents, by `names.fold`. Keys of whole data sets, with their sequences,
are in `identifier`.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from kernel.dicom.moments import moved, without_offset
from kernel.dicom.names import fold
from kernel.dicom.uids import check_uid
from kernel.errors import InvalidQuery, Refused

KEY_CHARACTERS_MAX: Final = 256  # of one key; UID lists have their own bound
LIST_VALUES_MAX: Final = 1000

_WILD: Final = frozenset({"AE", "CS", "LO", "LT", "PN", "SH", "ST", "UC", "UR", "UT"})  # PS3.4 C.2.2.2.4
_UNSPLIT: Final = frozenset({"LT", "ST", "UT", "UR"})  # a backslash is a character of theirs
WORDS_MAX: Final = 8
EMPTY_VALUE: Final = '""'  # C.2.2.2.7
_RANGED: Final = {
    "DA": re.compile(r"\d{8}"),
    "TM": re.compile(r"\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?"),
    "DT": re.compile(r"\d{4}(\d{2}(\d{2}(\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?)?)?"),
}
_TIME_END: Final = "235959.999999"
_MOMENT_END: Final = "99991231235959.999999"


@dataclass(frozen=True, slots=True)
class Universal:
    """Everything matches, also an absent value (C.2.2.2.3)."""


@dataclass(frozen=True, slots=True)
class Exact:
    """One value (C.2.2.2.1)."""

    value: str


@dataclass(frozen=True, slots=True)
class AnyOf:
    """One of a list (C.2.2.2.2)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wildcard:
    """`*` for any characters, `?` for exactly one (C.2.2.2.4)."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Range:
    """From `lower` to `upper`, both included, None where open (C.2.2.2.5). Bounds compare as texts with stored values.

    A time of less precision is spread over what it covers: 10 is 10 to 105959.999999.
    """

    lower: str | None
    upper: str | None


@dataclass(frozen=True, slots=True)
class AllOf:
    """Every one of these among the attribute's values (C.2.2.2.8)."""

    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Empty:
    """No value, or no such attribute (C.2.2.2.7)."""


@dataclass(frozen=True, slots=True)
class Words:
    """Fuzzy semantic matching of names (C.2.2.2.1.1): each folded word is in the folded name, in any order."""

    words: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Combined:
    """Of a date, together with its time: one interval (C.2.2.2.5.3). Bounds are DA and TM put together."""

    time_keyword: str
    within: Range

    @property
    def days(self) -> Range:
        """The dates that can match, which an index of dates answers."""
        lower, upper = self.within.lower, self.within.upper
        return Range(lower and lower[:8], upper and upper[:8])


@dataclass(frozen=True, slots=True)
class Moments:
    """A range of DT whose bounds say their offset from UTC: `within` is in UTC. A value without one is of the same zone."""

    within: Range
    zone_minutes: int  # east of UTC


Match = Universal | Exact | AnyOf | AllOf | Wildcard | Range | Empty | Words | Combined | Moments


@dataclass(frozen=True, slots=True)
class Rules:
    """Which kinds of matching were agreed on beside the usual ones (C.5.1.1.1; PS3.18 8.3.4)."""

    fuzzy: bool = False
    empty: bool = False
    multiple: bool = False  # several values mean all of them, not any


USUAL: Final = Rules()


def parse_key(keyword: str, vr: str, text: str, rules: Rules = USUAL) -> Match:
    """Return what a matching key asks for.

    Raises
    ------
    InvalidQuery
        The text is no key of this VR. The message names the keyword only: a key may be a patient's name.
    """
    text = text.strip(" \0")
    if not text or text == "*":
        return Universal()
    if vr == "SQ":
        raise _invalid(keyword, "a sequence is matched by the attributes in it")
    if rules.empty and text == EMPTY_VALUE:
        return Empty()
    if vr in _RANGED:
        return _moments(keyword, text) if vr == "DT" else _range(keyword, vr, text)
    if vr == "PN" and rules.fuzzy:
        return words(keyword, text)
    if vr not in _UNSPLIT and ("\\" in text or (vr == "UI" and "," in text)):
        listed = _list(keyword, vr, text)
        return AllOf(listed.values) if rules.multiple and vr != "UI" and isinstance(listed, AnyOf) else listed
    return _single(keyword, vr, text)


def words(keyword: str, text: str) -> Match:
    """Return the match of a name of which words are known, in any order.

    Raises
    ------
    InvalidQuery
        The text is too long.
    """
    if len(text) > KEY_CHARACTERS_MAX:
        raise _invalid(keyword, f"more than {KEY_CHARACTERS_MAX} characters")
    found = tuple(dict.fromkeys(word for word in re.split(r"[\s^=,*?\\]+", fold(text)) if word))[:WORDS_MAX]
    return Words(found) if found else Universal()


def _invalid(keyword: str, reason: str) -> InvalidQuery:
    return InvalidQuery(reason=f"{keyword}: {reason}")


def _single(keyword: str, vr: str, text: str) -> Match:
    if len(text) > KEY_CHARACTERS_MAX:
        raise _invalid(keyword, f"more than {KEY_CHARACTERS_MAX} characters")
    if vr == "UI":
        try:
            return Exact(check_uid(text, keyword))
        except Refused:
            raise _invalid(keyword, "not a UID") from None
    if vr in _WILD and ("*" in text or "?" in text):
        return Wildcard(re.sub(r"\*{2,}", "*", text))
    return Exact(text)


def _list(keyword: str, vr: str, text: str) -> Match:
    parts = [part.strip() for part in re.split(r"[\\,]" if vr == "UI" else r"\\", text)]
    if len(parts) > LIST_VALUES_MAX:
        raise _invalid(keyword, f"more than {LIST_VALUES_MAX} values")
    values: list[str] = []
    for part in dict.fromkeys(part for part in parts if part):
        match _single(keyword, vr, part):
            case Exact(value=value):
                values.append(value)
            case _:
                raise _invalid(keyword, "no wildcard in a list")
    return AnyOf(tuple(values)) if values else Universal()


def _range(keyword: str, vr: str, text: str) -> Match:
    moment = _RANGED[vr].pattern
    text = text.replace(" ", "")  # some write `20260101 - 20260131`
    found = re.fullmatch(rf"(?P<one>{moment})|(?P<from>{moment})?-(?P<to>{moment})?", text)
    if found is None or len(text) > KEY_CHARACTERS_MAX or text == "-":
        raise _invalid(keyword, f"neither a {vr} nor a range of them")
    if one := found["one"]:
        return Exact(one) if vr == "DA" else Range(_since(vr, one), _until(vr, one))
    lower, upper = found["from"], found["to"]
    # 2330-0030 is an interval together with its dates (`identifier.combined`), and matches nothing without them
    if lower and upper and vr != "TM" and lower > _until(vr, upper):
        raise _invalid(keyword, "a range that ends before it begins")
    return Range(_since(vr, lower) if lower else None, _until(vr, upper) if upper else None)


def _moments(keyword: str, text: str) -> Match:
    """Return a range of DT. A hyphen before four digits at an end is an offset west of UTC only after a whole date."""
    moment, zone = _RANGED["DT"].pattern, r"(?:[+]\d{4}|(?<=\d{8})-(?:0\d|1[0-2])[0-5]\d)"
    side = rf"{moment}{zone}?"
    found = re.fullmatch(rf"(?P<one>{side})|(?P<from>{side})?-(?P<to>{side})?", text.replace(" ", ""))
    if found is None or len(text) > KEY_CHARACTERS_MAX or text == "-":
        raise _invalid(keyword, "neither a DT nor a range of them")
    (lower, west), (upper, east) = (without_offset(found["one"] or found[side] or "") for side in ("from", "to"))
    plain = _range(keyword, "DT", lower if found["one"] else f"{lower}-{upper}")
    zone_minutes = west if east is None else east
    if zone_minutes is None or not isinstance(plain, Range):
        return plain
    bounds = (
        moved(plain.lower, -(zone_minutes if west is None else west)),
        moved(plain.upper, -(zone_minutes if east is None else east), up=True),
    )
    return Moments(Range(*bounds), zone_minutes)


def _since(vr: str, text: str) -> str:
    """Return the bound below which nothing begins; a stored time of less precision, such as 10, is 10:00:00."""
    return re.sub(r"(?<=\d\d)(00)+$", "", text) if vr == "TM" and "." not in text else text


def _until(vr: str, text: str) -> str:
    """Return the last moment of what a text of less precision covers."""
    if vr == "DA":
        return text
    last = _TIME_END if vr == "TM" else _MOMENT_END
    return text + last[len(text) :]


def matches_any(match: Match, values: Sequence[str], *, name: bool = False) -> bool:
    """Return whether an attribute of these values matches: by any of them (C.2.2.3). Without values it is empty."""
    if isinstance(match, AllOf):
        return all(any(matches(Exact(wanted), value, name=name) for value in values) for wanted in match.values)
    return any(matches(match, value, name=name) for value in values or ("",))


def matches(match: Match, value: str, *, name: bool = False) -> bool:
    """Return whether a stored text, without padding, matches; `name`: it is a PN. `Combined`: of a DA and TM joined."""
    prepare = fold if name else str
    match match:
        case Universal():
            return True
        case Exact(value=wanted):
            return prepare(value) == prepare(wanted)
        case AnyOf(values=values):
            return prepare(value) in map(prepare, values)
        case AllOf(values=values):
            return all(prepare(value) == prepare(wanted) for wanted in values)
        case Empty():
            return not value
        case Words(words=wanted):
            folded = fold(value)
            return all(word in folded for word in wanted)
        case Combined() | Moments():
            return _matches_moment(match, value)
        case Wildcard(pattern=pattern):
            return _like(prepare(value), prepare(pattern))
        case Range(lower=lower, upper=upper):
            return bool(value) and (lower is None or value >= lower) and (upper is None or value <= upper)


def _matches_moment(match: Combined | Moments, value: str) -> bool:
    if isinstance(match, Combined):
        return matches(match.within, value)
    text, minutes = without_offset(value)
    return matches(match.within, moved(text, -(match.zone_minutes if minutes is None else minutes)) or "")


def _like(text: str, pattern: str) -> bool:
    """Match wildcards in time linear in both, where a regular expression could be made to take for ever."""
    position, at, star, mark = 0, 0, -1, 0
    while position < len(text):
        if at < len(pattern) and pattern[at] == "*":
            star, mark = at, position
            at += 1
        elif at < len(pattern) and pattern[at] in ("?", text[position]):
            position, at = position + 1, at + 1
        elif star >= 0:
            mark += 1
            position, at = mark, star + 1
        else:
            return False
    return all(character == "*" for character in pattern[at:])
