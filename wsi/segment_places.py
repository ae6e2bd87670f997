"""Where a segmentation lies on a slide: from the slide's pixels to those of the segmentation's own matrix."""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wsi.glass import steps_mm
from wsi.segmentation import Reason, Segmentation
from wsi.tile_index import SlideIndex

OFF_MAX: Final = 1.0  # pixels of a segmentation that it may be turned away over all of its matrix
SAME_MAX: Final = 1.5  # pixels of a segmentation, by which two places are the same
_NEARLY: Final = 0.01  # of an octave, by which a scale counts as that octave's


@dataclass(frozen=True, slots=True)
class Axis:
    """What lies at a place along one side of the slide: the pixel `begin + step * place` of the matrix."""

    begin: float
    step: float

    def at(self, places: NDArray[np.floating[Any]]) -> NDArray[np.int64]:
        """Return pixels of the matrix, from 0; some may lie outside it."""
        return np.floor(self.begin + self.step * places).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Laid:
    """How a matrix lies on the finest octave of a slide, whose places count from its top left corner."""

    columns: Axis  # of the matrix
    rows: Axis
    is_transposed: bool  # its columns go down the slide, its rows across

    @property
    def octave(self) -> int:
        """The octave of the slide whose pixels are as large as the matrix's, or a little smaller."""
        scale = 1 / max(abs(self.columns.step), abs(self.rows.step))
        return max(0, math.floor(math.log2(scale) + _NEARLY))


def laid_on(
    slide: SlideIndex, frame_of_reference_uid: str, instances: tuple[str, ...], one: Segmentation
) -> Laid | Reason:
    """Return how a segmentation lies on a slide, or why nobody knows.

    Places on the glass tell it. A matrix as large as that of an image which it was made of lies on that one, pixel on
    pixel, where its place is not told, or told within `SAME_MAX` of that: spacings are rounded, and an old highdicom
    wrote origins that were a pixel off.

    Parameters
    ----------
    instances
        SOP Instance UIDs of the slide's files, as its index counts them.

    Raises
    ------
    MalformedSlide
        One of them lies on the glass in no direction.
    """
    space = one.about.frame_of_reference_uid
    is_here = space == frame_of_reference_uid or not (space and frame_of_reference_uid)
    by_glass = _by_glass(slide, one) if is_here else None
    by_matrix = _by_matrix(slide, instances, one)
    if by_glass is None:
        return by_matrix or ("unplaced" if is_here else "elsewhere")
    if by_matrix and isinstance(by_glass, Laid) and _are_near(slide, by_glass, by_matrix):
        return by_matrix
    return by_glass


def _are_near(slide: SlideIndex, one: Laid, other: Laid) -> bool:
    """Whether two ways of lying on a slide are the same but for what is rounded."""
    if one.is_transposed != other.is_transposed:
        return False
    finest = slide.levels[0]
    sides = ((one.columns, other.columns, finest.width), (one.rows, other.rows, finest.height))
    return all(
        abs(first.begin - second.begin + (first.step - second.step) * place) <= SAME_MAX
        for first, second, side in sides
        for place in (0, side)
    )


def _by_glass(slide: SlideIndex, one: Segmentation) -> Laid | Reason | None:
    under, over = slide.on_glass, one.on_glass
    if under is None or over is None or under.origin_mm is None or over.origin_mm is None:
        return None
    if slide.mpp is None or one.mpp is None:
        return None
    to_matrix = np.linalg.inv(steps_mm(over, one.mpp))
    turn = to_matrix @ steps_mm(under, slide.mpp)
    # The origins are centers of pixels, half of one in from the corner.
    begin = to_matrix @ (np.array(under.origin_mm) - np.array(over.origin_mm)) + 0.5 - turn @ np.array([0.5, 0.5])
    finest = slide.levels[0]
    off = np.abs(turn) * np.array([finest.width, finest.height])
    if off[0, 1] <= OFF_MAX and off[1, 0] <= OFF_MAX:
        columns, rows = turn[0, 0], turn[1, 1]
        return Laid(Axis(float(begin[0]), float(columns)), Axis(float(begin[1]), float(rows)), is_transposed=False)
    if off[0, 0] <= OFF_MAX and off[1, 1] <= OFF_MAX:
        columns, rows = turn[0, 1], turn[1, 0]
        return Laid(Axis(float(begin[0]), float(columns)), Axis(float(begin[1]), float(rows)), is_transposed=True)
    return "turned"


def _by_matrix(slide: SlideIndex, instances: tuple[str, ...], one: Segmentation) -> Laid | None:
    finest = slide.levels[0]
    made_of = {file for file, uid in enumerate(instances) if uid in one.about.refers.instances}
    for level in slide.levels:
        if (level.width, level.height) == (one.width, one.height) and made_of & set(np.unique(level.files).tolist()):
            columns, rows = level.width / finest.width, level.height / finest.height
            return Laid(Axis(0.0, columns), Axis(0.0, rows), is_transposed=False)
    return None
