"""A profile: the columns of PS3.15 Table E.1-1 that were chosen, merged to one code per attribute, with a digest."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from anonymizer.descriptors import WORDS
from anonymizer.dummies import DUMMY_VALUES
from kernel.errors import InvalidConfiguration

REVISION: Final = 1  # of the engine's own rules; a change of any output byte adds one
BASIC_CODE: Final = "113100"
OPTION_CODES: Final[Mapping[str, str]] = {  # PS3.16 CID 7050
    "clean_graphics": "113103",
    "clean_structured_content": "113104",
    "clean_descriptors": "113105",
    "retain_full_dates": "113106",
    "retain_modified_dates": "113107",
    "retain_patient_characteristics": "113108",
    "retain_device_identity": "113109",
    "retain_uids": "113110",
    "retain_safe_private": "113111",
    "retain_institution_identity": "113112",
}
METHOD_MEANINGS: Final[Mapping[str, str]] = {
    "113100": "Basic Application Confidentiality Profile",
    "113101": "Clean Pixel Data Option",
    "113102": "Clean Recognizable Visual Features Option",
    "113103": "Clean Graphics Option",
    "113104": "Clean Structured Content Option",
    "113105": "Clean Descriptors Option",
    "113106": "Retain Longitudinal Temporal Information Full Dates Option",
    "113107": "Retain Longitudinal Temporal Information Modified Dates Option",
    "113108": "Retain Patient Characteristics Option",
    "113109": "Retain Device Identity Option",
    "113110": "Retain UIDs Option",
    "113111": "Retain Safe Private Option",
    "113112": "Retain Institution Identity Option",
}
IMPLEMENTED: Final = frozenset({
    "clean_descriptors",
    "retain_modified_dates",
    "retain_full_dates",
    "retain_patient_characteristics",
    "retain_device_identity",
    "retain_institution_identity",
})  # fmt: skip
BUILT_IN: Final[Mapping[str, tuple[str, ...]]] = {
    "basic": (),
    "tele-read": ("retain_patient_characteristics", "retain_modified_dates", "clean_descriptors"),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a profile says about one attribute."""

    code: str  # of the options chosen, else the Basic Profile's: X, Z, D, K, C, U, X/Z, X/D, Z/D, X/Z/D, X/Z/U*
    basic: str  # the Basic Profile's code, for what cannot be cleaned
    option: str | None  # which option gave `code`


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A named set of rules, pinned by edition and digest. Compared by identity; `load` gives one per name."""

    name: str  # basic, tele-read
    edition: str  # of PS3.15, such as 2026d
    options: tuple[str, ...]
    rules: Mapping[str, Rule] = field(repr=False)  # by tag of eight characters, x for any digit, or PRIVATE
    digest: str  # SHA-256 hex over everything that decides an output byte but the keys
    method_codes: tuple[str, ...]  # CID 7050

    @property
    def label(self) -> str:
        """Name and edition, such as `basic@2026d`."""
        return f"{self.name}@{self.edition}"

    @property
    def dates(self) -> str:
        """The value of Longitudinal Temporal Information Modified (0028,0303)."""
        if "retain_full_dates" in self.options:
            return "UNMODIFIED"
        return "MODIFIED" if "retain_modified_dates" in self.options else "REMOVED"


@cache
def table(name: str) -> Mapping[str, Any]:
    """Return a table of `anonymizer/tables` by file name; read once."""
    return json.loads(files("anonymizer.tables").joinpath(name).read_text(encoding="utf-8"))


@cache
def load(name: str) -> Profile:
    """Return a built-in profile, `basic` or `tele-read`.

    Raises
    ------
    InvalidConfiguration
        There is no such profile.
    """
    if name not in BUILT_IN:
        raise InvalidConfiguration(
            source="profile", key=name, reason=f"no such profile; there are {', '.join(BUILT_IN)}"
        )
    return merge(name, BUILT_IN[name])


def merge(name: str, options: Sequence[str]) -> Profile:
    """Make a profile of the Basic Profile and `options`; where two options differ, cleaning wins over keeping.

    Raises
    ------
    InvalidConfiguration
        An option is unknown, or not implemented: a method is never declared that was not applied.
    """
    for option in options:
        if option not in IMPLEMENTED:
            raise InvalidConfiguration(source="profile", key=name, reason=f"option {option} is not implemented")
    source = table("ps3_15_e_1_1.json")
    rules = {row["tag"]: _rule(row, options) for row in source["rows"]}
    codes = (BASIC_CODE, *sorted(OPTION_CODES[option] for option in options))
    everything = [
        REVISION,
        name,
        source["edition"],
        sorted(options),
        {tag: (rule.code, rule.basic, rule.option) for tag, rule in rules.items()},
        table("iod_types.json"),
        {vr: value.hex() for vr, value in DUMMY_VALUES.items()},
        sorted(WORDS),
    ]
    digest = hashlib.sha256(json.dumps(everything, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
    return Profile(
        name=name,
        edition=source["edition"],
        options=tuple(options),
        rules=rules,
        digest=digest,
        method_codes=codes,
    )


def _rule(row: Mapping[str, Any], options: Sequence[str]) -> Rule:
    cells = [(row["options"][option], option) for option in options if option in row["options"]]
    code, option = next((cell for cell in cells if cell[0] == "C"), cells[0] if cells else (row["basic"], None))
    return Rule(code=code, basic=row["basic"], option=option)
