"""Accounts: made, changed, listed; the first one; the keys."""

from pathlib import Path

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from kernel.access import Access, AccessKeys, NewAccount, Role, Scope
from kernel.access import secrets as secrets_module
from kernel.access.tables import account
from kernel.audit import Action
from kernel.clock import ManualClock
from kernel.config import Config, NodeConfig
from kernel.database import Database
from kernel.errors import Forbidden, InvalidConfiguration, InvalidRequest, NotAuthenticated, NotFound
from tests.support.access import HOME, PASSWORD, audited


@pytest.mark.parametrize(
    ("new", "password", "reason"),
    [
        (NewAccount("bs.huong", ["reader"]), PASSWORD, "there is an account of that name"),
        (NewAccount("BS.HUONG", ["reader"]), PASSWORD, "there is an account of that name"),
        (NewAccount("Hương", ["reader"]), PASSWORD, "letters a to z, digits"),
        (NewAccount("", ["reader"]), PASSWORD, "1 to 64"),
        (NewAccount("x" * 65, ["reader"]), PASSWORD, "1 to 64"),
        (NewAccount("x", []), PASSWORD, "roles are admin, requester, reader, integrator; give at least one"),
        (NewAccount("x", ["surgeon"]), PASSWORD, "roles are admin"),
        (NewAccount("x", ["reader"], sites=["A B"]), PASSWORD, "a site's code"),
        (NewAccount("x", ["reader"]), "too short", "at least 12 characters"),
        (NewAccount("x" * 20, ["reader"]), "X" * 20, "must differ from the name"),
    ],
)
def test_an_account_that_cannot_be_is_refused(access: Access, huong: str, new: NewAccount, password: str, reason: str):
    with pytest.raises(InvalidRequest, match=reason) as caught:
        access.accounts.create(new, password, by="test")

    assert password not in str(caught.value)


def test_accounts_are_listed_with_what_they_may_and_without_their_hash(access: Access, clock: ManualClock, huong: str):
    access.accounts.create(NewAccount("an", ["requester", "admin"], sites=["B", "A"]), PASSWORD, by="test")

    first, second = access.accounts.list()

    assert (first.name, first.display, first.roles, first.sites) == ("an", "an", {"requester", "admin"}, {"A", "B"})
    assert (second.name, second.sites, second.disabled, second.must_change) == ("bs.huong", None, False, False)
    assert second.created_at == clock.now()
    assert "argon2" not in repr(second)


def test_rights_are_replaced(access: Access, huong: str):
    access.accounts.set_rights(huong, ["requester"], ["HN-01"], by="test")
    limited = access.authenticate_password(huong, PASSWORD, HOME)
    access.accounts.set_rights(huong, ["reader"], None, by="test")

    assert (limited.roles, limited.sites) == ({Role.REQUESTER}, {"HN-01"})
    assert limited.sees("HN-01")
    assert not limited.sees("DN-02")
    assert access.authenticate_password(huong, PASSWORD, HOME).sees("DN-02")


def test_changing_an_account_that_is_not_there_says_so(access: Access):
    with pytest.raises(NotFound, match="There is no such account"):
        access.accounts.set_password("nobody", PASSWORD, by="test")


def test_making_and_changing_accounts_is_audited_by_name_of_who_did_it(access: Access, database: Database, huong: str):
    access.accounts.set_rights(huong, ["reader", "admin"], None, by="root")
    access.accounts.set_password(huong, "another long password", by="root")

    assert audited(database, Action.SECURITY_ALERT) == [
        ("test", "success", '{"account": "bs.huong", "roles": "reader", "what": "account made"}'),
        ("root", "success", '{"account": "bs.huong", "roles": "admin reader", "what": "rights set"}'),
        ("root", "success", '{"account": "bs.huong", "what": "password set"}'),
    ]


def test_a_person_changes_the_password_knowing_the_current_one(access: Access, huong: str):
    with pytest.raises(NotAuthenticated):
        access.accounts.change_password(huong, "wrong", "another long password", HOME)
    with pytest.raises(InvalidRequest, match="must differ from the current one"):
        access.accounts.change_password(huong, PASSWORD, PASSWORD, HOME)

    access.accounts.change_password(huong, PASSWORD, "another long password", HOME)

    assert access.authenticate_password(huong, "another long password", HOME).name == huong
    with pytest.raises(NotAuthenticated):
        access.authenticate_password(huong, PASSWORD, HOME)


def test_only_a_hash_of_the_password_is_stored(database: Database, access: Access, huong: str):
    with database.read() as connection:
        stored = connection.scalar(select(account.c.password_hash))

    assert stored is not None
    assert stored.startswith("$argon2id$")
    assert PASSWORD not in stored


def test_the_parameters_of_the_library_are_used_unless_told_otherwise():
    assert secrets_module.Passwords()._hasher.memory_cost == PasswordHasher().memory_cost >= 64 * 1024


def test_an_empty_node_gets_one_administrator_whose_password_must_be_replaced(access: Access):
    one_time = access.first_administrator()
    assert one_time is not None
    assert access.first_administrator() is None

    first = access.authenticate_password("admin", one_time, HOME)
    access.accounts.change_password("admin", one_time, "a password of my own", HOME)
    then = access.authenticate_password("admin", "a password of my own", HOME)

    assert (first.must_change, first.scopes) == (True, frozenset())
    with pytest.raises(Forbidden, match="it needs the right api:read"):
        first.require(Scope.API_READ)
    assert (then.must_change, then.scopes) == (False, frozenset(Scope))
    then.require(Scope.ADMIN)


def test_the_signing_key_is_made_once_and_is_its_owners_alone(database: Database, clock: ManualClock, tmp_path: Path):
    config = Config(node=NodeConfig(data=tmp_path))
    Access.open(database, clock, config)
    key = (tmp_path / "session.key").read_bytes()

    Access.open(database, clock, config)

    assert (tmp_path / "session.key").read_bytes() == key
    assert len(set(key)) > 8
    assert (tmp_path / "session.key").stat().st_mode & 0o777 == 0o600


def test_two_processes_that_start_at_once_agree_on_one_key(tmp_path: Path):
    path = tmp_path / "session.key"
    made: list[bytes] = []

    def random_bytes_while_another_process_is_faster(size: int) -> bytes:
        made.append(secrets_module.load_or_create_key(path))
        return b"y" * size

    key = secrets_module.load_or_create_key(path, random_bytes_while_another_process_is_faster)

    assert [key] == made
    assert [child.name for child in tmp_path.iterdir()] == ["session.key"]


@pytest.mark.parametrize(
    ("content", "mode", "reason"),
    [(b"short", 0o600, "must be 32 bytes"), (b"x" * 32, 0o640, "others may read it")],
)
def test_a_key_file_that_cannot_be_trusted_is_refused(tmp_path: Path, content: bytes, mode: int, reason: str):
    (tmp_path / "session.key").write_bytes(content)
    (tmp_path / "session.key").chmod(mode)

    with pytest.raises(InvalidConfiguration, match=reason) as caught:
        secrets_module.load_or_create_key(tmp_path / "session.key")

    assert "xxx" not in str(caught.value)


def test_nothing_that_holds_a_secret_shows_it():
    shown = repr(
        (secrets_module.Signer(b"secret" * 6), AccessKeys(b"secret" * 6, "secret"), secrets_module.new_token())
    )

    assert "secret" not in shown.replace("TokenParts", "")
    assert secrets_module.new_token(lambda size: b"\x00" * size).secret not in repr(secrets_module.new_token())
