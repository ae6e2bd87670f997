"""Orders over the API: placed, listed and taken back, by whoever may, for their own site."""

import pytest

from kernel.audit import Action
from tests.support.access import audited

ORDER = {
    "accessionNumber": "ACC1",
    "patientID": "BN1",
    "patientName": "NGUYỄN^THỊ HƯƠNG",
    "modality": "CT",
    "startDate": "20261122",
    "startTime": "0830",
}


def bearer(room, *scopes: str, site: str | None = None) -> dict[str, str]:
    return {"Authorization": f"Bearer {room.stores.access.tokens.create('a peer', scopes, site=site, by='test')}"}


@pytest.fixture
def his(room):
    with room.client(**bearer(room, "orders:read", "orders:write")) as client:
        yield client


def test_an_order_is_placed_listed_and_taken_back(his):
    placed = his.post("/api/orders", json=ORDER)
    listed = his.get("/api/orders", params={"date": "20261122", "modality": "CT"}).json()
    taken_back = his.delete("/api/orders/ACC1/1").json()

    assert placed.status_code == 201
    assert placed.json()["studyInstanceUID"].startswith("2.25.")
    assert [(one["accessionNumber"], one["patientName"], one["status"]) for one in listed] == [
        ("ACC1", "NGUYỄN^THỊ HƯƠNG", "SCHEDULED")
    ]
    assert (taken_back["status"], taken_back["studyInstanceUID"]) == ("CANCELED", placed.json()["studyInstanceUID"])


def test_the_same_order_again_changes_it_and_keeps_its_study(his):
    first = his.post("/api/orders", json=ORDER).json()

    second = his.post("/api/orders", json=ORDER | {"startTime": "0900"}).json()

    assert second["studyInstanceUID"] == first["studyInstanceUID"]
    assert [one["startTime"] for one in his.get("/api/orders").json()] == ["0900"]


def test_two_steps_of_one_accession_share_their_study(his):
    first = his.post("/api/orders", json=ORDER).json()
    second = his.post("/api/orders", json=ORDER | {"stepID": "2"}).json()

    assert first["studyInstanceUID"] == second["studyInstanceUID"]


@pytest.mark.parametrize(
    ("change", "detail"),
    [
        ({"patientName": ""}, "patient_name is missing"),
        ({"startDate": "22/11/2026"}, "start_date must be YYYYMMDD"),
        ({"patientName": "A\\B"}, "patient_name a control character or a backslash"),
        ({"accessionNumber": "1" * 17}, "accession_number more than 16 characters"),
        ({"priority": "NOW"}, "priority must be STAT, HIGH, ROUTINE, MEDIUM or LOW"),
    ],
)
def test_an_order_that_no_modality_could_take_is_refused_without_repeating_it(his, change, detail):
    answer = his.post("/api/orders", json=ORDER | change)

    assert answer.status_code == 400
    assert detail in answer.json()["detail"]
    assert his.get("/api/orders").json() == []


def test_orders_need_their_own_rights(room):
    with room.client(**bearer(room, "dicomweb:read", "api:read", "api:write", "orders:read")) as client:
        assert client.get("/api/orders").status_code == 200
        assert client.post("/api/orders", json=ORDER).status_code == 403
        assert client.delete("/api/orders/ACC1/1").status_code == 403
    with room.client(**bearer(room, "dicomweb:read", "api:read")) as client:
        assert client.get("/api/orders").status_code == 403


def test_a_token_of_one_site_neither_sees_nor_changes_orders_of_another(room, his):
    his.post("/api/orders", json=ORDER)
    with room.client(**bearer(room, "orders:read", "orders:write", site="MK02")) as other:
        assert other.get("/api/orders").json() == []
        assert other.get("/api/orders/ACC1/1", params={"site": "LOCAL"}).status_code == 404
        assert other.post("/api/orders", params={"site": "LOCAL"}, json=ORDER).status_code == 403
        assert other.delete("/api/orders/ACC1/1").status_code == 404
        assert other.post("/api/orders", json=ORDER).json()["site"] == "MK02"


def test_who_ordered_is_in_the_audit_and_the_patient_is_not(room, his):
    his.post("/api/orders", json=ORDER)
    his.get("/api/orders")
    his.get("/api/orders/ACC1/1")

    queries = [line[2] for line in audited(room.stores.db, Action.QUERY)]
    assert queries == ['{"keys": "StartDate", "of": "orders"}', '{"keys": "AccessionNumber", "of": "orders"}']
    lines = [line for line in audited(room.stores.db) if "step" in line[2]]
    assert lines == [("a peer", "success", '{"step": "SCHEDULED"}')]
