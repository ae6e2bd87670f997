"""A segmentation of a slide: what one instance of it says (PS3.3 A.51, C.8.20), without its pixels.

Its frames are tiles of a Total Pixel Matrix of its own, which may be coarser than the slide and lie elsewhere; where it
lies on the slide is in `wsi.segment_places`, its pixels are in `wsi.segment_tiles`.
"""

from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.frames import FrameMap, locate_frames
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.syntaxes import SYNTAXES
from wsi.bulk import Refers, referred
from wsi.dicom_image import FOCAL_PLANES, PLANE_POSITION, SlideImage, image_of, unsigned
from wsi.frame_form import FrameForm, form_in
from wsi.limits import SIDE_PIXELS_MAX, TILES_MAX, at_most, malformed
from wsi.tile_index import OnGlass

SEGMENTATIONS: Final = frozenset(
    {
        "1.2.840.10008.5.1.4.1.1.66.4",  # Segmentation Storage
        "1.2.840.10008.5.1.4.1.1.66.7",  # Label Map Segmentation Storage
    }
)
SEGMENTS_MAX: Final = 64  # of one segmentation; a tile has a plane for each
TOLD_FRAMES_MAX: Final = 500_000  # of one instance whose frames say where they are; each is read by itself
FRAME_SIDE_MAX: Final = 8192  # pixels

_TYPE, _SEGMENTS, _FULL, _PADDING = 0x00620001, 0x00620002, 0x0062000E, 0x00280120
_NUMBER, _LABEL, _CATEGORY, _PROPERTY, _ALGORITHM = 0x00620004, 0x00620005, 0x00620003, 0x0062000F, 0x00620009
_IDENTIFICATION, _REFERENCED_NUMBER = 0x0062000A, 0x0062000B
_CODE_MEANING, _ORGANIZATION, _SHARED_GROUPS = 0x00080104, 0x00209311, 0x52009229
_FRAME_OF_REFERENCE, _DESCRIPTION, _CONTENT_LABEL, _PYRAMID = 0x00200052, 0x0008103E, 0x00700080, 0x00080019
_LEFT, _TOP = 0x0048021E, 0x0048021F

Kind = Literal["BINARY", "FRACTIONAL", "LABELMAP"]
_KINDS: Final[dict[str, Kind]] = {"BINARY": "BINARY", "FRACTIONAL": "FRACTIONAL", "LABELMAP": "LABELMAP"}
Reason = Literal["kind", "encoding", "many", "large", "unplaced", "elsewhere", "turned", "incomplete", "damaged"]
"""Why a segmentation cannot be shown on a slide."""


class About(NamedTuple):
    """Which slide an instance is about."""

    refers: Refers
    frame_of_reference_uid: str


@dataclass(frozen=True, slots=True)
class Segment:
    """One item of the Segment Sequence."""

    number: int
    label: str
    category: str  # Segmented Property Category, in words
    type: str  # Segmented Property Type, in words
    algorithm: str


@dataclass(frozen=True, slots=True)
class Frames:
    """The frames of an instance from the top down; arrays of shape (frames,)."""

    numbers: NDArray[np.int64]  # as they are stored, from 0
    segments: NDArray[np.int64]  # 0: samples are numbers of segments
    lefts: NDArray[np.int64]  # pixels of the matrix
    tops: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Segmentation:
    """One instance."""

    kind: Kind
    label: str
    segments: tuple[Segment, ...]
    full: int  # the sample that means wholly inside
    width: int  # pixels of its Total Pixel Matrix
    height: int
    mpp: tuple[float, float] | None  # microns a pixel, across and down
    on_glass: OnGlass | None
    about: About
    whole: str  # what instances that are one segmentation have in common: levels of a pyramid, parts of a concatenation
    parts: int  # how many parts of a concatenation there are, if it says so; else 0
    form: FrameForm = field(repr=False)
    map: FrameMap = field(repr=False)
    frames: Frames = field(repr=False)


def about_of(header: Header) -> About:
    """Return which slide an instance is about."""
    values = Values(header)
    return About(referred(values), values.text(_FRAME_OF_REFERENCE))


