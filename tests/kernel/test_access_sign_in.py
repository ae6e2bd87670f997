"""Signing in: who gets in, who is kept out and for how long, and what is written down."""

import pytest
from argon2 import PasswordHasher

from kernel.access import Access, NewAccount, Principal, Role, Scope
from kernel.access import memory as memory_module
from kernel.access import secrets as secrets_module
from kernel.audit import Action
from kernel.clock import ManualClock
from kernel.database import Database
from kernel.errors import Busy, InvalidRequest, NotAuthenticated, Throttled
from tests.support.access import HOME, PASSWORD, audited


def test_the_right_password_gives_the_person_with_the_rights_of_the_roles(access: Access, huong: str):
    principal = access.authenticate_password(" BS.Huong ", PASSWORD, HOME)

    assert principal == Principal(
        "bs.huong",
        "account",
        frozenset({Role.READER}),
        frozenset(
            {
                Scope.DICOMWEB_READ,
                Scope.API_READ,
                Scope.API_WRITE,
                Scope.ORDERS_READ,
                Scope.WORKLIST_READ,
                Scope.WORKLIST_WRITE,
            }
        ),
        display="Bs. Hương",
    )


@pytest.mark.parametrize("attempt", [("bs.huong", "wrong"), ("nobody", PASSWORD), ("", ""), ("bs.huong", "")])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(access: Access, huong: str, attempt: tuple[str, str]):
    with pytest.raises(NotAuthenticated, match=r"^Sign in, or send a valid bearer token\.$"):
        access.authenticate_password(*attempt, HOME)


def test_an_unknown_name_costs_the_same_hash(access: Access, monkeypatch: pytest.MonkeyPatch):
    verified: list[str] = []
    monkeypatch.setattr(PasswordHasher, "verify", lambda _self, stored, _password: verified.append(stored))

    with pytest.raises(NotAuthenticated):
        access.authenticate_password("nobody", PASSWORD, HOME)

    assert verified == [access.accounts._passwords._nobody]


def test_a_password_typed_with_marks_beside_the_letters_is_the_same_password(access: Access):
    access.accounts.create(NewAccount("bs.an", ["reader"]), "mật khẩu rất dài", by="test")

    decomposed = "ma\u0323\u0302t kha\u0302\u0309u ra\u0302\u0301t da\u0300i"
    assert access.authenticate_password("bs.an", decomposed, HOME).name == "bs.an"


def test_a_disabled_account_does_not_get_in_until_it_is_enabled(access: Access, huong: str):
    access.accounts.set_disabled(huong, disabled=True, by="test")
    with pytest.raises(NotAuthenticated):
        access.authenticate_password(huong, PASSWORD, HOME)

    access.accounts.set_disabled(huong, disabled=False, by="test")

    assert access.authenticate_password(huong, PASSWORD, HOME).name == huong


def test_every_sign_in_is_audited_without_what_was_typed_as_an_unknown_name(
    access: Access, database: Database, huong: str
):
    access.authenticate_password(huong, PASSWORD, HOME)
    for name in (huong, "my secret password"):
        with pytest.raises(NotAuthenticated):
            access.authenticate_password(name, "another secret", HOME)

    lines = audited(database, Action.USER_AUTHENTICATION)
    assert lines == [
        ("bs.huong", "success", '{"what": "sign-in"}'),
        ("bs.huong", "minor failure", '{"what": "sign-in refused"}'),
        ("(unknown account)", "minor failure", '{"what": "sign-in refused"}'),
    ]


def test_too_long_a_password_is_refused_before_it_is_hashed(access: Access, huong: str):
    with pytest.raises(InvalidRequest, match="at most 1024 characters"):
        access.authenticate_password(huong, "x" * 1025, HOME)


def test_more_hashes_at_once_than_memory_allows_are_told_busy(
    access: Access, huong: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(secrets_module, "HASH_WAIT_S", 0.01)
    turn = access.accounts._passwords._turn
    for _ in range(secrets_module.HASHES_AT_ONCE):
        turn.acquire()

    with pytest.raises(Busy, match="many people are signing in"):
        access.authenticate_password(huong, PASSWORD, HOME)


def fail(access: Access, times: int, name: str = "bs.huong", address: str = HOME) -> None:
    for _ in range(times):
        with pytest.raises(NotAuthenticated):
            access.authenticate_password(name, "wrong", address)


def test_an_account_is_throttled_after_its_failures_even_with_the_right_password(
    access: Access, database: Database, clock: ManualClock, huong: str
):
    fail(access, 8)

    for _ in range(3):
        with pytest.raises(Throttled, match="Try again in 901 s"):
            access.authenticate_password(huong, PASSWORD, HOME)
    clock.advance(900)

    assert access.authenticate_password(huong, PASSWORD, HOME).name == huong
    assert audited(database, Action.SECURITY_ALERT)[1:] == [
        ("bs.huong", "serious failure", '{"what": "sign-in throttled"}')
    ]


def test_an_address_is_throttled_after_four_times_as_many_failures_under_any_name(access: Access, huong: str):
    for number in range(32):
        fail(access, 1, f"somebody-{number}")

    with pytest.raises(Throttled):
        access.authenticate_password(huong, PASSWORD, HOME)
    assert access.authenticate_password(huong, PASSWORD, "10.0.0.8").name == huong


def test_addresses_of_one_ipv6_network_count_as_one(access: Access, huong: str):
    for number in range(32):
        fail(access, 1, f"somebody-{number}", f"2001:db8::{number:x}")

    with pytest.raises(Throttled):
        access.authenticate_password(huong, PASSWORD, "2001:db8::ffff")
    assert access.authenticate_password(huong, PASSWORD, "2001:db8:0:1::1").name == huong


def test_an_address_that_is_none_is_counted_as_it_stands(access: Access, huong: str):
    for number in range(32):
        fail(access, 1, f"somebody-{number}", "unix:")

    with pytest.raises(Throttled):
        access.authenticate_password(huong, PASSWORD, "unix:")


def test_a_success_forgets_the_failures_of_the_account(access: Access, huong: str):
    for _ in range(3):
        fail(access, 7)
        access.authenticate_password(huong, PASSWORD, HOME)

    fail(access, 7)
    assert access.authenticate_password(huong, PASSWORD, HOME).name == huong


def test_failures_grow_old_one_by_one(access: Access, clock: ManualClock, huong: str):
    fail(access, 7)
    clock.advance(600)
    fail(access, 1)
    with pytest.raises(Throttled, match="Try again in 301 s"):
        access.authenticate_password(huong, PASSWORD, HOME)

    clock.advance(300)

    assert access.authenticate_password(huong, PASSWORD, HOME).name == huong


def test_what_is_counted_is_bounded_and_the_longest_untouched_goes(clock: ManualClock, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(memory_module, "COUNTERS_MAX", 10)
    throttle = memory_module.Throttle(clock, attempts_max=2, window_s=60)

    for number in range(100):
        throttle.begin(f"account-{number}", HOME) if number < 8 else throttle.begin(f"account-{number}", f"h{number}")

    assert len(throttle._times) == 10
