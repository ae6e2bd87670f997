"""Signing in and out: what a browser gets, what a stranger does not."""

from datetime import timedelta

import pytest

from kernel import audit
from tests.server.conftest import PASSWORD


def test_a_person_signs_in_and_is_known_by_the_cookie(room):
    with room.signed_in() as client:
        known = client.get("/api/session").json()

    assert (known["name"], known["display"], known["roles"], known["mustChange"]) == (
        "lan",
        "BS Lan",
        ["reader"],
        False,
    )


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(room):
    with room.client() as client:
        answer = client.post("/api/session", json={"name": "lan", "password": PASSWORD})

    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= attributes


@pytest.mark.parametrize("body", [{"name": "lan", "password": "wrong"}, {"name": "nobody", "password": PASSWORD}])
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(room, body):
    with room.client() as client:
        answer = client.post("/api/session", json=body)

    assert answer.status_code == 401
    assert answer.json()["code"] == "NotAuthenticated"
    assert "set-cookie" not in answer.headers


def test_too_many_wrong_passwords_are_throttled_with_a_time_to_wait(room):
    with room.client() as client:
        for _ in range(room.stores.config.access.attempts_max):
            client.post("/api/session", json={"name": "lan", "password": "wrong"})
        answer = client.post("/api/session", json={"name": "lan", "password": PASSWORD})

    assert answer.status_code == 429
    assert int(float(answer.headers["Retry-After"])) > 0


def test_a_sign_in_that_another_site_makes_a_browser_send_is_refused(room):
    with room.client(Origin="https://evil.example") as client:
        answer = client.post("/api/session", json={"name": "lan", "password": PASSWORD})

    assert answer.status_code == 403


@pytest.mark.parametrize(
    "headers", [{"X-Vienanh-CSRF": ""}, {"X-Vienanh-CSRF": "0" * 64}, {"Origin": "https://evil.example"}]
)
def test_an_unsafe_request_needs_the_page_s_own_value_and_origin(room, headers):
    with room.signed_in() as client:
        answer = client.delete("/api/session", headers=headers)

        assert answer.status_code == 403
        assert client.get("/api/session").status_code == 200


def test_signing_out_ends_the_session_at_the_node(room):
    with room.signed_in() as client:
        cookie = client.cookies["vienanh_session"]
        assert client.delete("/api/session").status_code == 204

    with room.client(Cookie=f"vienanh_session={cookie}") as thief:
        assert thief.get("/api/session").status_code == 401


def test_a_one_time_password_opens_nothing_until_it_is_replaced(room):
    room.stores.access.accounts.set_password("lan", "mot lan thoi nhe", must_change=True, by="test")
    with room.signed_in(password="mot lan thoi nhe") as client:
        assert client.get("/api/session").json()["mustChange"] is True
        assert client.get("/api/worklist").status_code == 403

        body = {"current": "mot lan thoi nhe", "new": "mat khau moi cua toi"}
        changed = client.post("/api/session/password", json=body)

        assert changed.json()["mustChange"] is False
        assert client.get("/api/worklist").status_code == 200


def test_an_unreadable_body_is_refused_without_repeating_it(room):
    with room.client() as client:
        answer = client.post("/api/session", json={"name": "lan", "password": ["secret"], "more": 1})

    assert answer.status_code == 400
    assert "secret" not in answer.text


def test_a_body_larger_than_any_form_is_not_taken(room):
    with room.client() as client:
        answer = client.post("/api/session", content=b"x" * 100_000, headers={"Content-Type": "application/json"})

    assert answer.status_code == 413


def test_sign_ins_and_failures_are_in_the_audit(room):
    with room.client() as client:
        client.post("/api/session", json={"name": "lan", "password": "wrong"})
    with room.signed_in():
        pass

    with room.stores.db.read() as connection:
        assert audit.verify(connection) >= 3


def test_an_expired_token_is_refused(room):
    token = room.stores.access.tokens.create("old", ["api:read"], lifetime=timedelta(seconds=-1), by="test")

    with room.client(Authorization=f"Bearer {token}") as client:
        assert client.get("/api/worklist").status_code == 401
