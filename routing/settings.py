"""The `[[destination]]` and `[[rule]]` tables of the configuration, read strictly into `routing.rules.Rules`.

Every error names the file, the table's number and the key.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, NoReturn, cast

from kernel.config import Config
from kernel.errors import InvalidRule
from routing.destinations import NO_PROFILE, Destination, parse_destinations
from routing.profiles import profiles_of
from routing.rules import CONDITIONS, HOLD_SETTINGS, PRIORITIES, VALUE_CHARACTERS_MAX, Rule, Rules

RULES_MAX = 1000
VALUES_MAX = 200
VERSION_CHARACTERS = 12

_KEYS = tuple(field.name for field in fields(Rule) if field.name != "number")


def parse(config: Config) -> Rules:
    """Read `[[destination]]` and `[[rule]]`.

    Raises
    ------
    InvalidConfiguration, InvalidRule
        Names the file, the table's number (from one) and the key.
    """
    profiles = tuple(profiles_of(config))
    destinations = parse_destinations(
        config.destination, config.origin, config.anonymizer.profile, config.dimse.ae_title, profiles
    )
    if len(config.rule) > RULES_MAX:
        raise InvalidRule(source=config.origin, rule=RULES_MAX + 1, reason=f"more than {RULES_MAX} rules")
    rules = tuple(
        _Reader(number, table, config.origin, destinations, (*profiles, NO_PROFILE)).read()
        for number, table in enumerate(config.rule, start=1)
    )
    return Rules(destinations, rules, _version(destinations, rules))


def _version(destinations: Mapping[str, Destination], rules: tuple[Rule, ...]) -> str:
    """Return a digest of everything that a plan depends on; an endpoint's address is not part of it."""
    means = [[name, destination.kind, destination.profile] for name, destination in destinations.items()]
    text = json.dumps([means, [asdict(rule) for rule in rules]], ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:VERSION_CHARACTERS]


@dataclass(frozen=True, slots=True)
class _Reader:
    number: int
    table: Mapping[str, Any]
    origin: str
    destinations: Mapping[str, Destination]
    profiles: tuple[str, ...]

    def refuse(self, key: str, reason: str) -> NoReturn:
        name = self.table.get("name")
        label = f"{self.number} '{name}'" if isinstance(name, str) and name else str(self.number)
        raise InvalidRule(source=self.origin, rule=label, reason=f"{key}: {reason}")

    def read(self) -> Rule:
        for key in self.table:
            if key not in _KEYS:
                self.refuse(key, f"no such key; there are {', '.join(_KEYS)}")
        if "to" not in self.table:
            self.refuse("to", "missing; name the destinations, or [] to keep the study here")
        to = self.values("to")
        for name in to:
            if name not in self.destinations:
                known = ", ".join(self.destinations) or "none yet"
                self.refuse("to", f"no destination is called '{name}'; there are: {known}")
        final: Any = self.table.get("final", False)
        if not isinstance(final, bool):
            self.refuse("final", "must be true or false")
        return Rule(
            number=self.number,
            name=self.text("name", f"rule {self.number}"),
            to=tuple(dict.fromkeys(to)),
            **{condition: self.values(condition) for condition in CONDITIONS},
            priority=self.choice("priority", "routine", tuple(PRIORITIES)),
            profile=self.choice("profile", "", ("", *self.profiles)),
            hold=self.choice("hold", "", ("", *HOLD_SETTINGS)),
            final=final,
        )

    def text(self, key: str, default: str) -> str:
        value = self.table.get(key, default)
        if not isinstance(value, str) or len(value) > VALUE_CHARACTERS_MAX:
            self.refuse(key, f"must be text of at most {VALUE_CHARACTERS_MAX} characters")
        return value

    def choice(self, key: str, default: str, allowed: tuple[str, ...]) -> str:
        value = self.text(key, default)
        if value not in allowed:
            self.refuse(key, f"must be one of {', '.join(filter(None, allowed))}")
        return value

    def values(self, key: str) -> tuple[str, ...]:
        value: Any = self.table.get(key, [])
        entries = cast("list[Any]", value if isinstance(value, list) else [value])
        if len(entries) > VALUES_MAX:
            self.refuse(key, f"more than {VALUES_MAX} values")
        for entry in entries:
            if not isinstance(entry, str) or not 1 <= len(entry) <= VALUE_CHARACTERS_MAX:
                self.refuse(key, f"must be text, or a list of texts, of 1 to {VALUE_CHARACTERS_MAX} characters")
        return tuple(entries)
