"""What somebody drew and did not save is kept with their account, for them alone, until they save it or drop it."""

import base64
from collections.abc import Iterator

import httpx
import pytest

from consult.draft_tables import draft
from consult.drafts import CHARACTERS_MAX, DRAFTS_MAX, NOTHING, Drafts
from exchange.node.assemble import deletions_of
from kernel.access import NewAccount, StudyGrant
from kernel.archive.deletion.deletion import Wish
from kernel.archive.deletion.removal import Target
from kernel.clock import ManualClock
from kernel.errors import DraftChanged, LimitExceeded
from tests.server.conftest import PASSWORD, taking_in
from tests.support.builders import a_ct_series

CT = list(a_ct_series(3, seed="drafts", rows=16, columns=16))
STUDY = str(CT[0].StudyInstanceUID)
ADDRESS = f"/api/studies/{STUDY}/draft"
MARKS = {"part": "marks"}
DRAWN = '{"put": [{"text": "ổ máu tụ"}]}'


@pytest.fixture
def client(room) -> Iterator[httpx.Client]:
    room.take_in(*CT)
    room.stores.access.accounts.create(NewAccount("minh", ["reader"]), PASSWORD, by="test")
    with room.signed_in() as signed:
        yield signed


def keep(client: httpx.Client, version: int, content: str = DRAWN, part: str = "marks") -> httpx.Response:
    return client.put(ADDRESS, params={"part": part}, json={"version": version, "content": content})


def present(client: httpx.Client, part: str = "marks") -> tuple[int, str]:
    told = client.get(ADDRESS, params={"part": part}).raise_for_status().json()
    return told["version"], told["content"]


def test_a_draft_is_there_at_another_computer_for_its_person_alone(room, client):
    assert present(client) == (0, "")

    assert keep(client, 0).json()["version"] == 1

    with room.signed_in() as elsewhere:
        assert present(elsewhere) == (1, DRAWN)
    with room.signed_in("minh") as somebody:
        assert present(somebody) == (0, "")


def test_the_parts_of_a_study_have_drafts_of_their_own(client):
    for part in ("marks", "key-images", "slide-1.2.3"):
        keep(client, 0, part, part).raise_for_status()

    assert [present(client, part) for part in ("marks", "key-images", "slide-1.2.3")] == [
        (1, "marks"),
        (1, "key-images"),
        (1, "slide-1.2.3"),
    ]
    for wrong in ("", "report", "slide-", "slide-1.2.3/..", "slide-" + "1" * 65):
        assert keep(client, 0, part=wrong).status_code == 400, wrong


def test_of_two_windows_the_slower_is_refused_and_overwrites_nothing(client):
    keep(client, 0, "of the first window").raise_for_status()

    late = keep(client, 0, "of the second")

    assert (late.status_code, late.json()["code"]) == (409, "DraftChanged")
    assert present(client) == (1, "of the first window")


def test_a_draft_that_was_saved_or_dropped_is_empty_and_its_version_goes_on_counting(client):
    keep(client, 0, "of both windows").raise_for_status()

    keep(client, 1, "").raise_for_status()

    assert present(client) == (2, "")
    keep(client, 2, "drawn after it").raise_for_status()
    assert keep(client, 1, "of a window that missed both").status_code == 409
    assert present(client) == (3, "drawn after it")


def test_a_draft_has_an_end_of_its_length(client):
    assert keep(client, 0, "x" * CHARACTERS_MAX).status_code == 200
    assert keep(client, 1, "x" * (CHARACTERS_MAX + 1)).status_code == 400
    assert present(client) == (1, "x" * CHARACTERS_MAX)


@pytest.fixture
def kept(room) -> tuple[Drafts, ManualClock]:
    clock = ManualClock()
    return Drafts(room.stores.db, clock, 30.0), clock


def a_grant(number: int = 1) -> StudyGrant:
    return StudyGrant("LOCAL", f"1.2.{number}", "", "lan")


