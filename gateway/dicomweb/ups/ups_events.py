"""The event channel of a subscriber (PS3.18 11.13, 8.10.4): a WebSocket over which reports of work items are sent.

Reports wait in the database until they were sent, so a subscriber that was away is told what it missed, as far as
`consult.subscriptions` keeps it. Who may open a channel is decided as for every route, and looked at again and again
while it is open. What a client says is not listened to.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from itertools import count
from typing import Final

import msgspec
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from consult.subscriptions import Subscriber
from gateway.dicomweb.http.answers import until_gone
from gateway.dicomweb.http.call import Call
from gateway.dicomweb.http.endpoint import Endpoint
from gateway.dicomweb.http.problem import problem
from gateway.dicomweb.service import Room
from gateway.dicomweb.ups.ups_channels import Channel
from gateway.dicomweb.ups.ups_subscriptions import subscriber
from gateway.status import http_status
from kernel.access import Scope
from kernel.access.request import check_origin
from kernel.errors import Denied
from kernel.telemetry import get_logger

REPORTS_AT_ONCE: Final = 50  # read and sent before they are forgotten; a lost connection repeats at most so many
SEND_S: Final = 30.0  # how long a client may take nothing
LOOK_AGAIN_S: Final = 5.0  # how often an open channel's right is looked at again
POLICY: Final = 1008  # WebSocket close codes (RFC 6455 7.4.1); 4000 and above are ours
DISPLACED: Final = 4000
TOO_SLOW: Final = 4001

Admit = Callable[[], Subscriber]
log = get_logger("gateway.dicomweb")


class EventChannels:
    """The event channels as one ASGI application of WebSockets."""

    def __init__(self, room: Room) -> None:
        self._room = room
        self._gate = Endpoint(room, _never, Scope.WORKLIST_READ, "events")

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Serve one connection (ASGI)."""
        room = self._room
        trace_id = room.services.random(16)
        await receive()  # websocket.connect
        admit = partial(self._admitted, scope, trace_id)
        try:
            who = await asyncio.get_running_loop().run_in_executor(room.readers, admit)
            channel = room.channels.open(who.site, who.ae_title)
        except Exception as error:  # noqa: BLE001 (the edge: everything is told to the client, ours or not)
            await _refuse(error, trace_id, scope, receive, send)
            return
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            await send({"type": "websocket.accept"})
            code = await self._relay(who, channel, gone, send, admit)
            if not gone.done():
                await send({"type": "websocket.close", "code": code})
        except OSError:
            pass  # the client is gone; what was not sent waits for it
        finally:
            gone.cancel()
            room.channels.close(who.site, who.ae_title, channel)

    def _admitted(self, scope: AsgiScope, trace_id: str) -> Subscriber:
        headers = Headers(scope=scope)
        call = self._gate.call_of(scope, headers, trace_id)
        if "authorization" not in headers:  # a browser sends its cookie whatever page asked for the connection
            check_origin(headers, call.address.origin)
        who = subscriber(call)
        self._room.workitems.check_holder(who)
        return who

    async def _relay(
        self, who: Subscriber, channel: Channel, gone: asyncio.Future[None], send: Send, admit: Admit
    ) -> int:
        """Send what waits and what comes, until the client is gone; returns the code with which to close."""
        loop, room = asyncio.get_running_loop(), self._room
        looked_s, message_ids = loop.time(), count()
        while not gone.done() and not channel.is_displaced:
            if loop.time() - looked_s >= LOOK_AGAIN_S:  # also of a channel that is never without news
                looked_s = loop.time()
                try:
                    await loop.run_in_executor(room.readers, admit)
                except Denied:
                    return POLICY
            waiting = partial(room.workitems.waiting, who.site, who.ae_title, REPORTS_AT_ONCE)
            reports = await loop.run_in_executor(room.readers, waiting)
            for _, report in reports:
                message = {**report, "00000110": {"vr": "US", "Value": [next(message_ids) % 0xFFFF + 1]}}
                text = msgspec.json.encode(dict(sorted(message.items()))).decode()
                try:
                    async with asyncio.timeout(SEND_S):
                        await send({"type": "websocket.send", "text": text})
                except TimeoutError:
                    return TOO_SLOW
            if reports:
                told = partial(room.workitems.told, who.site, who.ae_title, reports[-1][0])
                await loop.run_in_executor(room.readers, told)
                continue
            await _any_of(channel, gone, LOOK_AGAIN_S)
        return DISPLACED


async def _any_of(channel: Channel, gone: asyncio.Future[None], timeout_s: float) -> None:
    news = asyncio.ensure_future(channel.news())
    try:
        await asyncio.wait({news, gone}, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        news.cancel()


async def _refuse(error: Exception, trace_id: str, scope: AsgiScope, receive: Receive, send: Send) -> None:
    """Refuse the handshake with the status that every route would give."""
    if http_status(error) >= 500:
        log.error("request_failed", stage="events", trace_id=trace_id, exc_info=error)
    await problem(error, trace_id)(scope, receive, send)


def _never(call: Call) -> ASGIApp:
    raise AssertionError(call)
