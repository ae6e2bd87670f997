"""Where the frames of an instance are: in its file, and on the slide's grid of tiles; by numbers, no pixel is read."""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.frames import FrameMap, locate_frames
from kernel.dicom.scanning.elements import Buffer
from kernel.dicom.scanning.values import Values
from wsi.dicom_image import FOCAL_PLANES, PLANE_POSITION, SlideImage, unsigned
from wsi.limits import malformed

_PATH_IDENTIFICATION: Final = 0x00480207
_ITEM_HEAD: Final = 8  # bytes of an item's tag and length


class Stored(NamedTuple):
    """Where the frames of an instance are in its file."""

    offsets: NDArray[np.uint64]  # shape (frames,)
    lengths: NDArray[np.uint32]


class Placed(NamedTuple):
    """Which tile each frame is; arrays of shape (frames,)."""

    columns: NDArray[np.int64]  # of tiles
    rows: NDArray[np.int64]
    microns: NDArray[np.float64]  # of its focal plane
    paths: list[str]  # identifiers


def placed_frames(one: SlideImage) -> Placed:
    """Return which tile each frame is: by arithmetic, or as the frames say.

    Raises
    ------
    MalformedSlide
        There are not as many frames as the matrix asks for, or they lie on no grid.
    """
    return _as_told(one) if one.is_sparse else _counted(one)


def _counted(one: SlideImage) -> Placed:
    """Count TILED_FULL frames: across, down, then focal planes, then optical paths (PS3.3 C.7.6.17.3)."""
    uid, before = one.concatenation
    planes, paths = unsigned(one.values, FOCAL_PLANES) or 1, one.optical_paths
    tiles, wanted = one.columns * one.rows, one.frames_of_matrix
    frames = one.image.number_of_frames
    if before + frames > wanted or (not uid and frames != wanted):
        raise malformed(f"it has {before + frames} frames where its matrix asks for {wanted}")
    numbers = np.arange(before, before + frames, dtype=np.int64)
    plane = numbers // tiles % planes
    microns = (one.plane_microns + plane * one.plane_distance_microns).astype(np.float64)
    of_frames = (numbers // (tiles * planes)).tolist()
    return Placed(
        numbers % one.columns,
        numbers // one.columns % one.rows,
        microns,
        [paths[number].identifier for number in of_frames],
    )


def _as_told(one: SlideImage) -> Placed:
    frames = one.image.number_of_frames
    columns, rows = np.zeros(frames, np.int64), np.zeros(frames, np.int64)
    microns = np.zeros(frames)
    only = one.optical_paths[0].identifier
    paths: list[str] = []
    for number, group in enumerate(one.frame_groups()):
        if number == frames:
            raise malformed(f"it has {frames} frames, and tells the places of more")
        position, identification = group.item(PLANE_POSITION), group.item(_PATH_IDENTIFICATION)
        left = _signed(position, 0x0048021E) if position else None
        top = _signed(position, 0x0048021F) if position else None
        if position is None or left is None or top is None:
            raise malformed("a frame does not say where it is")
        columns[number], rows[number] = left - 1, top - 1
        microns[number] = position.decimal(0x0040074A) or 0.0
        paths.append(identification.text(0x00480106) if identification else only)
    if len(paths) != frames:
        raise malformed(f"it has {frames} frames, and tells the places of {len(paths)}")
    across, down = one.image.columns, one.image.rows
    if bool((columns % across != 0).any() or (rows % down != 0).any()):
        raise malformed("its frames lie on no grid")
    columns, rows = columns // across, rows // down
    outside = (columns < 0) | (rows < 0) | (columns >= one.columns) | (rows >= one.rows)
    if bool(outside.any()):
        raise malformed("a frame lies outside the matrix")
    return Placed(columns, rows, microns, paths)


def stored_frames(buffer: Buffer, one: SlideImage) -> Stored:
    """Return where the frames of an instance are.

    Raises
    ------
    MalformedInstance, LimitExceeded
        The pixel data does not hold them.
    MalformedSlide
        A frame is in several fragments, or begins within a byte.
    """
    frames = locate_frames(buffer, one.header, one.image)
    if frames.frame_bits:
        return _native(frames)
    heads = np.asarray(frames.offsets, np.uint64) + np.uint64(frames.start)
    if frames.lengths:
        lengths = np.asarray(frames.lengths, np.uint64)
    else:
        lengths = _item_lengths(buffer, heads)
        ends = np.append(heads[1:], np.uint64(frames.end))
        if bool((heads + _ITEM_HEAD + lengths != ends).any()):
            raise malformed("a frame is in several fragments")
    if bool((lengths > np.iinfo(np.uint32).max).any()):
        raise malformed("a tile lies past the end of the file")
    return Stored(heads + np.uint64(_ITEM_HEAD), lengths.astype(np.uint32))


def _native(frames: FrameMap) -> Stored:
    size, rest = divmod(frames.frame_bits, 8)
    if rest:
        raise malformed("its frames do not begin on bytes")
    if size > np.iinfo(np.uint32).max:
        raise malformed("a tile lies past the end of the file")
    count = frames.number_of_frames
    offsets = np.uint64(frames.start) + np.arange(count, dtype=np.uint64) * np.uint64(size)
    return Stored(offsets, np.full(count, size, np.uint32))


def _item_lengths(buffer: Buffer, heads: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Read the length of the item that begins at each offset (PS3.5 A.4)."""
    if bool((heads + _ITEM_HEAD > len(buffer)).any()):
        raise malformed("a tile lies past the end of the file")
    content = np.frombuffer(buffer, np.uint8)  # nothing is raised while it is here: a map cannot be closed then
    places = heads.astype(np.int64) + 4
    found = np.zeros(len(heads), np.uint64)
    for byte in range(4):
        found |= content[places + byte].astype(np.uint64) << np.uint64(8 * byte)
    return found


def _signed(values: Values, tag: int) -> int | None:
    value = values.raw(tag, 4)
    return int.from_bytes(value, "little", signed=True) if len(value) == 4 else None
