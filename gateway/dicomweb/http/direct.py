"""Stored bytes from the disk's cache to the socket without passing through this program: sendfile(2), where it can be.

uvicorn has no such thing, so `Direct` stands before the application and lends it the connection of each request, as an
ASGI extension. Over TLS, and behind anything that is not uvicorn's httptools protocol, answers are sent the usual way.
Whatever is sent here is in order with what went through the transport: its buffer is empty before and after.
"""

import asyncio
import os
import socket
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from typing import Final, NamedTuple, TypeVar

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.dicomweb.http.body import RATE_BYTES_S_MIN
from gateway.dicomweb.http.spans import FileSpan
from kernel.errors import BlobMissing

T = TypeVar("T")
EXTENSION: Final = "vienanh.direct"
WORTH_BYTES: Final = 256 * 1024  # what is smaller goes the usual way
TURN_BYTES: Final = 16 * 1024 * 1024  # sent in one turn of a thread, so that clients take turns
_HIGH_WATER: Final = 64 * 1024  # uvicorn's own


class Direct:
    """ASGI middleware, the outermost: offers the extension."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on."""
        cycle = getattr(send, "__self__", None)
        if isinstance(cycle, RequestResponseCycle) and cycle.transport.get_extra_info("sslcontext") is None:
            scope["extensions"] = {**scope.get("extensions", {}), EXTENSION: Line(cycle)}
        await self._app(scope, receive, send)


class Line:
    """The connection of one request."""

    def __init__(self, cycle: RequestResponseCycle) -> None:
        self.cycle = cycle

    async def send(self, parts: "Parts", threads: Executor, silence_s: float) -> None:
        """Send parts of a body whose start has been sent; its end is the caller's to tell.

        Raises
        ------
        TimeoutError
            The client took nothing for `silence_s`, or kept us waiting so long and took less than RATE_BYTES_S_MIN.
        BlobMissing
            A file is not there, or shorter than it was.
        """
        cycle, loop = self.cycle, asyncio.get_running_loop()
        transport = cycle.transport
        transport.set_write_buffer_limits(high=0)
        async with asyncio.timeout(silence_s):
            await cycle.flow.drain()
        if cycle.disconnected:
            return
        taken, waited_s = 0, 0.0
        connection = copy_of(transport)
        try:
            while not cycle.disconnected:
                turn = await ended(loop.run_in_executor(threads, parts.push, connection))
                cycle.expected_content_length -= turn.sent
                taken += turn.sent
                if turn.is_last:
                    return
                if turn.is_full:
                    if waited_s >= silence_s:
                        if taken < waited_s * RATE_BYTES_S_MIN:
                            raise TimeoutError
                        taken, waited_s = 0, 0.0
                    begun_s = loop.time()
                    async with asyncio.timeout(silence_s):
                        await _writable(connection)
                    waited_s += loop.time() - begun_s
        except (BrokenPipeError, ConnectionResetError):
            transport.abort()
        finally:
            connection.close()
            if not transport.is_closing():
                transport.set_write_buffer_limits(high=_HIGH_WATER)


class Turn(NamedTuple):
    """What one turn brought."""

    sent: int  # bytes
    is_full: bool  # the socket takes no more now
    is_last: bool


class Parts:
    """What is still to be sent; used by one thread at a time."""

    def __init__(self, pieces: Iterable[bytes | FileSpan]) -> None:
        self._pieces: Iterator[bytes | FileSpan] = iter(pieces)
        self._text = memoryview(b"")
        self._file = -1
        self._offset = self._left = 0
        self._name = ""

    def begin(self) -> None:
        """Open the first file, so that what is not there is told before anything was promised."""
        self._next()

    def close(self) -> None:
        """Close what is open."""
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def push(self, connection: socket.socket) -> Turn:
        """Send until the socket is full, the turn is over, or nothing is left."""
        sent = 0
        try:
            while sent < TURN_BYTES:
                if not self._text and not self._left and not self._next():
                    return Turn(sent, is_full=False, is_last=True)
                sent += self._some(connection)
        except BlockingIOError:
            return Turn(sent, is_full=True, is_last=False)
        return Turn(sent, is_full=False, is_last=False)

    def _next(self) -> bool:
        self.close()
        for piece in self._pieces:
            if isinstance(piece, bytes):
                self._text = memoryview(bytes(self._text) + piece)
                continue
            self._file = piece.open()
            self._offset, self._left, self._name = piece.offset, piece.size_bytes, piece.path.name
            return True
        return len(self._text) > 0

    def _some(self, connection: socket.socket) -> int:
        if self._text:
            count = connection.send(self._text, socket.MSG_MORE if self._left else 0)
            self._text = self._text[count:]
            return count
        count = os.sendfile(connection.fileno(), self._file, self._offset, self._left)
        if not count:
            raise BlobMissing(key=self._name)
        self._offset += count
        self._left -= count
        return count


def copy_of(transport: asyncio.Transport) -> socket.socket:
    """Return the connection of a transport under a descriptor of its own, which is the caller's to close."""
    return socket.socket(fileno=os.dup(transport.get_extra_info("socket").fileno()))


async def ended(turn: asyncio.Future[T]) -> T:
    """Wait for a turn, also when cancelled: its descriptors may not be closed, and given to others, under its hands."""
    try:
        return await asyncio.shield(turn)
    except asyncio.CancelledError:
        await asyncio.wait((turn,))
        raise


async def _writable(connection: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()
    loop.add_writer(connection.fileno(), lambda: ready.done() or ready.set_result(None))
    try:
        await ready
    finally:
        loop.remove_writer(connection.fileno())
