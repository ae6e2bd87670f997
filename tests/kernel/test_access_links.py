"""Links to one study: opened once with a code that is told apart, a few tries, a bounded time; the guest sees that study."""

import json
from datetime import timedelta

import pytest
from sqlalchemy import select

from kernel.access import Access, Action, NewAccount, Principal, Scope
from kernel.access.launches import LIFE
from kernel.access.links import HOURS_MAX, LINKS_MAX, TRIES_MAX, NewLink
from kernel.access.tables import study_link
from kernel.archive.search.search import StudyQuery
from kernel.clock import ManualClock
from kernel.config import AccessConfig
from kernel.database import Database
from kernel.errors import Forbidden, InvalidRequest, NotAuthenticated, NotFound, Throttled
from tests.kernel.test_access_studies import has
from tests.support.access import HOME, PASSWORD, audited

STUDY, OTHER = "1.2.3", "1.2.4"
AWAY = "203.0.113.5"


@pytest.fixture
def doctor(access: Access, database: Database) -> Principal:
    """A requester, at a node with two studies."""
    has(database, "HN-01", STUDY)
    has(database, "HN-01", OTHER)
    access.accounts.create(NewAccount("bs.ha", ["requester"], ["HN-01"]), PASSWORD, by="test")
    return access.authenticate_password("bs.ha", PASSWORD, HOME)


def made(access: Access, doctor: Principal, hours: int = 24) -> NewLink:
    grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
    return access.links.make(doctor, grant, hours, HOME)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**8:08d}"


def test_a_guest_sees_the_one_study_and_finds_no_other(access: Access, doctor: Principal):
    link = made(access, doctor)

    guest = access.principal_of_session(access.links.open(link.text, link.code, AWAY))

    assert access.open_study(guest, STUDY, Action.INSTANCES_ACCESSED, AWAY).study_instance_uid == STUDY
    with pytest.raises(NotFound):
        access.open_study(guest, OTHER, Action.INSTANCES_ACCESSED, AWAY)
    assert [row.study_instance_uid for row in access.search_studies(guest, StudyQuery(), AWAY).rows] == [STUDY]
    with pytest.raises(Forbidden):
        access.may_search(guest, [], AWAY)
    with pytest.raises(Forbidden):
        guest.require(Scope.API_READ)
    with pytest.raises(Forbidden):
        access.may_store(guest)


def test_a_code_opens_one_session_and_no_second(access: Access, doctor: Principal):
    link = made(access, doctor)
    cookie = access.links.open(link.text, link.code, AWAY)

    with pytest.raises(NotAuthenticated):
        access.links.open(link.text, link.code, AWAY)

    assert access.principal_of_session(cookie).study == STUDY
    access.close_session(cookie, AWAY)
    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


def test_a_few_wrong_codes_end_a_link(access: Access, doctor: Principal, clock: ManualClock):
    link = made(access, doctor)

    for _ in range(TRIES_MAX):
        with pytest.raises(NotAuthenticated):
            access.links.open(link.text, wrong(link.code), AWAY)
        clock.advance(3600)  # slowly, so that no throttle stands before it

    with pytest.raises(NotAuthenticated):
        access.links.open(link.text, link.code, AWAY)


def test_a_code_is_worth_nothing_without_the_secret(access: Access, doctor: Principal):
    link = made(access, doctor)
    link_id, _, _ = link.text.partition(".")

    with pytest.raises(NotAuthenticated):
        access.links.open(f"{link_id}.guessed", link.code, AWAY)

    assert access.links.open(link.text, link.code, AWAY)


def test_attempts_in_a_hurry_are_throttled(access: Access):
    for number in range(AccessConfig().attempts_max):
        with pytest.raises(NotAuthenticated):
            access.links.open(f"0123456789abcdef.{number}", "00000000", AWAY)

    with pytest.raises(Throttled):
        access.links.open("0123456789abcdef.again", "00000000", AWAY)


def test_a_link_and_its_session_end_with_its_hours(access: Access, doctor: Principal, clock: ManualClock):
    first, second = made(access, doctor, hours=1), made(access, doctor, hours=1)
    cookie = access.links.open(first.text, first.code, AWAY)
    clock.advance(3601)

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)
    with pytest.raises(NotAuthenticated):
        access.links.open(second.text, second.code, AWAY)


