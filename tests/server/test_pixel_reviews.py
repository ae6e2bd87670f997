"""Pixels that wait for a person, over the API: who may see and decide, and what a decision is."""

import json

import pytest
from sqlalchemy import insert, select

from routing.tables import pixel_review

INSTANCE = "2.25.4711"


@pytest.fixture
def waits(room):
    """A room in which an instance of another site waits."""

    def add(connection):
        connection.execute(
            insert(pixel_review).values(
                site="MK02",
                sop_instance_uid=INSTANCE,
                profile="tele-read",
                study_instance_uid="2.25.1",
                reason="text-left",
                proposed=json.dumps([[1, 2, 3, 4]]),
                state="waiting",
                drawn="",
                decided_by="",
                fallback_charset="",
                at=room.stores.clock.now(),
            )
        )

    room.stores.db.write(add)
    return room


def bearer(room, *scopes: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {room.stores.access.tokens.create('a person', scopes, by='test')}"}


def states(room) -> list[tuple[str, str]]:
    with room.stores.db.read() as connection:
        return [tuple(row) for row in connection.execute(select(pixel_review.c.state, pixel_review.c.drawn))]


def test_who_administers_lists_and_accepts_with_masks(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        listed = client.get("/api/pixel-reviews").json()
        done = client.post(f"/api/pixel-reviews/{INSTANCE}/acceptance", json={"masks": [[0, 0, 5, 5]]})

    assert [(one["sopInstanceUID"], one["proposed"]) for one in listed] == [(INSTANCE, [[1, 2, 3, 4]])]
    assert (done.status_code, done.json()) == (200, {"destinations": 0})
    assert states(waits) == [("accepted", "[[0, 0, 5, 5]]")]


def test_a_rejection_is_once_and_for_all(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        first = client.post(f"/api/pixel-reviews/{INSTANCE}/rejection")
        second = client.post(f"/api/pixel-reviews/{INSTANCE}/rejection")

    assert (first.status_code, second.status_code) == (200, 404)
    assert states(waits)[0][0] == "rejected"


def test_masks_that_cannot_be_are_refused(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        answer = client.post(f"/api/pixel-reviews/{INSTANCE}/acceptance", json={"masks": [[5, 5, 5, 5]]})

    assert answer.status_code == 400
    assert states(waits)[0][0] == "waiting"


def test_nobody_else_may_look_or_decide(waits):
    with waits.client(**bearer(waits, "api:read", "api:write")) as client:
        assert client.get("/api/pixel-reviews").status_code == 403
        assert client.post(f"/api/pixel-reviews/{INSTANCE}/rejection").status_code == 403
