"""The reading room's files and the headers of every answer."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request

from viewer.server import ohif, pages
from viewer.server.security import CONTENT_SECURITY_POLICY


def test_every_screen_is_the_same_page_and_is_asked_for_anew(room):
    with room.client() as client:
        for path in ("/", "/worklist", "/reviews", "/zones", "/IHEInvokeImageDisplay", "/study/1.2.3"):
            answer = client.get(path)
            assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache"), path
            assert "<title>room</title>" in answer.text


def test_a_hashed_file_is_kept_for_ever_and_sent_compressed_when_it_can_be(room):
    with room.client() as client:
        packed = client.get("/assets/main-0123abcd.js", headers={"Accept-Encoding": "gzip, br"}, follow_redirects=False)
        plain = client.get("/assets/main-0123abcd.js", headers={"Accept-Encoding": "identity"})

    assert (packed.headers["Content-Encoding"], packed.headers["Vary"]) == ("br", "Accept-Encoding")
    assert "immutable" in packed.headers["Cache-Control"]
    assert plain.text == "let a = 1;"


@pytest.mark.parametrize(
    "path",
    ["/../secret.txt", "/%2e%2e/secret.txt", "/assets/..%2f..%2fsecret.txt", "/.stamp", "/nothing", "//etc/passwd"],
)
def test_nothing_outside_the_build_can_be_asked_for(room, path):
    with room.client() as client:
        answer = client.get(path)

    assert "not for you" not in answer.text
    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/nothing", "/study/", "/study/1.2/3", "/assets/gone-0123abcd.js"])
def test_a_person_is_shown_a_page_where_there_is_none_and_a_program_is_told_in_json(room, path):
    with room.client() as client:
        person = client.get(path, headers={"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"})
        program = client.get(path, headers={"Accept": "*/*"})

    assert (person.status_code, person.headers["Cache-Control"]) == (404, "no-cache")
    assert "<title>room</title>" in person.text  # which knows that no screen has this address
    assert (program.status_code, program.headers["Content-Type"]) == (404, "application/problem+json")
    assert program.json()["code"] == "NotFound"


def test_an_address_of_the_api_that_is_none_answers_in_json_whoever_asks(room):
    with room.client() as client:
        methods = ("DELETE", "GET", "PATCH", "POST", "PUT")
        answers = [client.request(method, "/api/nothing", headers={"Accept": "text/html"}) for method in methods]

    for answer in answers:
        assert (answer.status_code, answer.headers["Content-Type"]) == (404, "application/problem+json")
        assert answer.json()["detail"] == "There is no such address."


def test_a_method_that_an_address_does_not_have_is_told_as_every_error_is(room):
    expected = {"/api/session": "DELETE, GET, POST", "/health/live": "GET", "/": "GET, HEAD"}

    with room.client() as client:
        answers = {path: client.put(path) for path in expected}

    assert {path: answer.headers["Allow"] for path, answer in answers.items()} == expected
    for answer in answers.values():
        assert (answer.status_code, answer.headers["Content-Type"]) == (405, "application/problem+json")
        assert answer.json()["code"] == "MethodNotAllowed"


def test_a_room_that_was_not_built_says_so_in_both_languages(tmp_path):
    async def asked(path: str) -> httpx.Response:
        app = Starlette(routes=pages.routes(tmp_path / "none"))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node") as client:
            return await client.get(path, headers={"Accept": "text/html"})

    with ThreadPoolExecutor(1) as beside:  # as below
        screen, nothing = (beside.submit(asyncio.run, asked(path)).result() for path in ("/worklist", "/nothing"))

    assert (screen.status_code, nothing.status_code) == (503, 404)
    assert "Không có trang này" in nothing.text
    assert "There is no such page" in nothing.text


@pytest.mark.parametrize("path", ["/", "/api/node", "/api/worklist", "/nothing", "/dicom-web/studies", "/health/live"])
def test_every_answer_carries_the_headers_that_bind_the_browser(room, path):
    with room.client() as client:
        headers = client.get(path).headers

    assert headers["Content-Security-Policy"] == CONTENT_SECURITY_POLICY
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"


def test_the_policy_allows_no_eval_and_nothing_from_elsewhere():
    assert "'unsafe-eval'" not in CONTENT_SECURITY_POLICY
    assert "http" not in CONTENT_SECURITY_POLICY
    assert CONTENT_SECURITY_POLICY.startswith("default-src 'none'")


def test_metrics_are_for_loopback_or_an_administrator(room):
    with room.client() as client:
        assert client.get("/metrics").status_code == 200
        assert client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"}).status_code == 401


def test_who_is_signed_in_to_ohif_is_asked_in_a_thread(tmp_path):
    (tmp_path / "ohif").mkdir()
    (tmp_path / "ohif" / "index.html").write_text("<!doctype html>")
    asked: list[str] = []

    def is_signed_in(_: Request) -> bool:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        asked.append("asked")
        return True

    async def page() -> httpx.Response:
        app = Starlette(routes=ohif.routes(tmp_path, is_signed_in))
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://node") as client:
            return await client.get("/ohif/viewer")

    with ThreadPoolExecutor(1) as beside:  # the thread of the tests may have an event loop already: Playwright's
        answer = beside.submit(asyncio.run, page()).result()

    assert (answer.text, asked) == ("<!doctype html>", ["asked"])


def test_ohif_is_not_there_until_it_is_installed_and_asks_for_a_session_then(room):
    with room.client() as client:
        assert client.get("/ohif/").status_code == 404
        assert client.get("/api/node").json()["ohif"] is False
        there = room.stores.config.node.data / "ohif"
        there.mkdir()
        (there / "index.html").write_text("<!doctype html><title>OHIF</title>")
        (there / "app.js").write_text("let b = 1;")

        assert client.get("/api/node").json()["ohif"] is True
        assert client.get("/ohif/viewer", follow_redirects=False).headers["location"] == "/"
        assert client.get("/ohif/../secret.txt").status_code in (302, 307, 404)
    with room.signed_in() as client:
        answer = client.get("/ohif/viewer")
        assert "<title>OHIF" in answer.text
        assert "unsafe-eval" not in answer.headers["Content-Security-Policy"].replace("wasm-unsafe-eval", "")
        assert client.get("/ohif", follow_redirects=False).headers["location"] == "/ohif/"
