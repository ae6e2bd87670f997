"""A slide in DICOM: the VL Whole Slide Microscopy instances of one series, as one tile index (PS3.3 A.32.8, C.8.12).

Instances of one size are one level, whether they are the parts of a concatenation, focal planes, or optical paths; the
tiles of TILED_FULL are counted, those of TILED_SPARSE say where they are.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np

from kernel.dicom.scanning.elements import Buffer
from wsi.dicom_frames import Placed, Stored, placed_frames, stored_frames
from wsi.dicom_image import OpticalPath, SlideImage, read_image
from wsi.jpeg import Colour, marked_colour
from wsi.limits import TILES_MAX, at_most, malformed
from wsi.tile_index import Associated, Level, SlideIndex, checked

DICOM: Final = "dicom"
FILES_MAX: Final = 4096  # instances of one slide: focal planes and parts of concatenations may be files of their own
PLANES_MAX: Final = 256
PATHS_MAX: Final = 64
_PLANE_DIGITS: Final = 3  # of microns, by which two heights count as one focal plane


class Instance(NamedTuple):
    """One of a slide's files."""

    buffer: Buffer  # a map of it
    transfer_syntax_uid: str
    dataset_offset: int


class _Part(NamedTuple):
    """One instance with its frames."""

    file: int
    one: SlideImage
    placed: Placed
    stored: Stored
    colour: Colour


class _Axes(NamedTuple):
    """What may be chosen besides a place: the focal planes and optical paths of the finest level."""

    microns: list[float]
    paths: list[OpticalPath]


def index_dicom(instances: Sequence[Instance]) -> SlideIndex:
    """Find the tiles of a slide.

    Raises
    ------
    MalformedSlide
        None of the instances is a volume, or their frames lead nowhere.
    MalformedInstance, LimitExceeded, NotFound
        One of them is damaged, or larger than a slide may be.
    """
    at_most("instances of a slide", len(instances), FILES_MAX)
    parts: list[_Part] = []
    associated: list[Associated] = []
    for file, instance in enumerate(instances):
        one = read_image(*instance)
        flavour = one.flavour
        if flavour != "volume":
            associated.append(Associated(flavour, file))
            continue
        at_most("frames of a slide's instance", one.image.number_of_frames, TILES_MAX)
        stored = stored_frames(instance.buffer, one)
        parts.append(_Part(file, one, placed_frames(one), stored, _colour(instance.buffer, one, stored)))
    if not parts:
        raise malformed("it has no volume image")
    levels = _levels(parts)
    if not levels:
        raise malformed("parts of it have not arrived")
    sizes = [len(instance.buffer) for instance in instances]
    axes, finest = _axes(levels[0]), levels[0][0].one
    made = [_level(level, axes) for level in levels]
    return SlideIndex(
        vendor=DICOM,
        mpp=finest.mpp,
        objective=finest.objective,
        icc_profile=finest.icc_profile,
        levels=tuple(checked(level, sizes) for level in made if level is not None),
        associated=tuple(associated),
        on_glass=finest.on_glass,
        glass=finest.glass,
        focal_planes=tuple(axes.microns),
        optical_paths=tuple(path.name or path.identifier for path in axes.paths),
    )


def _colour(buffer: Buffer, one: SlideImage, stored: Stored) -> Colour:
    """Return what an instance's tiles hold: as the first of them says itself, else as Photometric Interpretation says.

    A converter made some levels anew, as JFIF, and left them the RGB of the level that it copied.
    """
    if one.coding != "jpeg" or one.colour == "grey" or stored.offsets.size == 0:
        return one.colour
    start = int(stored.offsets[0])
    return marked_colour(bytes(buffer[start : start + int(stored.lengths[0])])) or one.colour


def _levels(parts: list[_Part]) -> list[list[_Part]]:
    """Return the instances of each size, the finest first: those of one form, and concatenations that are whole."""
    whole = [part for part in parts if not _is_cut(part, parts)]
    sizes = sorted({(part.one.width, part.one.height) for part in whole}, reverse=True)
    levels = [[part for part in whole if (part.one.width, part.one.height) == size] for size in sizes]
    return [[part for part in level if _form(part) == _form(level[0])] for level in levels]


def _form(part: _Part) -> tuple[object, ...]:
    return part.one.image.columns, part.one.image.rows, part.one.coding, part.colour


def _is_cut(part: _Part, parts: list[_Part]) -> bool:
    """Whether other parts of its concatenation have not come yet: nobody is shown a slide with holes."""
    uid, _ = part.one.concatenation
    if not uid:
        return False
    others = [one for one in parts if one.one.concatenation[0] == uid]
    frames = sum(one.one.image.number_of_frames for one in others)
    told = part.one.parts_of_concatenation
    return frames < part.one.frames_of_matrix if not part.one.is_sparse else bool(told and len(others) < told)


def _axes(finest: list[_Part]) -> _Axes:
    microns = sorted({round(float(height), _PLANE_DIGITS) for part in finest for height in set(part.placed.microns)})
    paths = {path.identifier: path for part in reversed(finest) for path in reversed(part.one.optical_paths)}
    used = {identifier for part in finest for identifier in part.placed.paths}
    at_most("focal planes", len(microns), PLANES_MAX)
    at_most("optical paths", len(used), PATHS_MAX)
    return _Axes(microns, [paths.get(one, OpticalPath(one, "")) for one in _in_order(used, paths)])


def _in_order(used: set[str], told: dict[str, OpticalPath]) -> list[str]:
    return [one for one in reversed(told) if one in used] + sorted(used - told.keys())


def _level(parts: list[_Part], axes: _Axes) -> Level | None:
    """Put the frames of one size where they belong; None if a focal plane or optical path has no tile at all."""
    one = parts[0].one
    planes, paths = len(axes.microns), len(axes.paths)
    count = at_most("tiles of a level", one.columns * one.rows * planes * paths, TILES_MAX)
    offsets, lengths, files = np.zeros(count, np.uint64), np.zeros(count, np.uint32), np.zeros(count, np.uint16)
    plane_of = {height: number for number, height in enumerate(axes.microns)}
    path_of = {path.identifier: number for number, path in enumerate(axes.paths)}
    filled: set[tuple[int, int]] = set()
    for part in reversed(parts):  # of two that claim a tile, the first has it
        heights = part.placed.microns.round(_PLANE_DIGITS).tolist()
        plane = np.array([plane_of.get(height, -1) for height in heights], np.int64)
        path = np.array([path_of.get(identifier, -1) for identifier in part.placed.paths], np.int64)
        known = np.flatnonzero((plane >= 0) & (path >= 0))
        numbers = (path * planes + plane) * one.rows + part.placed.rows
        numbers = (numbers * one.columns + part.placed.columns)[known]
        offsets[numbers], lengths[numbers] = part.stored.offsets[known], part.stored.lengths[known]
        files[numbers] = part.file
        filled |= set(zip(path[known].tolist(), plane[known].tolist(), strict=True))
    if len(filled) < planes * paths:
        return None
    return Level(
        width=one.width,
        height=one.height,
        tile_width=one.image.columns,
        tile_height=one.image.rows,
        coding=one.coding,
        colour=parts[0].colour,
        tables=b"",
        planes=planes,
        paths=paths,
        offsets=offsets,
        lengths=lengths,
        files=files,
    )
