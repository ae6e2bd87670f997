"""Connections that have not associated yet, counted by network: a peer that only connects must not shut out the others.

Once an association stands it is counted for its source (`places`), and here no more.
"""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Final

from kernel.origins import network_of

SHARE: Final = 4  # a network (`kernel.origins`) may have one in so many of the node's associations waiting
WAITING_MIN: Final = 8  # ... but at least these: a PACS opens several at once


def most_waiting(associations_max: int, processes: int) -> int:
    """Return how many connections of one network may wait in one of `processes`."""
    return max(1, max(WAITING_MIN, associations_max // SHARE) // processes)


class Waiting:
    """The connections of one process that wait."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()  # by network; no more than there are connections

    def enter(self, address: str) -> Callable[[], None] | None:
        """Count a connection; return what ends its waiting, however often it is called. None: too many wait already."""
        network = network_of(address)
        with self._lock:
            if self._counts[network] >= self._most:
                return None
            self._counts[network] += 1
        left = threading.Event()

        def leave() -> None:
            with self._lock:
                if left.is_set():
                    return
                left.set()
                self._counts[network] -= 1
                if not self._counts[network]:
                    del self._counts[network]

        return leave
