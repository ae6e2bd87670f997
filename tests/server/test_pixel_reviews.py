"""Pixels that wait for a person, over the API: who may see and decide, and what a decision is."""

import json

import pytest
from sqlalchemy import insert, select

from kernel.archive.tables import instance
from routing.tables import pixel_review

INSTANCE = "2.25.4711"


def wait(room, sop_instance_uid: str, study_instance_uid: str) -> None:
    """Let an instance of another site wait."""
    row = {
        "site": "MK02",
        "sop_instance_uid": sop_instance_uid,
        "profile": "tele-read",
        "study_instance_uid": study_instance_uid,
        "reason": "text-left",
        "proposed": json.dumps([[1, 2, 3, 4]]),
        "state": "waiting",
        "drawn": "",
        "decided_by": "",
        "fallback_charset": "",
        "at": room.stores.clock.now(),
    }
    room.stores.db.write(lambda connection: connection.execute(insert(pixel_review).values(row)) and None)


@pytest.fixture
def waits(room):
    """A room in which an instance of another site waits that is not in its index."""
    wait(room, INSTANCE, "2.25.1")
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


def test_what_waits_says_where_its_picture_is_and_how_large(room):
    study = room.add_study(seed="us", count=1, site="MK02")
    with room.stores.db.read() as connection:
        uid = connection.execute(select(instance.c.sop_instance_uid)).scalar_one()
    wait(room, uid, study)

    with room.client(**bearer(room, "admin")) as client:
        (listed,) = client.get("/api/pixel-reviews").json()

    picture = listed["picture"]
    assert (picture["modality"], picture["rows"], picture["columns"], picture["numberOfFrames"]) == ("CT", 16, 16, 1)
    assert picture["seriesInstanceUID"]


def test_what_waits_is_listed_without_a_picture_when_the_instance_is_gone(waits):
    with waits.client(**bearer(waits, "admin")) as client:
        assert [one["picture"] for one in client.get("/api/pixel-reviews").json()] == [None]


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
