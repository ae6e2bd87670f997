"""The program of a finder of text: pictures on standard input, boxes on standard output, until the input ends."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from anonymizer.pixels.detector import Detector
from anonymizer.pixels.finder import FINDER_BYTES_MAX, PICTURE_BYTES_MAX
from anonymizer.pixels.finder_messages import Kind, Picture, Sighting, Sightings
from anonymizer.pixels.reader import judged
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.processes.program import serve
from kernel.errors import LimitExceeded


def sightings(detector: Detector, picture: Picture) -> Sightings:
    """Look at one picture."""
    shape = (picture.rows, picture.columns, picture.samples)
    pixels = np.frombuffer(picture.data, np.uint8).reshape(shape if picture.samples > 1 else shape[:2])
    try:
        barcodes = _barcodes(pixels)
        lines = judged(pixels, detector.find(pixels, picture.long_side))
    except LimitExceeded as error:
        return Sightings(failure=str(error.fields.get("limit", "")))
    except MemoryError:
        return Sightings(failure="it takes too much memory")
    found: list[tuple[Box, Kind]] = [*lines, *((box, "barcode") for box in barcodes)]
    return Sightings(tuple(Sighting(*box, kind=kind) for box, kind in found))


def _barcodes(pixels: NDArray[np.uint8]) -> list[Box]:
    """Return where barcodes are, with a margin: their outermost lines, and a number printed below."""
    import zxingcpp  # an optional part, and native: only this process loads it

    rows, columns = pixels.shape[:2]
    boxes: list[Box] = []
    for one in zxingcpp.read_barcodes(pixels):
        corners: list[Any] = [
            getattr(one.position, name) for name in ("top_left", "top_right", "bottom_left", "bottom_right")
        ]
        across, down = [corner.x for corner in corners], [corner.y for corner in corners]
        box = Box(min(down), min(across), max(down) + 1, max(across) + 1)
        margin = max(8, (box.right - box.left) // 10)
        boxes.append(_whole_bars(pixels, box.grown(margin, margin).within(rows, columns)))
    return boxes


def _whole_bars(pixels: NDArray[np.uint8], box: Box) -> Box:
    """Return a box grown over all rows that look like its own: a reader tells one line across a barcode, not its height."""
    grey = pixels.mean(axis=2) if pixels.ndim == 3 else pixels.astype(np.float64)
    band = grey[:, box.left : box.right]
    pattern = band[(box.top + box.bottom) // 2]
    alike = np.abs(band - pattern).mean(axis=1) < np.abs(pattern - pattern.mean()).mean() / 2
    top, bottom = box.top, box.bottom
    while top > 0 and alike[top - 1]:
        top -= 1
    while bottom < len(alike) and alike[bottom]:
        bottom += 1
    return Box(top, box.left, bottom, box.right)


def begun() -> Callable[[Picture], Sightings]:
    """Load the network."""
    return partial(sightings, Detector())


if __name__ == "__main__":
    serve(Picture, begun, question_bytes_max=PICTURE_BYTES_MAX, memory_bytes_max=FINDER_BYTES_MAX)
