"""Person names (PS3.5 6.2.1): their component groups, and the folded form by which they are searched."""

import re
import unicodedata
from typing import NamedTuple

_SPACES = re.compile(r"\s+")
_D = str.maketrans({"đ": "d", "Đ": "d", "ð": "d", "Ð": "d"})  # eth is how Latin-1 tools show a Vietnamese đ


class NameGroups(NamedTuple):
    """The three component groups of a PN value."""

    alphabetic: str
    ideographic: str
    phonetic: str


def groups(text: str) -> NameGroups:
    """Split one PN value into its component groups; trailing spaces and carets say nothing and go."""
    parts = [part.strip(" \0") for part in text.split("=", 2)]
    parts += [""] * (3 - len(parts))
    return NameGroups(*parts)


def fold(text: str) -> str:
    """Return the form under which names are found: lower case, no accents, single spaces; `^` and `=` stay.

    The Vietnamese đ has no decomposition, so it becomes d before the marks are dropped.

    >>> fold("NGUYỄN^Thị  Đào")
    'nguyen^thi dao'
    """
    if text.isascii():
        plain = text
    else:
        decomposed = unicodedata.normalize("NFD", text.translate(_D))
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    collapsed = _SPACES.sub(" ", plain.casefold()).strip()
    return re.sub(r" ?([\^=]) ?", r"\1", collapsed)
