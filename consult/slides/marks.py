"""What a person draws on a slide: kinds, bounds, and what a mark measures. Pure.

Places are millimetres in the slide's coordinate system (PS3.3 C.8.12.2.1), as single precision has them, because that is
what a Comprehensive 3D SR keeps (PS3.3 C.18.9); so what is saved, opened and saved again never moves.
"""

import math
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, get_args

from kernel.errors import InvalidRequest

Kind = Literal["point", "line", "polygon", "freehand", "text"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
CLOSED: Final = frozenset({"polygon", "freehand"})  # the last point is joined to the first

MARKS_MAX: Final = 1000  # of one slide
POINTS_MAX: Final = 5000  # of one mark
ALL_POINTS_MAX: Final = 50_000  # of one slide
TEXT_CHARACTERS_MAX: Final = 256
PLACE_MM_MAX: Final = 1000.0  # no slide is as long
_POINTS: Final = {
    "point": (1, 1),
    "text": (1, 1),
    "line": (2, 2),
    "polygon": (3, POINTS_MAX),
    "freehand": (3, POINTS_MAX),
}
_UID: Final = re.compile(r"2\.25\.(0|[1-9][0-9]{0,38})", re.ASCII)

Place = tuple[float, float]


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
    if len(marks) > MARKS_MAX or sum(len(mark.points) for mark in marks) > ALL_POINTS_MAX:
        raise InvalidRequest(reason=f"more than {MARKS_MAX} marks or {ALL_POINTS_MAX} points on a slide")
    if len({mark.uid for mark in marks}) < len(marks):
        raise InvalidRequest(reason="two marks have one UID")
    return tuple(_kept(mark) for mark in marks)


def _kept(mark: Mark) -> Mark:
    least, most = _POINTS[mark.kind]
    if not _UID.fullmatch(mark.uid):
        raise InvalidRequest(reason="a mark's UID is not of the 2.25 root")
    if not least <= len(mark.points) <= most:
        raise InvalidRequest(reason=f"a {mark.kind} has from {least} to {most} points")
    if len(mark.text) > TEXT_CHARACTERS_MAX or not mark.text.isprintable():
        raise InvalidRequest(reason=f"a mark's text is one line of at most {TEXT_CHARACTERS_MAX} characters")
    if not all(abs(at) <= PLACE_MM_MAX for point in mark.points for at in point):  # which no NaN is
        raise InvalidRequest(reason="a mark is not on a slide")
    return Mark(mark.uid, mark.kind, tuple((single(x), single(y)) for x, y in mark.points), mark.text)


def single(number: float) -> float:
    """Return the nearest number of single precision."""
    return struct.unpack("<f", struct.pack("<f", number))[0]


def length_mm(mark: Mark) -> float:
    """Return how long a line is, in millimetres."""
    (x, y), (to_x, to_y) = mark.points
    return math.hypot(to_x - x, to_y - y)


def area_mm2(mark: Mark) -> float:
    """Return what an outline encloses, in square millimetres (shoelace)."""
    after = (*mark.points[1:], mark.points[0])
    return abs(sum(x * y2 - x2 * y for (x, y), (x2, y2) in zip(mark.points, after, strict=True))) / 2
