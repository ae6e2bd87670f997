"""The routes of DICOMweb as one table, and the service that runs them.

Each row exists twice: under /dicom-web for the sites that the caller may see, and under /sites/{site}/dicom-web for one
site, for when two hospitals have the same UID.
"""

from collections.abc import Sequence
from secrets import token_hex
from typing import Final

from starlette.routing import Route, Router, WebSocketRoute
from starlette.types import Receive, Send
from starlette.types import Scope as AsgiScope
from starlette.websockets import WebSocketClose

from gateway.dicomweb import capabilities, changes, commitment, deletion
from gateway.dicomweb.deidentify.endpoint import deidentify
from gateway.dicomweb.http.endpoint import Endpoint
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.http.row import Row
from gateway.dicomweb.media.download import as_disc, as_zip
from gateway.dicomweb.retrieve import bulk_resources, bulkdata, frames, instances, metadata, rendered, tiers
from gateway.dicomweb.search import qido
from gateway.dicomweb.service import Room, Services
from gateway.dicomweb.store import announced, known, slide_uploads, stow, upload
from gateway.dicomweb.ups import ups_subscriptions, workitems
from gateway.dicomweb.ups.ups_events import EventChannels
from kernel.access import Scope
from kernel.errors import MethodNotAllowed, NotFound

PREFIXES: Final = ("/dicom-web", "/sites/{site}/dicom-web")
EVENTS: Final = "/ws/subscribers/{ae}"  # the one WebSocket; needs the right to read the worklist


_STUDY: Final = "/studies/{study}"
_SERIES: Final = _STUDY + "/series/{series}"
_INSTANCE: Final = _SERIES + "/instances/{instance}"
_READ, _STORE, _DELETE = Scope.DICOMWEB_READ, Scope.DICOMWEB_STORE, Scope.DICOMWEB_DELETE
_UPLOAD, _SLIDE = Scope.UPLOAD, "/uploads/slides/{upload}"
_WORKITEM: Final = "/workitems/{workitem}"
_SUBSCRIBER: Final = _WORKITEM + "/subscribers/{ae}"
_TASKS, _WORK = Scope.WORKLIST_READ, Scope.WORKLIST_WRITE

# Looked at in this order: the busiest first.
ROUTES: Final[Sequence[Row]] = (
    Row("GET", _INSTANCE + "/frames/{frames}", frames.retrieve_frames, _READ, "frame", is_quick=True),
    Row("GET", _INSTANCE + "/frames/{frames}/tiers/{tier}", tiers.retrieve_tier, _READ, "tier"),
    Row("POST", "/studies", stow.store, _STORE, "store"),
    Row("POST", _STUDY, stow.store, _STORE, "store"),
    Row("POST", "/uploads", upload.upload, _UPLOAD, "upload"),
    Row("POST", "/uploads/known", known.known, _UPLOAD, "upload-known"),
    Row("PATCH", _SLIDE, slide_uploads.go_on, _UPLOAD, "slide-upload"),
    Row("GET", _SLIDE, slide_uploads.look, _UPLOAD, "slide-upload"),
    Row("DELETE", _SLIDE, slide_uploads.forget, _UPLOAD, "slide-upload"),
    Row("POST", "/uploads/slides", slide_uploads.begin, _UPLOAD, "slide-upload"),
    Row("GET", "/uploads/slides", slide_uploads.find, _UPLOAD, "slide-upload"),
    Row("DELETE", _STUDY, deletion.delete, _DELETE, "delete"),
    Row("DELETE", _SERIES, deletion.delete, _DELETE, "delete"),
    Row("DELETE", _INSTANCE, deletion.delete, _DELETE, "delete"),
    Row("POST", "/$deidentify", deidentify, Scope.DEIDENTIFY, "deidentify-order"),
    Row("POST", "/manifests", announced.announce, _STORE, "manifest"),
    Row("POST", "/commitment-requests/{transaction}", commitment.request, _STORE, "commitment"),
    Row("GET", "/commitment-requests/{transaction}", commitment.result, _STORE, "commitment"),
    Row("OPTIONS", "", capabilities.describe, _READ, "capabilities"),
    Row("OPTIONS", "/", capabilities.describe, _READ, "capabilities"),
    Row("GET", "/changes", changes.changes, _READ, "changes"),
    Row("GET", "/studies", qido.studies, _READ, "qido"),
    Row("GET", "/series", qido.series, _READ, "qido"),
    Row("GET", "/instances", qido.instances, _READ, "qido"),
    Row("GET", _STUDY + "/series", qido.series, _READ, "qido"),
    Row("GET", _STUDY + "/instances", qido.instances, _READ, "qido"),
    Row("GET", _SERIES + "/instances", qido.instances, _READ, "qido"),
    Row("GET", _STUDY + "/metadata", metadata.metadata, _READ, "metadata", is_quick=True),
    Row("GET", _SERIES + "/metadata", metadata.metadata, _READ, "metadata", is_quick=True),
    Row("GET", _INSTANCE + "/metadata", metadata.instance, _READ, "metadata"),
    Row("GET", _STUDY, instances.retrieve_several, _READ, "retrieve"),
    Row("GET", _SERIES, instances.retrieve_several, _READ, "retrieve"),
    Row("GET", _INSTANCE, instances.retrieve_instance, _READ, "retrieve"),
    Row("GET", _INSTANCE + "/bulkdata/{path:path}", bulkdata.retrieve_bulkdata, _READ, "bulkdata"),
    Row("GET", _STUDY + "/bulkdata", bulk_resources.retrieve_bulkdata, _READ, "bulkdata-all"),
    Row("GET", _SERIES + "/bulkdata", bulk_resources.retrieve_bulkdata, _READ, "bulkdata-all"),
    Row("GET", _INSTANCE + "/bulkdata", bulk_resources.retrieve_bulkdata, _READ, "bulkdata-all"),
    Row("GET", _STUDY + "/pixeldata", bulk_resources.retrieve_pixel_data, _READ, "pixeldata"),
    Row("GET", _SERIES + "/pixeldata", bulk_resources.retrieve_pixel_data, _READ, "pixeldata"),
    Row("GET", _INSTANCE + "/pixeldata", bulk_resources.retrieve_pixel_data, _READ, "pixeldata"),
    Row("GET", _INSTANCE + "/rendered", rendered.rendered, _READ, "rendered"),
    Row("GET", _INSTANCE + "/frames/{frames}/rendered", rendered.rendered, _READ, "rendered"),
    Row("GET", _STUDY + "/medium", as_zip, Scope.EXPORT, "medium"),
    Row("GET", _STUDY + "/medium.iso", as_disc, Scope.EXPORT, "medium"),
    Row("GET", _STUDY + "/rendered", rendered.rendered_study, _READ, "rendered"),
    Row("GET", _SERIES + "/rendered", rendered.rendered_series, _READ, "rendered"),
    Row("GET", _STUDY + "/thumbnail", rendered.thumbnail, _READ, "rendered"),
    Row("GET", _SERIES + "/thumbnail", rendered.thumbnail, _READ, "rendered"),
    Row("GET", _INSTANCE + "/thumbnail", rendered.thumbnail, _READ, "rendered"),
    Row("GET", _INSTANCE + "/frames/{frames}/thumbnail", rendered.thumbnail, _READ, "rendered"),
    Row("POST", "/workitems", workitems.create, _WORK, "workitem"),
    Row("GET", "/workitems", workitems.search, _TASKS, "workitem"),
    Row("GET", _WORKITEM, workitems.retrieve, _TASKS, "workitem"),
    Row("POST", _WORKITEM, workitems.update, _WORK, "workitem"),
    Row("PUT", _WORKITEM + "/state", workitems.change_state, _WORK, "workitem"),
    Row("POST", _WORKITEM + "/cancelrequest", workitems.request_cancellation, _WORK, "workitem"),
    Row("POST", _SUBSCRIBER, ups_subscriptions.subscribe, _TASKS, "workitem"),
    Row("DELETE", _SUBSCRIBER, ups_subscriptions.unsubscribe, _TASKS, "workitem"),
    Row("POST", _SUBSCRIBER + "/suspend", ups_subscriptions.suspend, _TASKS, "workitem"),
)


