"""Rules: every case file, the bounds, and the digest of a version."""

import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from kernel.config import Config
from kernel.errors import InvalidConfiguration, InvalidRule
from routing.destinations import DESTINATIONS_MAX
from routing.rules import VALUE_CHARACTERS_MAX, Facts, Priority, explain, plan
from routing.settings import RULES_MAX, VALUES_MAX, parse

CASES = Path(__file__).parents[1] / "cases" / "rules"
HUB = {"name": "hub", "kind": "stow", "url": "http://hub"}


def config(rule=(), destination=()) -> Config:
    return Config(rule=tuple(rule), destination=tuple(destination), origin="node.toml")


@pytest.mark.parametrize("path", sorted(CASES.glob("*.case")), ids=lambda path: path.stem)
def test_case(path):
    toml, facts, expected = path.read_text("utf-8").split("--------\n")
    tables = tomllib.loads(toml)
    said = Facts(**dict(line.split(": ", 1) for line in facts.splitlines()))

    try:
        rules = parse(config(tables.get("rule", []), tables.get("destination", [])))
        answer = explain(said, rules).replace(rules.version, "VERSION")
    except (InvalidConfiguration, InvalidRule) as refusal:
        answer = str(refusal)

    assert answer == expected.rstrip("\n")


def test_there_are_cases():
    assert len(list(CASES.glob("*.case"))) >= 20


def test_the_version_of_rules_follows_what_plans_depend_on():
    rule = {"to": "hub", "modality": "CT"}
    version = parse(config([rule], [HUB])).version

    assert parse(config([rule], [HUB | {"url": "http://hub.moved"}])).version == version
    assert parse(config([rule | {"modality": "MR"}], [HUB])).version != version
    assert parse(config([rule], [HUB | {"profile": "none"}])).version != version


def test_an_unmatched_instance_has_a_plan_that_says_so():
    made = plan(Facts(modality="CT"), parse(config()))

    assert (made.legs, made.rules, made.priority) == ((), (), Priority.ROUTINE)


def test_too_many_rules_are_refused():
    with pytest.raises(InvalidRule, match=r"rule 1001: more than 1000 rules"):
        parse(config([{"to": []}] * (RULES_MAX + 1)))


def test_too_many_destinations_are_refused():
    many = [HUB | {"name": f"hub{number}"} for number in range(DESTINATIONS_MAX + 1)]

    with pytest.raises(InvalidConfiguration, match=r"destination: more than 500"):
        parse(config(destination=many))


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (["CT"] * (VALUES_MAX + 1), "modality: more than 200 values"),
        ("C" * (VALUE_CHARACTERS_MAX + 1), "modality: must be text, or a list of texts, of 1 to 256 characters"),
    ],
)
def test_too_much_in_a_condition_is_refused(value, reason):
    with pytest.raises(InvalidRule, match=reason):
        parse(config([{"to": [], "modality": value}]))


def test_a_long_description_of_a_stranger_is_matched_in_bounded_time():
    rules = parse(config([{"to": "hub", "description": "*a*a*a*a*a*a*b"}], [HUB]))

    assert plan(Facts(description="a" * 1_000_000), rules).legs == ()


def test_the_anonymizers_profile_is_that_of_destinations_that_name_none():
    settings = config([{"to": "hub"}], [HUB])
    settings = replace(settings, anonymizer=replace(settings.anonymizer, profile="none"))

    assert parse(settings).destinations["hub"].profile == "none"
