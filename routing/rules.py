"""What should happen to an instance: rules, and the pure `plan` that they make. `routing.settings` reads them.

Every rule is asked, in the order of the file; each one that matches adds its destinations, until one that matches
says `final = true`. A destination that several rules name is served once: the first of them decides its profile; the
strongest hold and the most urgent priority of all matching rules count. A hold lets a person look first: `review` at
everything, `pixel-review` at what usually shows names in its pixels (`anonymizer.pixels`). A rule that says nothing
asks for `pixel-review` wherever a profile is applied, as text in pixels is not removed; `hold = "none"` passes it.
Within a rule all conditions must hold, and a condition holds if any of its values does. `source`, `called_ae_title`,
`body_part` and `description` take `*` and `?`, and are compared without case, marks and đ.
An instance that no rule matches stays here, and its plan says so. So does the label or overview of a slide, except where
it leaves as received: no rule lets it go with a profile.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import IntEnum
from fnmatch import fnmatchcase
from typing import Literal

from kernel.dicom.vocabulary.names import fold
from routing.destinations import NO_PROFILE, Destination

VALUE_CHARACTERS_MAX = 256

Hold = Literal["", "pixel-review", "review"]
HOLDS: tuple[Hold, ...] = ("", "pixel-review", "review")  # from the weakest
HOLD_SETTINGS: Mapping[str, Hold] = {"none": "", "pixel-review": "pixel-review", "review": "review"}


class Priority(IntEnum):
    """How urgent; the lower goes first. The numbers are those of the archive's `study.priority`."""

    STAT = 0
    URGENT = 1
    ROUTINE = 2

    @property
    def word(self) -> str:
        """The priority as the configuration writes it."""
        return self.name.lower()


PRIORITIES: Mapping[str, Priority] = {priority.word: priority for priority in Priority}


@dataclass(frozen=True, slots=True)
class Facts:
    """What plans depend on. Rules ask about all but the last."""

    source: str = ""  # name of the peer that handed it over: calling AE title, or the token's name
    called_ae_title: str = ""
    modality: str = ""
    body_part: str = ""
    sop_class: str = ""
    description: str = ""  # Study Description
    is_label: bool = False  # of a slide (`kernel.dicom.scanning.slide_flavour.is_label`); no condition of a rule


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]`. An empty condition asks nothing."""

    number: int
    name: str
    to: tuple[str, ...]
    source: tuple[str, ...] = ()
    called_ae_title: tuple[str, ...] = ()
    modality: tuple[str, ...] = ()
    body_part: tuple[str, ...] = ()
    sop_class: tuple[str, ...] = ()
    description: tuple[str, ...] = ()
    priority: str = "routine"
    profile: str = ""  # empty: the destination's own
    hold: str = ""  # of HOLD_SETTINGS; empty: what the profile wants
    final: bool = False


@dataclass(frozen=True, slots=True)
class Leg:
    """One destination of a plan."""

    destination: str
    profile: str
    hold: Hold
    rule: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What should happen to an instance, by which version of the rules."""

    legs: tuple[Leg, ...]
    priority: Priority
    rules: tuple[str, ...]  # names of the rules that matched
    version: str
    kept_from: tuple[str, ...] = ()  # destinations that a label does not go to, though rules named them


@dataclass(frozen=True, slots=True)
class Rules:
    """All destinations and rules of a node, and the digest that plans are recorded with."""

    destinations: Mapping[str, Destination]
    rules: tuple[Rule, ...]
    version: str


def plan(facts: Facts, rules: Rules) -> Plan:
    """Return what should happen to an instance with these facts. Pure."""
    legs: dict[str, Leg] = {}
    priority = Priority.ROUTINE
    matched: list[str] = []
    for rule in rules.rules:
        if _objection(rule, facts) is not None:
            continue
        matched.append(rule.name)
        priority = min(priority, PRIORITIES[rule.priority])
        for name in rule.to:
            known = legs.get(name)
            if known is None:
                profile = rule.profile or rules.destinations[name].profile
                legs[name] = Leg(name, profile, _hold(rule, profile), rule.name)
            elif HOLDS.index(_hold(rule, known.profile)) > HOLDS.index(known.hold):
                legs[name] = Leg(name, known.profile, _hold(rule, known.profile), known.rule)
        if rule.final:
            break
    kept_from = tuple(leg.destination for leg in legs.values() if facts.is_label and leg.profile != NO_PROFILE)
    going = tuple(leg for leg in legs.values() if leg.destination not in kept_from)
    return Plan(going, priority, tuple(matched), rules.version, kept_from)


def _hold(rule: Rule, profile: str) -> Hold:
    if rule.hold:
        return HOLD_SETTINGS[rule.hold]
    return "" if profile == NO_PROFILE else "pixel-review"


def explain(facts: Facts, rules: Rules) -> str:
    """Return in words what each rule says to these facts, and the plan that comes of it."""
    lines: list[str] = []
    for rule in rules.rules:
        objection = _objection(rule, facts)
        verdict = f"no: {objection}" if objection else f"yes: to {', '.join(rule.to) or 'nowhere'}, {rule.priority}"
        lines.append(f"rule {rule.number} '{rule.name}': {verdict}")
        if objection is None and rule.final:
            lines.append("  final: later rules are not asked")
            break
    made = plan(facts, rules)
    lines.append(f"plan (rules {made.version}): {made.priority.word}")
    for leg in made.legs:
        how = "as received" if leg.profile == NO_PROFILE else f"de-identified with profile {leg.profile}"
        hold = f", {_HOLD_WORDS[leg.hold]}" if leg.hold else ""
        lines.append(f"  to {leg.destination}: {how}{hold} (rule '{leg.rule}')")
    lines += [f"  not to {name}: the label of a slide is not de-identified, it stays here" for name in made.kept_from]
    if not made.legs:
        lines.append(f"  nowhere: the {'label' if made.kept_from else 'study'} stays here")
    return "\n".join(lines)


_HOLD_WORDS: Mapping[Hold, str] = {
    "pixel-review": "waits for a person if its pixels may name the patient",
    "review": "waits for a person",
}


def _objection(rule: Rule, facts: Facts) -> str | None:
    """Return why a rule does not match, or None if it does."""
    for condition in CONDITIONS:
        wanted: tuple[str, ...] = getattr(rule, condition)
        value: str = getattr(facts, condition)
        if wanted and not any(_MATCHERS[condition](value, pattern) for pattern in wanted):
            return f"{condition} is {value or 'absent'}, it wants {' or '.join(wanted)}"
    return None


def _like(value: str, pattern: str) -> bool:
    return fnmatchcase(fold(value[:VALUE_CHARACTERS_MAX]), fold(pattern).replace("[", "[[]"))


def _same(value: str, wanted: str) -> bool:
    return value.strip().upper() == wanted.upper()


_MATCHERS: Mapping[str, Callable[[str, str], bool]] = {
    "source": _like,
    "called_ae_title": _like,
    "modality": _same,
    "body_part": _like,
    "sop_class": _same,
    "description": _like,
}
CONDITIONS = tuple(_MATCHERS)
