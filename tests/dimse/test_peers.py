"""Which source a caller is, and what is wrong with a `[[source]]` table."""

import pytest

from gateway import source_tables
from gateway.peers import READING, Certificate, Source, Sources
from kernel.archive.records import Origin
from kernel.config import Config, DimseConfig, NodeConfig
from kernel.errors import InvalidConfiguration, UnknownCaller


def sources(*tables, accept_unknown: bool = True) -> Sources:
    dimse = DimseConfig(accept_unknown_callers=accept_unknown)
    return source_tables.sources(Config(node=NodeConfig(site="BVA"), dimse=dimse, source=tables, origin="node.toml"))


def test_a_caller_without_a_table_belongs_to_the_nodes_own_site():
    only_stores = Source("", "BVA", services=frozenset({"echo", "store"}))

    assert sources().resolve("VIENANH", "CT1", "10.0.0.1") == only_stores


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
        ({"name": "x", "services": ["shred"]}, r"source\[1\]\.services: must be some of availability, commit, echo"),
        ({"name": "x", "sop_classes": "CT"}, r"source\[1\]\.sop_classes: must be UIDs, or names"),
        ({"name": "x", "certificate": "sha256:12"}, r"source\[1\]\.certificate: must be such as"),
        ({"name": "x", "certificate": "ct-1"}, r"source\[1\]\.certificate: must be such as"),
        ({"name": "x", "instances_max": 0}, r"source\[1\]\.instances_max: must be a whole number of at least 1"),
        ({"name": "x", "associations_max": True}, r"source\[1\]\.associations_max: must be a whole number"),
        ({"name": "x", "charset": "klingon"}, r"source\[1\]\.charset: must be one of cp1258, tcvn3, latin-1"),
    ],
)
def test_a_wrong_table_is_named_with_its_key(table, message):
    with pytest.raises(InvalidConfiguration, match=message):
        sources(table)


def test_there_is_a_bound_on_tables(monkeypatch):
    monkeypatch.setattr(source_tables, "SOURCES_MAX", 1)

    with pytest.raises(InvalidConfiguration, match="more than 1 tables"):
        sources({"name": "a"}, {"name": "b"})


DIGEST = "ab" * 32


def test_a_certificate_is_known_by_its_digest_or_by_names_in_its_subject():
    known = sources(
        {"name": "digest", "certificate": "sha256:" + ":".join([DIGEST[:2].upper()] * 32)},
        {"name": "subject", "certificate": ["cn = ct-1, O=BV"]},
        accept_unknown=False,
    )
    subject = frozenset({("CN", "ct-1"), ("O", "BV"), ("C", "VN")})

    assert known.resolve("V", "C", "10.0.0.1", Certificate(DIGEST, frozenset())).name == "digest"
    assert known.resolve("V", "C", "10.0.0.1", Certificate("00" * 32, subject)).name == "subject"
    for wrong in (None, Certificate("00" * 32, frozenset({("CN", "ct-1")}))):
        with pytest.raises(UnknownCaller):
            known.resolve("V", "C", "10.0.0.1", wrong)


def test_a_source_sends_unless_its_table_says_more():
    known = sources(
        {"name": "a", "calling": "A"},
        {"name": "b", "calling": "B", "services": ["find"], "sites": "BVB"},
        {"name": "c", "calling": "C", "services": [], "sites": "*", "sop_classes": ["CT Image Storage", "1.2.3"]},
    )
    a, b, c = (known.resolve("V", name, "10.0.0.1") for name in "ABC")

    assert a.services == {"echo", "store", "commit", "mpps"}
    assert a.sees == {"BVA"}
    assert (b.services, b.sees) == ({"echo", "find"}, {"BVA", "BVB"})
    assert (c.may("echo"), c.may("store"), c.sees) == (True, False, None)
    assert c.sop_classes == {"1.2.840.10008.5.1.4.1.1.2", "1.2.3"}


def test_unnamed_callers_learn_nothing_of_patients_unless_the_configuration_says_so():
    assert not sources().resolve("V", "X", "10.0.0.1").services & READING


def test_doctor_is_told_of_readers_that_prove_nothing():
    known = sources(
        {"name": "title only", "calling": "A", "services": "find"},
        {"name": "address", "calling": "A", "services": "find", "address": "10.0.0.1"},
        {"name": "sender", "calling": "A"},
    )

    assert known.unproved_readers() == ["title only"]
