"""One look at a page: which boxes must go because they tell, and which because nobody could read them."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anonymizer.elements.second_net import Net
from anonymizer.pdf.words import Word, is_believed, is_legible, telling, whole_lines
from anonymizer.pixels.finder import Finder
from kernel.dicom.pixels.boxes import Box, joined, merged

LONG_SIDE: Final = 2000  # in which the detector looks at a page
GAP_MIN: Final = 0.8  # heights of a line: a wider stretch in which no word was read goes
REACH: Final = 0.5  # heights of a line: so far beyond a word still belongs to it
EDGE: Final = 0.15  # of a word's height beyond its box: accents, ink of neighbouring pixels
SIDEWAYS_MIN: Final = 1.5  # height to width of a line: nobody reads it, so it goes
SIDEWAYS_SHARE_MAX: Final = 0.3  # of the lines of a page that was not scanned sideways

Reader = Callable[[NDArray[np.uint8]], Sequence[Word] | None]


class UnreadError(Exception):
    """A page that the reader could not be asked about."""


class Eyes(NamedTuple):
    """Who looks."""

    finder: Finder
    read: Reader
    net: Net


class Look(NamedTuple):
    """What must go from a page, and whether the rest can be judged at all."""

    telling: tuple[Box, ...]
    unread: tuple[Box, ...]
    is_believed: bool  # its text layer
    is_legible: bool


def look(picture: NDArray[np.uint8], layer: Sequence[Word], eyes: Eyes, *, was_believed: bool = False) -> Look:
    """Look at a page, whatever is known of its text layer; `was_believed` of the page that it was made of.

    On a page whose text is known from a picture alone a line goes as a whole when anything in it tells.
    """
    seen = eyes.finder.find(picture, LONG_SIDE)
    read = eyes.read(picture)
    if read is None:
        raise UnreadError
    believed = was_believed or is_believed(layer, read)
    found = telling(read, eyes.net)
    if not believed:
        found = whole_lines(found, read)
    found = [*found, *telling(layer, eyes.net)]
    known = [word.box for word in read if word.is_sure] + ([word.box for word in layer] if believed else [])
    lines = [box for box, kind in seen if kind == "text"]
    sideways = [box for box in lines if box.bottom - box.top > SIDEWAYS_MIN * (box.right - box.left)]
    unread = [gap for box in lines if box not in sideways for gap in _gaps(box, known)] + sideways
    barcodes = [box for box, kind in seen if kind == "barcode"]
    rows, columns = picture.shape[:2]
    return Look(
        joined(box.within(rows, columns) for box in (*map(_grown, found), *barcodes)),
        joined(box.within(rows, columns) for box in unread),
        believed,
        believed or (is_legible(read) and len(sideways) <= SIDEWAYS_SHARE_MAX * len(lines)),
    )


def _grown(word: Word) -> Box:
    margin = max(2, round(EDGE * (word.box.bottom - word.box.top)))
    return word.box.grown(margin, margin)


def _gaps(line: Box, words: Iterable[Box]) -> list[Box]:
    """Return the stretches of a line in which no word was read."""
    height = line.bottom - line.top
    reach = round(REACH * height)
    on_line = (box for box in words if box.touches(line) and min(box.bottom, line.bottom) - max(box.top, line.top) > (
        min(height, box.bottom - box.top) // 2
    ))  # fmt: skip
    covered = merged((box.left - reach, box.right + reach) for box in on_line)
    edges = [(line.left, line.left), *covered, (line.right, line.right)]
    gaps: list[Box] = []
    end = line.left
    for start, stop in edges[1:]:
        if start - end > GAP_MIN * height or (not covered and start > end):
            gaps.append(Box(line.top, end, line.bottom, start))
        end = max(end, stop)
    return gaps
