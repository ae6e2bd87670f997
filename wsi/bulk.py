"""Bulk annotations of a slide: what Microscopy Bulk Simple Annotations hold (PS3.3 A.86, C.37), as arrays.

A group is one kind of thing, such as all nuclei that an algorithm found: one graphic type, many annotations. Places come
out in pixels of the finest level of the slide, from the top left corner of the Total Pixel Matrix.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.scanning.elements import Buffer
from kernel.dicom.scanning.scanner import scan
from kernel.dicom.scanning.values import Values
from wsi.bulk_measurements import Measurement, measurements
from wsi.glass import steps_mm
from wsi.limits import at_most, malformed
from wsi.tile_index import SlideIndex

BULK_ANNOTATIONS: Final = "1.2.840.10008.5.1.4.1.1.91.1"  # Microscopy Bulk Simple Annotations Storage
GROUPS_MAX: Final = 256  # of one instance
ANNOTATIONS_MAX: Final = 2_000_000  # of one group
POINTS_MAX: Final = 10_000_000  # of one instance
ELLIPSE_CORNERS: Final = 24

_REFERENCED_SERIES, _REFERENCED_IMAGES, _SERIES_UID, _INSTANCE_UID = 0x00081115, 0x00081140, 0x0020000E, 0x00081155
_COORDINATES, _GROUPS, _ORIGIN = 0x006A0001, 0x006A0002, 0x00480301
_GROUP_UID, _LABEL, _GENERATION, _ALGORITHM = 0x006A0003, 0x006A0005, 0x006A0007, 0x006A0008
_CATEGORY, _TYPE, _COUNT, _COMMON_Z, _GROUP_NUMBER = 0x006A0009, 0x006A000A, 0x006A000C, 0x006A0010, 0x0040A180
_GRAPHIC, _FLOATS, _DOUBLES, _STARTS = 0x00700023, 0x00660016, 0x00660022, 0x00660040
_CODE_MEANING, _ALGORITHM_NAME = 0x00080104, 0x00660036
_CLOSED: Final = frozenset({"POLYGON", "ELLIPSE", "RECTANGLE"})
_CORNERS: Final = {"POINT": 1, "ELLIPSE": 4, "RECTANGLE": 4}

Places = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Refers:
    """Which slide an instance is about."""

    series: frozenset[str]
    instances: frozenset[str]


@dataclass(frozen=True, slots=True)
class Group:
    """One Annotation Group (PS3.3 C.37.1.2)."""

    number: int
    uid: str
    label: str
    category: str  # Annotation Property Category, in words
    type: str  # Annotation Property Type, in words
    generation: str  # AUTOMATIC, SEMIAUTOMATIC or MANUAL
    algorithm: str
    graphic: str  # POINT, POLYLINE, POLYGON, ELLIPSE or RECTANGLE
    points: NDArray[np.float32] = field(repr=False)  # shape (points, 2): right and down, in pixels of the finest level
    starts: NDArray[np.int64] = field(repr=False)  # shape (annotations + 1,): the first point of each, and the end
    boxes: NDArray[np.float32] = field(repr=False)  # shape (annotations, 4): left, top, right, bottom
    measurements: tuple[Measurement, ...] = ()

    @property
    def count(self) -> int:
        """How many annotations it has."""
        return len(self.boxes)

    @property
    def is_closed(self) -> bool:
        """Whether the last point of an annotation is joined to the first."""
        return self.graphic in _CLOSED


def refers_to(buffer: Buffer, transfer_syntax_uid: str, dataset_offset: int) -> Refers:
    """Return what an instance of bulk annotations is about.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It cannot be read.
    """
    return referred(Values(scan(buffer, transfer_syntax_uid, offset=dataset_offset)))


def referred(values: Values) -> Refers:
    """Return what a document of any kind is about."""
    images = [*values.items(_REFERENCED_IMAGES)]
    series = values.items(_REFERENCED_SERIES)
    for one in series:
        images += one.items(0x0008114A)  # Referenced Instance Sequence
    return Refers(
        frozenset(one.text(_SERIES_UID) for one in series), frozenset(one.text(_INSTANCE_UID) for one in images)
    )


def read_groups(
    buffer: Buffer, transfer_syntax_uid: str, dataset_offset: int, slide: SlideIndex, instances: tuple[str, ...]
) -> tuple[Group, ...]:
    """Read all groups of an instance.

    Parameters
    ----------
    instances
        SOP Instance UIDs of the slide's files, as its index counts them.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It cannot be read, or holds more than a slide may have.
    MalformedSlide
        Its coordinates are of another image, or its arrays are not what they say.
    """
    values = Values(scan(buffer, transfer_syntax_uid, offset=dataset_offset))
    kind = values.text(_COORDINATES)
    to_pixels = _from_glass(slide) if kind == "3D" else _from_matrix(values, slide, instances)
    items = values.items(_GROUPS)
    at_most("groups of bulk annotations", len(items), GROUPS_MAX)
    groups: list[Group] = []
    points = 0
    for at, item in enumerate(items):
        group = _group(item, at + 1, 3 if kind == "3D" and _COMMON_Z not in item else 2, to_pixels)
        points = at_most("points of bulk annotations", points + len(group.points), POINTS_MAX)
        groups.append(group)
    if len({group.number for group in groups}) < len(groups):
        raise malformed("two groups of annotations have one number")
    return tuple(groups)


def _from_matrix(values: Values, slide: SlideIndex, instances: tuple[str, ...]) -> Callable[[Places], Places]:
    """Of pixels of the Total Pixel Matrix of the instance that is referred to (PS3.3 C.37.1.1.1)."""
    if values.text(_ORIGIN) == "FRAME":
        raise malformed("its annotations count from single frames")
    images = [one.text(_INSTANCE_UID) for one in values.items(_REFERENCED_IMAGES)]
    file = next((instances.index(uid) for uid in images if uid in instances), None)
    level = next((one for one in slide.levels if file is not None and bool((one.files == file).any())), None)
    if level is None:
        raise malformed("its annotations count pixels of an image that is not there")
    finest = slide.levels[0]
    factors = np.array([finest.width / level.width, finest.height / level.height])
    return lambda places: places * factors


def _from_glass(slide: SlideIndex) -> Callable[[Places], Places]:
    """Of millimetres in the slide's coordinate system (PS3.3 C.8.12.2.1.1); pixels' centers are half a pixel in."""
    glass, mpp = slide.on_glass, slide.mpp
    if glass is None or glass.origin_mm is None or mpp is None:
        raise malformed("its annotations are in millimetres, and the slide does not say where it lies on the glass")
    inverse, origin = np.linalg.inv(steps_mm(glass, mpp)).T, np.array(glass.origin_mm)
    return lambda places: (places[:, :2] - origin) @ inverse + 0.5


def _group(item: Values, at: int, dimensions: int, to_pixels: Callable[[Places], Places]) -> Group:
    graphic = item.text(_GRAPHIC)
    places = _places(item, dimensions)
    starts = _starts(item, graphic, dimensions, len(places))
    at_most("annotations of a group", len(starts) - 1, ANNOTATIONS_MAX)
    told = int.from_bytes(item.raw(_COUNT, 4), "little")
    if told != len(starts) - 1:
        raise malformed(f"a group says {told} annotations and has {len(starts) - 1}")
    points = to_pixels(places[:, :2] if dimensions == 2 else places)
    if graphic == "ELLIPSE":
        at_most("points of bulk annotations", told * ELLIPSE_CORNERS, POINTS_MAX)  # before there are as many
        points, starts = _outlines(points)
    points = points.astype(np.float32)
    algorithm = item.item(_ALGORITHM)
    return Group(
        number=item.unsigned(_GROUP_NUMBER) or at,
        uid=item.text(_GROUP_UID),
        label=item.text(_LABEL),
        category=_meaning(item, _CATEGORY),
        type=_meaning(item, _TYPE),
        generation=item.text(_GENERATION),
        algorithm=algorithm.text(_ALGORITHM_NAME) if algorithm else "",
        graphic=graphic,
        points=points,
        starts=starts,
        boxes=_boxes(points, starts),
        measurements=measurements(item, told),
    )


def _meaning(item: Values, tag: int) -> str:
    code = item.item(tag)
    return code.text(_CODE_MEANING) if code else ""


def _places(item: Values, dimensions: int) -> Places:
    """Return the coordinates, shape (points, dimensions)."""
    tag, kind = (_DOUBLES, "<f8") if _DOUBLES in item else (_FLOATS, "<f4")
    size = np.dtype(kind).itemsize
    data = item.raw(tag, (POINTS_MAX * dimensions + 1) * size)
    at_most("points of bulk annotations", len(data) // size // dimensions, POINTS_MAX)
    if len(data) % (size * dimensions):
        raise malformed("the coordinates of its annotations are not whole")
    places = np.frombuffer(data, kind).astype(np.float64).reshape(-1, dimensions)
    if not bool(np.isfinite(places).all()):
        raise malformed("a coordinate of its annotations is no number")
    return places


def _starts(item: Values, graphic: str, dimensions: int, points: int) -> NDArray[np.int64]:
    """Return the first point of each annotation, and the end of all (PS3.3 C.37.1.2.1.3: indices count values from 1)."""
    corners = _CORNERS.get(graphic)
    if corners:
        if points % corners:
            raise malformed("the last of its annotations is not whole")
        return np.arange(0, points + 1, corners, dtype=np.int64)
    if graphic not in ("POLYLINE", "POLYGON"):
        raise malformed("its annotations are of no graphic type that there is")
    listed = np.frombuffer(item.raw(_STARTS, 4 * (ANNOTATIONS_MAX + 1)), "<u4").astype(np.int64) - 1
    starts = np.append(listed // dimensions, points)
    if bool((listed % dimensions).any()) or starts[0] != 0 or bool((np.diff(starts) < 1).any()):
        raise malformed("the index of its annotations leads nowhere")
    return starts


def _outlines(points: Places) -> tuple[Places, NDArray[np.int64]]:
    """Return ellipses as polygons: each is told by the ends of its long axis and those of its short one."""
    ends = points.reshape(-1, 4, 2)
    center, across, up = (ends[:, 0] + ends[:, 1]) / 2, (ends[:, 1] - ends[:, 0]) / 2, (ends[:, 3] - ends[:, 2]) / 2
    turn = np.linspace(0, 2 * np.pi, ELLIPSE_CORNERS, endpoint=False)[None, :, None]
    outline = center[:, None] + across[:, None] * np.cos(turn) + up[:, None] * np.sin(turn)
    return outline.reshape(-1, 2), np.arange(0, len(ends) * ELLIPSE_CORNERS + 1, ELLIPSE_CORNERS, dtype=np.int64)


def _boxes(points: NDArray[np.float32], starts: NDArray[np.int64]) -> NDArray[np.float32]:
    if len(starts) < 2:
        return np.zeros((0, 4), np.float32)
    least, most = np.minimum.reduceat(points, starts[:-1]), np.maximum.reduceat(points, starts[:-1])
    return np.concatenate([least, most], axis=1)
