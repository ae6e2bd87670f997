"""The HTTP listener's own bounds: how long and how slow a request's head may be, how many connections stay open.

uvicorn has none of them: a head without an end would be kept in memory for ever, and connections on which nothing is
asked would count as requests, so that a few hundred of them shut everybody out. Here a connection costs only its place,
one address cannot have all places, who holds one must ask something, and take the answer. Bodies have bounds of their own
(`gateway.dicomweb.http.body`), and so have answers that pass this by (`gateway.dicomweb.http.direct`).
"""

import asyncio
from asyncio import TimerHandle
from collections import Counter
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, Final

from httptools import HttpParserError
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from gateway.addresses import Network, is_within
from gateway.dicomweb.http.body import RATE_BYTES_S_MIN
from kernel.origins import network_of
from kernel.telemetry import HTTP_REFUSED

HEAD_BYTES_MAX: Final = 64 * 1024  # of a request line and its header fields
HEADERS_MAX: Final = 200
HEAD_S: Final = 20.0  # from the connection, or the first byte after an answer, to the end of a head
FAREWELL_S: Final = 5.0  # for a client to take the end of its answer and to close, once the node stops
LINGER_S: Final = 300.0  # for the rest of a body that was refused: most senders read the answer only after it

_REFUSALS: Final = {
    400: b"HTTP/1.1 400 Bad Request\r\n",
    408: b"HTTP/1.1 408 Request Timeout\r\n",
    431: b"HTTP/1.1 431 Request Header Fields Too Large\r\n",
    503: b"HTTP/1.1 503 Service Unavailable\r\nretry-after: 5\r\n",
}


@dataclass(slots=True)
class Door:
    """What all connections of a listener share; used by its event loop alone."""

    requests_max: int
    connections_max: int
    connections_per_address_max: int
    trusted_proxies: Collection[Network] = ()  # many people come from one of these addresses
    head_s: float = HEAD_S
    silence_s: float = 120.0  # over which a client must take its answer at RATE_BYTES_S_MIN
    open: Counter[str] = field(default_factory=Counter[str])  # connections by the address's network

    def connection(self, **uvicorn: Any) -> "Connection":
        """Return the protocol of one more connection: what uvicorn wants for `http`."""
        return Connection(self, **uvicorn)

    def has_place(self, address: str) -> bool:
        """Whether one more connection from an address may stay."""
        if self.open.total() >= self.connections_max:
            return False
        of_one = self.open[network_of(address)]
        return of_one < self.connections_per_address_max or is_within(address, self.trusted_proxies)


class Connection(HttpToolsProtocol):
    """uvicorn's connection, with the bounds of its door."""

    def __init__(self, door: Door, **uvicorn: Any) -> None:
        super().__init__(**uvicorn)
        self._door = door
        self._network: str | None = None  # as counted; None when it is not
        self._useless = 0  # bytes since the last that were part of a body or ended a head
        self._timer: TimerHandle | None = None
        self._stalled: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - uvicorn's own
        """Take a place, or say that there is none."""
        super().connection_made(transport)
        address = self.client[0] if self.client else ""
        if not self._door.has_place(address):
            self._refuse(503)
            return
        self._network = network_of(address)
        self._door.open[self._network] += 1
        self._wait(self._door.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self._leave()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection on; those who listen to events are counted where they listen."""
        self._leave()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Read on, unless a head, or what follows a chunked body, has become too long."""
        if self.transport.is_closing():
            return
        self._useless += len(data)
        super().data_received(data)
        if self._useless > HEAD_BYTES_MAX:
            self._refuse(431)
        elif self._timer is None and self.cycle and self.cycle.response_complete:
            self._wait(LINGER_S if self.cycle.more_body else self._door.head_s)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header field, or a trailer, if there are not too many, and no second Host (RFC 9112 3.2).

        Raises
        ------
        HttpParserError
            There are; `send_400_response` is called for it.
        """
        is_second_host = name.lower() == b"host" and any(one == b"host" for one, _ in self.headers)
        if len(self.headers) >= HEADERS_MAX or is_second_host:
            raise HttpParserError
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """End the head and begin the request, if not too many are under way."""
        self._useless = 0
        self._stop_waiting()
        # uvicorn counts open connections too; with 0 it answers 503, with None it serves.
        self.limit_concurrency = 0 if len(self.tasks) >= self._door.requests_max else None
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        self._useless = 0
        super().on_body(body)

    def pause_writing(self) -> None:
        """Wait for a client that takes no more of its answer, as long as it takes some."""
        super().pause_writing()
        self._expect_taking()

    def resume_writing(self) -> None:
        """Go on with the answer."""
        self._stop_stalling()
        super().resume_writing()
        if self.transport.is_closing():
            self._expect_taking()

    def on_response_complete(self) -> None:
        """End the request; what the transport has of its answer may not keep the place of a connection that closes."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_taking()

    def timeout_keep_alive_handler(self) -> None:
        """Close a connection on which nothing more is asked."""
        super().timeout_keep_alive_handler()
        self._expect_taking()

    def shutdown(self) -> None:
        """Close when the answer under way, if any, is sent: the node stops."""
        super().shutdown()
        if self.transport.is_closing():
            self.loop.call_later(FAREWELL_S, self._part)

    def _part(self) -> None:
        """Wait no longer for the client's farewell, if all is written: over TLS most programs never answer ours."""
        if not self.transport.get_write_buffer_size():
            self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or has too many header fields."""
        del msg  # ours says no more than its status
        self._refuse(431 if self.headers and len(self.headers) >= HEADERS_MAX else 400)

    def _expect_taking(self) -> None:
        """Give the client a while to take enough of what waits for it; `connection_lost` ends the looking."""
        if self._stalled is None and self._network is not None:
            waiting = self.transport.get_write_buffer_size()
            self._stalled = self.loop.call_later(self._door.silence_s, self._look_at_taking, waiting)

    def _look_at_taking(self, waiting_before: int) -> None:
        self._stalled = None
        waiting = self.transport.get_write_buffer_size()
        if waiting and waiting_before - waiting < self._door.silence_s * RATE_BYTES_S_MIN:
            self.transport.abort()
        elif waiting:
            self._expect_taking()

    def _wait(self, seconds: float) -> None:
        self._timer = self.loop.call_later(seconds, self._refuse, 408)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _stop_stalling(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _leave(self) -> None:
        self._stop_waiting()
        self._stop_stalling()
        if self._network is not None:
            self._door.open[self._network] -= 1
            if not self._door.open[self._network]:
                del self._door.open[self._network]
            self._network = None

    def _refuse(self, status: int) -> None:
        self._stop_waiting()
        HTTP_REFUSED.labels(str(status)).inc()
        if not (self.cycle and not self.cycle.response_complete):  # else this would stand within an answer
            self.transport.write(_REFUSALS[status] + b"connection: close\r\ncontent-length: 0\r\n\r\n")
        self.transport.close()
        self._expect_taking()
