"""Where each tile of a slide is stored: file, offset and length, 14 bytes a tile.

One index serves vendor files and DICOM alike, so that DeepZoom, IIIF and WADO-RS are translations of addresses. How it
is kept on disk is in `wsi.index_file`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.jpeg_transform import Extent
from kernel.errors import NotFound
from wsi.jpeg import Colour, Completion, completion
from wsi.limits import (
    SIDE_PIXELS_MAX,
    TABLES_BYTES_MAX,
    TILE_BYTES_MAX,
    TILE_SIDE_MAX,
    TILE_SIDE_MIN,
    TILES_MAX,
    at_most,
    malformed,
)

Coding = Literal["jpeg", "jpeg2000", "htj2k", "jpegls", "rle", "native", "other"]


class Span(NamedTuple):
    """Bytes of one of the slide's files."""

    file: int
    offset: int
    length: int  # 0: nothing was scanned there


@dataclass(frozen=True, slots=True)
class Grid:
    """Tiles in rows from the top left; those at the right and lower edge are padded."""

    width: int  # pixels
    height: int
    tile_width: int
    tile_height: int

    @property
    def columns(self) -> int:
        """Tiles in a row."""
        return -(-self.width // self.tile_width)

    @property
    def rows(self) -> int:
        """Rows of tiles."""
        return -(-self.height // self.tile_height)

    def extent(self, column: int, row: int) -> Extent:
        """Return how much of a tile is not padding."""
        return Extent(
            min(self.tile_width, self.width - column * self.tile_width),
            min(self.tile_height, self.height - row * self.tile_height),
        )


@dataclass(frozen=True, slots=True)
class Level(Grid):
    """One stored resolution."""

    coding: Coding
    colour: Colour
    tables: bytes  # JPEG tables that its tiles share
    planes: int  # focal planes
    paths: int  # optical paths
    offsets: NDArray[np.uint64] = field(repr=False)  # shape (paths * planes * rows * columns,)
    lengths: NDArray[np.uint32] = field(repr=False)  # 0: nothing was scanned there
    files: NDArray[np.uint16] = field(repr=False)  # which of the slide's files, from 0

    def number(self, column: int, row: int, plane: int = 0, path: int = 0) -> int:
        """Return a tile's number from 0: its frame number less one where DICOM tiles are full (PS3.3 C.7.6.17.3).

        Raises
        ------
        NotFound
            There is no such tile.
        """
        if not (0 <= column < self.columns and 0 <= row < self.rows and 0 <= plane < self.planes):
            raise NotFound(what="tile")
        if not 0 <= path < self.paths:
            raise NotFound(what="tile")
        return ((path * self.planes + plane) * self.rows + row) * self.columns + column

    def span(self, number: int) -> Span:
        """Return where a tile is stored."""
        return Span(int(self.files[number]), int(self.offsets[number]), int(self.lengths[number]))


@dataclass(frozen=True, slots=True)
class Associated:
    """A picture of the glass beside the tissue. All but a thumbnail show or may show who the patient is."""

    kind: Literal["thumbnail", "label", "macro", "other"]
    place: int  # offset of its TIFF directory; of a DICOM slide, which of its files it is


@dataclass(frozen=True, slots=True)
class OnGlass:
    """Where a slide's pixels lie on the glass (PS3.3 C.8.12.4.1, C.8.12.2.1.1)."""

    orientation: tuple[float, ...]  # Image Orientation (Slide): direction cosines of a row, then of a column
    origin_mm: tuple[float, float] | None = None  # of the Total Pixel Matrix: its top left pixel's center


@dataclass(frozen=True, slots=True)
class Glass:
    """Which glass of a case it is."""

    container: str = ""  # Container Identifier (0040,0512)
    specimens: tuple[str, ...] = ()  # Specimen Short Description (0040,0600): what lies on it
    stains: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SlideIndex:
    """A slide as it can be served: its stored levels from the finest to the coarsest."""

    vendor: str  # as OpenSlide names it
    mpp: tuple[float, float] | None  # microns a pixel of the finest level, across and down
    objective: float | None  # its power
    icc_profile: bytes
    levels: tuple[Level, ...]
    acquired_at: datetime | None = None  # by the scanner's clock
    associated: tuple[Associated, ...] = ()
    on_glass: OnGlass | None = None  # None: nobody said
    focal_planes: tuple[float, ...] = (0.0,)  # microns above the glass
    optical_paths: tuple[str, ...] = ("",)  # their descriptions
    glass: Glass = Glass()
    derivation: str = ""  # how its tiles were made, where they are not the scanner's own

    def completion(self, level: int, *, as_frames: bool = False) -> Completion:
        """Return what the JPEG tiles of a level lack; `as_frames` of DICOM without the profile, and all of one size."""
        one = self.levels[level]
        profile = b"" if as_frames else self.icc_profile
        return completion(one.tables, one.colour, profile, one.tile_width, one.tile_height, is_exact=as_frames)


def checked(level: Level, file_bytes: Sequence[int]) -> Level:
    """Return a level whose numbers hold together.

    Raises
    ------
    MalformedSlide
        A tile lies outside its file, or there are not as many as the level's size asks for.
    LimitExceeded
        It is larger than a slide may be.
    """
    for side in (level.width, level.height):
        if side < 1:
            raise malformed("a level has no pixels")
        at_most("pixels of a slide's side", side, SIDE_PIXELS_MAX)
    for side in (level.tile_width, level.tile_height):
        if side < TILE_SIDE_MIN:
            raise malformed(f"its tiles are smaller than {TILE_SIDE_MIN} pixels")
        at_most("pixels of a tile's side", side, TILE_SIDE_MAX)
    count = level.columns * level.rows * level.planes * level.paths
    at_most("tiles of a level", count, TILES_MAX)
    if not len(level.offsets) == len(level.lengths) == len(level.files) == count:
        raise malformed(f"a level has {len(level.offsets)} tiles where its size asks for {count}")
    if count and int(level.lengths.max()) > TILE_BYTES_MAX:
        raise malformed(f"a tile is longer than {TILE_BYTES_MAX} bytes")
    if count and int(level.files.max()) >= len(file_bytes):
        raise malformed("a tile lies in a file that is not there")
    end = np.asarray(file_bytes, np.uint64)[level.files]
    lengths = level.lengths.astype(np.uint64)
    if bool(((level.offsets > end) | (level.offsets + lengths > end)).any()):
        raise malformed("a tile lies past the end of the file")
    at_most("bytes of JPEG tables", len(level.tables), TABLES_BYTES_MAX)
    return level
