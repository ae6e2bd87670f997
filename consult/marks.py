"""What marks on images and marks on slides have alike: bounds, a UID for ever, places in single precision. Pure."""

import re
import struct
from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from kernel.errors import InvalidRequest

MARKS_MAX: Final = 1000  # of one document
POINTS_MAX: Final = 5000  # of one mark
ALL_POINTS_MAX: Final = 50_000  # of one document
TEXT_CHARACTERS_MAX: Final = 256
_UID: Final = re.compile(r"2\.25\.(0|[1-9][0-9]{0,38})", re.ASCII)

Place = tuple[float, float]


class Drawn(Protocol):
    """A mark, wherever it is."""

    @property
    def uid(self) -> str:
        """Names it for ever (Tracking Unique Identifier)."""
        ...

    @property
    def kind(self) -> str:
        """What it is."""
        ...

    @property
    def points(self) -> tuple[Place, ...]:
        """Where it is."""
        ...

    @property
    def text(self) -> str:
        """What was written beside it."""
        ...


def check(marks: Sequence[Drawn], points_of: Mapping[str, tuple[int, int]], place_max: float) -> None:
    """Check marks by what they have alike.

    Parameters
    ----------
    points_of
        How many points a mark of each kind has, from and to.
    place_max
        How far from its origin a coordinate may be.

    Raises
    ------
    InvalidRequest
        There are too many, two have one UID, or one is not what its kind says.
    """
    if len(marks) > MARKS_MAX or sum(len(mark.points) for mark in marks) > ALL_POINTS_MAX:
        raise InvalidRequest(reason=f"more than {MARKS_MAX} marks or {ALL_POINTS_MAX} points")
    if len({mark.uid for mark in marks}) < len(marks):
        raise InvalidRequest(reason="two marks have one UID")
    for mark in marks:
        least, most = points_of[mark.kind]
        if not _UID.fullmatch(mark.uid):
            raise InvalidRequest(reason="a mark's UID is not of the 2.25 root")
        if not least <= len(mark.points) <= most:
            raise InvalidRequest(reason=f"a mark of kind {mark.kind} has from {least} to {most} points")
        if len(mark.text) > TEXT_CHARACTERS_MAX or not mark.text.isprintable():
            raise InvalidRequest(reason=f"a mark's text is one line of at most {TEXT_CHARACTERS_MAX} characters")
        if not all(abs(at) <= place_max for point in mark.points for at in point):  # which no NaN is
            raise InvalidRequest(reason="a mark is not on what was drawn on")


def in_single(points: Sequence[Place]) -> tuple[Place, ...]:
    """Return places as DICOM keeps them, so that what is saved, opened and saved again never moves."""
    return tuple((single(one), single(other)) for one, other in points)


def single(number: float) -> float:
    """Return the nearest number of single precision."""
    return struct.unpack("<f", struct.pack("<f", number))[0]