@pytest.mark.parametrize("how", ["revoked", "maker disabled", "maker's rights taken"])
def test_a_guest_is_out_when_the_link_is_revoked_or_its_maker_may_no_more(access: Access, doctor: Principal, how: str):
    link = made(access, doctor)
    cookie = access.links.open(link.text, link.code, AWAY)
    access.principal_of_session(cookie)

    if how == "revoked":
        grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
        access.links.revoke(doctor, grant, link.link_id, HOME)
        with pytest.raises(NotFound):
            access.links.revoke(doctor, grant, link.link_id, HOME)
    elif how == "maker disabled":
        access.accounts.set_disabled("bs.ha", disabled=True, by="test")
    else:
        access.accounts.set_rights("bs.ha", ["reader"], ["HN-01"], by="test")

    with pytest.raises(NotAuthenticated):
        access.principal_of_session(cookie)


def test_who_has_not_the_right_makes_no_link_and_hours_and_number_are_bounded(access: Access, doctor: Principal):
    grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
    reader = Principal("bs.lan", "account", frozenset(), frozenset({Scope.API_READ}))
    program = Principal("a PACS", "token", frozenset(), frozenset(Scope))

    for refused in (reader, program):
        with pytest.raises(Forbidden):
            access.links.make(refused, grant, 1, HOME)
    for hours in (0, HOURS_MAX + 1):
        with pytest.raises(InvalidRequest):
            access.links.make(doctor, grant, hours, HOME)
    for _ in range(LINKS_MAX):
        access.links.make(doctor, grant, 1, HOME)
    with pytest.raises(InvalidRequest):
        access.links.make(doctor, grant, 1, HOME)


def test_each_step_is_audited_and_no_secret_is_kept(access: Access, doctor: Principal, database: Database):
    link = made(access, doctor)
    with pytest.raises(NotAuthenticated):
        access.links.open(link.text, wrong(link.code), AWAY)
    access.links.open(link.text, link.code, AWAY)

    told = audited(database)
    what = [(who, outcome, json.loads(detail)["what"]) for who, outcome, detail in told if '"link"' in detail]
    name = f"link {link.link_id}"
    assert what == [
        ("bs.ha", "success", "link made"),
        (name, "minor failure", "link refused"),
        (name, "success", "link opened"),
    ]
    with database.read() as connection:
        kept = str(connection.execute(select(study_link)).all()) + str(told)
    assert link.code not in kept
    assert link.text.partition(".")[2] not in kept
    assert link.code not in repr(link)


def test_a_link_that_ended_long_ago_is_forgotten_when_another_is_made(
    access: Access, doctor: Principal, clock: ManualClock
):
    made(access, doctor)
    clock.advance(timedelta(days=32).total_seconds())

    link = made(access, doctor)

    grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
    assert [one.link_id for one in access.links.list(grant)] == [link.link_id]


def test_a_launched_program_reads_the_one_study_for_a_while(access: Access, doctor: Principal, clock: ManualClock):
    grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
    token = access.launches.make(doctor, grant, "weasis", HOME)

    program = access.principal_of_token(token)

    assert (program.study, program.sites, program.scopes) == (STUDY, {"HN-01"}, {Scope.DICOMWEB_READ})
    for forged in (token[:-1] + ("A" if token[-1] != "A" else "B"), "vlc_", "vlc_e30.e30"):
        with pytest.raises(NotAuthenticated):
            access.principal_of_token(forged)
    clock.advance(LIFE.total_seconds())
    with pytest.raises(NotAuthenticated):
        access.principal_of_token(token)


def test_a_launched_program_is_out_with_its_person(access: Access, doctor: Principal):
    grant = access.open_study(doctor, STUDY, Action.INSTANCES_ACCESSED, HOME)
    token = access.launches.make(doctor, grant, "slicer", HOME)
    access.accounts.set_disabled("bs.ha", disabled=True, by="test")

    with pytest.raises(NotAuthenticated):
        access.principal_of_token(token)
