"""Makes slides ready before anybody opens them: tile index and coarsest tile, as soon as their study is complete."""

from typing import Final, NamedTuple

from consult.slides.making import Making
from consult.slides.shelf import OpenSlide, Shelf
from kernel import events, telemetry
from kernel.archive import index
from kernel.clock import Clock
from kernel.database import Database
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.errors import Busy, ExchangeError, NotFound, Retriable
from kernel.rounds import LOOK_EVERY_S, Rounds
from wsi.slide import Address

AT_ONCE: Final = 100  # events looked at in one round
TURN_MAX: Final = 16  # times in one turn that a coarsest tile is asked for, each of some 512 stored ones
SPENT_S_MAX: Final = 1200.0  # on one slide: turns and waiting rounds; 180,000 stored tiles take less than a minute
UNMADE_MAX: Final = 1000  # slides that wait for another turn; what is more is made when it is looked at

_log = telemetry.get_logger("consult.slides")


class _Study(NamedTuple):
    site: str
    study_instance_uid: str
    labels: bool  # what may see labels sees another revision of a slide; nobody looks at what is made here


class _Series(NamedTuple):
    study: _Study
    series_instance_uid: str


class Readying:
    """Follows completed studies from the moment it begins; slides that came before are made ready when opened."""

    def __init__(self, db: Database, shelf: Shelf, making: Making, clock: Clock) -> None:
        self._db = db
        self._shelf = shelf
        self._making = making
        self._rounds = Rounds("slides-readying", clock, self.look)
        self._clock = clock
        self._place = 0
        self._unmade: dict[_Series, float] = {}  # what was put off, or takes more than a turn: seconds spent on it

    def start(self) -> None:
        """Begin with what becomes complete from now on."""
        self.follow()
        self._rounds.start()

    def follow(self) -> None:
        """Look at nothing that happened before."""
        with self._db.read() as connection:
            self._place = events.latest(connection)

    def stop(self, timeout_s: float) -> None:
        """End after the slide under way."""
        self._rounds.stop(timeout_s)

    def look(self) -> int:
        """Make ready the slides of studies that became complete, then go on with large ones; return how many."""
        found = self._found()
        turns = {**dict.fromkeys(found, 0.0), **{one: spent for one, spent in self._unmade.items() if one not in found}}
        self._unmade = {}
        for one, spent_s in turns.items():
            if self._rounds.stopping:
                break
            self._ready(one, spent_s)
        return len(turns)

    def _found(self) -> list[_Series]:
        found: dict[_Series, None] = {}
        with self._db.read() as connection:
            for event in events.since(connection, self._place, AT_ONCE, (events.EventName.STUDY_COMPLETE,)):
                self._place = event.seq
                with_labels = _Study(event.site, event.study_instance_uid, labels=True)
                try:
                    instances = index.locate_study(connection, with_labels)
                except NotFound:  # deleted meanwhile
                    continue
                slides = [one for one in instances if one.sop_class_uid == WHOLE_SLIDE]
                without_labels = with_labels._replace(labels=False)
                for study, labels in ((without_labels, False), (with_labels, True)):
                    series = (one.series_instance_uid for one in slides if one.shows_label is labels)
                    found |= dict.fromkeys(_Series(study, uid) for uid in series)
        return list(found)

    def _ready(self, one: _Series, spent_s: float) -> None:
        begun = self._clock.monotonic_s()
        try:
            opened = self._shelf.current(one.study, one.series_instance_uid)
            if self._makes_coarsest(opened):
                return
            reason = "its coarsest tile stands on too many"
        except Retriable as error:  # others are served first, or there is no room: the next round may do better
            reason = error.code
        except ExchangeError as error:  # who opens it reads why
            _log.info("slide_not_ready", series=one.series_instance_uid, reason=error.code)
            return
        spent_s += max(self._clock.monotonic_s() - begun, LOOK_EVERY_S)  # a turn that found no place ends at once
        if spent_s < SPENT_S_MAX and len(self._unmade) < UNMADE_MAX:
            self._unmade[one] = spent_s
        else:
            _log.info("slide_not_ready", series=one.series_instance_uid, reason=reason)

    def _makes_coarsest(self, opened: OpenSlide) -> bool:
        """Make what a turn has time for; return whether the coarsest tile is made."""
        coarsest = Address(0, 0, opened.slide.octaves[-1].number, 0, 0)
        for _ in range(TURN_MAX):
            if self._rounds.stopping:
                break
            errand = self._making.ask_tile(opened, coarsest)
            try:
                errand.future.result()
            except Busy:
                continue
            else:
                return True
            finally:
                self._making.leave(errand)
        return False
