"""What bulk annotations were measured to be: figures of a group, one for each annotation or for some (PS3.3 C.37.1.2)."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.scanning.values import Values
from wsi.limits import at_most, malformed

MEASUREMENTS_MAX: Final = 64  # of one group
_MEASUREMENTS, _VALUES = 0x00660121, 0x00660132
_CONCEPT_NAME, _UNITS = 0x0040A043, 0x004008EA
_FLOATS, _INDEX = 0x00660125, 0x006A0011
_CODE_VALUE, _CODE_MEANING = 0x00080100, 0x00080104


@dataclass(frozen=True, slots=True)
class Measurement:
    """One figure of a group's annotations."""

    code: str  # of what was measured, such as 42798000 (SCT): area
    name: str  # the same in the words of whoever wrote it
    unit: str  # UCUM
    values: NDArray[np.float32] = field(repr=False)  # shape (figures,)
    numbers: NDArray[np.uint32] | None = field(
        repr=False
    )  # whose each is, from 1, ascending; None: of all in their order

    def of(self, number: int) -> float | None:
        """Return the figure of an annotation, counted from one; None if it has none."""
        at = number - 1
        if self.numbers is not None:
            at = int(np.searchsorted(self.numbers, number))
            if at < len(self.numbers) and int(self.numbers[at]) != number:
                return None
        if not 0 <= at < len(self.values):
            return None
        value = float(self.values[at])
        return value if np.isfinite(value) else None


def measurements(group: Values, annotations: int) -> tuple[Measurement, ...]:
    """Read what the annotations of a group were measured to be.

    Raises
    ------
    LimitExceeded
        There are more than a group may have.
    MalformedSlide
        There are not as many figures as annotations, or as are listed, or one is of an annotation that is not there.
    """
    items = group.items(_MEASUREMENTS)
    at_most("measurements of a group of annotations", len(items), MEASUREMENTS_MAX)
    return tuple(_measurement(item, annotations) for item in items)


def _measurement(item: Values, annotations: int) -> Measurement:
    name, units, told = item.item(_CONCEPT_NAME), item.item(_UNITS), item.item(_VALUES)
    if told is None:
        raise malformed("a measurement of its annotations has no figures")
    bytes_max = 4 * (annotations + 1)
    values = _words(told.raw(_FLOATS, bytes_max), "<f4").astype(np.float32)
    numbers = _words(told.raw(_INDEX, bytes_max), "<u4").astype(np.uint32) if _INDEX in told else None
    if len(values) != (annotations if numbers is None else len(numbers)):
        raise malformed("a measurement has not as many figures as annotations")
    if numbers is not None and len(numbers):
        in_order = bool((np.diff(numbers.astype(np.int64)) > 0).all())
        if not in_order or int(numbers[0]) < 1 or int(numbers[-1]) > annotations:
            raise malformed("a measurement is of annotations that are not there")
    return Measurement(
        code=name.text(_CODE_VALUE) if name else "",
        name=name.text(_CODE_MEANING) if name else "",
        unit=units.text(_CODE_VALUE) if units else "",
        values=values,
        numbers=numbers,
    )


def _words(data: bytes, kind: str) -> NDArray[np.generic]:
    """Return four-byte values."""
    if len(data) % 4:
        raise malformed("the figures of a measurement are not whole")
    return np.frombuffer(data, kind)
