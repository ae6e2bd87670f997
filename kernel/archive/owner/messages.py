"""What passes on the commit socket: requests, answers, frames, and the name of the socket."""

import os
import socket
import struct
from collections.abc import Generator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from kernel.archive.records import Ingested, Received, Refusal
from kernel.errors import Busy, ExchangeError

FRAME_BYTES_MAX: Final = 256 * 1024 * 1024  # metadata of one instance is bounded far below by the scanner's limits
ADDRESS_BYTES_MAX: Final = 100  # of a Unix socket's path; the system's bound is 107
_LENGTH: Final = struct.Struct("<I")


class Commit(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Index this instance; its blob is being flushed."""

    number: int
    received: Received


class Flushed(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """The blob of an announced instance is durable, or will not be."""

    number: int
    ok: bool


class Quarantined(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Write the row of a refused instance."""

    number: int
    refusal: Refusal


class SessionEnded(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """An association or request ended."""

    number: int
    site: str
    session: str
    evidence: str | None


class Ask(msgspec.Struct, tag=True, array_like=True, frozen=True):
    """Have a verb done (owner.py); comes on a connection that carries nothing else, one at a time."""

    number: int
    verb: str
    body: bytes


class Answer(msgspec.Struct, array_like=True, frozen=True):
    """What became of a request: an answer of ingest or of a verb, nothing, or an error's class and fields."""

    number: int
    ingested: Ingested | None = None
    error: str | None = None
    fields: dict[str, Any] = {}
    body: bytes = b""


Request = Commit | Flushed | Quarantined | SessionEnded | Ask
_encode = msgspec.msgpack.Encoder().encode
decode_request = msgspec.msgpack.Decoder(Request).decode
decode_answer = msgspec.msgpack.Decoder(Answer).decode


def answer_of(number: int, done: Future[Any]) -> Answer:
    """Return the answer that a finished future means."""
    error = done.exception()
    if error is None:
        return Answer(number, ingested=done.result())
    if isinstance(error, ExchangeError):
        return Answer(number, error=error.code, fields=plain(error))
    return Answer(number, error="Busy", fields={"what": f"the index failed: {type(error).__name__}"})


def plain(error: ExchangeError) -> dict[str, Any]:
    """Return an error's fields as they can travel."""
    return {name: value if isinstance(value, int | float | str) else str(value) for name, value in error.fields.items()}


def error_of(code: str, fields: dict[str, Any]) -> ExchangeError:
    """Return the error that travelled: one of ours by its class, or Busy."""
    kinds: list[type[ExchangeError]] = [ExchangeError]
    for kind in kinds:
        kinds += kind.__subclasses__()
    return next((kind for kind in kinds if kind.__name__ == code), Busy)(**fields)


def read_frame(connection: socket.socket) -> bytearray | None:
    """Return one frame's content, or None at the end of the connection."""
    length = _read_exactly(connection, _LENGTH.size)
    if length is None:
        return None
    (size,) = _LENGTH.unpack(length)
    return None if size > FRAME_BYTES_MAX else _read_exactly(connection, size)


def _read_exactly(connection: socket.socket, size: int) -> bytearray | None:
    content = bytearray(size)
    view = memoryview(content)
    while view:
        count = connection.recv_into(view)
        if not count:
            return None
        view = view[count:]
    return content


@contextmanager
def socket_address(path: Path) -> Generator[str]:
    """Give a name of the socket that is short enough, whatever folder it is in."""
    if len(os.fsencode(path)) <= ADDRESS_BYTES_MAX:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def frame(message: Request | Answer) -> bytes:
    """Return a message as it travels."""
    content = _encode(message)
    return _LENGTH.pack(len(content)) + content
