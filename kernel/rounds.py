"""A thread that looks every little while whether there is something to do."""

import threading
from collections.abc import Callable
from typing import Final

from kernel import telemetry
from kernel.clock import Clock
from kernel.errors import ExchangeError

LOOK_EVERY_S: Final = 2.0
_log = telemetry.get_logger("kernel.rounds")


class Rounds:
    """Calls `look` every `LOOK_EVERY_S` seconds until it is stopped; a round that fails does not end them."""

    def __init__(self, name: str, clock: Clock, look: Callable[[], object]) -> None:
        """Keep what is looked for; `name` is the thread's, and what a failure is logged under."""
        self._name = name
        self._clock = clock
        self._look = look
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    @property
    def stopping(self) -> bool:
        """Whether the round under way should come to its end."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin; the first look is a pause away."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout_s: float) -> None:
        """End after the round under way."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_s)

    def _run(self) -> None:
        while not self._clock.wait(self._stopping, LOOK_EVERY_S):
            try:
                self._look()
            except ExchangeError as error:
                _log.warning("round_failed", round=self._name, error=error.code)
            except Exception as error:  # noqa: BLE001 (a thread's edge: the next round may do better)
                _log.error("round_failed", round=self._name, exc_info=error)
