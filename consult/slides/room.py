"""The parts that serve slides, together."""

from dataclasses import dataclass

from consult.slides.bulk import BulkAnnotations
from consult.slides.kept import Kept
from consult.slides.making import Making
from consult.slides.readying import Readying
from consult.slides.shelf import Shelf
from kernel.archive.blobs.store import Blobs
from kernel.clock import Clock
from kernel.database import Database


@dataclass(frozen=True, slots=True)
class SlideRoom:
    """What opens slides and makes the tiles that they lack."""

    shelf: Shelf
    making: Making
    kept: Kept
    bulk: BulkAnnotations

    def readying(self, db: Database, clock: Clock) -> Readying:
        """Return what makes slides ready as they become complete."""
        return Readying(db, self.shelf, self.making, clock)

    @classmethod
    def on(cls, db: Database, blobs: Blobs, kept: Kept) -> "SlideRoom":
        """Serve the slides of these stores."""
        shelf = Shelf(db, blobs, kept)
        return cls(shelf, Making(kept), kept, BulkAnnotations(db, blobs, shelf))

    def forget(self) -> None:
        """Forget all slides: instances were deleted."""
        self.shelf.forget()
        self.bulk.forget()

    def sweep(self) -> None:
        """Remove what an earlier run forgot."""
        self.kept.sweep()

    def close(self) -> None:
        """Make no more tiles."""
        self.making.close()
