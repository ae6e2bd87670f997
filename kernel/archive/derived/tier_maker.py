"""Makes the lossless copies of complete studies before anybody asks, while the node has nothing better to do."""

from typing import Final, NamedTuple

from kernel import events, telemetry
from kernel.archive import index
from kernel.archive.derived.tiers import Tiers
from kernel.archive.records import Located
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import ExchangeError, NotFound
from kernel.rounds import Rounds

AT_ONCE: Final = 100  # events looked at in one round

_log = telemetry.get_logger("kernel.archive")


class _Study(NamedTuple):
    site: str
    study_instance_uid: str
    labels: bool = True  # nobody looks at what is made


class TierMaker:
    """Follows completed studies from the moment it begins; what came before is made for who asks."""

    def __init__(self, db: Database, tiers: Tiers, clock: Clock) -> None:
        self._db = db
        self._tiers = tiers
        self._rounds = Rounds("tiers", clock, self.look)
        self._place = 0
        self._commits = -1
        self._waiting: list[Located] = []

    def start(self) -> None:
        """Begin with what becomes complete from now on."""
        with self._db.read() as connection:
            self._place = events.latest(connection)
        self._rounds.start()

    def stop(self, timeout_s: float) -> None:
        """End after the instance under way."""
        self._rounds.stop(timeout_s)

    def look(self) -> int:
        """Make copies until the node is busy again; return of how many frames."""
        made = 0
        while not self._rounds.stopping and not self._is_busy():
            if not self._waiting and not self._find():
                break
            if self._waiting:
                made += self._make(self._waiting.pop())
        return made

    def _is_busy(self) -> bool:
        """Whether anything was written since the last look: instances arrive, and they come first."""
        before, self._commits = self._commits, self._db.commits
        return before != self._commits

    def _find(self) -> bool:
        """Take up the studies that became complete; return whether there were any."""
        with self._db.read() as connection:
            happened = events.since(connection, self._place, AT_ONCE, (events.EventName.STUDY_COMPLETE,))
            for one in happened:
                self._place = one.seq
                try:
                    self._waiting += index.locate_study(connection, _Study(one.site, one.study_instance_uid))
                except NotFound:
                    continue  # deleted meanwhile
        self._waiting.reverse()
        return bool(happened)

    def _make(self, located: Located) -> int:
        try:
            return self._tiers.make(located)
        except ExchangeError as error:
            _log.info("tiers_not_made", instance=located.sop_instance_uid, reason=error.code)
            return 0