def read_segmentation(header: Header, transfer_syntax_uid: str) -> Segmentation | Reason:
    """Read one instance, as `scan_apart` found it, or say why it cannot be shown; nothing of its buffer is kept.

    Raises
    ------
    MalformedInstance, MalformedSlide, NotFound
        It is damaged.
    LimitExceeded
        It is larger than a slide may be.
    """
    syntax = SYNTAXES.get(transfer_syntax_uid)
    if syntax is None or not syntax.decodable or syntax.deflated or not syntax.little_endian:
        return "encoding"
    one = image_of(header, transfer_syntax_uid)
    values = one.values
    kind = _KINDS.get(values.text(_TYPE))
    if kind is None:
        return "kind"
    at_most("pixels of a slide's side", max(one.width, one.height), SIDE_PIXELS_MAX)
    if max(one.image.rows, one.image.columns) > FRAME_SIDE_MAX:
        return "large"
    segments = _segments(values, kind)
    if len(segments) > SEGMENTS_MAX:
        return "many"
    if one.image.samples_per_pixel != 1 or one.image.is_float or one.image.pixel_representation:
        raise malformed("its samples are no numbers of segments")
    concatenation, _ = one.concatenation
    return Segmentation(
        kind=kind,
        label=values.text(_DESCRIPTION) or values.text(_CONTENT_LABEL),
        segments=segments,
        full=1 if kind == "BINARY" else values.unsigned(_FULL) or 255,
        width=one.width,
        height=one.height,
        mpp=one.mpp,
        on_glass=one.on_glass,
        about=about_of(header),
        whole=concatenation or values.text(_PYRAMID),
        parts=(one.parts_of_concatenation or 0) if concatenation else 0,
        form=form_in(header, transfer_syntax_uid),
        map=locate_frames(header.buffer, header, one.image),
        frames=_from_the_top(_told(one, kind) if _says_where(one) else _counted(one, segments, kind)),
    )


def _segments(values: Values, kind: Kind) -> tuple[Segment, ...]:
    """Return the segments; the background of a label map is none."""
    found = [
        Segment(
            number=item.unsigned(_NUMBER) or 0,
            label=item.text(_LABEL),
            category=_meaning(item, _CATEGORY),
            type=_meaning(item, _PROPERTY),
            algorithm=item.text(_ALGORITHM),
        )
        for item in values.items(_SEGMENTS)
    ]
    background = {0, values.unsigned(_PADDING)} if kind == "LABELMAP" else {0}
    return tuple({one.number: one for one in found if one.number not in background}.values())


def _meaning(item: Values, tag: int) -> str:
    code = item.item(tag)
    return code.text(_CODE_MEANING) if code else ""


def _says_where(one: SlideImage) -> bool:
    return one.values.text(_ORGANIZATION) != "TILED_FULL"


def _counted(one: SlideImage, segments: tuple[Segment, ...], kind: Kind) -> Frames:
    """Count TILED_FULL frames: across, down, then focal planes, then segments by their number (PS3.3 C.7.6.17.3)."""
    uid, before = one.concatenation
    of_segment = one.columns * one.rows * (unsigned(one.values, FOCAL_PLANES) or 1)
    told = np.array([0] if kind == "LABELMAP" else sorted(segment.number for segment in segments), np.int64)
    frames, wanted = at_most("frames of a segmentation", one.image.number_of_frames, TILES_MAX), of_segment * len(told)
    if before + frames > wanted or (not uid and frames != wanted):
        raise malformed(f"it has {before + frames} frames where its matrix asks for {wanted}")
    numbers = np.arange(before, before + frames, dtype=np.int64)
    return Frames(
        numbers - before,
        told[numbers // of_segment],
        numbers % one.columns * one.image.columns,
        numbers // one.columns % one.rows * one.image.rows,
    )


def _told(one: SlideImage, kind: Kind) -> Frames:
    """Read of each frame where it is, and of which segment; of a single tile it is known where it is."""
    count = at_most("frames of a segmentation that say where they are", one.image.number_of_frames, TOLD_FRAMES_MAX)
    segments, lefts, tops = (np.zeros(count, np.int64) for _ in range(3))
    shared = one.values.item(_SHARED_GROUPS)
    shared_segment = _segment_of(shared) if shared else None
    is_one_tile = one.columns * one.rows == 1
    at = 0
    for group in one.frame_groups():
        if at == count:
            raise malformed(f"it has {count} frames, and tells of more")
        position = group.item(PLANE_POSITION)
        left, top = (_signed(position, _LEFT), _signed(position, _TOP)) if position else (None, None)
        segment = 0 if kind == "LABELMAP" else _segment_of(group) or shared_segment
        if segment is None or ((left is None or top is None) and not is_one_tile):
            raise malformed("a frame does not say where it is, or of which segment")
        segments[at], lefts[at], tops[at] = segment, (left or 1) - 1, (top or 1) - 1
        at += 1
    if at != count:
        raise malformed(f"it has {count} frames, and tells of {at}")
    return Frames(np.arange(count), segments, lefts, tops)


def _segment_of(group: Values) -> int | None:
    identification = group.item(_IDENTIFICATION)
    return identification.unsigned(_REFERENCED_NUMBER) if identification else None


def _signed(values: Values, tag: int) -> int | None:
    value = values.raw(tag, 4)
    return int.from_bytes(value, "little", signed=True) if len(value) == 4 else None


def _from_the_top(frames: Frames) -> Frames:
    order = np.argsort(frames.tops, kind="stable")
    return Frames(frames.numbers[order], frames.segments[order], frames.lefts[order], frames.tops[order])