class DicomWeb:
    """The DICOMweb service of a node, an ASGI application; `close` it when the server has stopped."""

    def __init__(self, services: Services) -> None:
        self._room = Room(services, ROUTES)
        routes: list[Route | WebSocketRoute] = [
            _Route(prefix + row.path, self._endpoint(row), methods=[row.method])
            for row in ROUTES
            for prefix in PREFIXES
        ]
        events = EventChannels(self._room)
        routes += [WebSocketRoute(prefix + EVENTS, events) for prefix in PREFIXES]
        lengths = {_length(one.path) for one in routes}
        self._routers = {length: Router(_of_length(routes, length), default=_nothing) for length in lengths}
        self._any = Router(routes, default=_nothing)

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request (ASGI): of eighty patterns only those as long as the path are tried."""
        await self._routers.get(_length(scope["path"]), self._any)(scope, receive, send)

    def _endpoint(self, row: Row) -> Endpoint:
        return Endpoint(self._room, row.handler, row.scope, row.stage, is_quick=row.is_quick)

    def sweep(self) -> None:
        """Forget what was kept long enough."""
        self._room.workitems.sweep()

    def close(self) -> None:
        """Let running work end and give the threads back."""
        self._room.close()


class _Route(Route):
    """A row under one prefix; a method that no row of its path has is told as every error is."""

    async def handle(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request whose path fits (ASGI)."""
        assert self.methods is not None
        if scope["method"] in self.methods:
            await super().handle(scope, receive, send)
            return
        path = next(self.path.removeprefix(prefix) for prefix in PREFIXES if self.path.startswith(prefix))
        methods = {row.method for row in ROUTES if row.path == path}
        allowed = ", ".join(sorted(methods | ({"HEAD"} if "GET" in methods else set())))
        await problem(MethodNotAllowed(allowed=allowed), token_hex(16))(scope, receive, send)


async def _nothing(scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Answer where there is no such address (ASGI)."""
    closing = WebSocketClose() if scope["type"] == "websocket" else problem(NotFound(what="address"), token_hex(16))
    await closing(scope, receive, send)


def _length(path: str) -> int:
    return path.count("/")


def _of_length(routes: Sequence[Route | WebSocketRoute], length: int) -> list[Route | WebSocketRoute]:
    """Return the routes that paths of so many parts may fit; a `:path` fits any number."""
    return [one for one in routes if _length(one.path) == length or ":path" in one.path]
