"""The action codes of PS3.15 Table E.1-1a as numbers, and how a conditional code is decided by an attribute's Type."""

from collections.abc import Mapping
from enum import IntEnum
from typing import Final


class Action(IntEnum):
    """What happens to one element. Numbers, because the engine looks one up for every element of every instance."""

    KEEP = 0  # K; a sequence is kept and its items are treated
    REMOVE = 1  # X
    EMPTY = 2  # Z
    DUMMY = 3  # D
    UID = 4  # U
    SHIFT = 5  # C on a date: moved by the patient's number of days, else as the Basic Profile says
    CLEAN = 6  # C on text: kept when every word is harmless, else as the Basic Profile says
    AGE = 7  # K on an age, capped
    TIME = 10  # C on a time of day or an offset from UTC: kept when it is one, else as the Basic Profile says
    PATIENT_ID = 8  # the pseudonym
    PATIENT_NAME = 9  # a name made of the pseudonym
    STRUCTURED = 11  # C on a tree of content items: by a cleaner, else as the Basic Profile says
    GRAPHICS = 12  # C on annotations: by a cleaner, else as the Basic Profile says
    REPLACE = 13  # a value that the site's profile gives
    HASH = 14  # a keyed hash: the same for the same value
    COLORS = 15  # K on a color profile: colors stay, its words are made blank


LETTERS: Final[Mapping[str, Action]] = {
    "K": Action.KEEP,
    "X": Action.REMOVE,
    "Z": Action.EMPTY,
    "D": Action.DUMMY,
    "U": Action.UID,
}
REPORTED: Final = "KXZDUCCCDDCCCDDC"  # the letter of each Action by its number, for the record


def resolve(code: str, kind: str | None, *, iod_known: bool) -> Action:
    """Return the one action of a code such as `X/Z/D` for an attribute of Type `kind` (PS3.5 7.4).

    Type 1 needs a dummy value, Type 2 may be empty, Type 3 goes; `kind` is None where PS3.3 does not list the
    attribute. Without a known IOD the attribute stays in the strongest form that the code allows, so that the output is
    valid whatever the IOD is. `X/Z/U*` stays, and the UIDs in its items are replaced.
    """
    if code == "X/Z/U*":
        return Action.KEEP
    letters = code.split("/")
    if not iod_known or kind in {"1", "1C"}:
        wish = "DZX"
    elif kind in {"2", "2C"}:
        wish = "ZDX"
    else:
        wish = "XZD"
    return LETTERS[min(letters, key=wish.index)] if len(letters) > 1 else LETTERS[code]
