"""Links to one study, and launches from and into other programs, over HTTP."""

from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from kernel.access import NewAccount
from tests.server.conftest import PASSWORD

READS = ["", "/series", "/priors"]


@pytest.fixture
def studies(room) -> tuple[str, str]:
    """Two studies, and a requester who may give one away."""
    room.stores.access.accounts.create(NewAccount("ha", ["requester"], None, "BS Hà"), PASSWORD, by="test")
    return room.add_study(seed="one"), room.add_study(seed="two")


def made(room, study: str) -> dict[str, str]:
    with room.signed_in("ha") as client:
        answer = client.post(f"/api/studies/{study}/links", json={"hours": 2})
    assert answer.status_code == 201, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_a_guest_opens_a_link_and_is_in_one_study(room, studies):
    study, other = studies
    link = made(room, study)
    place = urlsplit(link["address"])
    assert (place.path, place.query, f"{place.scheme}://{place.netloc}") == ("/shared", "", room.url)

    with room.client() as guest:
        opened = guest.post("/api/session/link", json={"link": place.fragment, "code": f" {link['code']} "})

        assert opened.status_code == 200, opened.text
        assert "httponly" in opened.headers["set-cookie"].lower()
        assert opened.json()["study"] == {"site": "LOCAL", "studyInstanceUID": study}
        assert guest.get("/api/session").json()["rights"] == ["dicomweb:read", "study:read"]
        for path in READS:
            assert guest.get(f"/api/studies/{study}{path}").status_code == 200
            assert guest.get(f"/api/studies/{other}{path}").status_code == 404
        for path in ("/api/worklist", f"/api/studies/{study}/trace", f"/api/studies/{study}/links", "/api/orders"):
            assert guest.get(path).status_code == 403
        guest.headers["X-Vienanh-CSRF"] = opened.json()["csrf"]
        assert guest.post("/api/session/password", json={"current": "x", "new": "mat khau moi"}).status_code == 403
        assert guest.post("/api/launches", json={"studyInstanceUID": other}).status_code == 403
        assert guest.delete("/api/session").status_code == 204
        assert guest.get("/api/session").status_code == 401


def test_a_wrong_code_is_refused_and_counted_and_a_link_can_be_revoked(room, studies):
    study, _ = studies
    link = made(room, study)
    text = urlsplit(link["address"]).fragment
    with room.client() as guest:
        assert guest.post("/api/session/link", json={"link": text, "code": "x"}).status_code == 401
    with room.signed_in("ha") as client:
        (listed,) = client.get(f"/api/studies/{study}/links").json()
        assert (listed["id"], listed["failures"], listed["openedAt"]) == (link["id"], 1, None)
        assert "code" not in listed
        assert client.delete(f"/api/studies/{study}/links/{link['id']}").status_code == 204
    with room.client() as guest:
        assert guest.post("/api/session/link", json={"link": text, "code": link["code"]}).status_code == 401


def test_a_reader_gives_nothing_away(room, studies):
    with room.signed_in("lan") as client:
        assert client.post(f"/api/studies/{studies[0]}/links", json={}).status_code == 403
        assert client.get(f"/api/studies/{studies[0]}/links").status_code == 403


def test_a_link_is_not_opened_for_another_sites_page(room, studies):
    link = made(room, studies[0])
    body = {"link": urlsplit(link["address"]).fragment, "code": link["code"]}
    with room.client(Origin="https://elsewhere.example") as guest:
        assert guest.post("/api/session/link", json=body).status_code == 403


def test_a_launch_finds_studies_by_uid_accession_or_patient(room):
    study = room.add_study(seed="one", AccessionNumber="A-77", PatientID="BN 7")
    room.add_study(seed="two", AccessionNumber="A-78", PatientID="BN 8")
    with room.signed_in() as client:
        for wanted in ({"studyInstanceUID": study}, {"accessionNumber": "A-77"}, {"patientID": "BN 7"}):
            found = client.post("/api/launches", json=wanted).json()
            assert [one["studyInstanceUID"] for one in found] == [study], wanted
        assert client.post("/api/launches", json={"patientID": "BN 7", "accessionNumber": "A-78"}).json() == []
        for refused in ({}, {"patientID": "*"}, {"patientID": " "}, {"accessionNumber": "A-7?"}):
            assert client.post("/api/launches", json=refused).status_code == 400, refused


def test_other_programs_get_leave_to_read_the_one_study(room, studies):
    study, _ = studies
    with room.signed_in() as client:
        weasis = client.post(f"/api/studies/{study}/programs/weasis", json={}).json()["address"]
        slicer = client.post(f"/api/studies/{study}/programs/slicer", json={}).json()["address"]

    command = unquote(weasis.removeprefix("weasis://"))
    root = f"{room.url}/sites/LOCAL/dicom-web"
    assert command.startswith(f'$dicom:rs --url "{root}" -r "studyUID={study}" -H "Authorization: Bearer vlc_')
    asked = parse_qs(urlsplit(slicer).query)
    assert (asked["studyUID"], asked["dicomweb_endpoint"]) == ([study], [root])
    principal = room.stores.access.principal_of_token(asked["access_token"][0])
    assert (principal.study, {scope.value for scope in principal.scopes}) == (study, {"dicomweb:read"})
