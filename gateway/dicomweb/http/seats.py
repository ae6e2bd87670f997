"""How many do the same at once: all together, and one caller alone, so that nobody takes every seat from the others."""

from collections import Counter
from collections.abc import Generator, Hashable
from contextlib import AbstractContextManager, contextmanager

from kernel.access import Principal
from kernel.errors import Busy


class Seats:
    """A bounded number of seats; taken and left in the event loop only."""

    def __init__(self, most: int, *, most_of_one: int, what: str) -> None:
        """Keep the bounds; `what` is what the sitting do, for who is turned away."""
        self._most = most
        self._most_of_one = most_of_one
        self._what = what
        self._taken: Counter[Hashable] = Counter()

    def taken(self, who: Principal) -> AbstractContextManager[None]:
        """Sit while the block runs, as somebody who is known. Raises as `taken_by`."""
        return self.taken_by((who.kind, who.name, who.site))

    @contextmanager
    def taken_by(self, caller: Hashable) -> Generator[None]:
        """Sit while the block runs.

        Raises
        ------
        Busy
            All seats are taken, or as many as one caller may have.
        """
        if self._taken.total() >= self._most or self._taken[caller] >= self._most_of_one:
            raise Busy(what=self._what)
        self._taken[caller] += 1
        try:
            yield
        finally:
            self._taken[caller] -= 1
            if not self._taken[caller]:
                del self._taken[caller]
