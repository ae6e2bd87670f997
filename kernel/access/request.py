"""Who is calling over HTTP: a bearer token, or the reading room's session cookie. The same for every route of a node.

A cookie travels by itself with whatever another site makes a browser send, so an unsafe method with a cookie also needs
the session's CSRF value in a header, and no foreign Origin. A token is only sent by who has it.
"""

from collections.abc import Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Final

from kernel.access import Access, Principal
from kernel.errors import Forbidden, NotAuthenticated

SESSION_COOKIE: Final = "vienanh_session"
CSRF_HEADER: Final = "x-vienanh-csrf"
COOKIE_CHARACTERS_MAX: Final = 4096
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})  # RFC 9110 9.2.1


def principal_of_request(access: Access, method: str, headers: Mapping[str, str], origin: str) -> Principal:
    """Return who calls; `origin` is this node's own, as browsers see it.

    Raises
    ------
    NotAuthenticated
        No valid token or session.
    Forbidden
        An unsafe request that was not made by the reading room's own page.
    """
    kind, _, credential = headers.get("authorization", "").partition(" ")
    if kind:
        if kind.lower() != "bearer":
            raise NotAuthenticated
        return access.principal_of_token(credential.strip())
    cookie = session_cookie(headers.get("cookie", ""))
    if not cookie:
        raise NotAuthenticated
    principal = access.principal_of_session(cookie)
    if method not in SAFE_METHODS:
        access.check_csrf(cookie, headers.get(CSRF_HEADER, ""))
        check_origin(headers, origin)
    return principal


def check_origin(headers: Mapping[str, str], origin: str) -> None:
    """Refuse a request that a browser made for another site's page.

    Raises
    ------
    Forbidden
        Its Origin is not this node's, or the browser says that it crosses sites.
    """
    if headers.get("origin", origin) != origin or headers.get("sec-fetch-site", "same-origin") == "cross-site":
        raise Forbidden(action="do this from another site's page")


def session_cookie(header: str) -> str:
    """Return the session's cookie out of a Cookie header; empty when there is none."""
    if len(header) > COOKIE_CHARACTERS_MAX or SESSION_COOKIE not in header:
        return ""
    try:
        morsel = SimpleCookie(header).get(SESSION_COOKIE)
    except CookieError:
        return ""
    return morsel.value if morsel else ""
