"""Finders of text: processes that look at pictures and say where something is written. Begun when first needed."""

import math
from importlib.util import find_spec
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from anonymizer.pixels import detector, tesseract
from anonymizer.pixels.finder_messages import Picture, Sightings
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.processes.child import ChildEndedError
from kernel.dicom.processes.children import Children, OfThisProcess
from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded, malformed

PICTURE_BYTES_MAX: Final = 256 * MEBIBYTE
FINDER_BYTES_MAX: Final = 4096 * MEBIBYTE  # of address space, libraries included
ANSWER_BYTES_MAX: Final = MEBIBYTE
SIGHTINGS_MAX: Final = 2000  # of one picture; more is no picture with marks on it
FINDERS: Final = 1  # processes at once: each takes a core and 300 MB
FIND_SECONDS: Final = 30.0  # for any picture
WAIT_SECONDS_MAX: Final = 120.0  # for a free one


class Finder(Protocol):
    """Says where something is written; a test has its own."""

    def find(self, picture: NDArray[np.uint8], long_side: int) -> tuple[tuple[Box, str], ...]:
        """Return boxes and their kind, `text`, `mark` or `barcode`, of a picture of 8 bits, grey or RGB."""
        ...


def missing() -> str:
    """Return what is to be installed before text can be found, in words; empty if nothing is."""
    wanted: list[str] = []
    if not detector.is_installed() or find_spec("zxingcpp") is None:
        wanted.append("vienanh[pixels]")
    if not tesseract.is_installed():
        wanted.append("tesseract-ocr-vie")
    return ", ".join(wanted)


class Finders:
    """A few processes, shared by all threads."""

    def __init__(self, processes: int = FINDERS, *, seconds_max: float = FIND_SECONDS) -> None:
        self._seconds_max = seconds_max
        self._children = Children(
            "anonymizer.pixels.finder_process",
            "finding text",
            Sightings,
            processes=processes,
            wait_seconds_max=WAIT_SECONDS_MAX,
        )

    def find(self, picture: NDArray[np.uint8], long_side: int) -> tuple[tuple[Box, str], ...]:
        """Return boxes and their kind; see `Finder`.

        Raises
        ------
        MalformedInstance, LimitExceeded
            The picture could not be looked at, or not in time: nobody knows what is on it.
        Busy
            All processes were busy for WAIT_SECONDS_MAX.
        """
        rows, columns = picture.shape[:2]
        samples = picture.shape[2] if picture.ndim == 3 else 1
        if picture.size > PICTURE_BYTES_MAX // 2:
            raise exceeded("PICTURE_BYTES_MAX", picture.size, PICTURE_BYTES_MAX // 2)
        question = Picture(np.ascontiguousarray(picture).tobytes(), rows, columns, samples, long_side)
        try:
            answer = self._children.ask(question, ANSWER_BYTES_MAX, self._seconds_max)
        except ChildEndedError as error:
            if error.was_late:
                bound = math.ceil(self._seconds_max)
                raise exceeded("seconds to find text", bound + 1, bound) from None
            raise malformed("text cannot be found in a picture") from None
        if answer.failure or len(answer.found) > SIGHTINGS_MAX:
            raise malformed("text cannot be found in a picture")
        found = (
            (Box(one.top, one.left, one.bottom, one.right).within(rows, columns), one.kind) for one in answer.found
        )
        return tuple(found)

    def close(self) -> None:
        """End the processes; a later picture begins new ones."""
        self._children.close()


shared_finders: Final = OfThisProcess(Finders)
