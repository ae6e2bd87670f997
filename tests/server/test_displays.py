"""Displays are registered and their checks put on file, each with an audit line; nothing that was filed is changed."""

from datetime import date, timedelta

import pytest

from consult import displays
from consult.displays import INTERVAL_DAYS_MAX, NAME_CHARACTERS_MAX
from kernel import audit

ALL = "/api/displays"
CHECK = {"by": "KTV Minh", "result": "passed", "note": "Lmax 412 cd/m2"}


def a_check(**changed: str) -> dict[str, str]:
    today = date.today()  # noqa: DTZ011 - the node's clock is the machine's here
    days = {"on": today.isoformat(), "nextDue": (today + timedelta(days=365)).isoformat()}
    return {**CHECK, **days, **changed}


@pytest.fixture
def client(room):
    with room.signed_in() as signed:
        yield signed


@pytest.fixture
def keeper(room):
    """Return a client of who looks after the node."""
    with room.signed_in("root") as signed:
        yield signed


def registered(client, name: str = "EIZO 1") -> str:
    return client.post(ALL, json={"name": name, "place": "Phòng đọc 2"}).raise_for_status().json()["id"]


def test_a_display_is_on_the_list_with_its_newest_check(client):
    other, one = registered(client, "B"), registered(client, "A")
    for result in ("failed", "passed"):
        assert client.post(f"{ALL}/{one}/checks", json=a_check(result=result)).status_code == 201

    first, second = client.get(ALL).json()

    assert (first["id"], first["name"], first["place"], first["registeredBy"]) == (one, "A", "Phòng đọc 2", "lan")
    last = first["last"]
    assert (last["by"], last["result"], last["note"], last["recordedBy"]) == (
        "KTV Minh",
        "passed",
        CHECK["note"],
        "lan",
    )
    assert (second["id"], second["last"]) == (other, None)
    assert [check["result"] for check in client.get(f"{ALL}/{one}/checks").json()] == ["passed", "failed"]


def test_a_display_that_is_retired_is_listed_apart_and_what_was_filed_stays(client, keeper):
    one, _ = registered(client), registered(client, "B")
    client.post(f"{ALL}/{one}/checks", json=a_check()).raise_for_status()

    assert keeper.delete(f"{ALL}/{one}").status_code == 204

    assert [display["name"] for display in client.get(ALL).json()] == ["B"]
    (retired,) = client.get(f"{ALL}/retired").json()
    assert (retired["id"], retired["last"]["by"], retired["retiredAt"] is None) == (one, "KTV Minh", False)
    assert len(client.get(f"{ALL}/{one}/checks").json()) == 1
    assert client.post(f"{ALL}/{one}/checks", json=a_check()).status_code == 404
    assert keeper.delete(f"{ALL}/{one}").status_code == 404


def test_only_who_looks_after_the_node_retires_a_display(client):
    one = registered(client)

    assert client.delete(f"{ALL}/{one}").status_code == 403

    assert [display["id"] for display in client.get(ALL).json()] == [one]


TODAY = date.today()  # noqa: DTZ011 - as above
BAD = {
    "nobody": {"by": " "},
    "two lines": {"note": "a\nb"},
    "of a day to come": {"on": (TODAY + timedelta(days=3)).isoformat()},
    "due before it": {"nextDue": (TODAY - timedelta(days=1)).isoformat()},
    "due too late": {"nextDue": (TODAY + timedelta(days=INTERVAL_DAYS_MAX + 2)).isoformat()},
    "neither passed nor failed": {"result": "perhaps"},
    "no day": {"on": "yesterday"},
}


def test_what_is_no_check_and_no_display_is_refused(client):
    one = registered(client)

    codes = {name: client.post(f"{ALL}/{one}/checks", json=a_check(**bad)).status_code for name, bad in BAD.items()}

    assert {name: code for name, code in codes.items() if code not in (400, 422)} == {}
    assert client.get(f"{ALL}/{one}/checks").json() == []
    for name in ("", "x" * (NAME_CHARACTERS_MAX + 1), "a\nb"):
        assert client.post(ALL, json={"name": name, "place": ""}).status_code in (400, 422)
    assert client.get(f"{ALL}/0123456789abcdef/checks").status_code == 404


def test_there_are_so_many_displays_and_checks_and_no_more(client, monkeypatch):
    monkeypatch.setattr(displays, "DISPLAYS_MAX", 2)
    monkeypatch.setattr(displays, "CHECKS_MAX", 1)
    one, _ = registered(client, "A"), registered(client, "B")

    assert client.post(ALL, json={"name": "C", "place": ""}).status_code in (400, 413)
    assert client.post(f"{ALL}/{one}/checks", json=a_check()).status_code == 201
    assert client.post(f"{ALL}/{one}/checks", json=a_check()).status_code in (400, 413)


def test_each_step_leaves_an_audit_line_and_only_people_take_them(room, client, keeper):
    one = registered(client)
    client.post(f"{ALL}/{one}/checks", json=a_check()).raise_for_status()
    keeper.delete(f"{ALL}/{one}").raise_for_status()

    with room.stores.db.read() as connection:
        details = [row.detail for row in connection.execute(audit.audit.select()) if one in row.detail]
    assert [what in detail for what, detail in zip(("registered", "checked", "retired"), details, strict=True)] == [
        True
    ] * 3
    with room.signed_in("bot") as program:
        assert program.get(ALL).status_code == 200
        assert program.post(ALL, json={"name": "A", "place": ""}).status_code == 403
