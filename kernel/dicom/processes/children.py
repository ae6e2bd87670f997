"""A few child processes of one program, shared by all threads of this process, and begun when they are first asked."""

import atexit
import os
import queue
import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

import msgspec

from kernel.dicom.processes.child import Child, ChildEndedError
from kernel.errors import Busy

Answer = TypeVar("Answer")


class Children(Generic[Answer]):
    """Processes that give answers of one kind. Safe to use from many threads."""

    def __init__(
        self, program: str, what: str, answer_type: type[Answer], *, processes: int, wait_seconds_max: float
    ) -> None:
        """`program` is a module's name, `what` says for a person what it does."""
        self._what = what
        self._answer_type = answer_type
        self._wait_seconds_max = wait_seconds_max
        self._all = [Child(program, what) for _ in range(processes)]
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in self._all:
            self._free.put(child)

    def ask(self, question: object, bytes_max: int, seconds_max: float) -> Answer:
        """Return what the next free process answers, read as its kind and believed no further.

        Raises
        ------
        ChildEndedError
            There is no answer in time, or none of this kind.
        Busy
            No process was free for `wait_seconds_max`, or a new one could not be begun.
        """
        try:
            child = self._free.get(timeout=self._wait_seconds_max)
        except queue.Empty:
            raise Busy(what=self._what) from None
        try:
            return msgspec.msgpack.decode(child.ask(question, bytes_max, seconds_max), type=self._answer_type)
        except msgspec.MsgspecError:
            raise ChildEndedError(was_late=False) from None
        finally:
            self._free.put(child)

    def close(self) -> None:
        """End the processes; a later question begins new ones."""
        for child in self._all:
            child.end()


class _Closable(Protocol):
    def close(self) -> None: ...


Shared = TypeVar("Shared", bound=_Closable)


class OfThisProcess(Generic[Shared]):
    """Something made once and closed at the end; a forked process makes its own."""

    def __init__(self, make: Callable[[], Shared]) -> None:
        self._make = make
        self._made: tuple[int, Shared] | None = None
        self._lock = threading.Lock()

    def __call__(self) -> Shared:
        """Return it."""
        with self._lock:
            if self._made is None or self._made[0] != os.getpid():
                self._made = os.getpid(), self._make()
                atexit.register(self._made[1].close)
            return self._made[1]
