"""How fast a source may send: instances on their way in at once, and bytes a second; each listener process has its share.

Whoever must wait is not read from, so that the sender's own TCP holds it back, and other sources get the time.
"""

import threading
from collections.abc import Callable
from typing import Final

from gateway.peers import Source
from kernel.clock import Clock
from kernel.errors import Busy

TRICKLE_S: Final = 60.0  # waited for one message before its speed is looked at
BURST_S: Final = 1.0  # how much unused time counts


class Pace:
    """The pace of one source in this process."""

    def __init__(
        self,
        clock: Clock | None = None,
        *,
        instances_max: int | None = None,
        wait_s: float = 0.0,
        bytes_per_second: float | None = None,
    ) -> None:
        """Keep the limits; without them everything goes at once.

        Parameters
        ----------
        wait_s
            How long an instance waits for its turn.
        """
        self._clock = clock
        self._wait_s = wait_s
        self._turns = None if instances_max is None else threading.Semaphore(instances_max)
        self._speed = bytes_per_second
        self._lock = threading.Lock()
        self._due_s = 0.0  # when all bytes so far would have come at the agreed speed

    def enter(self) -> None:
        """Wait until one more instance may come in; `leave` must follow.

        Raises
        ------
        Busy
            The turn did not come.
        """
        if self._turns is not None and not self._turns.acquire(timeout=self._wait_s):
            raise Busy(what="this source already sends too many instances at once")

    def leave(self) -> None:
        """Let the next instance in."""
        if self._turns is not None:
            self._turns.release()

    def delay_s(self, received_bytes: int) -> float:
        """Count received bytes; return how long to wait before more are read."""
        if self._speed is None or self._clock is None:
            return 0.0
        with self._lock:
            now = self._clock.monotonic_s()
            self._due_s = max(self._due_s, now - BURST_S) + received_bytes / self._speed
            return max(0.0, self._due_s - now)


class Trickle:
    """Notices a sender that lets one message trickle: it would hold a turn of its source for as long as it likes."""

    def __init__(self, bytes_per_second_min: float) -> None:
        self._slowest = bytes_per_second_min
        self._waited_s = 0.0
        self._bytes = 0

    def is_one(self, waited_s: float, received_bytes: int, *, busy: bool) -> bool:
        """Count a receive and how long it was waited for, inside a message or not; say whether it is too slow."""
        if not busy:
            self._waited_s = self._bytes = 0
            return False
        self._waited_s += waited_s
        self._bytes += received_bytes
        return self._waited_s > TRICKLE_S and self._bytes < self._waited_s * self._slowest


class Paces:
    """The pace of every source, made when it first calls."""

    def __init__(self, make: Callable[[Source], Pace]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._paces: dict[str, Pace] = {}  # by name: as many as there are tables, and one for unnamed callers

    def of(self, source: Source) -> Pace:
        """Return the pace of a source."""
        with self._lock:
            if source.name not in self._paces:
                self._paces[source.name] = self._make(source)
            return self._paces[source.name]
