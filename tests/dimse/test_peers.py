"""Which source a caller is, and what is wrong with a `[[source]]` table."""

import pytest

from gateway import peers
from gateway.peers import Source, Sources
from kernel.archive.records import Origin
from kernel.config import Config, DimseConfig, NodeConfig
from kernel.errors import InvalidConfiguration, UnknownCaller


def sources(*tables, accept_unknown: bool = True) -> Sources:
    dimse = DimseConfig(accept_unknown_callers=accept_unknown)
    return Sources.from_config(Config(node=NodeConfig(site="BVA"), dimse=dimse, source=tables, origin="node.toml"))


def test_a_caller_without_a_table_belongs_to_the_nodes_own_site():
    assert sources().resolve("VIENANH", "CT1", "10.0.0.1") == Source("", "BVA")


def test_a_caller_without_a_table_is_refused_when_only_sources_may_call():
    with pytest.raises(UnknownCaller, match=r"no \[\[source\]\] fits"):
        sources(accept_unknown=False).resolve("VIENANH", "CT1", "10.0.0.1")


def test_the_first_table_of_which_everything_fits_wins():
    known = sources(
        {"name": "near", "calling": ["CT1", "CT2"], "address": "10.1.0.0/16", "site": "BVB"},
        {"name": "named", "calling": "CT1", "charset": "tcvn3"},
        {"name": "lane", "called": "EMERGENCY"},
    )

    assert known.resolve("VIENANH", "CT1", "10.1.2.3") == Source("near", "BVB")
    assert known.resolve("VIENANH", "CT1", "10.2.2.3") == Source("named", "BVA", "tcvn3")
    assert known.resolve("EMERGENCY", "US", "10.2.2.3").name == "lane"
    assert known.resolve("VIENANH", "US", "10.2.2.3").name == ""


@pytest.mark.parametrize("address", ["::ffff:10.1.2.3", "10.1.2.3"])
def test_an_address_is_the_same_however_the_socket_spells_it(address):
    assert sources({"name": "a", "address": ["10.1.2.3"]}).resolve("X", "Y", address).name == "a"


def test_a_zone_of_an_address_is_read_over():
    assert sources({"name": "a", "address": "fe80::/10"}).resolve("X", "Y", "fe80::1%eth0").name == "a"


def test_how_undeclared_text_is_read_depends_on_the_source():
    known = sources({"name": "old", "calling": "OLD", "charset": "cp1258"})

    def origin(peer: str) -> Origin:
        return Origin("BVA", "dimse", peer, "VIENANH", "10.0.0.1", "s")

    assert known.fallback_charset_of(origin("OLD")) == "cp1258"
    assert known.fallback_charset_of(origin("NEW")) is None


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({}, r"node\.toml: source\[1\]\.name: is missing"),
        ({"name": 7}, r"source\[1\]\.name: must be text"),
        ({"name": "x", "caling": "CT"}, r"source\[1\]\.caling: no such key; there are name, site"),
        ({"name": "x", "calling": 1}, r"source\[1\]\.calling: must be text or a list of texts"),
        ({"name": "x", "calling": {"a": "b"}}, r"source\[1\]\.calling: must be text or a list of texts"),
        ({"name": "x", "calling": [1]}, r"source\[1\]\.calling: must be text or a list of texts"),
        ({"name": "x", "address": "10.0.0.0/33"}, r"source\[1\]\.address: must be addresses or networks"),
        ({"name": "x", "charset": "klingon"}, r"source\[1\]\.charset: must be one of cp1258, tcvn3, latin-1"),
    ],
)
def test_a_wrong_table_is_named_with_its_key(table, message):
    with pytest.raises(InvalidConfiguration, match=message):
        sources(table)


def test_there_is_a_bound_on_tables(monkeypatch):
    monkeypatch.setattr(peers, "SOURCES_MAX", 1)

    with pytest.raises(InvalidConfiguration, match="more than 1 tables"):
        sources({"name": "a"}, {"name": "b"})
