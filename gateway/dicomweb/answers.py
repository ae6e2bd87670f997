"""What handlers return: a small body that is sent at once, or pieces of bytes and files streamed in bounded memory."""

import asyncio
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

from starlette.types import Receive, Scope, Send

from kernel.errors import BlobMissing

CHUNK_BYTES: Final = 512 * 1024  # read and sent at once; a slow client keeps about two of them in memory

SAFE_HEADERS: Final[Mapping[str, str]] = {"Cache-Control": "private, no-cache", "X-Content-Type-Options": "nosniff"}
IMMUTABLE: Final = "private, max-age=31536000, immutable"  # bytes that one URL and Accept always give


class FileSpan(NamedTuple):
    """A part of a blob: `size_bytes` from `offset` on."""

    path: Path
    offset: int
    size_bytes: int

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start`, counted within the span.

        Raises
        ------
        BlobMissing
            They are not there.
        """
        try:
            descriptor = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BlobMissing(key=self.path.name) from None
        try:
            data = os.pread(descriptor, count, self.offset + start)
        finally:
            os.close(descriptor)
        if len(data) != count:
            raise BlobMissing(key=self.path.name)
        return data


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
    chunks: Iterator[bytes]
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
        gone = asyncio.ensure_future(_until_gone(receive))
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


def streamed(
    headers: Mapping[str, str], pieces: Sequence[Piece], threads: Executor, silence_s: float, *, status: int = 200
) -> Chunked:
    """Return pieces to be sent one after the other, never all in memory; Content-Length is told if it is known."""
    total = size_of(pieces)
    known = {} if total is None else {"Content-Length": str(total)}
    return Chunked({**headers, **known}, _chunks(pieces), threads, silence_s, status)


def size_of(pieces: Sequence[Piece]) -> int | None:
    """Return how many bytes the pieces are together; None if some are still to be made."""
    total = 0
    for piece in pieces:
        if isinstance(piece, Made):
            return None
        total += len(piece) if isinstance(piece, bytes) else piece.size_bytes
    return total


async def _until_gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _chunks(pieces: Sequence[Piece]) -> Iterator[bytes]:
    """Yield the pieces in chunks; small ones are joined, so that an instance's boundary is no packet of its own."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        for part in _parts(piece):
            waiting.append(part)
            size += len(part)
            if size >= CHUNK_BYTES:
                yield b"".join(waiting)
                waiting.clear()
                size = 0
    if waiting:
        yield b"".join(waiting)


def _parts(piece: Piece) -> Iterator[bytes]:
    if isinstance(piece, bytes):
        yield piece
    elif isinstance(piece, Made):
        yield from piece.chunks()
    else:
        for start in range(0, piece.size_bytes, CHUNK_BYTES):
            yield piece.read(start, min(CHUNK_BYTES, piece.size_bytes - start))
