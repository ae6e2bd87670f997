"""Signing in and out of the reading room: the session is a cookie that scripts cannot read."""

from datetime import timedelta

from fastapi import APIRouter, Request, Response

from kernel.access import Access, Principal
from kernel.access.request import SESSION_COOKIE, check_origin, session_cookie
from kernel.errors import Forbidden, NotAuthenticated
from viewer.server.models import NewPassword, SessionInfo, SessionStudy, SignIn
from viewer.server.services import Services, address_of, is_https, origin_of, principal_of


def add_session(router: APIRouter, services: Services) -> None:
    """Add the routes of signing in and out."""
    access = services.access

    @router.post("/session", tags=["session"])
    def sign_in(request: Request, response: Response, body: SignIn) -> SessionInfo:
        """Sign in with a name and a password; the session is a cookie."""
        check_origin(request.headers, origin_of(request, services.config))
        principal = access.authenticate_password(body.name, body.password, address_of(request))
        return _begin(services, request, response, principal)

    @router.get("/session", tags=["session"])
    def who_am_i(request: Request) -> SessionInfo:
        """Say who is signed in."""
        cookie = session_cookie(request.headers.get("cookie", ""))
        return _session_info(access, access.principal_of_session(cookie), cookie)

    @router.delete("/session", tags=["session"], status_code=204)
    def sign_out(request: Request, response: Response) -> None:
        """Sign out: the session ends at the node, not only in the browser."""
        cookie = _checked_cookie(services, request)
        access.close_session(cookie, address_of(request))
        response.delete_cookie(SESSION_COOKIE, path="/", httponly=True, samesite="strict", secure=is_https(request))

    @router.post("/session/password", tags=["session"])
    def change_password(request: Request, response: Response, body: NewPassword) -> SessionInfo:
        """Replace one's own password; every other session of the account ends."""
        principal = access.principal_of_session(_checked_cookie(services, request))
        if principal.kind != "account":
            raise Forbidden(action="have a password")
        access.accounts.change_password(principal.name, body.current, body.new, address_of(request))
        principal = access.authenticate_password(principal.name, body.new, address_of(request))
        return _begin(services, request, response, principal)


def _begin(services: Services, request: Request, response: Response, principal: Principal) -> SessionInfo:
    return begin(services, request, response, services.access.open_session(principal, address_of(request)))


def begin(services: Services, request: Request, response: Response, cookie: str) -> SessionInfo:
    """Hand a session that was opened to the browser."""
    response.set_cookie(
        SESSION_COOKIE,
        cookie,
        max_age=int(timedelta(hours=services.config.access.session_hours).total_seconds()),
        path="/",
        httponly=True,
        samesite="strict",
        secure=is_https(request),
    )
    return _session_info(services.access, services.access.principal_of_session(cookie), cookie)


def _session_info(access: Access, principal: Principal, cookie: str) -> SessionInfo:
    return SessionInfo(
        name=principal.name,
        display=principal.display or principal.name,
        roles=sorted(role.value for role in principal.roles),
        csrf=access.csrf_of_session(cookie),
        must_change=principal.must_change,
        rights=sorted(scope.value for scope in principal.scopes),
        study=_study(principal),
    )


def _study(principal: Principal) -> SessionStudy | None:
    if principal.study is None or not principal.sites:
        return None
    return SessionStudy(site=next(iter(principal.sites)), study_instance_uid=principal.study)


def _checked_cookie(services: Services, request: Request) -> str:
    """Return the session's cookie of an unsafe request that our own page made."""
    cookie = session_cookie(request.headers.get("cookie", ""))
    if not cookie:
        raise NotAuthenticated
    principal_of(services, request)
    return cookie
