"""What any structured report draws: numbers, words and places of its measurements, whoever wrote it. Pure.

A mark is a measurement group (TID 1500: 125007) or any other content item that has coordinates right under it, as CAD
reports and single measurements (TID 300) have. Places are those of SCOORD, in an image, or SCOORD3D, in a frame of
reference (PS3.3 C.18.6, C.18.9). What is not as it should be is passed over.
"""

import math
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from pydicom.dataset import Dataset
from pydicom.multival import MultiValue

from consult.findings.content_tree import DEPTH_MAX
from consult.findings.marks import KINDS, Kind

Graphic = Literal["POINT", "MULTIPOINT", "POLYLINE", "POLYGON", "CIRCLE", "ELLIPSE", "ELLIPSOID", "IMAGE"]
GRAPHICS: Final[tuple[Graphic, ...]] = get_args(Graphic)
MARKS_MAX: Final = 1000  # of one document
SHAPES_MAX: Final = 64  # of one mark
FIGURES_MAX: Final = 16  # of one mark
POINTS_MAX: Final = 5000  # of one shape
ALL_POINTS_MAX: Final = 50_000  # of one document
FRAMES_MAX: Final = 64  # that one shape names
CHARACTERS_MAX: Final = 256
_GROUP, _FINDING, _TRACKING_ID, _COMMENT, _DERIVATION = "125007", "121071", "112039", "121106", "121401"
_OURS: Final = "99VIENANH"
_COORDINATES: Final[dict[str, int]] = {"SCOORD": 2, "SCOORD3D": 3}
_DRAWN: Final[dict[str, Graphic]] = {one: one for one in GRAPHICS if one != "IMAGE"}
_NO_UNIT: Final = frozenset({"1", ""})


@dataclass(frozen=True, slots=True)
class Amount:
    """A number as the document calls it; `unit` is a UCUM code, or words, empty for none."""

    name: str
    value: float
    unit: str


@dataclass(frozen=True, slots=True)
class Shape:
    """One graphic: places of two numbers in an image, of three in a frame of reference; IMAGE has none."""

    graphic: Graphic
    points: tuple[tuple[float, ...], ...]
    sop_instance_uid: str = ""  # of the image that it is on; may be empty in space
    frames: tuple[int, ...] = ()  # from one; none: all of the image
    frame_of_reference_uid: str = ""  # of places in space


@dataclass(frozen=True, slots=True)
class DrawnMark:
    """A mark and what it says; `kind` when it is one of ours."""

    name: str
    kind: Kind | None
    amounts: tuple[Amount, ...]
    text: str
    shapes: tuple[Shape, ...]


def drawn_in(ds: Dataset) -> tuple[tuple[DrawnMark, ...], bool]:
    """Return the marks of a document, and whether that is all of them."""
    found: list[DrawnMark] = []
    points = 0
    for item in _groups(ds, 0):
        mark = _mark(item, ds)
        if not mark.shapes:
            continue
        points += sum(len(shape.points) for shape in mark.shapes)
        if len(found) >= MARKS_MAX or points > ALL_POINTS_MAX:
            return tuple(found), False
        found.append(mark)
    return tuple(found), True


def _children(item: Dataset) -> list[Dataset]:
    return list(item.get("ContentSequence") or ())


def _groups(item: Dataset, depth: int) -> Iterator[Dataset]:
    if depth > DEPTH_MAX:
        return
    for child in _children(item):
        if _concept(child) == _GROUP or any(_kind(below) in _COORDINATES for below in _children(child)):
            yield child
        else:
            yield from _groups(child, depth + 1)


def _below(item: Dataset, depth: int = 0) -> Iterator[Dataset]:
    yield item
    if depth < DEPTH_MAX:
        for child in _children(item):
            yield from _below(child, depth + 1)


def _mark(group: Dataset, root: Dataset) -> DrawnMark:
    amounts: list[Amount] = []
    shapes: list[Shape] = []
    images: list[Shape] = []
    for item in _below(group):
        with suppress(AttributeError, IndexError, KeyError, TypeError, ValueError):
            if _kind(item) == "NUM":
                amounts += [_amount(item)]
            elif _kind(item) in _COORDINATES:
                shapes += _shape(item, root)
            elif _kind(item) == "IMAGE":
                images += [_whole(item)]
    named = {_concept(child): child for child in _children(group)}
    return DrawnMark(
        name=_name(group, named),
        kind=_own_kind(named.get(_FINDING)),
        amounts=tuple(amounts[:FIGURES_MAX]),
        text=_text(named.get(_COMMENT)),
        shapes=tuple(shapes[:SHAPES_MAX] or images[:1]),
    )


