"""Asking the process that owns the database: small questions by verb, answered by whoever serves the verb there.

Listener processes read the database themselves (`kernel.database.ReadOnly`) and never write it. What must be written, or
done once for the whole node, is asked of the owner::

    owner.serve("mpps.create", handler)  # in the owning process: a LocalOwner; handler: bytes -> bytes
    body = owner.ask("mpps.create", body)  # there, or in a listener process: a RemoteOwner; raises what handler raised

A handler may run on any thread and several at once. When an answer was lost the asker does not know whether the verb was
done (`Busy`), so verbs are safe to repeat. Both directions are bounded: large things are read from the database or the
blobs, not asked for.
"""

import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Protocol

from kernel.archive.owner.messages import Ask, decode_answer, error_of, frame, read_frame, socket_address
from kernel.errors import Busy, LimitExceeded

ASK_BYTES_MAX: Final = 4 * 1024 * 1024  # of a body, either way
ANSWER_S: Final = 60.0  # how long an asker waits for its answer
LINES_MAX: Final = 32  # questions of one process that are answered at once; further ones wait
WAIT_S: Final = 10.0  # how long they wait

Handler = Callable[[bytes], bytes]


class Owner(Protocol):
    """What a service asks of the process that owns the database."""

    def ask(self, verb: str, body: bytes = b"") -> bytes:
        """Have `verb` done and return its answer.

        Raises
        ------
        ExchangeError
            What the verb's handler raised, with its fields.
        Busy
            Nobody serves the verb, or the answer did not come: it may or may not have been done.
        LimitExceeded
            The body, or the answer, is longer than `ASK_BYTES_MAX`.
        """
        ...


class LocalOwner:
    """The owner in its own process: verbs and who serves them."""

    def __init__(self) -> None:
        self._handlers: dict[str, Handler] = {}

    def serve(self, verb: str, handler: Handler) -> None:
        """Let `handler` answer `verb`; done while the node is wired."""
        assert verb not in self._handlers, f"{verb} is served twice"
        self._handlers[verb] = handler

    def ask(self, verb: str, body: bytes = b"") -> bytes:
        """Call the handler. Raises as `Owner.ask`."""
        handler = self._handlers.get(verb)
        if handler is None:
            raise Busy(what=f"nobody serves {verb}")
        return bounded(handler(bounded(body)))


class RemoteOwner:
    """The owner as a listener process sees it. Safe to use from many threads; connects when needed."""

    def __init__(self, path: Path, *, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        self._places = threading.BoundedSemaphore(LINES_MAX)
        self._lock = threading.Lock()
        self._idle: list[socket.socket] = []

    def ask(self, verb: str, body: bytes = b"") -> bytes:
        """Send the question on a connection of its own and wait. Raises as `Owner.ask`."""
        question = frame(Ask(0, verb, bounded(body)))
        if not self._places.acquire(timeout=WAIT_S):
            raise Busy(what="too many questions to the node")
        try:
            line = self._take()
            try:
                line.sendall(question)
                content = read_frame(line)
            except OSError as error:
                line.close()
                raise Busy(what="the node does not answer") from error
            if content is None:
                line.close()
                raise Busy(what="the node is gone")
            with self._lock:
                self._idle.append(line)
        finally:
            self._places.release()
        answer = decode_answer(content)
        if answer.error is not None:
            raise error_of(answer.error, answer.fields)
        return answer.body

    def close(self) -> None:
        """Hang up."""
        with self._lock:
            idle, self._idle = self._idle, []
        for line in idle:
            line.close()

    def _take(self) -> socket.socket:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        line = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        seconds, part = divmod(self._answer_s, 1)
        timeout = struct.pack("@ll", int(seconds), int(part * 1_000_000))
        try:
            line.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, timeout)
            line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, timeout)
            with socket_address(self._path) as address:
                line.connect(address)
        except OSError as error:
            with suppress(OSError):
                line.close()
            raise Busy(what="the node cannot be reached") from error
        return line


def bounded(body: bytes) -> bytes:
    """Return a body that may travel.

    Raises
    ------
    LimitExceeded
        It is longer than `ASK_BYTES_MAX`.
    """
    if len(body) > ASK_BYTES_MAX:
        raise LimitExceeded(limit="ASK_BYTES_MAX", value=len(body), bound=ASK_BYTES_MAX)
    return body
