"""Bearer tokens: shown once, bound to scopes and a site, ended by time or by hand."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from kernel.access import Access, AccessKeys, Principal, Role, Scope
from kernel.access import memory as memory_module
from kernel.access.tables import token
from kernel.audit import Action
from kernel.clock import ManualClock
from kernel.config import AccessConfig
from kernel.database import Database
from kernel.errors import Forbidden, InvalidRequest, NotAuthenticated, NotFound
from tests.support.access import CHEAP, audited, opened

STORE = [Scope.DICOMWEB_STORE, Scope.DICOMWEB_READ]


@pytest.fixture
def bearer(access: Access) -> str:
    return access.tokens.create("Bắc Hà", STORE, site="BH-01", by="test")


def token_id(bearer: str) -> str:
    return bearer.split("_")[1]


def test_a_token_gives_its_scopes_and_its_site_and_sees_only_that_site(access: Access, bearer: str):
    principal = access.principal_of_token(bearer)

    assert principal == Principal(
        "Bắc Hà", "token", frozenset({Role.INTEGRATOR}), frozenset(STORE), frozenset({"BH-01"}), "BH-01"
    )
    assert access.may_store(principal) == "BH-01"
    with pytest.raises(Forbidden, match="it needs the right admin"):
        principal.require(Scope.ADMIN)


def test_a_token_without_a_site_sees_every_site_and_stores_for_this_one(access: Access):
    principal = access.principal_of_token(access.tokens.create("archive", STORE, by="test"))

    assert (principal.sites, principal.site) == (None, None)
    assert access.may_store(principal) == "HN-01"


@pytest.mark.parametrize(
    "forged",
    [
        lambda bearer: bearer[:-1] + ("A" if bearer[-1] != "A" else "B"),
        lambda bearer: bearer.replace("vat_", "vot_"),
        lambda bearer: "vat_" + "0" * 16 + bearer[20:],
        lambda bearer: bearer[:21],
        lambda bearer: bearer[1:],
        lambda bearer: bearer + "é",
        lambda bearer: bearer + "x" * 300,
        lambda _: "",
    ],
)
def test_a_forged_token_is_nobody(access: Access, bearer: str, forged: Any):
    with pytest.raises(NotAuthenticated):
        access.principal_of_token(forged(bearer))


def test_a_token_ends_when_its_time_has_come(access: Access, clock: ManualClock):
    bearer = access.tokens.create("visit", STORE, lifetime=timedelta(hours=1), by="test")
    clock.advance(3599)
    assert access.principal_of_token(bearer).name == "visit"

    clock.advance(6)

    with pytest.raises(NotAuthenticated):
        access.principal_of_token(bearer)


def test_a_revoked_token_is_nobody_at_once_and_stays_in_the_list(access: Access, clock: ManualClock, bearer: str):
    assert access.principal_of_token(bearer).name == "Bắc Hà"

    access.tokens.revoke(token_id(bearer), by="test")

    with pytest.raises(NotAuthenticated):
        access.principal_of_token(bearer)
    with pytest.raises(NotFound, match="There is no such token"):
        access.tokens.revoke(token_id(bearer), by="test")
    (info,) = access.tokens.list()
    assert (info.token_id, info.name, info.revoked_at) == (token_id(bearer), "Bắc Hà", clock.now())
    assert (info.scopes, info.site, info.created_at, info.expires_at) == (set(STORE), "BH-01", clock.now(), None)


def test_a_token_revoked_by_another_process_is_nobody_within_seconds(
    access: Access, database: Database, clock: ManualClock, bearer: str
):
    access.principal_of_token(bearer)
    opened(database, clock).tokens.revoke(token_id(bearer), by="command line")

    assert access.principal_of_token(bearer).name == "Bắc Hà"
    clock.advance(5)

    with pytest.raises(NotAuthenticated):
        access.principal_of_token(bearer)


def test_a_token_looked_up_while_it_is_revoked_is_not_remembered(access: Access, clock: ManualClock):
    recent: memory_module.Recent[str, str] = memory_module.Recent(clock, seconds=60, most=10)

    def ask() -> str:
        recent.forget()  # somebody revokes between our question and its answer
        return "old"

    assert recent.get_or("key", ask) == "old"
    assert recent.get_or("key", lambda: "new") == "new"


def test_what_is_remembered_is_bounded(clock: ManualClock):
    recent: memory_module.Recent[int, int] = memory_module.Recent(clock, seconds=60, most=3)
    for number in range(5):
        recent.get_or(number, lambda number=number: number)

    assert list(recent._kept) == [2, 3, 4]


def test_a_remembered_token_is_not_asked_for_again(
    access: Access, database: Database, bearer: str, monkeypatch: pytest.MonkeyPatch
):
    access.principal_of_token(bearer)
    monkeypatch.setattr(database, "read", None)

    assert access.principal_of_token(bearer).name == "Bắc Hà"


def test_only_a_digest_of_the_secret_is_stored(database: Database, bearer: str):
    with database.read() as connection:
        (row,) = connection.execute(select(token)).all()

    assert bearer.split("_", 2)[2] not in str(row)
    assert len(row.secret_sha256) == 64


def test_making_and_revoking_is_audited_without_the_secret(access: Access, database: Database, bearer: str):
    access.tokens.revoke(token_id(bearer), by="root")

    made, revoked = audited(database, Action.SECURITY_ALERT)
    assert made[0] == "test"
    assert '"scopes": "dicomweb:read dicomweb:store"' in made[2]
    assert revoked[0] == "root"
    assert '"what": "token revoked"' in revoked[2]
    assert bearer.split("_", 2)[2] not in str(made + revoked)


@pytest.mark.parametrize(
    ("name", "scopes", "site", "reason"),
    [
        (
            "x",
            [],
            None,
            "scopes are dicomweb:read, dicomweb:store, .* api:read, api:write, .* admin; give at least one",
        ),
        ("x", ["everything"], None, "scopes are"),
        (" ", STORE, None, "1 to 128"),
        ("x" * 129, STORE, None, "1 to 128"),
        ("a\nb", STORE, None, "1 to 128"),
        ("x", STORE, "no site", "a site's code"),
    ],
)
def test_a_token_that_cannot_be_is_refused(access: Access, name: str, scopes: list[str], site: str, reason: str):
    with pytest.raises(InvalidRequest, match=reason):
        access.tokens.create(name, scopes, site=site, by="test")


def test_the_development_token_may_do_everything_and_only_where_it_was_given(
    access: Access, database: Database, clock: ManualClock
):
    keys = AccessKeys(b"k" * 32, "letmein", CHEAP)
    development = Access(database, clock, AccessConfig(), keys=keys, site="HN-01")

    principal = development.principal_of_token("letmein")

    assert (principal.scopes, principal.sites) == (frozenset(Scope), None)
    assert development.may_store(principal) == "HN-01"
    for one, bearer in ((development, "letmeIn"), (access, "letmein"), (access, "")):
        with pytest.raises(NotAuthenticated):
            one.principal_of_token(bearer)


def test_a_store_needs_the_right_and_one_site(access: Access):
    def storer(*sites: str, scopes: frozenset[Scope] = frozenset(STORE)) -> Principal:
        return Principal("x", "account", frozenset(), scopes, frozenset(sites))

    assert access.may_store(storer("DN-02")) == "DN-02"
    assert access.may_store(storer("DN-02", "HN-01")) == "HN-01"
    for principal in (storer("DN-02", "DN-03"), storer()):
        with pytest.raises(Forbidden, match="no single site is given to it"):
            access.may_store(principal)
    with pytest.raises(Forbidden, match="it needs the right dicomweb:store"):
        access.may_store(storer("HN-01", scopes=frozenset()))