def _name(group: Dataset, named: dict[str, Dataset]) -> str:
    finding, tracking = named.get(_FINDING), named.get(_TRACKING_ID)
    if finding is not None and (found := _meaning(finding, "ConceptCodeSequence")):
        return found
    if _concept(group) == _GROUP:
        return _text(tracking)
    said = _meaning(group, "ConceptCodeSequence") if _kind(group) == "CODE" else ""
    return said or _meaning(group, "ConceptNameCodeSequence")


def _own_kind(finding: Dataset | None) -> Kind | None:
    with suppress(AttributeError, IndexError):
        if finding is not None and finding.ConceptCodeSequence[0].CodingSchemeDesignator == _OURS:
            kinds: dict[str, Kind] = {one: one for one in KINDS}
            return kinds.get(str(finding.ConceptCodeSequence[0].CodeValue))
    return None


def _amount(item: Dataset) -> Amount:
    measured = item.MeasuredValueSequence[0]
    value = float(measured.get("FloatingPointValue", measured.NumericValue))
    if not math.isfinite(value):
        raise ValueError(value)
    unit = measured.MeasurementUnitsCodeSequence[0]
    said = str(unit.CodeValue if unit.CodingSchemeDesignator == "UCUM" else unit.CodeMeaning)[:CHARACTERS_MAX]
    name = _meaning(item, "ConceptNameCodeSequence")
    derived = next((one for one in _children(item) if _concept(one) == _DERIVATION), None)
    how = "" if derived is None else _meaning(derived, "ConceptCodeSequence")
    return Amount(f"{name} ({how})" if how else name, value, "" if said in _NO_UNIT else said)


def _shape(item: Dataset, root: Dataset) -> list[Shape]:
    size = _COORDINATES[_kind(item)]
    graphic = _DRAWN.get(str(item.GraphicType))
    flat = [float(at) for at in item.GraphicData]
    if (
        graphic is None
        or len(flat) % size
        or not 0 < len(flat) // size <= POINTS_MAX
        or not all(map(math.isfinite, flat))
    ):
        return []
    points = tuple(tuple(flat[at : at + size]) for at in range(0, len(flat), size))
    image = _image_of(item, root)
    on = _whole(image) if image is not None else Shape("IMAGE", ())
    space = str(item.get("ReferencedFrameOfReferenceUID", "")) if size == 3 else ""
    return [Shape(graphic, points, on.sop_instance_uid, on.frames, space)] if on.sop_instance_uid or space else []


def _image_of(item: Dataset, root: Dataset) -> Dataset | None:
    """Return the content item of the image that coordinates were selected from, by value or by reference (C.17.3.2.5)."""
    for child in _children(item):
        if "ReferencedSOPSequence" in child:
            return child
        if "ReferencedContentItemIdentifier" in child:
            at = root
            for number in _numbers(child.ReferencedContentItemIdentifier)[1:]:  # the first is the root itself
                at = _children(at)[number - 1]
            return at if "ReferencedSOPSequence" in at else None
    return None


def _whole(item: Dataset) -> Shape:
    one = item.ReferencedSOPSequence[0]
    frames = _numbers(one.get("ReferencedFrameNumber"))
    return Shape("IMAGE", (), str(one.ReferencedSOPInstanceUID), tuple(frames[:FRAMES_MAX]))


def _numbers(value: Any) -> list[int]:
    """Return the numbers of an element of one value or several; none of an empty one."""
    several: list[Any] = list(value) if isinstance(value, MultiValue | list) else [value]
    return [int(one) for one in several if one not in (None, "")]


def _kind(item: Dataset) -> str:
    return str(item.get("ValueType", ""))


def _concept(item: Dataset) -> str:
    name = item.get("ConceptNameCodeSequence")
    return str(name[0].get("CodeValue", "")) if name else ""


def _meaning(item: Dataset, keyword: str) -> str:
    with suppress(AttributeError, IndexError, KeyError):
        return str(item[keyword].value[0].CodeMeaning)[:CHARACTERS_MAX]
    return ""


def _text(item: Dataset | None) -> str:
    return "" if item is None else str(item.get("TextValue", ""))[:CHARACTERS_MAX]
