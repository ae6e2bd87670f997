"""Marks as the graphics of SCOORD items and back (PS3.3 C.18.6.1.2). Pure.

SCOORD wants outlines in order, closed, and an ellipse's major axis first; the reading room has a rectangle's corners by
rows and of an ellipse the axis that is more upright first.
"""

from collections.abc import Sequence
from typing import Final, Literal

from consult.findings.marks import Kind, Mark, Place

GraphicType = Literal["POINT", "POLYLINE", "ELLIPSE"]
Graphic = tuple[GraphicType, tuple[Place, ...]]
_TWO_LINES: Final[frozenset[Kind]] = frozenset({"bidirectional", "cobb"})


def graphics_of(mark: Mark) -> tuple[Graphic, ...]:
    """Return what is drawn, one graphic for each SCOORD item."""
    points = mark.points
    if mark.kind in _TWO_LINES:
        return ("POLYLINE", points[:2]), ("POLYLINE", points[2:])
    if mark.kind == "probe":
        return (("POINT", points),)
    if mark.kind == "ellipse":
        one, other = points[:2], points[2:]
        return (("ELLIPSE", one + other if _length2(one) >= _length2(other) else other + one),)
    if mark.kind == "rectangle":
        first, second, third, fourth = points
        return (("POLYLINE", (first, second, fourth, third, first)),)
    if mark.kind == "freehand":
        return (("POLYLINE", (*points, points[0])),)
    return (("POLYLINE", points),)


def points_of(kind: Kind, graphics: Sequence[tuple[Place, ...]]) -> tuple[Place, ...]:
    """Return a mark's points of the graphics that `graphics_of` made of it."""
    points = tuple(place for graphic in graphics for place in graphic)
    if kind == "rectangle":
        first, second, fourth, third, _ = points
        return (first, second, third, fourth)
    if kind == "ellipse":
        one, other = points[:2], points[2:]
        return one + other if _is_more_upright(one, other) else other + one
    return points[:-1] if kind == "freehand" else points


def _length2(axis: Sequence[Place]) -> float:
    (column, row), (to_column, to_row) = axis
    return (to_column - column) ** 2 + (to_row - row) ** 2


def _is_more_upright(one: Sequence[Place], other: Sequence[Place]) -> bool:
    def rise(axis: Sequence[Place]) -> float:
        (column, row), (to_column, to_row) = axis
        return abs(to_row - row) - abs(to_column - column)

    return rise(one) >= rise(other)
