"""Pictures of an instance for whoever looks for text: each frame of a few, and of a cine what any of its frames shows.

A name may be in one frame only. The greatest value of each pixel over all frames shows bright text, the least shows
dark text, the greatest change from one frame to the next shows what comes and goes; and frames that differ most from
their neighbors are looked at by themselves.
"""

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.limits import exceeded
from kernel.dicom.palette import apply_palette
from kernel.dicom.pixels import Pixels

FRAMES_MAX: Final = 3000  # of one cine
SINGLE_FRAMES_MAX: Final = 2  # an instance of no more frames is looked at frame by frame
OUTLIERS: Final = 2  # frames of a cine that are looked at by themselves
PICTURE_PIXELS_MAX: Final = 64 * 1024 * 1024
FLAT: Final = 1e-9

Picture = NDArray[np.uint8]


def views(pixels: Pixels) -> Iterator[Picture]:
    """Yield pictures of 8 bits, grey or RGB, that together show all that is written on any frame.

    Raises
    ------
    LimitExceeded
        More frames than FRAMES_MAX, or larger ones than PICTURE_PIXELS_MAX.
    UnsupportedTransferSyntax, MalformedInstance
        A frame cannot be decoded.
    """
    image, count = pixels.image, pixels.frames.number_of_frames
    if image.rows * image.columns > PICTURE_PIXELS_MAX:
        raise exceeded("PICTURE_PIXELS_MAX", image.rows * image.columns, PICTURE_PIXELS_MAX)
    if count > FRAMES_MAX:
        raise exceeded("FRAMES_MAX", count, FRAMES_MAX)
    if count <= SINGLE_FRAMES_MAX:
        for index in range(count):
            yield _eight_bits(frame(pixels, index))
        return
    yield from _cine(pixels, count)


def frame(pixels: Pixels, index: int) -> NDArray[Any]:
    """Return a decoded frame for the eye, grey or RGB, white as the greatest value."""
    array = pixels.decode(index)
    if pixels.image.photometric_interpretation == "PALETTE COLOR":
        return apply_palette(array, pixels.header, pixels.image)
    if pixels.image.photometric_interpretation == "MONOCHROME1":
        return array.max() - array
    return array[..., :3] if array.ndim == 3 else array


def _cine(pixels: Pixels, count: int) -> Iterator[Picture]:
    first = _grey(frame(pixels, 0))
    most, least, change, previous = first.copy(), first.copy(), np.zeros_like(first), first
    steps: list[float] = [0.0]
    for index in range(1, count):
        now = _grey(frame(pixels, index))
        np.maximum(most, now, out=most)
        np.minimum(least, now, out=least)
        step = np.abs(now - previous)
        np.maximum(change, step, out=change)
        steps.append(float(step.mean()))
        previous = now
    yield _eight_bits(most)
    yield _eight_bits(least)
    yield _eight_bits(change)
    oddest = sorted(range(count), key=lambda index: -steps[index])[:OUTLIERS]
    for index in oddest:
        yield _eight_bits(frame(pixels, index))


def _grey(array: NDArray[Any]) -> NDArray[np.float32]:
    return np.asarray(array.max(axis=2) if array.ndim == 3 else array, np.float32)


def _eight_bits(array: NDArray[Any]) -> Picture:
    """Return samples from black to white over all values that there are."""
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    values = array.astype(np.float32)
    low, high = float(values.min()), float(values.max())
    return np.asarray((values - low) * (255 / max(high - low, FLAT)), np.uint8)
