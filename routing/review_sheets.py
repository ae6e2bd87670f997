"""What a person must have been shown before pixels may leave on their word, and who was shown it.

Of a picture that is every frame, of a cine what is brightest and darkest in each scene. A sheet counts as seen by whoever
was given its picture; what nobody was given, nobody can send. Sheets are made when somebody asks, and remembered.
"""

import io
import mmap
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from PIL import Image

from anonymizer.pixels.views import Picture, overviews
from kernel.archive.blobs import Blobs
from kernel.archive.remembered import Remembered
from kernel.database import Database
from kernel.dicom.pixels import open_pixels
from kernel.errors import BlobMissing, Busy, LookWanted, NotFound
from routing.pixel_reviews import Review
from routing.steps import source_of

REMEMBERED_BYTES_MAX: Final = 192 * 1024 * 1024  # of sheets, as PNG
LOOKS_MAX: Final = 10_000  # reviews times people, of which is known what they saw
MAKE_SECONDS_MAX: Final = 60.0  # until another review's sheets are made

Kind = Literal["frame", "brightest", "darkest"]
_Key = tuple[str, str, str, datetime]  # what names a review: asked again, it is looked at again


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture to be looked at, where it stands in what masks are drawn on, and what it shows."""

    kind: Kind
    first_frame: int  # counted from one
    last_frame: int
    rows: int
    columns: int
    png: bytes


class ReviewSheets:
    """Makes sheets, hands them out, and remembers to whom. Safe to use from many threads."""

    def __init__(self, db: Database, blobs: Blobs) -> None:
        self._db = db
        self._blobs = blobs
        self._made = Remembered[_Key, tuple[Sheet, ...]](REMEMBERED_BYTES_MAX)
        self._seen = Remembered[tuple[str, _Key], frozenset[int]](LOOKS_MAX)
        self._making = threading.Lock()
        self._noting = threading.Lock()

    def of(self, review: Review) -> tuple[Sheet, ...]:
        """Return the sheets of an instance; none of one that is no longer here or has no pixels.

        Raises
        ------
        Refused
            It cannot be shown.
        Busy
            Others were being made for MAKE_SECONDS_MAX.
        """
        key = _key(review)
        if (made := self._made.get(key)) is not None:
            return made
        if not self._making.acquire(timeout=MAKE_SECONDS_MAX):
            raise Busy(what="making pictures to look at")
        try:
            made = self._made.get(key)
            if made is None:
                made = self._make(review)
                self._made.put(key, made, sum(len(sheet.png) for sheet in made) + 1)
            return made
        finally:
            self._making.release()

    def show(self, review: Review, number: int, who: str) -> Sheet:
        """Return one sheet, counted from one; it counts as seen by `who`.

        Raises
        ------
        NotFound
            There is no such sheet.
        """
        sheets = self.of(review)
        if not 0 < number <= len(sheets):
            raise NotFound(what="sheet of this number")
        name = who, _key(review)
        with self._noting:
            self._seen.put(name, (self._seen.get(name) or frozenset()) | {number})
        return sheets[number - 1]

    def seen(self, review: Review, who: str) -> frozenset[int]:
        """Return the numbers of the sheets that somebody was given."""
        return self._seen.get((who, _key(review))) or frozenset()

    def check_seen(self, review: Review, who: str) -> None:
        """Refuse a decision to send what `who` was not shown as a whole.

        Raises
        ------
        LookWanted
            Sheets are left.
        Refused
            It cannot be shown, so nobody can have looked.
        """
        wanted, seen = len(self.of(review)), len(self.seen(review, who))
        if seen < wanted:
            raise LookWanted(seen=seen, wanted=wanted)

    def _make(self, review: Review) -> tuple[Sheet, ...]:
        try:
            source = source_of(self._db, review.site, review.sop_instance_uid)
        except BlobMissing:
            return ()
        with (
            self._blobs.open(source.blob_key) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            return tuple(_sheets(content))


def _sheets(content: mmap.mmap) -> Iterator[Sheet]:
    try:
        with open_pixels(content) as pixels:
            for one in overviews(pixels):
                rows, columns = one.picture.shape[:2]
                yield Sheet(one.kind, one.first_frame, one.last_frame, rows, columns, _png(one.picture))
    except NotFound:  # no pixel data
        return


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _key(review: Review) -> _Key:
    return review.site, review.sop_instance_uid, review.profile, review.at
