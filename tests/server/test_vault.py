"""Opening the vault over the API: two accounts, one answer that nobody keeps."""

from datetime import UTC, datetime

from anonymizer.pseudonyms.vault import VaultEntry, VaultKind, seal
from exchange.node.key_files import site_keys
from kernel.access import NewAccount
from routing import vault
from tests.server.conftest import PASSWORD

STUDY = "2.25.4711"


def test_two_administrators_open_it_and_one_alone_does_not(room):
    fill(room)
    for name in ("an", "binh"):
        room.stores.access.accounts.create(NewAccount(name, ["admin"]), PASSWORD, by="test")
    with room.signed_in("an") as an, room.signed_in("binh") as binh:
        asked = an.post("/api/vault/requests", json={"token": STUDY, "reason": "emergency"})
        path = f"/api/vault/requests/{asked.json()['id']}"
        alone = an.post(path + "/approval")
        waiting = binh.get("/api/vault/requests").json()
        approved = binh.post(path + "/approval")
        told = an.post(path + "/opening")
        again = an.post(path + "/opening")

    assert (asked.status_code, asked.json()["askedBy"]) == (201, "an")
    assert (alone.status_code, approved.status_code, told.status_code, again.status_code) == (409, 200, 200, 409)
    assert [one["token"] for one in waiting] == [STUDY]
    assert told.json() == {"identity": {"AccessionNumber": "ACC1"}}
    assert told.headers["cache-control"] == "no-store"
    assert "ACC1" not in asked.text + approved.text + again.text


def test_a_reader_may_not_ask(room):
    fill(room)
    with room.signed_in("lan") as lan:
        answer = lan.post("/api/vault/requests", json={"token": STUDY, "reason": "emergency"})

    assert answer.status_code == 403


def test_a_token_with_the_right_is_no_person(room):
    fill(room)
    bearer = room.stores.access.tokens.create("a program", ["vault:open"], by="test")
    with room.client(Authorization=f"Bearer {bearer}") as client:
        answer = client.post("/api/vault/requests", json={"token": STUDY, "reason": "emergency"})

    assert (answer.status_code, "only people" in answer.text) == (403, True)


def fill(room) -> None:
    keys = site_keys(room.stores.config, {})("LOCAL")
    sealed = [seal(VaultEntry(VaultKind.STUDY, STUDY, {"AccessionNumber": "ACC1"}), keys, nonce=bytes(12))]
    room.stores.db.write(
        lambda connection: vault.store(connection, "LOCAL", sealed, datetime(2026, 11, 22, tzinfo=UTC))
    )
