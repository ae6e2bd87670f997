"""Areas of a JPEG frame made black without decoding it: every block that they do not touch keeps its coefficients.

The quantized coefficients (ITU-T T.81 A.3) go through a filter: a touched block keeps only a mean, that of black. Whole
minimum coded units are touched, so that no component shows what another lost.
"""

import ctypes
import struct
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

import numpy as np

from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.codestream import is_stored_as_rgb, jpeg_segments
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.pixels.jpeg_transform import transformed
from kernel.dicom.vocabulary.limits import malformed

BLOCK: Final = 8  # samples a side
MEAN_OF_BLACK, MEAN_OF_WHITE = -1024, 1016  # of 8 bits, before quantization (T.81 A.3.1, A.3.3)
_CODED_IN_BLOCKS: Final = frozenset({0xC0, 0xC1, 0xC2})  # baseline, extended, progressive; Huffman
_TABLES, _APP0 = 0xDB, 0xE0


class Component(NamedTuple):
    """A component of a frame (T.81 B.2.2)."""

    across: int  # horizontal sampling factor
    down: int
    step: int  # by which the mean is quantized


def masked_jpeg(data: bytes, image: ImagePixel, boxes: Sequence[Box]) -> bytes:
    """Return a lossy JPEG frame of 8 bits with `boxes` made black; comments and application data are left out.

    Raises
    ------
    MalformedInstance
        The library is absent or cannot read the frame, or the frame is of a kind that has no such blocks.
    """
    components = components_of(data)
    if len(components) not in (1, 3) or image.photometric_interpretation == "PALETTE COLOR":
        raise malformed("areas of such a JPEG frame cannot be masked")
    photometric = image.photometric_interpretation
    is_rgb = len(components) == 3 and is_stored_as_rgb(data, photometric)
    mean = MEAN_OF_WHITE if photometric == "MONOCHROME1" else MEAN_OF_BLACK
    means = [0 if number and not is_rgb else _quantized(mean, one.step) for number, one in enumerate(components)]
    made = transformed(data, changed=_filter(components, touched(boxes, components), means))
    if len(components) == 1 or is_stored_as_rgb(made, photometric) == is_rgb:
        return made
    made = _without_app0(made)  # a JFIF marker that was not there before
    if is_stored_as_rgb(made, photometric) != is_rgb:
        raise malformed("the color space of a JPEG frame cannot be kept")
    return made


def components_of(data: bytes) -> tuple[Component, ...]:
    """Return the components that a frame header names, with their quantization.

    Raises
    ------
    MalformedInstance
        There is no header of a frame of 8 bits that is coded in blocks.
    """
    steps: dict[int, int] = {}
    named: list[tuple[int, int, int]] = []
    try:
        for marker, at, length in jpeg_segments(data):
            body = data[at : at + length - 2]
            if marker == _TABLES:
                steps.update(_first_steps(body))
            elif marker in _CODED_IN_BLOCKS and body[0] == 8:
                named = [(body[at + 1] >> 4, body[at + 1] & 15, body[at + 2]) for at in range(6, 6 + 3 * body[5], 3)]
        found = tuple(Component(across, down, steps[table]) for across, down, table in named)
    except (struct.error, IndexError, KeyError):
        raise malformed("the header of a JPEG frame is damaged") from None
    if not found or any(not 1 <= one.across <= 4 or not 1 <= one.down <= 4 or not one.step for one in found):
        raise malformed("a JPEG frame that is not coded in blocks of 8 bits")
    return found


def touched(boxes: Sequence[Box], components: Sequence[Component]) -> list[Box]:
    """Return boxes grown to whole minimum coded units (T.81 A.2)."""
    rows = BLOCK * max(one.down for one in components)
    columns = BLOCK * max(one.across for one in components)
    return [
        Box(box.top // rows * rows, box.left // columns * columns, -(-box.bottom // rows) * rows, -(-box.right // columns) * columns)
        for box in boxes
    ]  # fmt: skip


def _first_steps(body: bytes) -> Iterator[tuple[int, int]]:
    """Yield the quantization of the mean by table (T.81 B.2.4.1)."""
    at = 0
    while at < len(body):
        is_wide, table = body[at] >> 4, body[at] & 15
        yield table, int.from_bytes(body[at + 1 : at + 3], "big") if is_wide else body[at + 1]
        at += 129 if is_wide else 65


def _quantized(mean: int, step: int) -> int:
    """Return a quantized mean that is at least as far out as `mean`; decoders cut what is farther."""
    size = -(-abs(mean) // step)
    return size if mean > 0 else -size


def _filter(components: Sequence[Component], boxes: Sequence[Box], means: Sequence[int]) -> Callable[..., int]:
    """Return the function that the library calls for each row of blocks of each component."""
    most_down = max(one.down for one in components)
    most_across = max(one.across for one in components)

    def mask(address: int, array: Any, _plane: Any, number: int, _transform: int, _data: int) -> int:
        one = components[number]
        row = array.y // BLOCK * BLOCK * most_down // one.down  # in pixels
        hit = [box for box in boxes if box.top <= row < box.bottom]
        if hit:
            blocks = np.ctypeslib.as_array((ctypes.c_int16 * (array.w * array.h)).from_address(address))
            blocks = blocks.reshape(-1, BLOCK * BLOCK)
            for box in hit:
                span = slice(*(at * one.across // (BLOCK * most_across) for at in (box.left, box.right)))
                blocks[span] = 0
                blocks[span, 0] = means[number]
        return 0

    return mask


def _without_app0(data: bytes) -> bytes:
    for marker, at, length in jpeg_segments(data):
        if marker == _APP0:
            return data[: at - 4] + data[at - 2 + length :]
    return data
