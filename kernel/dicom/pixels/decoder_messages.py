"""What is said between us and a decoding process.

What comes back is believed as little as a stranger's bytes: it may come from a process that a stranger's frame took over.
"""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.jpeg_transform import Extent
from kernel.dicom.vocabulary.limits import malformed

_DTYPES: Final = frozenset({"|u1", "|i1", "<u2", "<i2", "<u4", "<i4"})


@dataclass(frozen=True, slots=True)
class Question:
    """A frame to decode; with a `target`, to be encoded again; with `boxes`, to be masked; with `kept`, to be cut."""

    data: bytes
    image: ImagePixel
    transfer_syntax_uid: str
    target: str = ""  # a transfer syntax; native ones give the samples themselves
    quality: int = 0  # of a lossy target
    boxes: tuple[Box, ...] = ()  # of a JPEG frame that is to be masked as it is, in blocks
    kept: Extent | None = None  # of a JPEG frame that is to be cut as it is, in blocks
    profile: bytes = b""  # an ICC profile: `data` is RGB of 8 bits by pixel that it describes, to be made sRGB


@dataclass(frozen=True, slots=True)
class Answer:
    """The array, or the encoded frame, or why there is none."""

    dtype: str = ""
    shape: tuple[int, ...] = ()
    data: bytes = b""
    refusal: str = ""


def array_of(answer: Answer, image: ImagePixel) -> NDArray[Any]:
    """Return the array of an answer, if it is one of the announced size."""
    shape = (image.rows, image.columns, image.samples_per_pixel)
    expected = shape if image.samples_per_pixel > 1 else shape[:2]
    if answer.shape != expected or answer.dtype not in _DTYPES:
        raise malformed("a frame is not of the announced size")
    dtype = np.dtype(answer.dtype)
    if len(answer.data) != dtype.itemsize * image.rows * image.columns * image.samples_per_pixel:
        raise malformed("a frame is not of the announced size")
    return np.frombuffer(answer.data, dtype).reshape(expected)
