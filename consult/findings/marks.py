"""What a reader measures and points at in images: kinds, bounds, and the figures that were shown beside a mark. Pure.

Places are (column, row) in pixels from the corner of the image's first pixel, as SCOORD has them (PS3.3 C.18.6), in
single precision, because that is what SCOORD keeps; so what is saved, opened and saved again never moves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal, get_args

from consult.marks import POINTS_MAX, Place, check, in_single
from kernel.errors import InvalidRequest

Kind = Literal[
    "length", "bidirectional", "angle", "cobb", "probe", "rectangle", "ellipse", "freehand", "arrow"
]  # fmt: skip
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)
Quantity = Literal[
    "length", "long", "short", "angle", "cobb", "value", "area", "mean", "deviation", "lowest", "highest"
]  # fmt: skip
Unit = Literal["mm", "px", "mm2", "px2", "deg", "HU", "SUVbw", ""]  # "": numbers without a known unit
Calibration = Literal["patient", "detector", "region", "none"]  # where millimetres come from

PLACE_PX_MAX: Final = 100_000.0  # Rows and Columns are 16 bits; a mark may reach a little beyond the image
NUMBER_MAX: Final = 1e12
FRAME_MAX: Final = 2**31 - 1  # IS, as Referenced Frame Number is
_POINTS: Final[Mapping[str, tuple[int, int]]] = {
    "length": (2, 2),
    "bidirectional": (4, 4),
    "angle": (3, 3),
    "cobb": (4, 4),
    "probe": (1, 1),
    "rectangle": (4, 4),
    "ellipse": (4, 4),
    "freehand": (3, POINTS_MAX),
    "arrow": (2, 2),
}
_OF_REGION: Final[frozenset[Quantity]] = frozenset({"area", "mean", "deviation", "lowest", "highest"})
QUANTITIES: Final[Mapping[Kind, frozenset[Quantity]]] = {
    "length": frozenset({"length"}),
    "bidirectional": frozenset({"long", "short"}),
    "angle": frozenset({"angle"}),
    "cobb": frozenset({"cobb"}),
    "probe": frozenset({"value"}),
    "rectangle": _OF_REGION,
    "ellipse": _OF_REGION,
    "freehand": _OF_REGION,
    "arrow": frozenset(),
}
NEEDED: Final[frozenset[Kind]] = frozenset(
    {"length", "bidirectional", "angle", "cobb"}
)  # nothing without their figures


@dataclass(frozen=True, slots=True)
class Figure:
    """One number that was shown beside a mark."""

    quantity: Quantity
    value: float
    unit: Unit


@dataclass(frozen=True, slots=True)
class Where:
    """The image that a mark is on."""

    series_instance_uid: str
    sop_instance_uid: str
    frame_number: int | None  # from one; None for an instance that has but one frame


@dataclass(frozen=True, slots=True)
class Mark:
    """One mark; its UID names it for ever (Tracking Unique Identifier).

    The order of `points` is that of the reading room: ends of lines; an angle's apex in the middle; of a bidirectional
    mark the two lines, of which the first has the first figure; a rectangle's corners by rows; the ends of an ellipse's
    two axes in pairs; an arrow's head first.
    """

    uid: str
    kind: Kind
    where: Where
    points: tuple[Place, ...]
    figures: tuple[Figure, ...] = ()
    calibration: Calibration = "none"
    text: str = ""


def checked(marks: Sequence[Mark]) -> tuple[Mark, ...]:
    """Return marks as they are kept: places in single precision.

    Raises
    ------
    InvalidRequest
        There are too many, two have one UID, or one is not what its kind says.
    """
    check(marks, _POINTS, PLACE_PX_MAX)
    for mark in marks:
        if mark.where.frame_number is not None and not 1 <= mark.where.frame_number <= FRAME_MAX:
            raise InvalidRequest(reason="frames are counted from one")
        _check_figures(mark)
    return tuple(replace(mark, points=in_single(mark.points)) for mark in marks)


def _check_figures(mark: Mark) -> None:
    told: list[str] = [figure.quantity for figure in mark.figures]
    if len(set(told)) < len(told) or not set(told) <= QUANTITIES[mark.kind]:
        raise InvalidRequest(reason=f"a mark of kind {mark.kind} does not tell {', '.join(told)}"[:200])
    if mark.kind in NEEDED and len(told) < len(QUANTITIES[mark.kind]):
        raise InvalidRequest(reason=f"a mark of kind {mark.kind} tells {', '.join(sorted(QUANTITIES[mark.kind]))}")
    if not all(abs(figure.value) <= NUMBER_MAX for figure in mark.figures):
        raise InvalidRequest(reason="a figure is no number")
