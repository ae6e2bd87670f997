"""Native pixel data with boxes made black: patches between spans of the source, so that a 2 GB cine stays on disk."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Final

import numpy as np

from anonymizer.engine.result import Piece
from anonymizer.pixels.blank import black_sample
from kernel.dicom.pixels.boxes import Box, runs
from kernel.dicom.pixels.frames import Span
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.vocabulary.limits import exceeded
from kernel.errors import UnsupportedTransferSyntax

PATCHES_MAX: Final = 2_000_000  # of one instance: a row of a box is one

Patch = tuple[int, bytes]  # where in the source, and what stands there from now on


def native_pieces(pixels: Pixels, masks: Mapping[int, tuple[Box, ...]]) -> Iterator[Piece]:
    """Yield the value of Pixel Data with the boxes of each frame made black; frames by index, boxes inside.

    Raises
    ------
    UnsupportedTransferSyntax
        The samples are of a kind that cannot be masked.
    LimitExceeded
        More than PATCHES_MAX.
    """
    image, where = pixels.image, pixels.header.pixel_data
    assert where is not None
    if image.bits_allocated != 1 and not image.has_whole_bytes:
        raise UnsupportedTransferSyntax(
            transfer_syntax_uid=pixels.transfer_syntax_uid, reason=f"samples of {image.bits_allocated} bits"
        )
    position, count = where.value_offset, 0
    for index in sorted(masks):
        for offset, new in _patches(pixels, index, masks[index]):
            count += 1
            if count > PATCHES_MAX:
                raise exceeded("PATCHES_MAX", count, PATCHES_MAX)
            if offset > position:
                yield Span(position, offset - position)
            yield new
            position = offset + len(new)
    if position < where.end:
        yield Span(position, where.end - position)


def _patches(pixels: Pixels, index: int, boxes: tuple[Box, ...]) -> Iterator[Patch]:
    """Yield the patches of one frame, in order."""
    image, stretches = pixels.image, _runs(boxes, pixels.image.columns)
    if image.bits_allocated == 1:
        yield from _bits(pixels, index, stretches)
        return
    start, size = pixels.frames.start + index * (image.frame_bits // 8), image.bits_allocated // 8
    black = black_sample(pixels, pixels.samples(index), image.photometric_interpretation)
    if image.photometric_interpretation == "YBR_FULL_422":  # two luminances, then the color that they share
        for first, end in stretches:
            pair, pairs_end = first // 2, (end + 1) // 2
            yield start + 4 * pair, bytes((0, 0, 128, 128)) * (pairs_end - pair)
        return
    octets = [np.array(one, np.dtype(image.sample_type)).tobytes() for one in black]
    if image.planar_configuration and image.samples_per_pixel > 1:
        for plane, each in enumerate(octets):
            at = start + plane * image.rows * image.columns * size
            yield from ((at + first * size, each * (end - first)) for first, end in stretches)
        return
    pixel, whole = b"".join(octets), size * image.samples_per_pixel
    yield from ((start + first * whole, pixel * (end - first)) for first, end in stretches)


def _bits(pixels: Pixels, index: int, stretches: tuple[tuple[int, int], ...]) -> Iterator[Patch]:
    """Yield patches of pixels of one bit, lowest bit first, frames without padding between them (PS3.5 8.1.1).

    A byte that two stretches share is in one patch: so each frame is one patch, from its first masked byte to its last.
    """
    image, start = pixels.image, pixels.frames.start
    base = index * image.rows * image.columns
    first, last = (base + stretches[0][0]) // 8, (base + stretches[-1][1] + 7) // 8
    octets = np.frombuffer(bytes(pixels.buffer[start + first : start + last]), np.uint8)
    bits = np.unpackbits(octets, bitorder="little")
    black = 1 if image.photometric_interpretation == "MONOCHROME1" else 0
    for begin, end in stretches:
        bits[base + begin - 8 * first : base + end - 8 * first] = black
    yield start + first, np.packbits(bits, bitorder="little").tobytes()


@lru_cache(maxsize=64)
def _runs(boxes: tuple[Box, ...], columns: int) -> tuple[tuple[int, int], ...]:
    return runs(boxes, columns)
