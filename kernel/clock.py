"""Now and wait, as something a test can move. The only module that reads the system's clock."""

import threading
import time
from datetime import UTC, datetime, timedelta
from typing import Final, Protocol

SLEWED_S: Final = 5.0  # time services move a clock by less than this at a time without stepping it


class Clock(Protocol):
    """Time for everybody: wall time for records, monotonic time for deadlines."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        ...

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        ...

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` have passed; return whether it is set."""
        ...


class SetBack:
    """Notices that the machine's clock was put back: it was wrong, and is right now."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen = clock.now(), clock.monotonic_s()

    def noticed(self) -> bool:
        """Return whether wall time fell behind since the last call by more than clocks are slewed."""
        (then, then_s), (now, now_s) = self._seen, (self._clock.now(), self._clock.monotonic_s())
        self._seen = now, now_s
        return (now - then).total_seconds() < now_s - then_s - SLEWED_S


def doubled_s(first_s: float, failures: int, longest_s: float) -> float:
    """Return how long to pause after so many failures before the one at hand: twice as long each time."""
    return min(longest_s, first_s * 2 ** min(failures, 64))


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present moment, aware, in UTC."""
        return datetime.now(UTC)

    def monotonic_s(self) -> float:
        """Return seconds that never run backwards."""
        return time.monotonic()

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Wait until `event` is set or `timeout_s` have passed; return whether it is set."""
        return event.wait(timeout_s)


class ManualClock:
    """A clock that stands still until a test moves it; waiting returns at once."""

    def __init__(self, start: datetime = datetime(2026, 11, 22, 2, 0, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic_s = 1000.0

    def now(self) -> datetime:
        """Return the moment to which the clock was moved."""
        return self._now

    def monotonic_s(self) -> float:
        """Return seconds since an arbitrary start."""
        return self._monotonic_s

    def wait(self, event: threading.Event, timeout_s: float) -> bool:
        """Advance by `timeout_s` unless `event` is already set."""
        if not event.is_set():
            self.advance(timeout_s)
        return event.is_set()

    def set_back(self, seconds: float) -> None:
        """Put the wall clock back by `seconds`, as somebody does who finds it wrong."""
        self._now -= timedelta(seconds=seconds)

    def advance(self, seconds: float) -> None:
        """Move on by `seconds`."""
        self._now += timedelta(seconds=seconds)
        self._monotonic_s += seconds
