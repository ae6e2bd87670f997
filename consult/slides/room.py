"""The parts that serve slides, together."""

from dataclasses import dataclass

from consult.slides.bulk import BulkAnnotations
from consult.slides.kept import Kept
from consult.slides.making import Making
from consult.slides.readying import Readying
from consult.slides.segment_making import SegmentMaking
from consult.slides.segments import Segmentations
from consult.slides.shelf import Shelf
from consult.slides.vendor_files import VendorFiles
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
    segments: Segmentations
    segment_making: SegmentMaking
    vendor_files: VendorFiles | None = None  # None: this node keeps none

    def readying(self, db: Database, clock: Clock) -> Readying:
        """Return what makes slides ready as they become complete."""
        return Readying(db, self.shelf, self.making, clock)

    @classmethod
    def on(cls, db: Database, blobs: Blobs, kept: Kept, vendor_files: VendorFiles | None = None) -> "SlideRoom":
        """Serve the slides of these stores."""
        shelf = Shelf(db, blobs, kept)
        bulk, segments = BulkAnnotations(db, blobs, shelf), Segmentations(db, blobs, shelf)
        return cls(shelf, Making(kept), kept, bulk, segments, SegmentMaking(segments, kept), vendor_files)

    def forget(self) -> None:
        """Forget all slides: instances were deleted."""
        self.shelf.forget()
        self.bulk.forget()
        self.segments.forget()
        if self.vendor_files is not None:
            self.vendor_files.sweep_soon()

    def sweep(self) -> None:
        """Remove what an earlier run forgot."""
        self.kept.sweep()
        if self.vendor_files is not None:
            self.vendor_files.begin()

    def close(self) -> None:
        """Make no more tiles."""
        self.making.close()
