"""Errands to peers, side by side: a peer that is dead or slow keeps nobody waiting but itself."""

import threading
from collections.abc import Callable
from typing import Final

from kernel import telemetry

AT_ONCE_MAX: Final = 8  # peers; threads that mostly wait
_log = telemetry.get_logger("gateway.dimse")


class Errands:
    """At most one errand for each peer, each in a thread of its own. One thread sends them off."""

    def __init__(self, name: str, at_once: int = AT_ONCE_MAX) -> None:
        self._name = name
        self._at_once = at_once
        self._changed = threading.Condition()
        self._running: set[str] = set()  # peers

    @property
    def busy(self) -> frozenset[str]:
        """The peers to whom somebody is on the way."""
        with self._changed:
            return frozenset(self._running)

    def begin(self, peer: str, errand: Callable[[], None]) -> bool:
        """Send somebody; False when nobody is free. What `errand` raises is logged: what it was for is due again."""
        with self._changed:
            if len(self._running) >= self._at_once or peer in self._running:
                return False
            self._running.add(peer)
        threading.Thread(target=self._run, args=(peer, errand), name=self._name, daemon=True).start()
        return True

    def wait(self, timeout_s: float | None = None) -> bool:
        """Wait until all are back; return whether they are."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._running, timeout_s)

    def _run(self, peer: str, errand: Callable[[], None]) -> None:
        try:
            errand()
        except Exception as error:  # noqa: BLE001 (a thread's edge: the others are served all the same)
            _log.error("errand_failed", errand=self._name, exc_info=error)
        finally:
            with self._changed:
                self._running.discard(peer)
                self._changed.notify_all()
