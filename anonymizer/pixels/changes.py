"""Frames of a cine in which some small place changes as it hardly ever does: text that comes or goes is such a change.

A line of text among moving tissue changes a whole frame less than a heartbeat does. So a frame is parted into cells, and
a cell's step from one frame to the next is measured by what this cell's steps usually are. Text may have come with an odd
step or have gone with it: the frames on both sides are told.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

CELLS: Final = 48  # down, and across; fewer of a small frame:
CELL_PIXELS: Final = (
    8  # the least height and width of a cell. Two by two, at every place, are about a short word's size
)
STEPS_MAX: Final = 4  # odd steps that are told, each of other places
ODD: Final = 0.1  # more than a place's usual step
FAINT: Final = 0.004  # of the range of values: what is always there as noise, where nothing moves
ALIKE: Final = 0.5  # of what makes a step odd: places where it is odd by more are odd for the same reason


class Changes:
    """The steps of a cine's cells, frame by frame."""

    __slots__ = ("_steps",)

    def __init__(self) -> None:
        self._steps: list[NDArray[np.float32]] = []  # (CELLS, CELLS), or fewer of a small frame; shares of the range

    def add(self, difference: NDArray[np.float32], reach: float) -> None:
        """Note the step to the next frame: how each pixel differs, (rows, columns), and the range of values."""
        self._steps.append(_cells(difference) / np.float32(reach))

    def odd_frames(self) -> list[int]:
        """Return the indices of at most 2 * STEPS_MAX frames, ascending."""
        if not self._steps:
            return []
        steps = _two_by_two(np.stack(self._steps))
        more = steps / (np.median(steps, axis=0) + FAINT) - 1
        found: set[int] = set()
        for _ in range(STEPS_MAX):
            at = int(more.max(axis=(1, 2)).argmax())
            most = float(more[at].max())
            if most < ODD:
                break
            found |= {at, at + 1}
            more[:, more[at] >= ALIKE * most] = 0
        return sorted(found)


def _cells(difference: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the mean of each cell."""
    means: NDArray[Any] = difference
    for axis, length in enumerate(difference.shape):
        edges = _edges(length)
        sizes = np.diff([*edges, length]).astype(np.float32)
        means = np.add.reduceat(means, edges, axis=axis) / (sizes[:, None] if axis == 0 else sizes)
    return np.asarray(means, np.float32)


def _edges(length: int) -> list[int]:
    """Return where cells begin."""
    count = min(CELLS, max(1, length // CELL_PIXELS))
    return [length * number // count for number in range(count)]


def _two_by_two(steps: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the means of neighbouring cells, (steps, rows - 1, columns - 1): text rarely lies within one."""
    for axis in (1, 2):
        if steps.shape[axis] > 1:
            first, last = (np.take(steps, range(at, steps.shape[axis] - 1 + at), axis) for at in (0, 1))
            steps = (first + last) * np.float32(0.5)
    return steps
