"""A large body from the socket to the threads that take it apart, without passing through the event loop.

On uvicorn's way each piece is copied five times and changes threads before anybody looks at it. Here the thread that takes
the body apart reads it, as long as the sender keeps up; of a slow one it takes now and then what has gathered. What
uvicorn's parser had begun is ended by another that knows how much is left, so that a body that is refused half-way is
read to its end as any other, and the next request finds the connection as it should be.
"""

import asyncio
import select
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from typing import Any, Final, TypeVar

from httptools import HttpRequestParser
from starlette.types import Scope
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.dicomweb.http.body import LULL_S, LULLS_EVERY_S, RATE_BYTES_S_MIN
from gateway.dicomweb.http.direct import EXTENSION, Line, copy_of, ended

WORTH_BYTES: Final = 256 * 1024  # what is smaller comes the usual way
READ_BYTES: Final = 512 * 1024  # at once
TURN_BYTES: Final = 8 * 1024 * 1024  # read in one turn of a thread, so that senders take turns
FAST_BYTES: Final = 64 * 1024  # a sender that brought so much in a turn is waited for in the thread
PATIENCE_S: Final = 0.003  # for so long
GATHER_S: Final = 0.02  # a turn for what a slow sender brings meanwhile

T = TypeVar("T")
Feed = Callable[[Sequence[bytes]], None]


class DirectBody:
    """The body of one request that nobody has begun to read."""

    def __init__(self, cycle: RequestResponseCycle, protocol: HttpToolsProtocol, length: int) -> None:
        self._cycle = cycle
        self._protocol = protocol
        self._left = length
        self._waited_s = 0.0
        self._lull_told_s = -LULLS_EVERY_S

    async def receive(self, feed: Feed, finish: Callable[[], T], threads: Executor, silence_s: float) -> T:
        """Feed the whole body in turns of `threads`; an empty list says that nothing came for a moment, as `body_batches`.

        Return what `finish` returns, which the last turn calls.

        Raises
        ------
        TimeoutError
            Nothing came for `silence_s`, or less than RATE_BYTES_S_MIN.
        asyncio.IncompleteReadError
            The client went away.
        Exception
            What `feed` or `finish` raised.
        """
        cycle, loop = self._cycle, asyncio.get_running_loop()
        ends: list[T] = []
        turns = Turns(copy_of(cycle.transport), self._taken_over(), self._left, feed, lambda: ends.append(finish()))
        length, is_fast = self._left, True
        try:
            while True:
                count = await ended(loop.run_in_executor(threads, turns.run, PATIENCE_S if is_fast else 0.0))
                if not turns.left:
                    return ends[0]
                if turns.is_over:
                    await self._gone()
                    raise asyncio.IncompleteReadError(b"", None)
                is_fast = count >= FAST_BYTES
                if count < TURN_BYTES and await self._lulls(turns.connection, silence_s, is_fast=is_fast):
                    await ended(loop.run_in_executor(threads, feed, ()))
                    await self._more(turns.connection, silence_s)
                if self._waited_s > silence_s and length - turns.left < self._waited_s * RATE_BYTES_S_MIN:
                    raise TimeoutError
        finally:
            turns.connection.close()
            self._hand_back(turns.left)

    def _taken_over(self) -> bytes:
        """Stop the transport's reading, and return what it has read."""
        cycle = self._cycle
        if cycle.waiting_for_100_continue:
            cycle.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            cycle.waiting_for_100_continue = False
        cycle.flow.pause_reading()
        first, cycle.body = bytes(cycle.body), bytearray()
        return first

    def _hand_back(self, left: int) -> None:
        """Let the transport read what is left, with a parser that expects it."""
        if self._cycle.transport.is_closing():
            return
        passing = _Passing(self._protocol)
        parser = HttpRequestParser(passing)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn's
        parser.feed_data(b"POST / HTTP/1.1\r\ncontent-length: %d\r\n\r\n" % left)
        passing.is_open = True
        self._protocol.parser = parser
        if not left:
            self._protocol.on_message_complete()
        self._cycle.flow.resume_reading()

    async def _lulls(self, connection: socket.socket, silence_s: float, *, is_fast: bool) -> bool:
        """Wait for more; True when there was nothing for a moment and that is worth telling."""
        loop = asyncio.get_running_loop()
        if not is_fast:
            self._waited_s += GATHER_S
            await asyncio.sleep(GATHER_S)
        lull_s = LULL_S if loop.time() - self._lull_told_s > LULLS_EVERY_S else LULLS_EVERY_S
        try:
            await self._more(connection, min(lull_s, silence_s))
        except TimeoutError:
            if lull_s >= silence_s:
                raise
            self._lull_told_s = loop.time()
            return True
        return False

    async def _more(self, connection: socket.socket, most_s: float) -> None:
        loop = asyncio.get_running_loop()
        began_s, ready = loop.time(), loop.create_future()
        loop.add_reader(connection.fileno(), lambda: ready.done() or ready.set_result(None))
        try:
            async with asyncio.timeout(most_s):
                await ready
        finally:
            loop.remove_reader(connection.fileno())
            self._waited_s += loop.time() - began_s

    async def _gone(self) -> None:
        """Let uvicorn know that nobody waits for an answer."""
        self._cycle.transport.abort()
        while not self._cycle.disconnected:
            self._cycle.message_event.clear()
            await self._cycle.message_event.wait()


class Turns:
    """Reads a socket that does not block, as long as it has something; used by one thread at a time."""

    def __init__(
        self, connection: socket.socket, first: bytes, left: int, feed: Feed, finish: Callable[[], None]
    ) -> None:
        self.connection = connection
        self.left = left - len(first)
        self.is_over = False  # the sender went
        self._first = first
        self._feed = feed
        self._finish = finish

    def run(self, patience_s: float) -> int:
        """Feed what is there, and finish when it was all; return how many bytes were read.

        Waits for a sender for `patience_s` at most.
        """
        if self._first:
            first, self._first = self._first, b""
            self._feed((first,))
        count = 0
        poll = select.poll()
        poll.register(self.connection, select.POLLIN)
        while self.left and count < TURN_BYTES:
            try:
                chunk = self.connection.recv(min(self.left, READ_BYTES))
            except BlockingIOError:
                if not poll.poll(patience_s * 1000):
                    break
                continue
            except OSError:
                chunk = b""
            if not chunk:
                self.is_over = True
                break
            count += len(chunk)
            self.left -= len(chunk)
            self._feed((chunk,))
        if not self.left:
            self._finish()
        return count


class _Passing:
    """Passes a parser's words on to uvicorn, once the head that it was given has gone by."""

    def __init__(self, protocol: HttpToolsProtocol) -> None:
        self._protocol = protocol
        self.is_open = False

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return uvicorn's own callback, if it has one of that name, silent until this is open."""
        call = getattr(self._protocol, name)
        return lambda *arguments: call(*arguments) if self.is_open else None


def direct_body(scope: Scope, length: int) -> DirectBody | None:
    """Return a body of so many bytes to be read from its socket; None where it has to come the usual way."""
    line = scope.get("extensions", {}).get(EXTENSION)
    if not isinstance(line, Line) or length < WORTH_BYTES:
        return None
    protocol = line.cycle.transport.get_protocol()
    if not isinstance(protocol, HttpToolsProtocol) or not line.cycle.more_body or line.cycle.disconnected:
        return None
    return DirectBody(line.cycle, protocol, length)
