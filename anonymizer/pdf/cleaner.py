"""A PDF written anew as pictures without what tells who the patient is; or why it was not, and what a person may mask.

Each page is drawn, looked at and masked; the new document is drawn and looked at again, up to three times. Of the old
document nothing goes into the new one but pixels: no text layer, metadata, form, link, attachment or hidden layer.

What a person is asked about is one strip: the pages from top to bottom, and boxes in its pixels.
"""

import io
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonymizer.pdf.drawing import DOTS_PER_INCH, Drawing, NotDrawnError, Page
from anonymizer.pdf.looking import Eyes, UnreadError, look
from anonymizer.pixels.blank import filled
from kernel.dicom.pixels.boxes import Box, fused, joined
from kernel.errors import LimitExceeded, MalformedInstance

ROUNDS: Final = 3  # of looking at what was made
QUALITY: Final = 85  # of the JPEG pictures
COLOR_MIN: Final = 24  # between samples of a pixel; a page with less is grey
BLACK, WHITE = 0, 255
PROPOSED_MAX: Final = 150  # boxes; of a page that has no room for its own all is proposed
BETWEEN_WORDS: Final = (4, 16)  # pixels up and down, left and right: boxes that are nearer are proposed as one


class Unfinished(NamedTuple):
    """Why a document was not written, in one stable word, and what may be masked in the strip of its pages."""

    reason: str
    boxes: tuple[Box, ...] = ()


@dataclass(slots=True)
class _Page:
    """A page on its way: its picture as it will be, and what is masked in it."""

    picture: NDArray[np.uint8]
    top: int = 0  # in the strip
    boxes: tuple[Box, ...] = ()
    is_believed: bool = False
    is_done: bool = field(default=False)

    def mask(self, boxes: tuple[Box, ...]) -> None:
        self.boxes = joined((*self.boxes, *boxes))
        self.picture = filled(self.picture, self.boxes, BLACK)


def clean_pdf(document: bytes, eyes: Eyes, drawing: Drawing) -> bytes | Unfinished:
    """Return the new document, or why there is none.

    Raises
    ------
    Busy
        Those who draw and look had no time.
    """
    try:
        return _cleaned(document, eyes, drawing)
    except NotDrawnError as error:
        return Unfinished(str(error))
    except (UnreadError, MalformedInstance, LimitExceeded):
        return Unfinished("pdf-not-looked-at")


def masked_pdf(document: bytes, boxes: Sequence[Box], drawing: Drawing) -> bytes:
    """Return the new document with what a person masked in the strip of its pages.

    Raises
    ------
    NotDrawnError
        It is not understood, or beyond a bound.
    """
    pages: list[_Page] = []
    for given in drawn_pages(document, drawing):
        page = _Page(_plain(given.picture), _end_of(pages))
        rows, columns = page.picture.shape[:2]
        page.mask(tuple(_moved(box, -page.top).within(rows, columns) for box in boxes))
        pages.append(page)
    return written([page.picture for page in pages])


def drawn_pages(document: bytes, drawing: Drawing) -> Iterator[Page]:
    """Yield all pages; errors are those of `Drawing.page`."""
    index, count = 0, 1
    while index < count:
        given = drawing.page(document, index)
        yield given
        index, count = index + 1, given.pages


def _cleaned(document: bytes, eyes: Eyes, drawing: Drawing) -> bytes | Unfinished:
    pages: list[_Page] = []
    is_legible = True
    for given in drawn_pages(document, drawing):
        seen = look(given.picture, given.words, eyes)
        is_legible = is_legible and seen.is_legible
        page = _Page(_plain(given.picture), _end_of(pages), is_believed=seen.is_believed)
        page.mask((*seen.telling, *seen.unread))
        pages.append(page)
    if not is_legible:
        return Unfinished("pdf-not-legible", _proposed(pages))
    for _ in range(ROUNDS):
        made = written([page.picture for page in pages])
        for index, page in enumerate(pages):
            if page.is_done:
                continue
            now = drawing.page(made, index)
            if now.words:
                return Unfinished("pdf-text-left", _proposed(pages))
            seen = look(filled(now.picture, page.boxes, WHITE), (), eyes, was_believed=page.is_believed)
            page.is_done = not seen.telling
            page.mask((*seen.telling, *seen.unread))
        if all(page.is_done for page in pages):
            return written([page.picture for page in pages])
    return Unfinished("pdf-text-left", _proposed(pages))


def _end_of(pages: Sequence[_Page]) -> int:
    return pages[-1].top + pages[-1].picture.shape[0] if pages else 0


def _moved(box: Box, rows: int) -> Box:
    return Box(box.top + rows, box.left, box.bottom + rows, box.right)


def _proposed(pages: Sequence[_Page]) -> tuple[Box, ...]:
    """Return what was masked, in the strip, words beside each other as one."""
    boxes: list[Box] = []
    for left, page in zip(range(len(pages), 0, -1), pages, strict=True):
        rows, columns = page.picture.shape[:2]
        own = fused(box.grown(*BETWEEN_WORDS).within(rows, columns) for box in page.boxes)
        if len(boxes) + len(own) + left - 1 > PROPOSED_MAX:
            own = (Box(0, 0, rows, columns),)
        boxes += (_moved(box, page.top) for box in own)
    return tuple(boxes)


def written(pictures: list[NDArray[np.uint8]]) -> bytes:
    """Return a PDF of pictures, the same bytes for the same pictures: no date, title or producer."""
    images = [Image.fromarray(picture) for picture in pictures]
    output = io.BytesIO()
    nothing: dict[str, Any] = dict.fromkeys(("title", "producer", "creationDate", "modDate"))
    images[0].save(
        output,
        "PDF",
        save_all=True,
        append_images=images[1:],
        resolution=DOTS_PER_INCH,
        quality=QUALITY,
        **nothing,
    )
    return output.getvalue()


def _plain(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a page in grey if it has no color."""
    has_color = int((picture.max(axis=2) - picture.min(axis=2)).max()) >= COLOR_MIN
    return picture.copy() if has_color else np.ascontiguousarray(picture.mean(axis=2).astype(np.uint8))
