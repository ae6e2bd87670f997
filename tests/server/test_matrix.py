"""The API's routes against every kind of caller, from the application's own table: a new route is asked, too."""

import json
import re

import httpx
import pytest

PUBLIC = {  # signing in, and what the sign-in page shows
    ("POST", "/api/session"),
    ("POST", "/api/session/link"),
    ("GET", "/api/node"),
}
BODIES = {  # such as the framework takes, so that it is the node who answers
    "/api/preferences": {"settings": "{}"},
    "/api/displays": {"name": "A", "place": ""},
    "/api/displays/{display}/checks": {"by": "A", "on": "2026-11-22", "result": "passed", "nextDue": "2027-11-22"},
    "/api/session/password": {"current": "x", "new": "mat khau moi dai"},
    "/api/vault/requests": {"token": "2.25.1", "reason": "legal"},
    "/api/orders": {
        "accessionNumber": "A1",
        "patientID": "P1",
        "patientName": "A^B",
        "modality": "CT",
        "startDate": "20261122",
    },
}
VALUES = {
    "name": "0" * 32,
    "study_uid": "1.2.3",
    "series_uid": "1.2.3.1",
    "accession": "A1",
    "step": "S1",
    "request_id": "0",
    "sop_instance_uid": "1.2.4",
    "instance_uid": "1.2.5",
    "number": "1",
    "link": "0123456789abcdef",
    "program": "weasis",
    "display": "0123456789abcdef",
    "revision": "1",
    "group": "1",
}


def routes(room) -> list[tuple[str, str]]:
    """Return every method and path of the API, filled in."""
    with room.client() as client:
        described = client.get("/api/openapi.json").json()
    found = [
        (method.upper(), path)
        for path, operations in described["paths"].items()
        for method in operations
        if path.startswith("/api/")
    ]
    assert {name for _, path in found for name in re.findall(r"{(\w+)}", path)} == VALUES.keys()
    return found


def ask(room, method: str, path: str, **headers: str) -> httpx.Response:
    with room.client() as client:
        content = json.dumps(BODIES.get(path, {})).encode() if method in ("POST", "PUT") else None
        headers = {"Content-Type": "application/json", **headers}
        return client.request(method, path.format_map(VALUES), content=content, headers=headers)


def test_only_signing_in_is_open_to_everybody(room):
    wrong = {"none": {}, "token": {"Authorization": "Bearer vat_0000_wrong"}, "cookie": {"Cookie": "vienanh_session=x"}}
    for method, path in routes(room):
        for sent in wrong.values():
            answer = ask(room, method, path, **sent)

            if (method, path) in PUBLIC:
                assert answer.status_code in (200, 422, 400), (method, path)
            else:
                assert answer.status_code == 401, (method, path, answer.text)


def test_a_cookie_alone_changes_nothing(room):
    with room.signed_in() as client:
        cookie = f"vienanh_session={client.cookies['vienanh_session']}"
    for method, path in routes(room):
        if method not in ("GET", "HEAD") and (method, path) not in PUBLIC:
            assert ask(room, method, path, Cookie=cookie).status_code == 403, (method, path)


def test_a_token_without_the_right_is_refused_everywhere(room):
    token = room.stores.access.tokens.create("a modality", ["dicomweb:store"], by="test")
    for method, path in routes(room):
        if (method, path) not in PUBLIC and not path.startswith("/api/session"):
            answer = ask(room, method, path, Authorization=f"Bearer {token}")

            assert answer.status_code == 403, (method, path, answer.text)


def test_the_description_tells_of_dicomweb_too(room):
    with room.client() as client:
        paths = client.get("/api/openapi.json").json()["paths"]

    assert {"/api/worklist", "/dicom-web/studies", "/dicom-web/changes"} <= paths.keys()
    assert json.dumps(paths["/dicom-web/studies"]["post"]["requestBody"]).count("application/dicom+json")


@pytest.mark.parametrize("path", ["/dicom-web", "/dicom-web/", "/dicom-web/studies", "/sites/BV1/dicom-web"])
def test_dicomweb_is_handed_its_root_too(room, path):
    answer = httpx.options(room.url + path, trust_env=False)

    assert (answer.status_code, answer.content) == (404, b"")  # from the stand-in, not the framework
