"""Browser sessions: known by a signed cookie, ended by time, by hand and by any change of the account."""

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from kernel.access import Access, AccessKeys, Principal, StudyGrant
from kernel.access.sessions import SESSIONS_MAX
from kernel.access.tables import session
from kernel.clock import ManualClock
from kernel.config import AccessConfig, Config, NodeConfig
from kernel.database import Database
from kernel.errors import Forbidden, NotAuthenticated
from tests.support.access import CHEAP, HOME, PASSWORD, audited, opened


def test_a_session_is_known_by_its_cookie_until_it_is_closed(access: Access, database: Database, cookie: str):
    assert access.principal_of_session(cookie).name == "bs.huong"

    access.close_session(cookie, HOME)
    access.close_session(cookie, HOME)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)
    assert audited(database)[-1] == ("bs.huong", "success", '{"what": "sign-out"}')


def test_a_session_ends_after_its_hours_however_busy(access: Access, clock: ManualClock, cookie: str):
    for _ in range(24):
        access.principal_of_session(cookie)
        clock.advance(1799)
    access.principal_of_session(cookie)

    clock.advance(25)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


def test_a_session_ends_when_nobody_uses_it(access: Access, clock: ManualClock, cookie: str):
    clock.advance(3599)
    access.principal_of_session(cookie)
    clock.advance(3600)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


def test_a_session_outlives_the_process(access: Access, database: Database, clock: ManualClock, cookie: str):
    assert opened(database, clock).principal_of_session(cookie).name == "bs.huong"


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_disabled("bs.huong", disabled=True, by="test"),
        lambda accounts: accounts.set_password("bs.huong", "another long password", by="test"),
        lambda accounts: accounts.set_rights("bs.huong", ["reader"], ["X"], by="test"),
    ],
)
def test_changing_an_account_ends_its_sessions_at_once(access: Access, cookie: str, change: Any):
    assert access.principal_of_session(cookie).name == "bs.huong"

    change(access.accounts)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


@pytest.mark.parametrize(
    "change",
    [
        lambda accounts: accounts.set_disabled("bs.huong", disabled=True, by="test"),
        lambda accounts: accounts.set_rights("bs.huong", ["reader"], ["X"], by="test"),
    ],
)
def test_a_change_by_another_process_ends_what_this_one_remembers_at_the_next_request(
    database: Database, clock: ManualClock, huong: str, tmp_path: Path, change: Any
):
    config = Config(node=NodeConfig(data=tmp_path))
    node, command = (Access.open(database, clock, config) for _ in range(2))
    cookie = command.open_session(Principal(huong, "account", frozenset(), frozenset()), HOME)
    person = node.principal_of_session(cookie)
    launched = node.launches.make(person, StudyGrant("HN-01", "1.2.3", "0" * 32, huong), "weasis", HOME)
    assert node.principal_of_session(cookie).name == huong
    assert node.principal_of_token(launched).study == "1.2.3"

    change(command.accounts)

    with pytest.raises(NotAuthenticated):
        node.principal_of_session(cookie)
    with pytest.raises(NotAuthenticated):
        node.principal_of_token(launched)


def test_an_account_disabled_behind_our_back_is_out_within_seconds(
    access: Access, database: Database, clock: ManualClock, cookie: str
):
    access.principal_of_session(cookie)
    database.write(lambda connection: connection.execute(text("UPDATE account SET disabled = true")) and None)

    assert access.principal_of_session(cookie).name == "bs.huong"
    clock.advance(5)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


@pytest.mark.parametrize(
    "forged",
    [
        lambda cookie: cookie[:-1] + ("A" if cookie[-1] != "A" else "B"),
        lambda cookie: cookie.replace("v1.", "v2."),
        lambda cookie: "v1." + "x" * 43 + "." + cookie.rpartition(".")[2],
        lambda cookie: cookie.rpartition(".")[0],
        lambda _: "",
        lambda cookie: cookie + "é",
        lambda _: "v1." + "x" * 10_000,
    ],
)
def test_a_forged_cookie_is_nobody(access: Access, cookie: str, forged: Any):
    for ask in (access.principal_of_session, access.csrf_of_session):
        with pytest.raises(NotAuthenticated):
            ask(forged(cookie))
    access.close_session(forged(cookie), HOME)

    assert access.principal_of_session(cookie).name == "bs.huong"


def test_a_cookie_signed_by_another_node_is_nobody(access: Access, database: Database, clock: ManualClock, huong: str):
    other = Access(database, clock, AccessConfig(), keys=AccessKeys(b"o" * 32, None, CHEAP), site="DN-02")
    cookie = other.open_session(other.authenticate_password(huong, PASSWORD, HOME), HOME)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


def test_only_a_digest_of_the_session_is_stored(database: Database, cookie: str):
    with database.read() as connection:
        (row,) = connection.execute(select(session)).all()

    assert cookie.split(".")[1] not in str(row)
    assert len(row.id_sha256) == 64


def test_an_unsafe_request_needs_the_sessions_own_value(access: Access, huong: str, cookie: str):
    other = access.open_session(access.authenticate_password(huong, PASSWORD, HOME), HOME)

    access.check_csrf(cookie, access.csrf_of_session(cookie))

    assert access.csrf_of_session(cookie) not in cookie
    for value in (access.csrf_of_session(other), "", "é", cookie):
        with pytest.raises(Forbidden, match="from another page"):
            access.check_csrf(cookie, value)


def test_sessions_of_one_account_are_bounded_and_expired_ones_are_swept(
    access: Access, database: Database, clock: ManualClock, huong: str, cookie: str
):
    principal = access.principal_of_session(cookie)
    for _ in range(SESSIONS_MAX):
        clock.advance(1)
        latest = access.open_session(principal, HOME)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)
    assert access.principal_of_session(latest).name == huong
    assert _sessions(database) == SESSIONS_MAX

    clock.advance(24 * 3600)
    access.open_session(principal, HOME)
    assert _sessions(database) == 1


def _sessions(database: Database) -> int:
    with database.read() as connection:
        return len(connection.execute(select(session)).all())


def test_a_token_has_no_session(access: Access):
    with pytest.raises(AssertionError, match="only people have sessions"):
        access.open_session(Principal("t", "token", frozenset(), frozenset()), HOME)
