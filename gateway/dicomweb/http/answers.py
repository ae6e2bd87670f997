"""What handlers return: a small body that is sent at once, or pieces of bytes and files streamed in bounded memory."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from starlette.types import Receive, Scope, Send

from gateway.dicomweb.http.direct import EXTENSION, WORTH_BYTES, Line, Parts
from gateway.dicomweb.http.spans import FileSpan

CHUNK_BYTES: Final = 1024 * 1024  # read and sent at once; a slow client keeps about two of them in memory

SAFE_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
IMMUTABLE: Final = "private, max-age=31536000, immutable"  # bytes that one URL and Accept always give


class Made(NamedTuple):
    """Bytes that are made while they are sent; how many is not known before."""

    chunks: Callable[[], Iterator[bytes]]


Piece = bytes | FileSpan | Made


def encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    """Return headers as ASGI wants them."""
    return [(name.lower().encode("ascii"), value.encode("latin-1")) for name, value in headers.items()]


class Answer:
    """A body in memory, sent in two messages."""

    __slots__ = ("body", "headers", "status")

    def __init__(self, status: int, headers: Mapping[str, str], body: bytes | bytearray = b"") -> None:
        self.status = status
        self.headers = headers
        self.body = body

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI)."""
        del receive
        headers = encoded({**SAFE_HEADERS, **self.headers})
        if self.status not in (204, 304):
            headers.append((b"content-length", b"%d" % len(self.body)))
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else self.body})


@dataclass(frozen=True, slots=True)
class Chunked:
    """Chunks made one after the other in a thread; how many bytes they are is not known beforehand."""

    headers: Mapping[str, str]
    chunks: Iterator[bytes | bytearray]
    threads: Executor
    silence_s: float  # how long a client may take nothing before it is dropped
    status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI); stop when the client is gone or takes nothing for `silence_s`."""
        loop = asyncio.get_running_loop()
        chunk = await loop.run_in_executor(self.threads, next, self.chunks, None)  # errors are told before a status
        headers = encoded({**SAFE_HEADERS, **self.headers})
        await send({"type": "http.response.start", "status": self.status, "headers": headers})
        if scope["method"] == "HEAD":
            await send({"type": "http.response.body", "body": b""})
            return
        gone = asyncio.ensure_future(until_gone(receive))
        try:
            while chunk is not None and not gone.done():
                following = loop.run_in_executor(self.threads, next, self.chunks, None)
                message: dict[str, Any] = {"type": "http.response.body", "body": chunk, "more_body": True}
                async with asyncio.timeout(self.silence_s):
                    await send(message)
                chunk = await following
            if chunk is None:
                await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # an unfinished body: the server closes the connection
        finally:
            gone.cancel()


@dataclass(frozen=True, slots=True)
class Streamed:
    """Pieces sent one after the other, never all in memory."""

    headers: Mapping[str, str]
    pieces: Sequence[Piece]
    threads: Executor
    silence_s: float  # how long a client may take nothing before it is dropped
    status: int = 200

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it (ASGI), straight from the files where that is possible and worth it."""
        total = size_of(self.pieces)
        known = {} if total is None else {"Content-Length": str(total)}
        headers = {**self.headers, **known}
        line: Line | None = scope.get("extensions", {}).get(EXTENSION)
        if line is None or total is None or total < WORTH_BYTES or scope["method"] == "HEAD":
            chunks = _chunks(self.pieces)
            await Chunked(headers, chunks, self.threads, self.silence_s, self.status)(scope, receive, send)
            return
        parts = Parts(piece for piece in self.pieces if not isinstance(piece, Made))
        try:
            await asyncio.get_running_loop().run_in_executor(self.threads, parts.begin)
            await send({"type": "http.response.start", "status": self.status, "headers": _all(headers)})
            await line.send(parts, self.threads, self.silence_s)
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        except TimeoutError:
            return  # an unfinished body: the server closes the connection
        finally:
            parts.close()


def _all(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return encoded({**SAFE_HEADERS, **headers})


def streamed(
    headers: Mapping[str, str], pieces: Sequence[Piece], threads: Executor, silence_s: float, *, status: int = 200
) -> Streamed:
    """Return pieces to be sent one after the other; Content-Length is told if it is known."""
    return Streamed(headers, pieces, threads, silence_s, status)


def size_of(pieces: Sequence[Piece]) -> int | None:
    """Return how many bytes the pieces are together; None if some are still to be made."""
    total = 0
    for piece in pieces:
        if isinstance(piece, Made):
            return None
        total += len(piece) if isinstance(piece, bytes) else piece.size_bytes
    return total


async def until_gone(receive: Receive) -> None:
    """Return when the client is gone; what it still sends is not listened to."""
    while (await receive())["type"] not in ("http.disconnect", "websocket.disconnect"):
        pass


def _chunks(pieces: Sequence[Piece]) -> Iterator[bytes | bytearray]:
    """Yield the pieces in chunks; small ones are joined, so that an instance's boundary is no packet of its own."""
    waiting: list[bytes | FileSpan] = []
    size = 0
    for piece in pieces:
        for part in _parts(piece, CHUNK_BYTES):
            count = len(part) if isinstance(part, bytes) else part.size_bytes
            if size + count > CHUNK_BYTES and waiting:
                yield _joined(waiting, size)
                waiting, size = [], 0
            waiting.append(part)
            size += count
    if waiting:
        yield _joined(waiting, size)


def _parts(piece: Piece, bytes_max: int) -> Iterator[bytes | FileSpan]:
    if isinstance(piece, bytes):
        yield piece
    elif isinstance(piece, Made):
        yield from piece.chunks()
    else:
        for start in range(0, piece.size_bytes, bytes_max):
            yield FileSpan(piece.path, piece.offset + start, min(bytes_max, piece.size_bytes - start))


def _joined(parts: Sequence[bytes | FileSpan], size: int) -> bytes | bytearray:
    """Return parts as one; what is in files is read to where it is sent from, and copied no more."""
    if len(parts) == 1 and isinstance(parts[0], bytes):
        return parts[0]
    body = bytearray(size)
    view, position = memoryview(body), 0
    for part in parts:
        end = position + (len(part) if isinstance(part, bytes) else part.size_bytes)
        if isinstance(part, bytes):
            view[position:end] = part
        else:
            part.read_into(view[position:end])
        position = end
    return body
