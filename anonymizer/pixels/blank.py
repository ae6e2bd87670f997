"""What black is, for each kind of samples (PS3.3 C.7.6.3.1.2)."""

from collections.abc import Iterable
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.palette import apply_palette
from kernel.dicom.pixels.reading import Pixels
from kernel.errors import UnsupportedTransferSyntax

_COLORS: Final = {"RGB": (0, 0, 0), "YBR_FULL": (0, 128, 128), "YBR_FULL_422": (0, 128, 128)}
_GREY: Final = frozenset({"MONOCHROME1", "MONOCHROME2"})
_INDICES_MAX: Final = 65536

T = TypeVar("T", bound=np.generic)


def black_sample(pixels: Pixels, samples: NDArray[Any], photometric_interpretation: str) -> tuple[int | float, ...]:
    """Return the samples of a black pixel of a decoded frame.

    Grey ones are the darkest that the frame has, so that no viewer's automatic window becomes another.

    Raises
    ------
    UnsupportedTransferSyntax
        Nobody could say what is black there.
    """
    image = pixels.image
    color = _COLORS.get(photometric_interpretation)
    if color is not None and image.samples_per_pixel == 3:
        return color if image.bits_allocated == 8 else tuple(_middle(one, image.bits_stored) for one in color)
    if image.samples_per_pixel == 1 and photometric_interpretation in _GREY:
        clean = _without_unused_bits(samples, image.bits_stored)
        return ((clean.max() if photometric_interpretation == "MONOCHROME1" else clean.min()).item(),)
    if image.samples_per_pixel == 1 and photometric_interpretation == "PALETTE COLOR":
        used = np.arange(min(1 << image.bits_stored, _INDICES_MAX)).reshape(1, -1)
        return (int(apply_palette(used, pixels.header, image).sum(axis=-1).argmin()),)
    raise UnsupportedTransferSyntax(
        transfer_syntax_uid=pixels.transfer_syntax_uid, reason=f"{photometric_interpretation[:16]} cannot be masked"
    )


def filled(samples: NDArray[T], boxes: Iterable[Box], value: float | tuple[int | float, ...]) -> NDArray[T]:
    """Return a copy of samples, shape (rows, columns[, samples]), with boxes of one value; a tuple is one for each sample."""
    made = np.array(samples, order="C")
    for box in boxes:
        made[box.top : box.bottom, box.left : box.right] = value
    return made


def _middle(eight_bits: int, bits_stored: int) -> int:
    return 1 << (bits_stored - 1) if eight_bits else 0


def _without_unused_bits(samples: NDArray[Any], bits_stored: int) -> NDArray[Any]:
    unused = 8 * samples.dtype.itemsize - bits_stored
    return (samples << unused) >> unused if samples.dtype.kind in "iu" and unused > 0 else samples