def test_an_account_has_so_many_drafts_and_those_that_were_saved_do_not_count(kept):
    drafts, _ = kept
    for number in range(DRAFTS_MAX):
        drafts.keep(a_grant(number), "lan", "marks", version=0, content="x")

    with pytest.raises(LimitExceeded, match="DRAFTS_MAX of an account exceeded"):
        drafts.keep(a_grant(DRAFTS_MAX), "lan", "marks", version=0, content="x")
    drafts.keep(a_grant(0), "lan", "marks", version=1, content="one that is there may change")
    drafts.keep(a_grant(0), "lan", "marks", version=2, content="")

    assert drafts.keep(a_grant(DRAFTS_MAX), "lan", "marks", version=0, content="x").version == 1
    with pytest.raises(LimitExceeded, match="CHARACTERS_MAX of a draft exceeded"):
        drafts.keep(a_grant(1), "lan", "marks", version=1, content="x" * (CHARACTERS_MAX + 1))


def test_a_draft_that_nobody_touched_for_so_many_days_is_forgotten(room, kept):
    drafts, clock = kept
    drafts.keep(a_grant(1), "lan", "marks", version=0, content="old")
    clock.advance(29 * 86_400)
    drafts.keep(a_grant(2), "lan", "marks", version=0, content="young")
    assert drafts.of(a_grant(1), "lan", "marks").content == "old"

    clock.advance(86_400)

    assert drafts.of(a_grant(1), "lan", "marks") == NOTHING
    assert drafts.of(a_grant(2), "lan", "marks").content == "young"
    with pytest.raises(DraftChanged, match="its present version is 0"):
        drafts.keep(a_grant(1), "lan", "marks", version=1, content="of a window that slept")
    drafts.keep(a_grant(3), "bot", "marks", version=0, content="whoever keeps one sweeps")
    with room.stores.db.read() as connection:
        rows = connection.execute(draft.select()).all()
    assert sorted(row.content for row in rows) == ["whoever keeps one sweeps", "young"]


def test_drafts_go_with_their_study_and_not_with_a_part_of_it(room, client):
    keep(client, 0).raise_for_status()
    deletions = deletions_of(room.stores, taking_in(room.stores)[0])

    def delete(*uids: str) -> None:
        target = Target("LOCAL", STUDY, *uids)
        deletions.delete(Wish(target, "chief", "", "127.0.0.1", "test-data", is_admin=True, is_forced=True))

    def drafts() -> int:
        with room.stores.db.read() as connection:
            return len(connection.execute(draft.select()).all())

    delete(str(CT[0].SeriesInstanceUID), str(CT[0].SOPInstanceUID))
    assert drafts() == 1
    delete()

    assert drafts() == 0


def test_the_key_of_a_person_s_drafts_is_the_same_in_every_session_and_nobody_else_s(room, client):
    def key_of(one: httpx.Client) -> str:
        answer = one.get("/api/session/draft-key").raise_for_status()
        assert answer.headers["Cache-Control"] == "no-store"
        return answer.json()["key"]

    mine = key_of(client)
    with room.signed_in() as again, room.signed_in("minh") as somebody:
        assert key_of(again) == mine != key_of(somebody)

    assert len(base64.urlsafe_b64decode(mine + "=")) == 32
    client.delete("/api/session").raise_for_status()
    assert client.get("/api/session/draft-key").status_code == 401


def test_drafts_are_for_those_who_may_write_in_the_study(room, client):
    keep(client, 0).raise_for_status()
    with room.client() as nobody:
        assert nobody.get(ADDRESS, params=MARKS).status_code == 401
        assert nobody.get("/api/session/draft-key").status_code == 401
    with room.signed_in("bot") as elsewhere:
        assert elsewhere.get(ADDRESS, params=MARKS).status_code == 403
    token = room.stores.access.tokens.create("his", ["api:read", "api:write"], by="test")
    with room.client(Authorization=f"Bearer {token}") as program:
        assert program.get(ADDRESS, params=MARKS).status_code == 403
        assert program.get("/api/session/draft-key").status_code == 403

    assert client.get(ADDRESS.replace(STUDY, "1.2.3"), params=MARKS).status_code == 404
    assert present(client) == (1, DRAWN)
