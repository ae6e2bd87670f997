"""What the text of a matching key asks for, by its VR (PS3.4 C.2.2.2): from a stranger's text to a `Match`, bounded."""

import re
from typing import Final

from kernel.dicom.queries.matching import (
    USUAL,
    AllOf,
    AnyOf,
    Empty,
    Exact,
    Match,
    Moments,
    Range,
    Rules,
    Universal,
    Wildcard,
    Words,
)
from kernel.dicom.vocabulary.moments import moved, without_offset
from kernel.dicom.vocabulary.names import fold
from kernel.dicom.vocabulary.uids import check_uid
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
        return Exact(one) if vr == "DA" else Range(_since(vr, one), _until(vr, one), is_value=True)
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
