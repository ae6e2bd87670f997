"""Connected areas of a map of probabilities: where a text detector saw lines of text."""

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.boxes import Box
from kernel.dicom.vocabulary.limits import exceeded

RUNS_MAX: Final = 300_000  # horizontal runs of one map: noise everywhere


class Area(NamedTuple):
    """A connected area."""

    box: Box
    pixels: int
    mean: float  # of the map in it


def areas(probabilities: NDArray[np.float32], threshold: float) -> list[Area]:
    """Return the areas above `threshold`, pixels that share an edge or a corner belonging together.

    Raises
    ------
    LimitExceeded
        More than RUNS_MAX runs.
    """
    rows, starts, ends = _runs(probabilities > threshold)
    if len(rows) > RUNS_MAX:
        raise exceeded("RUNS_MAX", len(rows), RUNS_MAX)
    roots = list(range(len(rows)))
    for one, other in _neighbors(rows, starts, ends):
        a, b = _root(roots, one), _root(roots, other)
        roots[max(a, b)] = min(a, b)
    sums = np.concatenate((np.zeros(1), np.cumsum(probabilities, dtype=np.float64)))
    width = probabilities.shape[1]
    groups: dict[int, list[int]] = {}
    for number in range(len(rows)):
        groups.setdefault(_root(roots, number), []).append(number)
    found: list[Area] = []
    for members in groups.values():
        pixels = sum(ends[one] - starts[one] for one in members)
        total = sum(sums[rows[one] * width + ends[one]] - sums[rows[one] * width + starts[one]] for one in members)
        top, bottom = rows[members[0]], rows[members[-1]] + 1
        box = Box(top, min(starts[one] for one in members), bottom, max(ends[one] for one in members))
        found.append(Area(box, pixels, float(total) / pixels))
    return found


def _runs(mask: NDArray[np.bool_]) -> tuple[list[int], list[int], list[int]]:
    """Return row, first column and column after the last of each run, in reading order."""
    edges = np.diff(np.pad(mask.astype(np.int8), ((0, 0), (1, 1))), axis=1)
    rows, starts = np.nonzero(edges == 1)
    _, ends = np.nonzero(edges == -1)
    return rows.tolist(), starts.tolist(), ends.tolist()


def _neighbors(rows: list[int], starts: list[int], ends: list[int]) -> Iterator[tuple[int, int]]:
    """Yield pairs of runs of consecutive rows that touch."""
    above = 0
    for number, row in enumerate(rows):
        while rows[above] < row - 1 or (rows[above] == row - 1 and ends[above] < starts[number]):
            above += 1
        at = above
        while rows[at] == row - 1 and starts[at] <= ends[number]:
            yield at, number
            at += 1


def _root(roots: list[int], one: int) -> int:
    while roots[one] != one:
        roots[one] = roots[roots[one]]
        one = roots[one]
    return one
