"""Who calls over HTTP: a token, or a cookie that another site's page cannot misuse."""

import pytest

from kernel.access import Access, Principal, Scope
from kernel.access.request import COOKIE_CHARACTERS_MAX, check_origin, principal_of_request, session_cookie
from kernel.errors import Forbidden, NotAuthenticated

ORIGIN = "https://anh.example.vn"


def calls(access: Access, method: str = "GET", **headers: str) -> Principal:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return principal_of_request(access, method, named, ORIGIN)


def test_a_bearer_token_is_enough_for_every_method(access: Access):
    bearer = access.tokens.create("pacs", [Scope.DICOMWEB_READ], by="test")

    assert calls(access, "POST", authorization=f"Bearer {bearer}").name == "pacs"
    assert calls(access, "GET", authorization=f"bearer  {bearer} ").name == "pacs"


@pytest.mark.parametrize("authorization", ["Basic dXNlcjpwYXNz", "Bearer", "Bearer nonsense"])
def test_another_authorization_is_nobody_even_beside_a_cookie(access: Access, cookie: str, authorization: str):
    with pytest.raises(NotAuthenticated):
        calls(access, authorization=authorization, cookie=f"vienanh_session={cookie}")


def test_a_cookie_is_enough_to_read(access: Access, cookie: str):
    assert calls(access, cookie=f"a=b; vienanh_session={cookie}").name == "bs.huong"
    assert calls(access, "HEAD", cookie=f"vienanh_session={cookie}", origin="https://evil.example").name == "bs.huong"


def test_no_credential_is_nobody(access: Access):
    with pytest.raises(NotAuthenticated):
        calls(access)
    with pytest.raises(NotAuthenticated):
        calls(access, cookie="another=1")


def test_an_unsafe_method_with_a_cookie_needs_the_sessions_value_and_our_own_origin(access: Access, cookie: str):
    mine, csrf = f"vienanh_session={cookie}", access.csrf_of_session(cookie)

    assert calls(access, "POST", cookie=mine, x_vienanh_csrf=csrf).name == "bs.huong"
    assert calls(access, "POST", cookie=mine, x_vienanh_csrf=csrf, origin=ORIGIN).name == "bs.huong"
    with pytest.raises(Forbidden, match="from another page"):
        calls(access, "POST", cookie=mine, origin=ORIGIN)
    with pytest.raises(Forbidden, match="from another site's page"):
        calls(access, "DELETE", cookie=mine, x_vienanh_csrf=csrf, origin="https://evil.example")


@pytest.mark.parametrize("headers", [{"origin": "null"}, {"sec-fetch-site": "cross-site"}])
def test_a_request_made_for_another_site_is_refused(headers: dict[str, str]):
    with pytest.raises(Forbidden, match="from another site's page"):
        check_origin(headers, ORIGIN)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "other=1",
        "vienanh_session=1; a,b=2",
        "vienanh_session",
        "x vienanh_session=1",
        "vienanh_session=" + "x" * COOKIE_CHARACTERS_MAX,
    ],
)
def test_a_header_without_a_readable_session_gives_none(header: str):
    assert session_cookie(header) == ""
