"""The SHA-256 of an instance, made beside the thread that receives it, as long as no other is received.

One sender's thread alone sets its pace: what it received is hashed by a second one while it writes and receives on. Only
bytes that nobody can change wait, and only so many. With several senders every core has its work: each hashes here and
now, as it does for little. The digest is the same either way.
"""

import hashlib
import os
import threading
from collections.abc import Callable
from functools import partial
from queue import SimpleQueue
from typing import Final

WORTH_BYTES: Final = 64 * 1024  # what is smaller is hashed sooner than handed over
WAITING_BYTES_MAX: Final = 2 * 1024 * 1024  # of one instance, to be hashed beside


class Digest:
    """One digest in the making; used by one thread at a time."""

    __slots__ = ("_added", "_beside", "_done", "_error", "_hash", "_waiting_bytes")

    def __init__(self) -> None:
        self._beside = _of_this_process()  # first: `__del__` wants it
        self._hash = hashlib.sha256()
        self._added = self._done = 0  # pieces that were handed over, and those of them that are hashed
        self._waiting_bytes = 0  # handed over since nothing waited
        self._error: BaseException | None = None
        self._beside.making.add(id(self))

    def __del__(self) -> None:
        """Let others know that this one needs nobody any more."""
        self._beside.making.discard(id(self))

    def add(self, piece: bytes | bytearray | memoryview) -> None:
        """Add the next bytes; of `bytes`, or a view of such, may be looked at until the digest is asked for."""
        size = len(piece)
        if self._done == self._added:
            self._waiting_bytes = 0
        if self._waiting_bytes + size > WAITING_BYTES_MAX:
            self._settle()
        if self._is_worth(piece, size):
            self._added += 1
            self._waiting_bytes += size
            self._beside.do(partial(self._take, piece))
        else:
            self._settle()
            self._hash.update(piece)

    def hexdigest(self) -> str:
        """Return the digest of all that was added, in hexadecimal digits."""
        self._settle()
        self._beside.making.discard(id(self))
        return self._hash.hexdigest()

    def _is_worth(self, piece: bytes | bytearray | memoryview, size: int) -> bool:
        """Whether a piece shall be hashed beside: behind those that wait, or because no other instance is received."""
        source = piece.obj if isinstance(piece, memoryview) else piece
        if not isinstance(source, bytes) or size > WAITING_BYTES_MAX:
            return False
        return self._done < self._added or (size >= WORTH_BYTES and self._beside.is_idle_for_one())

    def _take(self, piece: bytes | bytearray | memoryview) -> None:
        try:
            self._hash.update(piece)
        except BaseException as error:  # noqa: BLE001 (whoever asks for the digest must hear of it)
            self._error = error
        self._done += 1

    def _settle(self) -> None:
        """Wait until nothing waits any more."""
        if self._done < self._added:
            over = threading.Lock()
            over.acquire()
            self._beside.do(over.release)
            over.acquire()
        self._waiting_bytes = 0
        if self._error is not None:
            raise self._error


class _Beside:
    """A thread that does what it is handed, one after another."""

    def __init__(self) -> None:
        self.making = set[int]()  # the digests that are being made, by identity
        self._jobs: SimpleQueue[Callable[[], None]] = SimpleQueue()
        self._is_busy = False
        self._starting = threading.Lock()
        self._is_started = False

    def is_idle_for_one(self) -> bool:
        return len(self.making) <= 1 and not self._is_busy and self._jobs.empty()

    def do(self, job: Callable[[], None]) -> None:
        self._jobs.put(job)
        if not self._is_started:
            self._start()

    def _start(self) -> None:
        """Begin with the first job: many processes never have one."""
        with self._starting:
            if not self._is_started:
                threading.Thread(target=self._run, name="digests", daemon=True).start()
                self._is_started = True

    def _run(self) -> None:
        while True:
            job = self._jobs.get()
            self._is_busy = True
            job()
            self._is_busy = False
            del job  # and with it the bytes


_threads: dict[int, _Beside] = {}  # by process: a forked one has none of its parent's threads
_first = threading.Lock()


def _of_this_process() -> _Beside:
    pid = os.getpid()
    found = _threads.get(pid)
    if found is None:
        with _first:
            found = _threads.get(pid)
            if found is None:
                _threads.clear()
                found = _threads[pid] = _Beside()
    return found
