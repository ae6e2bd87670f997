"""Between the pixels of a Total Pixel Matrix and millimetres on the glass (PS3.3 C.8.12.2.1.1)."""

import numpy as np
from numpy.typing import NDArray

from wsi.limits import malformed
from wsi.tile_index import OnGlass


def steps_mm(glass: OnGlass, mpp: tuple[float, float]) -> NDArray[np.float64]:
    """Return a step of one pixel to the right, and one down, as the columns of a matrix; in millimetres across and along.

    Raises
    ------
    MalformedSlide
        Both go the same way.
    """
    row, column = glass.orientation[:2], glass.orientation[3:5]
    steps = np.array([[row[0] * mpp[0], column[0] * mpp[1]], [row[1] * mpp[0], column[1] * mpp[1]]]) / 1000
    if abs(float(np.linalg.det(steps))) < 1e-15:
        raise malformed("the slide lies on the glass in no direction")
    return steps
