"""Encapsulated pixel data put together again: new frames as new bytes, the others as spans of the source (PS3.5 A.4)."""

import struct
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np

from anonymizer.engine.result import Piece, size_of
from kernel.dicom.pixels.encapsulate import BASIC_OFFSETS_MAX
from kernel.dicom.pixels.frames import Span
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.vocabulary.limits import exceeded

_ITEM: Final = struct.Struct("<HHI")
_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)


def encapsulated_pieces(pixels: Pixels, new: Mapping[int, bytes]) -> tuple[Piece, ...]:
    """Return the value of Pixel Data with some frames replaced, and a new Basic Offset Table before them.

    Frames that stay keep their fragments. Nothing that stood after the last frame stays.

    Raises
    ------
    LimitExceeded
        The frames are more than BASIC_OFFSETS_MAX bytes together.
    """
    frames: list[Piece] = []
    offsets: list[int] = []
    position = 0
    for index in range(pixels.frames.number_of_frames):
        offsets.append(position)
        for piece in _item(new[index]) if index in new else _fragments(pixels, index):
            frames.append(piece)
            position += size_of(piece)
    if offsets[-1] > BASIC_OFFSETS_MAX:
        raise exceeded("BASIC_OFFSETS_MAX", offsets[-1], BASIC_OFFSETS_MAX)
    table = np.asarray(offsets, "<u4").tobytes()
    return (_ITEM.pack(0xFFFE, 0xE000, len(table)) + table, *frames, _END)


def _fragments(pixels: Pixels, index: int) -> Iterator[Piece]:
    for span in pixels.spans(index):
        yield _ITEM.pack(0xFFFE, 0xE000, span.length + span.length % 2)
        yield Span(span.offset, span.length)
        if span.length % 2:
            yield b"\0"


def _item(data: bytes) -> Iterator[Piece]:
    yield _ITEM.pack(0xFFFE, 0xE000, len(data) + len(data) % 2)
    yield data + b"\0" * (len(data) % 2)
