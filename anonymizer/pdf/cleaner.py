"""A PDF written anew as pictures without what tells who the patient is; or one stable word why it was not.

Each page is drawn, looked at and masked; the new document is drawn and looked at again, up to three times. Of the old
document nothing goes into the new one but pixels: no text layer, metadata, form, link, attachment or hidden layer.
"""

import io
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from anonymizer.pdf.drawing import DOTS_PER_INCH, Drawing, NotDrawnError
from anonymizer.pdf.looking import Eyes, UnreadError, look
from anonymizer.pixels.blank import filled
from kernel.dicom.boxes import Box, joined
from kernel.errors import LimitExceeded, MalformedInstance

ROUNDS: Final = 3  # of looking at what was made
QUALITY: Final = 85  # of the JPEG pictures
COLOR_MIN: Final = 24  # between samples of a pixel; a page with less is grey
BLACK, WHITE = 0, 255


@dataclass(slots=True)
class _Page:
    """A page on its way: its picture as it will be, and what is masked in it."""

    picture: NDArray[np.uint8]
    boxes: tuple[Box, ...] = ()
    is_believed: bool = False
    is_done: bool = field(default=False)

    def mask(self, boxes: tuple[Box, ...]) -> None:
        self.boxes = joined((*self.boxes, *boxes))
        self.picture = filled(self.picture, self.boxes, BLACK)


def clean_pdf(document: bytes, eyes: Eyes, drawing: Drawing) -> bytes | str:
    """Return the new document, or why there is none.

    Raises
    ------
    Busy
        Those who draw and look had no time.
    """
    try:
        return _cleaned(document, eyes, drawing)
    except NotDrawnError as error:
        return str(error)
    except (UnreadError, MalformedInstance, LimitExceeded):
        return "pdf-not-looked-at"


def _cleaned(document: bytes, eyes: Eyes, drawing: Drawing) -> bytes | str:
    pages: list[_Page] = []
    count = 1
    while len(pages) < count:
        given = drawing.page(document, len(pages))
        count = given.pages
        seen = look(given.picture, given.words, eyes)
        if not seen.is_legible:
            return "pdf-not-legible"
        page = _Page(_plain(given.picture), is_believed=seen.is_believed)
        page.mask((*seen.telling, *seen.unread))
        pages.append(page)
    for _ in range(ROUNDS):
        made = written([page.picture for page in pages])
        for index, page in enumerate(pages):
            if page.is_done:
                continue
            now = drawing.page(made, index)
            if now.words:
                return "pdf-text-left"
            seen = look(filled(now.picture, page.boxes, WHITE), (), eyes, was_believed=page.is_believed)
            page.is_done = not seen.telling
            page.mask((*seen.telling, *seen.unread))
        if all(page.is_done for page in pages):
            return written([page.picture for page in pages])
    return "pdf-text-left"


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
