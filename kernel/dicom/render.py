"""Stored pixel values to a picture for the eye (PS3.3 C.11, C.7.6.3.1): grey through modality and VOI, color to RGB.

Integers of up to 16 bits go through one table that holds the whole chain, so a frame costs one look-up a pixel.
A picture is 8 bits a sample; how it was reduced is the caller's to say.
"""

import io
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kernel.dicom.image import Display, ImagePixel, LookupTable, Window, display
from kernel.dicom.palette import apply_palette
from kernel.dicom.pixels import Pixels

JPEG_QUALITY: Final = 90
VIEWPORT_MAX: Final = 16384  # pixels a side

Grey = NDArray[np.uint8]
Numbers = NDArray[np.float64]


def render(
    pixels: Pixels, frame_index: int = 0, *, window: Window | None = None, viewport: tuple[int, int] | None = None
) -> Image.Image:
    """Return a picture of one frame, mode L or RGB.

    Parameters
    ----------
    window
        Takes the place of the instance's own VOI; of no effect on color.
    viewport
        Columns and rows into which the picture must fit, its proportions kept; it is never enlarged.

    The errors are those of `Pixels.decode`.
    """
    image = pixels.image
    array = pixels.decode(frame_index)
    if image.photometric_interpretation == "PALETTE COLOR":
        picture = Image.fromarray(apply_palette(array, pixels.header, image))
    elif array.ndim == 3:
        picture = Image.fromarray(_eight_bits(array[..., :3], image))
    else:
        picture = Image.fromarray(to_grey(array, image, display(pixels.header, image, frame_index), window))
    return _fitted(picture, viewport)


def encode_png(picture: Image.Image) -> bytes:
    """Return the picture as PNG, without loss."""
    output = io.BytesIO()
    picture.save(output, "PNG", compress_level=3)
    return output.getvalue()


def encode_jpeg(picture: Image.Image, quality: int = JPEG_QUALITY) -> bytes:
    """Return the picture as JPEG; `quality` 1 to 100."""
    output = io.BytesIO()
    picture.save(output, "JPEG", quality=min(max(quality, 1), 100))
    return output.getvalue()


def to_grey(array: NDArray[Any], image: ImagePixel, how: Display, window: Window | None = None) -> Grey:
    """Return stored values, shape (rows, columns), as 8-bit grey of the same shape."""
    if array.dtype.kind == "f" or array.dtype.itemsize > 2:
        values = _modality(array.astype(np.float64), how)
        finite = values[np.isfinite(values)]
        return _voi(np.nan_to_num(values), how, window, finite)
    patterns = array.view(np.uint8 if array.dtype.itemsize == 1 else np.uint16)
    stored = _stored_values(8 * array.dtype.itemsize, image)
    values = _modality(stored.astype(np.float64), how)
    used = values
    if window is None and how.voi_lut is None and not how.windows:
        present = np.bincount(patterns.ravel(), minlength=len(stored)) > 0
        if how.padding is not None and bool((present & (stored != how.padding)).any()):
            present &= stored != how.padding
        used = values[present]
    return _voi(values, how, window, used)[patterns]


def _stored_values(bits: int, image: ImagePixel) -> NDArray[np.int64]:
    """Return what each pattern of 8 or 16 bits means: bits stored below the high bit, signed or not (PS3.5 8.1.1)."""
    patterns = np.arange(1 << bits, dtype=np.int64)
    stored = min(image.bits_stored, bits)
    shift = max(0, min(image.high_bit, bits - 1) + 1 - stored)
    values = patterns >> shift & (1 << stored) - 1
    if image.pixel_representation:
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


def _fitted(picture: Image.Image, viewport: tuple[int, int] | None) -> Image.Image:
    if viewport is None:
        return picture
    columns, rows = (min(max(side, 1), VIEWPORT_MAX) for side in viewport)
    scale = min(columns / picture.width, rows / picture.height)
    if scale >= 1:
        return picture
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    return picture.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)
