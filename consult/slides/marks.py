"""What a person draws on a slide: kinds, bounds, and what a mark measures. Pure.

Places are millimetres in the slide's coordinate system (PS3.3 C.8.12.2.1), as single precision has them, because that is
what a Comprehensive 3D SR keeps (PS3.3 C.18.9); so what is saved, opened and saved again never moves.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from consult.marks import POINTS_MAX, Place, check, in_single

Kind = Literal["point", "line", "polygon", "freehand", "text"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CLOSED: Final = frozenset({"polygon", "freehand"})  # the last point is joined to the first

PLACE_MM_MAX: Final = 1000.0  # no slide is as long
_POINTS: Final = {
    "point": (1, 1),
    "text": (1, 1),
    "line": (2, 2),
    "polygon": (3, POINTS_MAX),
    "freehand": (3, POINTS_MAX),
}


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark; its UID names it for ever (Tracking Unique Identifier)."""

    uid: str
    kind: Kind
    points: tuple[Place, ...]  # (x, y) in millimetres
    text: str = ""


def checked(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return marks as they are kept: places in single precision.

    Raises
    ------
    InvalidRequest
        There are too many, two have one UID, or one is not what its kind says.
    """
    check(marks, _POINTS, PLACE_MM_MAX)
    return tuple(replace(mark, points=in_single(mark.points)) for mark in marks)


def length_mm(mark: Mark) -> float:
    """Return how long a line is, in millimetres."""
    (x, y), (to_x, to_y) = mark.points
    return math.hypot(to_x - x, to_y - y)


def area_mm2(mark: Mark) -> float:
    """Return what an outline encloses, in square millimetres (shoelace)."""
    after = (*mark.points[1:], mark.points[0])
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(mark.points, after, strict=True))) / 2
