"""Which device wrote the pixels that wait for a person: so that its zones can be drawn over one of its pictures."""

import mmap
from collections.abc import Sequence
from typing import Final

from anonymizer.pixels.layouts import devices_of
from anonymizer.pixels.zones import Device, Zones
from kernel.archive.blobs.store import Blobs
from kernel.archive.derived.remembered import Remembered
from kernel.database import Database
from kernel.dicom.pixels.image import image_pixel
from kernel.dicom.scanning.scanner import scan_apart
from kernel.errors import BlobMissing, Refused
from routing.pixel_reviews import Review
from routing.steps import source_of

SAMPLES_MAX: Final = 100  # instances that wait whose header is looked at, the oldest
REMEMBERED_MAX: Final = 2_000  # of which the devices are known


class ZoneSamples:
    """Knows which devices the instances that wait are of. Safe to use from many threads."""

    def __init__(self, db: Database, blobs: Blobs, file_zones: Zones) -> None:
        """`file_zones` are those that the configuration names."""
        self.file_zones = file_zones
        self._db = db
        self._blobs = blobs
        self._known = Remembered[tuple[str, str], tuple[Device, ...]](REMEMBERED_MAX)

    def of(self, waiting: Sequence[Review]) -> dict[tuple[str, Device], Review]:
        """Return the oldest instance that waits by site and device; none for devices without a name."""
        found: dict[tuple[str, Device], Review] = {}
        for review in waiting[:SAMPLES_MAX]:
            for device in self._devices(review):
                if device.manufacturer and device.model:
                    found.setdefault((review.site, device), review)
        return found

    def _devices(self, review: Review) -> tuple[Device, ...]:
        key = review.site, review.sop_instance_uid
        known = self._known.get(key)
        if known is None:
            known = self._read(review)
            self._known.put(key, known, 1)
        return known

    def _read(self, review: Review) -> tuple[Device, ...]:
        try:
            source = source_of(self._db, review.site, review.sop_instance_uid)
            with (
                self._blobs.open(source.blob_key) as file,
                mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
            ):
                header = scan_apart(content, source.transfer_syntax_uid, offset=source.dataset_offset)
                return devices_of(header, image_pixel(header)) if header.pixel_data else ()
        except (BlobMissing, Refused):
            return ()
