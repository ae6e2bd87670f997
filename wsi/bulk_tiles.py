"""A part of a group of bulk annotations as a screen of one magnification can show it, in few bytes.

A tile is `SIDE` pixels of its octave on a side. What is large enough there to have a shape comes as its outline, in
pixels of the tile; all else as dots, at most one in a cell of two pixels. The answer is bounded whatever the group holds:

    "VAB1", then four 32-bit numbers: dots, shapes, points, whether outlines are closed (1)
    dots     16-bit right, 16-bit down                of each dot
    numbers  32-bit number of the annotation, from 1   of each shape
    ends     32-bit number of the point after its last of each shape
    points   32-bit float right, 32-bit float down     of each point

All little endian.
"""

import struct
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wsi.bulk import Group

SIDE: Final = 1024  # pixels of a tile on a side
OCTAVE_MAX: Final = 20
SHAPE_MIN: Final = 3.0  # pixels: what is smaller is a dot
CELL: Final = 2  # pixels on a side in which one dot stands for all
MARGIN: Final = 3.0  # pixels around a tile from which lines reach into it
TILE_POINTS_MAX: Final = 200_000  # of all outlines of a tile; the largest have them
_MAGIC: Final = b"VAB1"


def bulk_tile(group: Group, octave: int, column: int, row: int) -> bytes:
    """Return one tile; columns and rows count from zero, octaves from the finest."""
    scale = 2.0**octave
    left, top = column * SIDE * scale, row * SIDE * scale
    found = _near(group, left, top, scale)
    boxes = (group.boxes[found] - np.array([left, top, left, top], np.float64)) / scale
    is_shape = _ranked(group, found, boxes)
    shapes = found[is_shape]
    points, ends = _outlines(group, shapes)
    places = ((points - np.array([left, top])) / scale).astype("<f4")
    kept, ends = _thinned(places, ends)
    dots = _dots(boxes[~is_shape])
    head = struct.pack("<4s4I", _MAGIC, len(dots), len(shapes), len(kept), int(group.is_closed))
    parts = (dots.astype("<u2"), (shapes + 1).astype("<u4"), ends.astype("<u4"), kept)
    return head + b"".join(part.tobytes() for part in parts)


def _near(group: Group, left: float, top: float, scale: float) -> NDArray[np.intp]:
    """Return the annotations whose boxes reach into a tile, in their order; of a large group nothing is copied."""
    boxes, reach, side = group.boxes, MARGIN * scale, (SIDE + MARGIN) * scale
    near = (boxes[:, 2] >= left - reach) & (boxes[:, 3] >= top - reach)
    near &= (boxes[:, 0] <= left + side) & (boxes[:, 1] <= top + side)
    return np.flatnonzero(near)


def _ranked(group: Group, found: NDArray[np.intp], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Return which of the annotations that were found come as shapes; the others are dots. `boxes` are theirs."""
    extents = np.maximum(boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1])
    large = np.flatnonzero(extents >= SHAPE_MIN)
    by_size = large[np.argsort(-extents[large], kind="stable")]
    points = np.cumsum(group.starts[found[by_size] + 1] - group.starts[found[by_size]])
    is_shape = np.zeros(len(found), bool)
    is_shape[by_size[points <= TILE_POINTS_MAX]] = True
    return is_shape


def _outlines(group: Group, shapes: NDArray[np.intp]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Return the points of some annotations, one after the other, and where each ends."""
    starts, counts = group.starts[shapes], group.starts[shapes + 1] - group.starts[shapes]
    ends = np.cumsum(counts)
    which = np.arange(ends[-1] if len(ends) else 0) + np.repeat(starts - (ends - counts), counts)
    return group.points[which].astype(np.float64), ends


def _thinned(places: NDArray[np.float32], ends: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Leave out points that stand in the same half pixel as the one before."""
    if not len(places):
        return places, ends
    halves = np.floor(places * 2)
    keeps = np.ones(len(places), bool)
    keeps[1:] = (halves[1:] != halves[:-1]).any(axis=1)
    keeps[ends[:-1]] = True  # the first of each
    return places[keeps], np.cumsum(keeps)[ends - 1]


def _dots(boxes: NDArray[np.float64]) -> NDArray[np.int64]:
    centers = (boxes[:, :2] + boxes[:, 2:]) / 2
    inside = centers[((centers >= 0) & (centers < SIDE)).all(axis=1)]
    cells = np.unique((inside // CELL).astype(np.int64), axis=0) if len(inside) else np.zeros((0, 2), np.int64)
    return cells * CELL + CELL // 2
