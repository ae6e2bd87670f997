"""Pages of a PDF as pictures, drawn by a process of their own within bounds."""

from dataclasses import dataclass
from importlib.util import find_spec
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from anonymizer.pdf.messages import Drawn, Sheet
from anonymizer.pdf.words import Word
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.vocabulary.limits import MEBIBYTE

DOTS_PER_INCH: Final = 200
PAGES_MAX: Final = 12
PAGE_PIXELS_MAX: Final = 16_000_000  # a page of A3
ALL_PIXELS_MAX: Final = 64_000_000  # of all pages, which are in memory together
CHARACTERS_MAX: Final = 20_000  # of the text layer of a page
DOCUMENT_BYTES_MAX: Final = 32 * MEBIBYTE
SHEET_BYTES_MAX: Final = DOCUMENT_BYTES_MAX + MEBIBYTE
ANSWER_BYTES_MAX: Final = 3 * PAGE_PIXELS_MAX + 8 * MEBIBYTE
DRAWING_BYTES_MAX: Final = 2048 * MEBIBYTE  # of address space, libraries included
DRAW_SECONDS: Final = 20.0  # for a page
WAIT_SECONDS_MAX: Final = 120.0  # for another document's page


class NotDrawnError(Exception):
    """A document of which no page is drawn; `args[0]` is one stable word."""


@dataclass(frozen=True, slots=True)
class Page:
    """A picture of shape (rows, columns, 3), and the words of its text layer."""

    pages: int  # of its document
    picture: NDArray[np.uint8]
    words: tuple[Word, ...]


class Drawing(Protocol):
    """Draws pages; a test has its own."""

    def page(self, document: bytes, index: int) -> Page:
        """Return a page, counted from zero, or raise NotDrawnError."""
        ...


def is_installed() -> bool:
    """Whether PDFium is here."""
    return find_spec("pypdfium2") is not None


class DrawingProcess:
    """One process, shared by all threads of this one."""

    def __init__(self, *, seconds_max: float = DRAW_SECONDS) -> None:
        self._seconds_max = seconds_max
        self._children = Children(
            "anonymizer.pdf.drawing_process", "drawing pages", Drawn, processes=1, wait_seconds_max=WAIT_SECONDS_MAX
        )

    def page(self, document: bytes, index: int) -> Page:
        """Return a page; see `Drawing`.

        Raises
        ------
        NotDrawnError
            It is not understood, or beyond a bound.
        Busy
            The process was busy for WAIT_SECONDS_MAX.
        """
        if len(document) > DOCUMENT_BYTES_MAX:
            raise NotDrawnError("pdf-bytes")
        try:
            answer = self._children.ask(Sheet(document, index), ANSWER_BYTES_MAX, self._seconds_max)
        except ChildEndedError:
            raise NotDrawnError("pdf-not-read") from None
        return _believed(answer)

    def close(self) -> None:
        """End the process; a later page begins a new one."""
        self._children.close()


shared_drawing: Final = OfThisProcess(DrawingProcess)


def _believed(answer: Drawn) -> Page:
    """Return a page if it is what a page can be: the process may have been taken over by a document."""
    if answer.refusal:
        raise NotDrawnError(answer.refusal[:32])
    size = answer.rows * answer.columns
    if not 0 < size <= 1.01 * PAGE_PIXELS_MAX or len(answer.data) != 3 * size or not 0 < answer.pages <= PAGES_MAX:
        raise NotDrawnError("pdf-not-read")
    picture = np.frombuffer(answer.data, np.uint8).reshape(answer.rows, answer.columns, 3)
    words = (
        Word(one.text, Box(one.top, one.left, one.bottom, one.right).within(answer.rows, answer.columns), one.line)
        for one in answer.words
    )
    return Page(answer.pages, picture, tuple(words))
