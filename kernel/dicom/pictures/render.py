"""Stored pixel values to a picture for the eye (PS3.3 C.11, C.7.6.3.1): grey through modality and VOI, color to RGB.

Integers of up to 16 bits go through one table that holds the whole chain, so a frame costs one look-up a pixel.
A picture is 8 bits a sample; how it was reduced is the caller's to say. Files are made of it in `picture_files`.
"""

from functools import lru_cache
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kernel.dicom.pictures.viewport import Viewport, shown_in
from kernel.dicom.pixels.image import Display, ImagePixel, LookupTable, Window, display, pixel_aspect
from kernel.dicom.pixels.palette import apply_palette
from kernel.dicom.pixels.reading import Pixels

TABLES_MAX: Final = 64  # tables of the whole chain remembered: 64 KiB each, one for all slices of a series

Grey = NDArray[np.uint8]
Numbers = NDArray[np.float64]


def render(
    pixels: Pixels, frame_index: int = 0, *, window: Window | None = None, viewport: Viewport | None = None
) -> Image.Image:
    """Return a picture of one frame, mode L or RGB, in the proportions that its pixels have.

    Parameters
    ----------
    window
        Takes the place of the instance's own VOI; of no effect on color.
    viewport
        What of the frame is shown, and how large.

    The errors are those of `Pixels.decode` and `viewport.shown_in`.
    """
    picture = Image.fromarray(drawn(pixels, frame_index, window=window))
    return shown_in(picture, viewport, pixel_aspect(pixels.header, frame_index))


def drawn(pixels: Pixels, frame_index: int = 0, *, window: Window | None = None) -> Grey:
    """Return every sample of one frame as 8-bit grey, shape (rows, columns), or RGB, shape (rows, columns, 3)."""
    image = pixels.image
    is_grey = image.samples_per_pixel == 1 and image.photometric_interpretation != "PALETTE COLOR"
    knows_unused_bits = is_grey and image.bits_allocated <= 16  # the table does
    array = pixels.samples(frame_index) if knows_unused_bits else pixels.decode(frame_index)
    if array.ndim == 3:
        return _eight_bits(array[..., :3], image)
    if is_grey:
        return to_grey(array, image, display(pixels.header, image, frame_index), window)
    return apply_palette(array, pixels.header, image)


def to_grey(array: NDArray[Any], image: ImagePixel, how: Display, window: Window | None = None) -> Grey:
    """Return stored values, shape (rows, columns), as 8-bit grey of the same shape."""
    if array.dtype.kind == "f" or array.dtype.itemsize > 2:
        values = _modality(array.astype(np.float64), how)
        finite = values[np.isfinite(values)]
        return _voi(np.nan_to_num(values), how, window, finite)
    patterns = array.view(np.uint8 if array.dtype.itemsize == 1 else np.uint16)
    bits = 8 * array.dtype.itemsize
    if window is not None or how.voi_lut is not None or how.windows:
        return _table(bits, image.bits_stored, image.high_bit, image.pixel_representation, (how, window)).take(patterns)
    stored = _stored_values(bits, image.bits_stored, image.high_bit, image.pixel_representation)
    present = np.bincount(patterns.ravel(), minlength=len(stored)) > 0
    if how.padding is not None and bool((present & (stored != how.padding)).any()):
        present &= stored != how.padding
    values = _modality(stored.astype(np.float64), how)
    return _voi(values, how, window, values[present]).take(patterns)


@lru_cache(maxsize=TABLES_MAX)
def _table(
    bits: int, bits_stored: int, high_bit: int, representation: int, chain: tuple[Display, Window | None]
) -> Grey:
    """Return grey for every pattern of 8 or 16 bits, where it does not depend on the values in use."""
    how, window = chain
    values = _modality(_stored_values(bits, bits_stored, high_bit, representation).astype(np.float64), how)
    return _voi(values, how, window, values)


def _stored_values(bits: int, bits_stored: int, high_bit: int, representation: int) -> NDArray[np.int64]:
    """Return what each pattern of 8 or 16 bits means: bits stored below the high bit, signed or not (PS3.5 8.1.1)."""
    patterns = np.arange(1 << bits, dtype=np.int64)
    stored = min(bits_stored, bits)
    shift = max(0, min(high_bit, bits - 1) + 1 - stored)
    values = patterns >> shift & (1 << stored) - 1
    if representation:
        values -= (values >> stored - 1) << stored
    return values


def _modality(stored: Numbers, how: Display) -> Numbers:
    """Apply the Modality LUT, or Rescale Slope and Intercept (PS3.3 C.11.1)."""
    if how.modality_lut is not None:
        return _look_up(stored, how.modality_lut)
    return stored * how.slope + how.intercept


def _look_up(values: Numbers, table: LookupTable) -> Numbers:
    positions = np.clip(values - table.first_mapped, 0, len(table.entries) - 1).astype(np.int64)
    return np.asarray(table.entries, dtype=np.float64)[positions]


def _voi(values: Numbers, how: Display, window: Window | None, used: Numbers) -> Grey:
    """Apply the VOI transformation: what was asked for, the VOI LUT, the first window, or all values in use."""
    if window is None and how.voi_lut is not None:
        grey = _look_up(values, how.voi_lut) / ((1 << how.voi_lut.bits) - 1)
    elif chosen := window or next(iter(how.windows), None):
        grey = _windowed(values, chosen)
    else:
        low, high = (float(used.min()), float(used.max())) if used.size else (0.0, 0.0)
        grey = (values - low) / (high - low) if high > low else np.zeros_like(values)
    grey = np.clip(grey, 0.0, 1.0)
    if how.inverse:
        grey = 1.0 - grey
    return np.rint(grey * 255.0).astype(np.uint8)


def _windowed(values: Numbers, window: Window) -> Numbers:
    """Return 0 to 1 for what the window shows; the formulas of PS3.3 C.11.2.1.2.1, C.11.2.1.3.1 and C.11.2.1.3.2."""
    center, width = window.center, window.width
    if window.function == "SIGMOID":
        return 1.0 / (1.0 + np.exp(np.clip(-4.0 * (values - center) / max(width, 1e-9), -700.0, 700.0)))
    if window.function == "LINEAR_EXACT":
        return (values - center) / max(width, 1e-9) + 0.5
    if width <= 1:
        return (values > center - 0.5).astype(np.float64)
    return (values - (center - 0.5)) / (width - 1) + 0.5


def _eight_bits(array: NDArray[Any], image: ImagePixel) -> Grey:
    if array.dtype.itemsize == 1:
        return np.ascontiguousarray(array).view(np.uint8)
    top = float((1 << image.bits_stored) - 1)
    return np.rint(np.clip(array.astype(np.float64) / top, 0.0, 1.0) * 255.0).astype(np.uint8)
