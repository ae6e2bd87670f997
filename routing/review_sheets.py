"""What a person must have been shown before pixels may leave on their word, and who was shown it.

Of a picture that is every frame, of a cine what is brightest and darkest in each scene, of a PDF that may leave as pictures
each page; masks are drawn on the strip of them. A sheet counts as seen by whoever
was given its picture; what nobody was given, nobody can send. Sheets are made when somebody asks, and remembered.
"""

import io
import mmap
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from PIL import Image

from anonymizer.pdf.encapsulated import pages_of, wants_new_pdf
from anonymizer.pixels.views import Picture, eight_bits, frame, overviews
from anonymizer.profiles.profile import Profile
from kernel.archive.blobs.store import Blobs
from kernel.archive.derived.remembered import Remembered
from kernel.database import Database
from kernel.dicom.pixels.reading import open_pixels
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.scanner import scan_apart
from kernel.errors import BlobMissing, Busy, LookWanted, NotFound
from routing.pixel_reviews import Review
from routing.steps import Source, source_of

REMEMBERED_BYTES_MAX: Final = 192 * 1024 * 1024  # of sheets, as PNG
LOOKS_MAX: Final = 10_000  # reviews times people, of which is known what they saw
MAKE_SECONDS_MAX: Final = 60.0  # until another review's sheets are made

Kind = Literal["frame", "brightest", "darkest", "page"]
_Key = tuple[str, str, str, datetime]  # what names a review: asked again, it is looked at again


@dataclass(frozen=True, slots=True)
class Sheet:
    """A picture to be looked at, where it stands in what masks are drawn on, and what it shows."""

    kind: Kind
    first_frame: int  # or page, counted from one
    last_frame: int
    top: int  # in the strip of pages; 0 of anything else
    rows: int
    columns: int
    png: bytes
    is_deep: bool = False  # a frame of more than 8 bits: a window of its values shows what the whole range hides


class ReviewSheets:
    """Makes sheets, hands them out, and remembers to whom. Safe to use from many threads."""

    def __init__(self, db: Database, blobs: Blobs, profile_of: Callable[[str], Profile]) -> None:
        self._db = db
        self._profile_of = profile_of
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

    def windowed(self, review: Review, number: int, who: str, window: tuple[float, float]) -> bytes:
        """Return the picture of a sheet with a window of its values, shares of their range, as PNG; see `show`.

        Of anything but a deep frame the window is the screen's to apply.
        """
        sheet = self.show(review, number, who)
        source = self._source(review) if sheet.is_deep else None
        if source is None:
            return sheet.png
        with self._opened(source) as content, open_pixels(content) as pixels:
            return _png(eight_bits(frame(pixels, sheet.first_frame - 1), window))

    def seen(self, review: Review, who: str) -> frozenset[int]:
        """Return the numbers of the sheets that somebody was given."""
        return self._seen.get((who, _key(review))) or frozenset()

    def check_seen(self, review: Review, who: str, masks: int) -> None:
        """Refuse a decision to send, with so many masks, what `who` was not shown as a whole.

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
        if masks and not wanted and self._source(review):  # masks on what nobody can be shown
            raise LookWanted(seen=0, wanted=1)

    def _make(self, review: Review) -> tuple[Sheet, ...]:
        source = self._source(review)
        if source is None:
            return ()
        with self._opened(source) as content:
            header = scan_apart(content, source.transfer_syntax_uid, offset=source.dataset_offset)
            if header.pixel_data is not None:
                return tuple(_of_pixels(content))
            return tuple(_of_pages(header)) if wants_new_pdf(header, self._profile_of(review.profile)) else ()

    @contextmanager
    def _opened(self, source: Source) -> Generator[mmap.mmap]:
        with (
            self._blobs.open(source.blob_key) as file,
            mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content,
        ):
            yield content

    def _source(self, review: Review) -> Source | None:
        try:
            return source_of(self._db, review.site, review.sop_instance_uid)
        except BlobMissing:
            return None


def _of_pixels(content: mmap.mmap) -> Iterator[Sheet]:
    with open_pixels(content) as pixels:
        for one in overviews(pixels):
            rows, columns = one.picture.shape[:2]
            is_deep = one.kind == "frame" and pixels.image.bits_stored > 8
            yield Sheet(one.kind, one.first_frame, one.last_frame, 0, rows, columns, _png(one.picture), is_deep)


def _of_pages(header: Header) -> Iterator[Sheet]:
    top = 0
    for number, page in enumerate(pages_of(header), 1):
        rows, columns = page.picture.shape[:2]
        yield Sheet("page", number, number, top, rows, columns, _png(page.picture))
        top += rows


def _png(picture: Picture) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def _key(review: Review) -> _Key:
    return review.site, review.sop_instance_uid, review.profile, review.at
