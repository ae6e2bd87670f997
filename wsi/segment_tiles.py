"""A part of a segmentation as a screen of one magnification can show it: how much of each pixel each segment has.

A tile is `SIDE` pixels of its octave of the slide on a side. Where the segmentation is finer than that, a pixel has the
mean of what it stands for, but up to `FAINTEST` the most of it: what is small is not lost to who looks from afar. On its
way, gzipped:

    "VSG1", then a 32-bit number: planes
    segments  32-bit number          of each plane
    planes    8 bits a pixel, by rows  of each: 255 is wholly of the segment

All little endian; segments that have nothing there have no plane.
"""

import gzip
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wsi.limits import malformed
from wsi.segment_places import Laid
from wsi.segmentation import SEGMENTS_MAX, Segmentation
from wsi.tile_index import SlideIndex

SIDE: Final = 1024  # pixels of a tile on a side
OCTAVE_MAX: Final = 20
FAINTEST: Final = 64
FRAME_COST: Final = 16_384  # samples that take as long as what is done for each frame besides
_MAGIC: Final = b"VSG1"
_LEVEL: Final = 1  # of gzip: masks are long runs

Planes = dict[int, NDArray[np.uint8]]
"""By number of segment; each of shape (SIDE, SIDE)."""
FrameOf = Callable[[int], NDArray[Any]]
"""Given the number of a frame, from 0: its samples, shape (rows, columns)."""


class TilePlace(NamedTuple):
    """One tile; columns and rows count from zero, octaves from the finest."""

    octave: int
    column: int
    row: int

    @property
    def children(self) -> "list[TilePlace]":
        """The four tiles of the next finer octave that it stands for."""
        column, row = 2 * self.column, 2 * self.row
        return [TilePlace(self.octave - 1, column + across, row + down) for down in (0, 1) for across in (0, 1)]

    def is_on(self, slide: SlideIndex) -> bool:
        """Whether anything of the slide lies in it."""
        side, finest = SIDE << self.octave, slide.levels[0]
        return self.column * side < finest.width and self.row * side < finest.height


class Sight(NamedTuple):
    """What of a matrix is seen in a tile."""

    columns: NDArray[np.int64]  # of the matrix, for each pixel along one side of the tile
    rows: NDArray[np.int64]
    frames: NDArray[np.int64]  # those that reach into it, as `Frames` counts them


def sight(one: Segmentation, laid: Laid, place: TilePlace) -> Sight:
    """Return what is seen in a tile, by arithmetic."""
    scale = 2.0**place.octave
    along = (np.arange(SIDE) + 0.5) * scale
    across, down = along + place.column * SIDE * scale, along + place.row * SIDE * scale
    if laid.is_transposed:
        across, down = down, across
    columns, rows = laid.columns.at(across), laid.rows.at(down)
    frames, image = one.frames, one.form.image
    first, last = np.searchsorted(frames.tops, [rows.min() - image.rows + 1, rows.max() + 1])
    lefts = frames.lefts[first:last]
    near = (lefts <= columns.max()) & (lefts + image.columns > columns.min())
    return Sight(columns, rows, np.flatnonzero(near) + first)


def cost(one: Segmentation, seen: Sight) -> int:
    """Return how many samples are decoded to draw what is seen."""
    return len(seen.frames) * (one.form.image.rows * one.form.image.columns + FRAME_COST)


