"""What access keeps in memory, each with a bound: failed attempts, and answers remembered for a moment."""

import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Generator, Hashable
from contextlib import contextmanager
from typing import Generic, TypeVar

from kernel.access.rights_mark import Mark, NoMark
from kernel.clock import Clock
from kernel.errors import Throttled
from kernel.origins import network_of

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

COUNTERS_MAX = 10_000  # accounts and addresses whose failures are counted; the longest untouched is forgotten
ADDRESS_FACTOR = 4  # an address may fail so many times more often than an account: hospitals share one


class Throttle:
    """Counts attempts per account and per address over a sliding window.

    An attempt counts from its start, so that many at once do not slip through; a success takes it back.
    """

    def __init__(self, clock: Clock, *, attempts_max: int, window_s: float) -> None:
        self._clock = clock
        self._attempts_max = attempts_max
        self._window_s = window_s
        self._lock = threading.Lock()
        self._times: OrderedDict[tuple[str, str], deque[float]] = OrderedDict()

    def begin(self, account: str, address: str) -> None:
        """Count an attempt.

        Raises
        ------
        Throttled
            The account or the address had too many; says when to come back. The attempt is not counted.
        """
        now = self._clock.monotonic_s()
        with self._lock:
            counters = [(self._counter(key, now), most) for key, most in self._keys(account, address)]
            for times, most in counters:
                if len(times) >= most:
                    raise Throttled(retry_after_s=int(times[0] + self._window_s - now) + 1)
            for times, _ in counters:
                times.append(now)

    def succeeded(self, account: str, address: str) -> None:
        """Forget the account's failures, and this attempt of the address."""
        with self._lock:
            (account_key, _), (address_key, _) = self._keys(account, address)
            self._times.pop(account_key, None)
            if times := self._times.get(address_key):
                times.pop()

    def _keys(self, account: str, address: str) -> tuple[tuple[tuple[str, str], int], tuple[tuple[str, str], int]]:
        return (
            (("account", account), self._attempts_max),
            (("address", network_of(address)), self._attempts_max * ADDRESS_FACTOR),
        )

    def _counter(self, key: tuple[str, str], now: float) -> deque[float]:
        times = self._times.setdefault(key, deque())
        self._times.move_to_end(key)
        while times and times[0] <= now - self._window_s:
            times.popleft()
        while len(self._times) > COUNTERS_MAX:
            self._times.popitem(last=False)
        return times


class NotRemembered(Exception):
    """What was asked for is not in memory, and `remembered_only` forbids to wait for it."""


_here = threading.local()


@contextmanager
def remembered_only() -> Generator[None]:
    """Let this thread answer from memory alone: for an event loop, which must never wait for a database or a disk."""
    _here.only = True
    try:
        yield
    finally:
        _here.only = False


def may_wait() -> bool:
    """Whether this thread may wait: always, but within `remembered_only`."""
    return not getattr(_here, "only", False)


def about_to_wait() -> None:
    """Say that what follows may take a while.

    Raises
    ------
    NotRemembered
        Within `remembered_only`.
    """
    if not may_wait():
        raise NotRemembered


class Recent(Generic[K, V]):
    """Answers remembered for `seconds`, at most `most` of them, until `mark` changes; the oldest goes first."""

    def __init__(self, clock: Clock, *, seconds: float, most: int, mark: Mark | None = None) -> None:
        self._clock = clock
        self._seconds = seconds
        self._most = most
        self._mark: Mark = mark or NoMark()
        self._seen = self._mark.now()
        self._lock = threading.Lock()
        self._kept: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._generation = 0

    def get_or(self, key: K, ask: Callable[[], V]) -> V:
        """Return the remembered answer, or what `ask` returns now; what it raises is not remembered."""
        now = self._clock.monotonic_s()
        mark = self._mark.now()
        with self._lock:
            if mark != self._seen:  # another process withdrew something
                self._seen = mark
                self._clear()
            kept = self._kept.get(key)
            if kept is not None and now - kept[0] < self._seconds:
                return kept[1]
            generation = self._generation
        about_to_wait()
        answer = ask()
        with self._lock:
            if generation == self._generation:  # else something was revoked while we asked
                self._kept[key] = (now, answer)
                self._kept.move_to_end(key)
                while len(self._kept) > self._most:
                    self._kept.popitem(last=False)
        return answer

    def forget(self) -> None:
        """Forget everything, here and in every process that has the mark: somebody's rights have changed."""
        self._mark.change()
        with self._lock:
            self._clear()

    def _clear(self) -> None:
        self._generation += 1
        self._kept.clear()

    def drop(self, key: K) -> None:
        """Forget one answer."""
        with self._lock:
            self._kept.pop(key, None)
