"""The vault opens to two people: asked with a reason, approved by another in time, told once, and nobody is named."""

import json
from dataclasses import dataclass

import pytest
from sqlalchemy import select

from anonymizer.pseudonyms.identifiers import pseudonym
from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, seal
from kernel.access import Principal, Role, Scope, scopes_of
from kernel.audit import audit
from kernel.errors import Forbidden, InvalidRequest, NotFound, VaultShut
from routing import break_glass, vault
from routing.break_glass import OPEN_FOR, BreakGlass, Caller
from routing.tables import vault_request

STUDY = "2.25.4711"
ADMIN = scopes_of([Role.ADMIN])


def a_person(name: str, *, kind="account", scopes=ADMIN, sites=None) -> Caller:
    return Caller(Principal(name, kind, frozenset({Role.ADMIN}), frozenset(scopes), sites), "10.0.0.9")


LAN, MINH = a_person("lan"), a_person("minh")


@dataclass
class Vault:
    glass: BreakGlass
    token: str
    hospital: object

    def asks(self, who=LAN, token=None, reason="emergency", site="BVA"):
        return self.glass.ask(who, site, token or self.token, reason)

    def lines(self) -> list[dict]:
        with self.hospital.database.read() as connection:
            rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
        return [{"who": row.who, "outcome": row.outcome, **json.loads(row.detail)} for row in rows]


@pytest.fixture
def site(hospital) -> Vault:
    keys = hospital.keys
    token = pseudonym(keys.pseudonym, "BVA", "BN1")
    who = {"PatientName": "Nguyễn^Thị Hương", "PatientID": "BN1"}
    entries = [
        VaultEntry(VaultKind.PATIENT, token, who),
        VaultEntry(VaultKind.STUDY, STUDY, {"AccessionNumber": "ACC1", "Pseudonym": token, "ShiftDays": "-400"}),
    ]
    sealed = [seal(one, keys, nonce=bytes(12)) for one in entries]
    hospital.database.write(lambda connection: vault.store(connection, "BVA", sealed, hospital.clock.now()))
    return Vault(BreakGlass(hospital.database, lambda _: keys, hospital.clock), token, hospital)


def test_one_asks_another_approves_and_the_first_is_told(site):
    asked = site.asks()
    approved = site.glass.approve(MINH, asked.id)

    identity = site.glass.open(LAN, asked.id)

    assert (asked.approved_by, approved.approved_by) == ("", "minh")
    assert identity == {"PatientName": "Nguyễn^Thị Hương", "PatientID": "BN1"}


def test_a_pseudonym_heard_on_the_telephone_and_a_study_are_tokens_too(site):
    heard = site.token.lower().replace("-", " ")
    asked = site.asks(token=heard)
    study = site.asks(token=STUDY)
    site.glass.approve(MINH, study.id)

    assert asked.token == site.token
    assert site.glass.open(LAN, study.id) == {"AccessionNumber": "ACC1"}


def test_one_person_twice_is_refused(site):
    asked = site.asks()

    with pytest.raises(VaultShut, match="a second person must approve it"):
        site.glass.approve(LAN, asked.id)
    with pytest.raises(VaultShut, match="nobody has approved it yet"):
        site.glass.open(LAN, asked.id)


def test_only_the_one_who_asked_is_told_and_only_once(site):
    asked = site.asks()
    site.glass.approve(MINH, asked.id)

    with pytest.raises(VaultShut, match="only the one who asked may open it"):
        site.glass.open(MINH, asked.id)
    site.glass.open(LAN, asked.id)
    with pytest.raises(VaultShut, match="it was opened already"):
        site.glass.open(LAN, asked.id)
    with pytest.raises(VaultShut, match="it was approved already"):
        site.glass.approve(a_person("hoa"), asked.id)


def test_a_request_that_is_too_old_is_neither_approved_nor_opened(site):
    unapproved, approved = site.asks(), site.asks()
    site.glass.approve(MINH, approved.id)
    site.hospital.clock.advance(OPEN_FOR.total_seconds())

    with pytest.raises(VaultShut, match="too old; ask again"):
        site.glass.approve(MINH, unapproved.id)
    with pytest.raises(VaultShut, match="too old; ask again"):
        site.glass.open(LAN, approved.id)
    assert site.glass.pending(LAN) == []


def test_another_sites_token_and_a_site_that_is_not_ones_own_are_refused(site):
    elsewhere = pseudonym(b"o" * 32, "BVB", "BN1")

    with pytest.raises(NotFound, match="no such token in this site's vault"):
        site.asks(token=elsewhere)
    with pytest.raises(NotFound):
        site.asks(site="BVB")
    with pytest.raises(Forbidden, match="open the vault of that site"):
        site.asks(a_person("hoa", sites=frozenset({"BVB"})))
    asked = site.asks()
    with pytest.raises(Forbidden, match="open the vault of that site"):
        site.glass.approve(a_person("hoa", sites=frozenset({"BVB"})), asked.id)
    assert site.glass.pending(a_person("hoa", sites=frozenset({"BVB"}))) == []


@pytest.mark.parametrize(
    "who", [a_person("bot", kind="token"), a_person("part", kind="system"), a_person("reader", scopes=[Scope.API_READ])]
)
def test_programs_and_people_without_the_right_are_refused(site, who):
    asked = site.asks()

    for step in (lambda: site.asks(who), lambda: site.glass.approve(who, asked.id), lambda: site.glass.pending(who)):
        with pytest.raises(Forbidden):
            step()


@pytest.mark.parametrize("token", ["Nguyễn Thị Hương", "BN1", "", "K7M2-9QXD-4TB", "1.2.3", "2" * 65])
def test_what_is_no_token_is_refused_without_being_repeated(site, token):
    with pytest.raises(InvalidRequest, match="neither a pseudonym nor") as refused:
        site.glass.ask(LAN, "BVA", token, "emergency")

    assert not token or token not in str(refused.value)
    assert site.lines() == []


def test_a_reason_is_a_word_of_the_list(site):
    with pytest.raises(InvalidRequest, match="the reason is one of emergency, "):
        site.asks(reason="Hương called")


def test_requests_that_wait_have_a_bound(site, monkeypatch):
    monkeypatch.setattr(break_glass, "PENDING_MAX", 2)
    site.asks()
    site.asks()

    with pytest.raises(VaultShut, match="2 requests wait already"):
        site.asks()


def test_every_step_and_refusal_is_audited_and_no_line_names_anybody(site):
    asked = site.asks()
    with pytest.raises(VaultShut):
        site.glass.approve(LAN, asked.id)
    site.glass.approve(MINH, asked.id)
    site.glass.open(LAN, asked.id)
    with pytest.raises(VaultShut):
        site.glass.open(LAN, asked.id)
    with pytest.raises(Forbidden):
        site.asks(a_person("bot", kind="token"))

    lines = site.lines()

    assert [(line["who"], line.get("step", "revealed"), line["outcome"]) for line in lines] == [
        ("lan", "asked", "success"),
        ("lan", "approved", "minor failure"),
        ("minh", "approved", "success"),
        ("lan", "revealed", "success"),
        ("lan", "opened", "minor failure"),
        ("bot", "tried", "minor failure"),
    ]
    rows = [str(row) for row in site.hospital.rows(select(vault_request))]
    assert not [word for word in ("Hương", "BN1", "ACC1") if word in str(lines) + str(rows)]