def drawn(one: Segmentation, laid: Laid, seen: Sight, frame_of: FrameOf) -> Planes:
    """Draw what is seen of a segmentation in a tile, the nearest of its pixels for each. Raises what `frame_of` raises."""
    planes: Planes = {}
    known = [segment.number for segment in one.segments]
    image = one.form.image
    on_columns = (seen.columns >= 0) & (seen.columns < one.width)
    on_rows = (seen.rows >= 0) & (seen.rows < one.height)
    for at in seen.frames.tolist():
        left, top, segment = int(one.frames.lefts[at]), int(one.frames.tops[at]), int(one.frames.segments[at])
        columns = np.flatnonzero(on_columns & (seen.columns >= left) & (seen.columns < left + image.columns))
        rows = np.flatnonzero(on_rows & (seen.rows >= top) & (seen.rows < top + image.rows))
        if not len(columns) or not len(rows) or (segment and segment not in known):
            continue
        samples = frame_of(int(one.frames.numbers[at]))
        if not samples.any():
            continue
        # An axis goes one way, so its pixels are neighbours.
        where = (slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1))
        found = samples[(seen.rows[rows] - top)[:, None], (seen.columns[columns] - left)[None, :]]
        for number, share in _shares(one, found, segment, known):
            plane = planes.setdefault(number, np.zeros((SIDE, SIDE), np.uint8))
            plane[where] = np.maximum(plane[where], share)
    if laid.is_transposed:
        return {number: np.ascontiguousarray(plane.T) for number, plane in planes.items()}
    return planes


def _shares(
    one: Segmentation, samples: NDArray[Any], segment: int, known: Sequence[int]
) -> Iterable[tuple[int, NDArray[np.uint8]]]:
    """Return how much of each pixel each segment has that has any."""
    if one.kind == "LABELMAP":
        here = set(np.unique(samples).tolist())
        return [(number, (samples == number) * np.uint8(255)) for number in known if number in here]
    if not samples.any():
        return []
    if one.kind == "BINARY":
        return [(segment, (samples != 0) * np.uint8(255))]
    shares = np.minimum(samples * np.float32(255 / one.full), 255)
    return [(segment, shares.round().astype(np.uint8))]


def together(all_planes: Iterable[Planes]) -> Planes:
    """Return what several parts of one segmentation have in a tile."""
    planes: Planes = {}
    for each in all_planes:
        for number, plane in each.items():
            planes[number] = np.maximum(planes[number], plane) if number in planes else plane
    return planes


def reduced(children: Iterable[Planes]) -> Planes:
    """Return a tile made of the four of the next finer octave, in the order of `TilePlace.children`."""
    half = SIDE // 2
    planes: Planes = {}
    for at, child in enumerate(children):
        top, left = at // 2 * half, at % 2 * half
        for number, plane in child.items():
            whole = planes.setdefault(number, np.zeros((SIDE, SIDE), np.uint8))
            whole[top : top + half, left : left + half] = _halved(plane)
    return planes


def _halved(plane: NDArray[np.uint8]) -> NDArray[np.uint8]:
    upper, lower = plane[::2], plane[1::2]
    sums = upper.astype(np.uint16) + lower
    mean = (sums[:, ::2] + sums[:, 1::2] + 2) >> 2
    most = np.maximum(upper, lower)
    faint = np.minimum(np.maximum(most[:, ::2], most[:, 1::2]), FAINTEST)
    return np.maximum(mean.astype(np.uint8), faint)


def encoded(planes: Planes) -> bytes:
    """Return a tile as it is kept and sent."""
    numbers = sorted(planes)
    head = struct.pack(f"<4sI{len(numbers)}I", _MAGIC, len(numbers), *numbers)
    return gzip.compress(head + b"".join(planes[number].tobytes() for number in numbers), _LEVEL, mtime=0)


def decoded(content: bytes) -> Planes:
    """Return a tile that `encoded` wrote.

    Raises
    ------
    MalformedSlide
        It did not: what is kept on disk is damaged.
    """
    try:
        data = gzip.decompress(content)
        magic, count = struct.unpack_from("<4sI", data)
        if magic != _MAGIC or count > SEGMENTS_MAX or len(data) != 8 + count * (4 + SIDE * SIDE):
            raise malformed("a tile that was kept is damaged")
        numbers = struct.unpack_from(f"<{count}I", data, 8)
    except (OSError, EOFError, struct.error, zlib.error) as error:
        raise malformed("a tile that was kept is damaged") from error
    pixels = np.frombuffer(data, np.uint8, offset=8 + 4 * count).reshape(count, SIDE, SIDE)
    return dict(zip(numbers, pixels, strict=True))
