"""Tiles that no slide stores: made once however many ask, by as many threads as there are cores, and only while asked.

A tile of a coarse octave may stand on many finer ones. What one request may have decoded for it is bounded; what was
made on the way is kept, so that the next request goes on from there.
"""

import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

from consult.slides.kept import Kept
from consult.slides.shelf import OpenSlide
from kernel.errors import Busy
from wsi.edges import has_padding, without_padding
from wsi.region import Size, glimpse
from wsi.slide import Address

QUEUE_MAX: Final = 256  # tiles that are waited for; further requests are answered 503
DECODED_MAX: Final = 512  # stored tiles decoded for one request: about a second
RETRY_S: Final = 1

TileOf = Callable[[Address], bytes]
Make = Callable[[TileOf], bytes]
"""Makes a picture of tiles."""
_Key = tuple[str, str]  # revision, and what is made


@dataclass(slots=True)
class Errand:
    """One tile that is being made, and how many wait for it."""

    key: _Key
    future: Future[bytes] = field(default_factory=Future[bytes])
    waiting: int = 0

    def check_wanted(self) -> None:
        """Raise CancelledError when everybody has left."""
        if not self.waiting:
            raise CancelledError


class Making:
    """Makes tiles; safe in threads."""

    def __init__(self, kept: Kept, threads: int | None = None) -> None:
        self._kept = kept
        self._threads = ThreadPoolExecutor(threads or os.cpu_count() or 1, "slides")
        self._lock = threading.Lock()
        self._errands: dict[_Key, Errand] = {}

    def ask(self, opened: OpenSlide, name: str, make: Make) -> Errand:
        """Ask for a picture, which is the same under the same name; whoever asks calls `leave` at the end.

        Raises
        ------
        Busy
            Too many tiles are waited for.
        """
        return self._asked(opened, name, lambda work: make(work.tile))

    def ask_tile(self, opened: OpenSlide, address: Address) -> Errand:
        """Ask for a tile without padding, as `ask` for a picture."""
        return self._asked(opened, str(address), lambda work: work.shown(address))

    def ask_glimpse(self, opened: OpenSlide, size: Size) -> Errand:
        """Ask for a first look at all of a slide whose coarse octaves are still being made, as `ask` for a picture."""
        name = f"glimpse {size.width} {size.height}"
        return self._asked(opened, name, lambda work: glimpse(opened.slide, size, work.tile, DECODED_MAX))

    def _asked(self, opened: OpenSlide, name: str, make: "Callable[[_Work], bytes]") -> Errand:
        key = (opened.revision, name)
        with self._lock:
            errand = self._errands.get(key)
            if errand is None:
                if len(self._errands) >= QUEUE_MAX:
                    raise Busy(what="too many tiles of slides are being made", retry_after_s=RETRY_S)
                errand = self._errands[key] = Errand(key)
                errand.waiting = 1
                self._threads.submit(self._run, opened, make, errand)
            else:
                errand.waiting += 1
            return errand

    def leave(self, errand: Errand) -> None:
        """Wait no more: a tile that nobody waits for is not made, or not to its end."""
        with self._lock:
            errand.waiting -= 1
            if not errand.waiting and self._errands.get(errand.key) is errand:
                del self._errands[errand.key]

    def close(self) -> None:
        """Make no more tiles."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self, opened: OpenSlide, make: "Callable[[_Work], bytes]", errand: Errand) -> None:
        made, error = b"", None
        try:
            made = make(_Work(opened, self._kept, errand.check_wanted))
        except CancelledError as left:
            error = left
        except Exception as wrong:  # noqa: BLE001 (whoever waits is told)
            error = wrong
        with self._lock:  # first: who asks from now on asks anew
            if self._errands.get(errand.key) is errand:
                del self._errands[errand.key]
        if isinstance(error, CancelledError):
            errand.future.cancel()
        elif error is not None:
            errand.future.set_exception(error)
        else:
            errand.future.set_result(made)


class _Work:
    """What is done for one request."""

    def __init__(self, opened: OpenSlide, kept: Kept, check_wanted: Callable[[], None]) -> None:
        self._opened = opened
        self._kept = kept
        self._check_wanted = check_wanted
        self._left = DECODED_MAX

    def tile(self, address: Address) -> bytes:
        """Return a tile as JPEG; at the slide's edges with what pads it."""
        slide = self._opened.slide
        return self._tile(address) or slide.blank(slide.octave(address))

    def shown(self, address: Address) -> bytes:
        """Return the part of a tile that lies on the slide; what was cut is kept."""
        opened = self._opened
        name, octave = f"{address}-cut", opened.slide.octave(address)
        cut = self._kept.get(opened.revision, name)
        if cut is not None:
            return cut
        tile = self.tile(address)
        if not has_padding(tile, octave, address.column, address.row):
            return tile
        cut = without_padding(tile, octave, address.column, address.row)
        self._kept.put(opened.revision, name, cut)
        return cut

    def _tile(self, address: Address) -> bytes | None:
        """Return a tile: stored, kept, or made and kept; None where nothing was scanned."""
        opened = self._opened
        slide, octave = opened.slide, opened.slide.octave(address)
        if slide.as_stored(octave):
            self._spend()
            return slide.stored(address, octave, opened.read)
        name = str(address)
        made = self._kept.get(opened.revision, name)
        if made is not None:
            return made
        if octave.stored is not None:
            self._spend()
            made = slide.decoded(address, octave, opened.read, opened.form_of)
        else:
            made = slide.reduced(address, octave, self._tile)
        if made is not None:
            self._kept.put(opened.revision, name, made)
        return made

    def _spend(self) -> None:
        self._check_wanted()
        self._left -= 1
        if self._left < 0:
            raise Busy(what="this part of the slide is being made ready", retry_after_s=RETRY_S)
