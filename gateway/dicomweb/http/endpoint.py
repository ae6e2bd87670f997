"""The edge of every route: authorise, run the handler in a thread, tell errors as problems. ASGI, no framework inside.

A handler is a plain function of a `Call` that returns an ASGI answer; so everything that blocks, blocks a thread.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as AsgiScope

from gateway.dicomweb.http import tracing
from gateway.dicomweb.http.call import Address, Call, address_of
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.service import Room
from gateway.status import http_status
from kernel.access import Action, Principal, Scope
from kernel.access.memory import NotRemembered, remembered_only
from kernel.access.request import principal_of_request
from kernel.audit import AuditOutcome, Line, append
from kernel.errors import Busy, Denied
from kernel.telemetry import get_logger, stage

Handler = Callable[[Call], ASGIApp]
ANONYMOUS: Final = Principal("", "token", frozenset(), frozenset())
log = get_logger("gateway.dicomweb")


class Endpoint:
    """One row of the route table as an ASGI application."""

    def __init__(self, room: Room, handler: Handler, scope: Scope, stage_name: str, *, is_quick: bool = False) -> None:
        self._room = room
        self._handler = handler
        self._scope = scope
        self._stage = stage_name
        self._is_quick = is_quick  # often answered from memory alone, without a thread

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer one request (ASGI)."""
        room, sending = self._room, _Sending(send)
        headers = Headers(scope=scope)
        trace_id = tracing.trace_of(headers.get(tracing.HEADER, "")) or room.services.random(16)
        if room.requests >= room.services.config.http.requests_max:
            await problem(Busy(what="it serves as many requests as it may"), trace_id)(scope, receive, sending)
            return
        room.requests += 1
        try:
            call = await self._called(scope, headers, trace_id)
            with room.callers.taken(call.principal):
                with stage(self._stage):
                    answer = await self._answered(call)
                await answer(scope, receive, sending)
        except Exception as error:  # noqa: BLE001 (the edge: everything is told to the client, ours or not)
            await self._tell(error, trace_id, scope, receive, sending)
        finally:
            room.requests -= 1

    async def _called(self, scope: AsgiScope, headers: Headers, trace_id: str) -> Call:
        """Return the authorised request, at once where its caller is known: who waits for a thread has a seat already."""
        try:
            with remembered_only():
                return self.call_of(scope, headers, trace_id)
        except NotRemembered:
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._room.readers, self.call_of, scope, headers, trace_id)

    async def _answered(self, call: Call) -> ASGIApp:
        """Run the handler in a thread, unless memory alone has the answer: a thread costs more than reading a frame."""
        if self._is_quick:
            with suppress(NotRemembered), remembered_only():
                return self._handler(call)
        return await asyncio.get_running_loop().run_in_executor(self._room.readers, self._handler, call)

    def call_of(self, scope: AsgiScope, headers: Headers, trace_id: str) -> Call:
        """Return an authorised request; of a WebSocket its handshake. Raises NotAuthenticated, Forbidden."""
        address = address_of(scope, headers, self._room.services.config.http.public_url, trace_id)
        principal = self._authorised(scope.get("method", "GET"), headers, address)
        return Call(self._room, scope, headers, principal, address)

    def _authorised(self, method: str, headers: Headers, address: Address) -> Principal:
        principal = ANONYMOUS
        try:
            principal = principal_of_request(self._room.services.access, method, headers, address.origin)
            principal.require(self._scope)
        except Denied as error:
            self._audit(error, principal, address)
            raise
        return principal

    def _audit(self, error: Denied, principal: Principal, address: Address) -> None:
        """Write down that somebody was turned away; once in a while for each caller, address and reason."""
        services, room = self._room.services, self._room
        key = (principal.kind, principal.name, address.peer, self._stage, error.code)
        line = Line(
            services.clock.now(),
            Action.SECURITY_ALERT,
            principal.name,
            AuditOutcome.SERIOUS_FAILURE,
            site=address.site or "",
            address=address.peer,
            detail={"what": "DICOMweb denied", "code": error.code, "route": self._stage},
        )
        room.denials.get_or(key, lambda: services.db.write(lambda connection: append(connection, line)))

    async def _tell(
        self, error: Exception, trace_id: str, scope: AsgiScope, receive: Receive, sending: "_Sending"
    ) -> None:
        if http_status(error) >= 500:
            log.error("request_failed", stage=self._stage, trace_id=trace_id, exc_info=error)
        if not sending.started:  # otherwise the answer stays unfinished, and the server closes the connection
            await problem(error, trace_id)(scope, receive, sending)


class _Sending:
    """Passes messages on and remembers whether the answer has begun."""

    __slots__ = ("_send", "started")

    def __init__(self, send: Send) -> None:
        self._send = send
        self.started = False

    async def __call__(self, message: Message) -> None:
        self.started = True
        await self._send(message)
