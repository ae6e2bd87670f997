"""The node's one HTTP application: DICOMweb, the reading room and its API, health, metrics and the API's description.

DICOMweb is handed its requests before the framework sees them: a frame should cost no more than its bytes.
"""

import ipaddress
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from exchange.node.description import complete
from exchange.node.seated import Seated
from gateway.addresses import read_network
from gateway.dicomweb.http.direct import Direct
from gateway.dicomweb.http.problem import problem
from kernel import telemetry
from kernel.access import Access
from kernel.access import Scope as Right
from kernel.access.request import principal_of_request
from kernel.errors import (
    ExchangeError,
    Forbidden,
    InvalidRequest,
    LimitExceeded,
    MethodNotAllowed,
    NotAuthenticated,
    NotFound,
)
from viewer.server import ohif, pages
from viewer.server.api import Services, build_api, tile_routes
from viewer.server.security import SecurityHeaders
from viewer.server.services import origin_of, principal_of

DICOMWEB_PREFIXES = ("/dicom-web/", "/sites/")
DICOMWEB_ROOT = "/dicom-web"
BODY_BYTES_MAX = 64 * 1024  # of a request to the reading room's API
MARKS_BYTES_MAX = 4 * 1024 * 1024  # of one that saves the marks of a slide or study
MARKS = ("/annotations", "/marks", "/key-images", "/draft")  # how the addresses of such end
METHODS = ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")

_log = telemetry.get_logger("exchange.node.http")

Errors = Mapping[int | type[Exception], Callable[[Request, Exception], Response]]
Checks = Callable[[], Mapping[str, str]]  # name of what was checked to what is wrong with it, empty when nothing is


def build_app(services: Services, dicomweb: ASGIApp, checks: Checks, static: Path) -> ASGIApp:
    """Return the application that uvicorn serves."""
    app = FastAPI(
        title="Viễn Ảnh",
        version=services.version,
        summary="The reading room's API. Pictures and studies come over DICOMweb (PS3.18) at /dicom-web.",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/openapi.json",
    )
    tiles = tile_routes(services)
    app.router.routes[:0] = tiles
    app.include_router(build_api(services))
    errors = _errors_of(app)
    for kind, told in errors.items():
        app.add_exception_handler(kind, told)
    _add_operation(app, services, checks)
    complete(app.openapi())
    app.router.routes.extend(ohif.routes(services.config.node.data, lambda request: _is_signed_in(services, request)))
    app.router.routes.extend(pages.routes(static))
    http = services.config.http
    seated = Seated(
        _BoundedBody(_Tiles(tiles, errors, app)), http.requests_max, [read_network(one) for one in http.trusted_proxies]
    )
    return Direct(SecurityHeaders(_Split(dicomweb, seated)))


class _Split:
    """Hands DICOMweb its requests and everything else to the framework."""

    def __init__(self, dicomweb: ASGIApp, rest: ASGIApp) -> None:
        self._dicomweb = dicomweb
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        served = path.startswith(DICOMWEB_PREFIXES) or path == DICOMWEB_ROOT
        ours = scope["type"] in ("http", "websocket") and served
        await (self._dicomweb if ours else self._rest)(scope, receive, send)


class _Tiles:
    """Serves tiles, and whatever else is at their routes, before the framework looks at a request: that costs more than a tile."""

    def __init__(self, routes: Sequence[BaseRoute], errors: Errors, rest: ASGIApp) -> None:
        self._routes = routes
        self._handlers = (errors, {})  # as Starlette leaves them for its routes
        self._rest = rest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        for route in self._routes:
            matched, found = route.matches(scope)
            if matched is Match.FULL:
                await route.handle({**scope, **found, "starlette.exception_handlers": self._handlers}, receive, send)
                return
        await self._rest(scope, receive, send)


class _BoundedBody:
    """Refuses bodies that no form of the reading room could fill; one without a length is cut off."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        declared = next((value for name, value in scope["headers"] if name == b"content-length"), b"0")
        bound = MARKS_BYTES_MAX if scope["path"].endswith(MARKS) else BODY_BYTES_MAX
        if not declared.isdigit() or int(declared) > bound:
            too_large = LimitExceeded(limit="body_bytes_max", value=declared.decode("latin-1"), bound=bound)
            await problem(too_large, secrets.token_hex(16))(scope, receive, send)
            return
        left = bound

        async def receive_bounded() -> Message:
            nonlocal left
            message = await receive()
            left -= len(message.get("body", b""))
            return message if left >= 0 else {"type": "http.disconnect"}

        await self._app(scope, receive_bounded, send)


def _errors_of(app: FastAPI) -> Errors:
    """Return what tells an error: each as a problem, none with more than is meant for who asked."""

    def told(request: Request, error: Exception) -> Response:
        trace_id = secrets.token_hex(16)
        if not isinstance(error, ExchangeError):
            _log.error("request_failed", method=request.method, trace=trace_id, exc_info=error)
        return problem(error, trace_id)

    def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        where = ", ".join(sorted({".".join(str(part) for part in item["loc"]) for item in error.errors()}))
        return problem(InvalidRequest(reason=f"look at {where}"[:300]), secrets.token_hex(16))

    def not_allowed(request: Request, _: Exception) -> Response:
        return problem(MethodNotAllowed(allowed=_methods_at(app, request)), secrets.token_hex(16))

    def nothing(request: Request, _: Exception) -> Response:
        return told(request, NotFound(what="address"))

    return {404: nothing, 405: not_allowed, ExchangeError: told, RequestValidationError: invalid, Exception: told}


def _methods_at(app: FastAPI, request: Request) -> str:
    """Return the methods of an address as Allow wants them; that of the pages, which is every address's, if it has no other."""
    scopes = {method: {**request.scope, "method": method} for method in METHODS}
    *others, page = app.router.routes
    for routes in (others, [page]):
        found = [name for name, scope in scopes.items() if any(one.matches(scope)[0] is Match.FULL for one in routes)]
        if found:
            break
    return ", ".join(found)


def _add_operation(app: FastAPI, services: Services, checks: Checks) -> None:
    @app.get("/health/live", tags=["operation"])
    def live() -> dict[str, str]:
        """Answer while the process runs."""
        return {"status": "live"}

    @app.get("/health/ready", tags=["operation"])
    def ready() -> Response:
        """Answer 200 while the node can take studies, 503 with what is wrong otherwise."""
        wrong = {name: text for name, text in checks().items() if text}
        body = {"status": "not ready", "wrong": wrong} if wrong else {"status": "ready"}
        return JSONResponse(body, 503 if wrong else 200)

    @app.get("/metrics", tags=["operation"])
    def metrics(request: Request) -> Response:
        """Return Prometheus metrics; from loopback, or with a token that has the right `admin`."""
        if not _is_loopback(request) or "x-forwarded-for" in request.headers:
            _require_admin(services.access, request, services)
        return Response(telemetry.exposition(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/api/docs", include_in_schema=False)
    def docs() -> Response:
        return RedirectResponse("/docs/index.html")


def _require_admin(access: Access, request: Request, services: Services) -> None:
    origin = origin_of(request, services.config)
    principal_of_request(access, request.method, request.headers, origin).require(Right.ADMIN)


def _is_signed_in(services: Services, request: Request) -> bool:
    try:
        principal_of(services, request)
    except (NotAuthenticated, Forbidden):
        return False
    return True


def _is_loopback(request: Request) -> bool:
    try:
        return request.client is not None and ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
