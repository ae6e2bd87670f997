"""The committer over a Unix socket: listener processes hand prepared instances to the process that owns the database.

Frames are a length and MessagePack; many requests are in flight on one connection and answers come in any order. An
instance is announced before its blob is flushed and told `Flushed` after, so that the index works while the disk does
(see ingest.py); a client that goes away in between fails what it announced, and nothing of it is committed.
The socket is the owner's alone (0600): whoever can open it can write the index.
"""

import itertools
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from kernel.archive.blobs.durable import Flush
from kernel.archive.ingest.committer import Durability, LocalCommitter
from kernel.archive.owner.asking import LocalOwner
from kernel.archive.owner.messages import (
    Answer,
    Ask,
    Commit,
    Flushed,
    Quarantined,
    Request,
    SessionEnded,
    answer_of,
    decode_answer,
    decode_request,
    error_of,
    frame,
    plain,
    read_frame,
    socket_address,
)
from kernel.archive.records import Ingested, Received, Refusal
from kernel.errors import Busy, ExchangeError
from kernel.telemetry import get_logger

BACKLOG: Final = 64
_log = get_logger("kernel.archive")


class RemoteCommitter:
    """The committer of a listener process. Safe to use from many threads; connects when first needed, and again."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._line: _Line | None = None
        self._numbers = itertools.count(1)

    def submit(self, received: Received, flush: Flush) -> Future[Ingested]:
        """Begin to index an instance whose blob is being flushed; nothing is committed before `flush` is done."""
        number = next(self._numbers)
        line = self._open()
        answer = line.ask(Commit(number, received))
        flush.when_over(lambda error: line.tell(Flushed(number, error is None)))
        return answer

    def commit(self, received: Received, blob: Durability) -> Ingested:
        """Announce an instance, tell when its blob is durable, and wait for the answer. Raises as `LocalCommitter.commit`.

        And what the blob's flush raises; the rows are undone then.
        """
        flush = Flush()
        pending = self.submit(received, flush)
        try:
            blob.wait()
        except BaseException as error:
            flush.fail(error)
            pending.exception()  # the rows are undone when this returns
            raise
        flush.succeed()
        return pending.result()

    def quarantine(self, refusal: Refusal) -> None:
        """Write the row of a refused instance; durable on return. Raises as `LocalCommitter.quarantine`."""
        self._open().ask(Quarantined(next(self._numbers), refusal)).result()

    def end_session(self, site: str, session: str, evidence: str | None) -> None:
        """Say that an association or request ended; with evidence, its studies count as complete."""
        self._open().ask(SessionEnded(next(self._numbers), site, session, evidence)).result()

    def close(self) -> None:
        """Hang up; what is under way fails."""
        with self._lock:
            if self._line is not None:
                self._line.hang_up()

    def _open(self) -> "_Line":
        with self._lock:
            if self._line is None or self._line.lost:
                self._line = _Line(self._path)
            return self._line


class _Line:
    """One connection and what is under way on it."""

    def __init__(self, path: Path) -> None:
        self.lost = False
        self._lock = threading.Lock()
        self._waiting: dict[int, Future[Any]] = {}
        self._connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            with socket_address(path) as address:
                self._connection.connect(address)
        except OSError as error:
            self._connection.close()
            raise Busy(what="the index cannot be reached") from error
        threading.Thread(target=self._listen, name="commit-answers", daemon=True).start()

    def ask(self, request: Commit | Quarantined | SessionEnded) -> Future[Any]:
        """Send a request; the future is done when it is answered or the connection is lost."""
        answer: Future[Any] = Future()
        with self._lock:
            if self.lost:
                raise Busy(what="the index was lost")
            self._waiting[request.number] = answer
            self._send(request)
        return answer

    def tell(self, request: Flushed) -> None:
        """Send what has no answer of its own."""
        with self._lock:
            if not self.lost:
                self._send(request)

    def hang_up(self) -> None:
        """End the connection; the listening thread fails what is under way."""
        with suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)

    def _send(self, request: Request) -> None:
        try:
            self._connection.sendall(frame(request))
        except OSError:
            self.hang_up()

    def _listen(self) -> None:
        with suppress(OSError):
            while (content := read_frame(self._connection)) is not None:
                answer = decode_answer(content)
                waiting = self._waiting.pop(answer.number)
                if answer.error is None:
                    waiting.set_result(answer.ingested)
                else:
                    waiting.set_exception(error_of(answer.error, answer.fields))
        with self._lock:
            self.lost = True
            waiting_still = list(self._waiting.values())
            self._connection.close()
        for waiting in waiting_still:
            waiting.set_exception(Busy(what="the index was lost"))


class CommitServer:
    """Serves `RemoteCommitter`s, and the questions of `RemoteOwner`s, in the process that owns the database."""

    def __init__(self, path: Path, committer: LocalCommitter, owner: LocalOwner | None = None) -> None:
        self._path = path
        self._committer = committer
        self._owner = owner or LocalOwner()
        self._listening: socket.socket | None = None
        self._connections: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Listen; a socket that a killed node left behind is replaced."""
        self._path.unlink(missing_ok=True)
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with socket_address(self._path) as address:
            listening.bind(address)
        self._path.chmod(0o600)
        listening.listen(BACKLOG)
        self._listening = listening
        self._begin(self._accept, listening)

    def stop(self) -> None:
        """Stop listening and hang up; what was committed was answered or will be asked again."""
        for one in [self._listening, *self._connections]:
            if one is not None:
                with suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._path.unlink(missing_ok=True)

    def _begin(self, run: Callable[[socket.socket], None], connection: socket.socket) -> None:
        thread = threading.Thread(target=run, args=(connection,), name="commit-server", daemon=True)
        self._threads = [*(one for one in self._threads if one.is_alive()), thread]
        thread.start()

    def _accept(self, listening: socket.socket) -> None:
        with listening, suppress(OSError):
            while True:
                connection, _ = listening.accept()
                self._connections.add(connection)
                self._begin(self._serve, connection)

    def _serve(self, connection: socket.socket) -> None:
        flushes: dict[int, Flush] = {}
        try:
            with suppress(OSError):
                while (content := read_frame(connection)) is not None:
                    request = decode_request(content)
                    if isinstance(request, Ask):
                        connection.sendall(frame(self._ask(request)))
                    else:
                        self._take(request, connection, flushes)
        finally:
            for flush in list(flushes.values()):
                flush.fail(Busy(what="the listener is gone"))
            self._connections.discard(connection)
            connection.close()

    def _ask(self, request: Ask) -> Answer:
        """Have a verb done here: its connection waits for it, others do not."""
        try:
            return Answer(request.number, body=self._owner.ask(request.verb, request.body))
        except ExchangeError as error:
            return Answer(request.number, error=error.code, fields=plain(error))
        except Exception as error:  # noqa: BLE001 whatever a verb does, who asked must hear of it
            _log.error("ask_failed", verb=request.verb, exc_info=error)
            return Answer(request.number, error="Busy", fields={"what": f"{request.verb} failed"})

    def _take(
        self,
        request: Commit | Flushed | Quarantined | SessionEnded,
        connection: socket.socket,
        flushes: dict[int, Flush],
    ) -> None:
        if isinstance(request, Flushed):
            flush = flushes.pop(request.number, None)
            if flush is not None and request.ok:
                flush.succeed()
            elif flush is not None:
                flush.fail(Busy(what="the blob was not kept"))
            return
        future: Future[Any]
        try:
            match request:
                case Commit(number, received):
                    flush = flushes[number] = Flush()
                    future = self._committer.submit(received, flush)
                case Quarantined(_, refusal):
                    future = self._committer.submit_refusal(refusal)
                case SessionEnded(_, site, session, evidence):
                    future = self._committer.submit_end(site, session, evidence)
        except ExchangeError as error:
            flushes.pop(request.number, None)
            _reply(connection, Answer(request.number, error=error.code, fields=plain(error)))
            return
        number = request.number
        future.add_done_callback(lambda done: _finish(connection, number, done))


def _finish(connection: socket.socket, number: int, done: Future[Any]) -> None:
    error = done.exception()
    if error is not None and not isinstance(error, ExchangeError):
        _log.error("commit_failed", exc_info=error)
    _reply(connection, answer_of(number, done))


def _reply(connection: socket.socket, answer: Answer) -> None:
    """Send without waiting: this runs in the database's writer, which must not wait for anybody."""
    content = frame(answer)
    try:
        if connection.send(content, socket.MSG_DONTWAIT) != len(content):
            connection.shutdown(socket.SHUT_RDWR)
    except OSError:  # it reads no answers, or is gone: it will ask again
        with suppress(OSError):
            connection.shutdown(socket.SHUT_RDWR)
