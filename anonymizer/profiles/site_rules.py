"""What a site may say about one attribute, and whether the Basic Profile can still be declared when it does."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from anonymizer.profiles.dummies import TEXT_VRS
from anonymizer.profiles.profile import SITE, Rule
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF

VERBS: Final = ("keep", "remove", "clean", "hash", "replace")

_TAG = re.compile(r"\(?([0-9A-Fa-f]{4}),?([0-9A-Fa-f]{4})\)?")
_DATES: Final = frozenset({"DA", "DT", "TM"})
_HASHED: Final = frozenset({"CS", "LO", "LT", "SH", "ST", "UC", "UT"})
_FORMS: Final[Mapping[str, re.Pattern[str]]] = {  # of a value in place of another (PS3.5 6.2)
    "AE": re.compile(r"[ -\[\]-~]{1,16}"),
    "AS": re.compile(r"\d{3}[DWMY]"),
    "CS": re.compile(r"[A-Z0-9 _]{1,16}"),
    "DA": re.compile(r"\d{8}"),
    "DS": re.compile(r"[-+]?[0-9.]{1,15}"),
    "DT": re.compile(r"\d{8,14}"),
    "IS": re.compile(r"[-+]?\d{1,11}"),
    "LO": re.compile(r"[ -\[\]-~]{1,64}"),
    "SH": re.compile(r"[ -\[\]-~]{1,16}"),
    "TM": re.compile(r"\d{2,6}"),
    **dict.fromkeys(("LT", "ST", "UC", "UT"), re.compile(r"[ -~]{1,1024}")),
}
# What is written anew for every instance, or without which it is none.
_OURS: Final = frozenset({
    0x00080005, 0x00080016, 0x00080018, 0x00080060, 0x00100010, 0x00100020, 0x00120062, 0x00120063, 0x00120064,
    0x0020000D, 0x0020000E, 0x00280002, 0x00280004, 0x00280006, 0x00280008, 0x00280010, 0x00280011, 0x00280100,
    0x00280101, 0x00280102, 0x00280103, 0x00280301, 0x00280303, 0x04000500, 0x04000561,
})  # fmt: skip
# What names the patient by itself: the independent search would hold every instance that keeps it.
_NAMING: Final = frozenset({
    0x00080050, 0x00080094, 0x00100021, 0x00100030, 0x00101000, 0x00101001, 0x00101002, 0x00101005, 0x00101040,
    0x00101050, 0x00101060, 0x00101090, 0x00102152, 0x00102154, 0x00102155, 0x00120040, 0x00120042, 0x00200010,
    0x00321064, 0x00380010, 0x00380060, 0x00380300, 0x00400253, 0x00401001, 0x00401103, 0x00402016, 0x00402017,
})  # fmt: skip
# What holds documents, pictures or trees of content: cleaned by what knows them, or gone.
_CONTENT: Final = frozenset({
    0x00400555, 0x00400610, 0x0040A730, 0x0040B020, 0x00420011, 0x00700001, 0x00880200, 0x04000550, 0x30100081,
})  # fmt: skip


class Mistake(Exception):
    """A word about an attribute that cannot be followed."""


def attribute(name: str) -> int:
    """Return the tag of a keyword such as `PatientWeight`, or of `(0010,1030)`.

    Raises
    ------
    Mistake
        No attribute of the standard is called so, or it is not a profile's to say what becomes of it.
    """
    found = _TAG.fullmatch(name)
    tag = int(found[1] + found[2], 16) if found else TAG_OF.get(name)
    if tag is None or (tag not in VR_OF and not tag & 0x10000):
        raise Mistake(f"the standard has no attribute {name}")
    if tag & 0x10000:
        raise Mistake(f"{name} is private: only what the standard calls safe can stay (retain_safe_private)")
    if tag >> 16 <= 0x0006 or tag >> 16 == 0x7FE0 or tag in _OURS:
        raise Mistake(f"what becomes of {name} is not a profile's to say")
    return tag


def rule_of(
    verb: str, tag: int, value: str, row: Mapping[str, Any] | None, options: Sequence[str]
) -> tuple[Rule, bool]:
    """Return the rule, and whether it lets more stay than the Basic Profile does with these options.

    Parameters
    ----------
    row
        Of Table E.1-1; None for an attribute that it does not name.

    Raises
    ------
    Mistake
        The word makes no sense for the attribute's VR, or would let an identity through.
    """
    vr = VR_OF[tag]
    basic: str = row["basic"] if row else "X"
    cells = {row["options"][option] for option in options if option in row["options"]} if row else {"K"}
    dummy_will_do = not {"Z", "D"}.isdisjoint(basic.split("/"))
    if verb == "remove":
        if vr == "UI":
            raise Mistake("UIDs are replaced, or kept together (retain_uids)")
        return Rule("X", "X", SITE), False
    if verb == "keep":
        _check_kept(tag, vr, options)
        return Rule("K", basic, SITE), "K" not in cells
    if verb == "clean":
        if vr not in TEXT_VRS - {"PN"}:
            raise Mistake(f"only text is cleaned by its words, not {vr}")
        return Rule("C", basic, SITE), not cells
    if verb == "hash":
        if vr not in _HASHED:
            raise Mistake(f"only short text is hashed, not {vr}")
        return Rule("HASH", basic, SITE), not (cells or dummy_will_do)
    if vr not in _FORMS or not _FORMS[vr].fullmatch(value):
        raise Mistake(f"'{value[:64]}' cannot be a value of VR {vr} (in ASCII, which every character set has)")
    return Rule("REPLACE", basic, SITE, value), not (cells or dummy_will_do)


def _check_kept(tag: int, vr: str, options: Sequence[str]) -> None:
    if tag in _NAMING or vr == "PN":
        raise Mistake("it names the patient, or another person, by itself")
    if tag in _CONTENT:
        raise Mistake("its content is cleaned, or goes (clean_structured_content, clean_graphics)")
    if vr == "UI":
        raise Mistake("UIDs are replaced, or kept together (retain_uids)")
    if vr in _DATES and "retain_full_dates" not in options:
        raise Mistake("dates are kept or moved together (retain_full_dates, retain_modified_dates)")
