"""The profiles of a node: a site's own beside those that come with the software, named by destinations and rules."""

from dataclasses import replace

import pytest

from anonymizer.profiles.profile import load
from kernel.config import Config
from kernel.errors import InvalidConfiguration
from routing.profiles import finder_of, profiles_of
from routing.settings import parse

OWN = 'name = "bv-huyen"\nbase = "tele-read"\nkeep = ["StationName"]\n'


@pytest.fixture
def config(tmp_path) -> Config:
    (tmp_path / "bv-huyen.toml").write_text(OWN)
    (tmp_path / "read.me").write_text("not a profile")
    plain = Config()
    return replace(plain, anonymizer=replace(plain.anonymizer, profiles=tmp_path))


def test_the_profiles_of_a_folder_stand_beside_the_built_in_ones(config):
    found = profiles_of(config)

    assert list(found) == ["basic", "tele-read", "research", "bv-huyen"]
    assert found["bv-huyen"].rules["00081010"].code == "K"
    assert found["tele-read"] is load("tele-read")
    assert finder_of(config)("bv-huyen") is found["bv-huyen"]


def test_destinations_and_rules_may_name_a_sites_own_profile(config):
    named = replace(
        config,
        destination=(
            {"name": "hub", "kind": "stow", "url": "https://hub/", "profile": "bv-huyen"},
            {"name": "other", "kind": "stow", "url": "https://other/"},
        ),
        rule=({"to": "other", "profile": "bv-huyen"},),
    )

    rules = parse(named)

    assert [destination.profile for destination in rules.destinations.values()] == ["bv-huyen", "tele-read"]
    assert [rule.profile for rule in rules.rules] == ["bv-huyen"]


def test_a_mistake_in_a_profile_names_its_file_and_line(config, tmp_path):
    (tmp_path / "other.toml").write_text('name = "other"\nbase = "basic"\nremove = ["Nothing"]\n')

    with pytest.raises(InvalidConfiguration, match=r"other\.toml: line 3: remove: the standard has no attribute"):
        parse(config)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("again.toml", OWN.encode(), "name: there are two called bv-huyen"),
        ("ties.toml", b'name = "ties"\nbase = "cut-ties"\n', "what cuts ties has a key for one run"),
        ("bytes.toml", b"\xff\xfe", "file: is not UTF-8"),
        ("empty.toml", b"", "line 1: base: a text, and needed"),
    ],
)
def test_a_profile_that_a_node_cannot_use_stops_it(config, tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(InvalidConfiguration, match=message):
        profiles_of(config)


def test_a_folder_that_is_not_there_stops_it(config, tmp_path):
    with pytest.raises(InvalidConfiguration, match=r"anonymizer\.profiles: no such folder"):
        profiles_of(replace(config, anonymizer=replace(config.anonymizer, profiles=tmp_path / "nowhere")))


def test_the_number_of_profiles_is_bounded(config, monkeypatch):
    monkeypatch.setattr("routing.profiles.FILES_MAX", 0)

    with pytest.raises(InvalidConfiguration, match="more than 0 files"):
        profiles_of(config)


def test_a_job_whose_profile_is_gone_is_refused_and_so_held(config):
    with pytest.raises(InvalidConfiguration, match="there is no such profile any more"):
        finder_of(config)("yesterday")
