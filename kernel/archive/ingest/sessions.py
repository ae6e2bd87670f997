"""Which studies an association or request touched, so that its end can be evidence that they are complete.

In memory only: what a crash forgets, the quiet time settles.
"""

import threading
from collections import OrderedDict
from typing import Final

SESSIONS_MAX: Final = 4096  # remembered at once; the oldest is forgotten first
STUDIES_MAX: Final = 10_000  # of one session; a migration of a whole archive is no evidence for its last studies


class Sessions:
    """Bounded memory of open sessions."""

    def __init__(self, sessions_max: int = SESSIONS_MAX, studies_max: int = STUDIES_MAX) -> None:
        self._sessions_max = sessions_max
        self._studies_max = studies_max
        self._studies: OrderedDict[tuple[str, str], set[int]] = OrderedDict()
        self._ended: OrderedDict[tuple[str, str], None] = OrderedDict()
        self._lock = threading.Lock()

    def touch(self, site: str, session: str, study_pk: int) -> None:
        """Note that a session brought an instance of a study, a known one too; one that ended brings nothing more."""
        if not session:
            return
        with self._lock:
            if (site, session) in self._ended:
                return
            studies = self._studies.setdefault((site, session), set())
            self._studies.move_to_end((site, session))
            if len(studies) < self._studies_max:
                studies.add(study_pk)
            if len(self._studies) > self._sessions_max:
                self._studies.popitem(last=False)

    def touched(self, site: str, session: str) -> frozenset[int]:
        """Return the studies of a session."""
        with self._lock:
            return frozenset(self._studies.get((site, session), ()))

    def forget(self, site: str, session: str) -> None:
        """Forget a session."""
        with self._lock:
            self._studies.pop((site, session), None)

    def end(self, site: str, session: str) -> None:
        """Forget a session for good: what it brought may be noted a moment after its sender was answered."""
        with self._lock:
            self._studies.pop((site, session), None)
            self._ended[site, session] = None
            if len(self._ended) > self._sessions_max:
                self._ended.popitem(last=False)

    def drop(self, study_pk: int) -> None:
        """Forget a study that was deleted: its key may be given to another."""
        with self._lock:
            for studies in self._studies.values():
                studies.discard(study_pk)
