"""A profile: the columns of PS3.15 Table E.1-1 that were chosen, merged to one code per attribute, with a digest.

The built-in ones are here; what a site writes on top of one of them is read by `anonymizer.profiles.site_profile`.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any, Final

from anonymizer.profiles.dummies import DUMMY_VALUES
from anonymizer.profiles.options import BASIC_CODE, EXCLUSIVE, OPTIONS
from anonymizer.words.descriptors import WORDS
from kernel.errors import InvalidConfiguration

REVISION: Final = 6  # of the engine's own rules; a change of any output byte adds one
DEFAULT: Final = "tele-read"
SITE: Final = "site"  # in place of an option: a site's own word
PIXEL_CLEANING: Final = ("clean_pixel_data", "clean_graphics", "clean_structured_content")


@dataclass(frozen=True, slots=True)
class BuiltIn:
    """A profile that comes with the software."""

    options: tuple[str, ...]
    purpose: str  # one sentence, for `vienanh deidentify --profiles`
    reversible: bool = True  # False: a key that nobody keeps, nothing in the vault


BUILT_IN: Final[Mapping[str, BuiltIn]] = {
    "basic": BuiltIn((), "The Basic Profile and no option: the strictest that keeps a valid instance."),
    "tele-read": BuiltIn(
        (
            "retain_patient_characteristics",
            "retain_modified_dates",
            "retain_safe_private",
            "clean_descriptors",
            *PIXEL_CLEANING,
        ),
        "What a diagnosis needs: dates moved, age capped at 90, descriptions of known words, vendors' safe attributes.",
    ),
    "research": BuiltIn(
        ("retain_modified_dates", "clean_recognizable_visual_features", *PIXEL_CLEANING),
        "For research and teaching: nothing retained but moved dates; series from which a face can be made are held.",
    ),
    "cut-ties": BuiltIn(
        ("clean_recognizable_visual_features", *PIXEL_CLEANING),
        "No way back: a key made for one run and destroyed, no dates, no vault; faces are held.",
        reversible=False,
    ),
}


@dataclass(frozen=True, slots=True)
class Rule:
    """What a profile says about one attribute."""

    code: str  # of the options chosen, else the Basic Profile's: X, Z, D, K, C, U, X/Z ...; a site's: REPLACE, HASH
    basic: str  # the Basic Profile's code, for what cannot be cleaned; K of what no row names
    option: str | None  # which option gave `code`; SITE for a site's own word
    value: str | None = None  # that a site puts in its place


@dataclass(frozen=True, slots=True, eq=False)
class Profile:
    """A named set of rules, pinned by edition and digest. Compared by identity; `load` gives one per name."""

    name: str  # basic, tele-read, research, cut-ties, or a site's own
    edition: str  # of PS3.15, such as 2026d
    options: frozenset[str]  # of `anonymizer.profiles.options.OPTIONS`: which columns apply, which cleaners run
    rules: Mapping[str, Rule] = field(repr=False)  # by tag of eight characters, x for any digit, or PRIVATE
    digest: str  # SHA-256 hex over everything that decides an output byte but the keys
    method_codes: tuple[str, ...]  # CID 7050, of what is done to every instance; cleaners add theirs
    by_modality: Mapping[str, Mapping[str, Rule]] = field(default_factory=dict[str, Mapping[str, Rule]], repr=False)
    reversible: bool = True  # False: give no vault entries

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
    """Return a built-in profile.

    Raises
    ------
    InvalidConfiguration
        There is no such profile.
    """
    if name not in BUILT_IN:
        raise InvalidConfiguration(
            source="profile", key=name, reason=f"no such profile; there are {', '.join(BUILT_IN)}"
        )
    built_in = BUILT_IN[name]
    return merge(name, built_in.options, reversible=built_in.reversible)


def merge(
    name: str,
    options: Sequence[str],
    *,
    reversible: bool = True,
    changes: Mapping[str, Rule] | None = None,
    by_modality: Mapping[str, Mapping[str, Rule]] | None = None,
    basic: bool = True,
) -> Profile:
    """Make a profile of the Basic Profile and `options`; where two options differ, cleaning wins over keeping.

    Parameters
    ----------
    changes, by_modality
        A site's rules over those of the table, for every instance and for those of a modality.
    basic
        Whether the Basic Profile may be declared: not when `changes` keep more than the standard's options do.

    Raises
    ------
    InvalidConfiguration
        An option is unknown, or two contradict each other.
    """
    for option in options:
        if option not in OPTIONS:
            raise InvalidConfiguration(
                source="profile", key=name, reason=f"no such option: {option}; there are {', '.join(sorted(OPTIONS))}"
            )
    if set(EXCLUSIVE) <= set(options):
        raise InvalidConfiguration(source="profile", key=name, reason=f"{' and '.join(EXCLUSIVE)} contradict")
    source = table("ps3_15_e_1_1.json")
    rules = {row["tag"]: _rule(row, options) for row in source["rows"]} | dict(changes or {})
    static = sorted(OPTIONS[option].code for option in options if not OPTIONS[option].per_instance)
    return Profile(
        name=name,
        edition=source["edition"],
        options=frozenset(options),
        rules=rules,
        by_modality=by_modality or {},
        digest=_digest(name, options, rules, by_modality or {}, reversible=reversible),
        method_codes=((BASIC_CODE, *static) if basic else tuple(static)),
        reversible=reversible,
    )


def _rule(row: Mapping[str, Any], options: Sequence[str]) -> Rule:
    cells = [(row["options"][option], option) for option in options if option in row["options"]]
    code, option = next((cell for cell in cells if cell[0] == "C"), cells[0] if cells else (row["basic"], None))
    return Rule(code=code, basic=row["basic"], option=option)


def _digest(
    name: str,
    options: Sequence[str],
    rules: Mapping[str, Rule],
    by_modality: Mapping[str, Mapping[str, Rule]],
    *,
    reversible: bool,
) -> str:
    everything: list[Any] = [
        REVISION,
        name,
        table("ps3_15_e_1_1.json")["edition"],
        sorted(options),
        list(_said(rules)),
        {modality: list(_said(own)) for modality, own in by_modality.items()},
        reversible,
        table("iod_types.json"),
        table("safe_private.json"),
        {vr: value.hex() for vr, value in DUMMY_VALUES.items()},
        sorted(WORDS),
    ]
    return hashlib.sha256(json.dumps(everything, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _said(rules: Mapping[str, Rule]) -> Iterator[tuple[str | None, ...]]:
    for tag in sorted(rules):
        rule = rules[tag]
        yield tag, rule.code, rule.basic, rule.option, rule.value
