"""Matching keys as values (PS3.4 C.2.2.2): what a C-FIND identifier or a QIDO parameter asks for.

`key_text` makes them of texts. Searching rooms turn a `Match` into SQL; `matches` says in memory what it means. Names
are compared as the standard allows (C.2.2.2.1): without regard to case and accents, by `names.fold`. Keys of whole data
sets, with their sequences, are in `identifier`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from kernel.dicom.vocabulary.moments import moved, without_offset
from kernel.dicom.vocabulary.names import fold


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
    is_value: bool = field(default=False, compare=False)  # asked for as one value of TM or DT, not as a range


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
