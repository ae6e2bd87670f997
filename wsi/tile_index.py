"""Where each tile of a slide is stored: offsets and lengths, 12 bytes a tile, kept beside the slide and memory-mapped.

One index serves vendor files and DICOM alike, so that DeepZoom, IIIF and WADO-RS are translations of addresses. The
file: a magic number, the length of a header in JSON, the header, and the numbers of each level at multiples of 8 bytes.
"""

import base64
import json
import struct
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from kernel.errors import NotFound
from wsi.jpeg import Colour, Completion, completion
from wsi.limits import (
    PROFILE_BYTES_MAX,
    SIDE_PIXELS_MAX,
    TABLES_BYTES_MAX,
    TILE_BYTES_MAX,
    TILE_SIDE_MAX,
    TILE_SIDE_MIN,
    TILES_MAX,
    at_most,
    malformed,
)

MAGIC: Final = b"VATILES1"
HEADER_BYTES_MAX: Final = 16 * 1024 * 1024
_ALIGNMENT: Final = 8

Coding = Literal["jpeg", "jpeg2000", "htj2k", "jpegls", "rle", "native"]


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


@dataclass(frozen=True, slots=True)
class Level(Grid):
    """One stored resolution."""

    coding: Coding
    colour: Colour
    tables: bytes  # JPEG tables that its tiles share
    planes: int  # focal planes
    paths: int  # optical paths
    file: int  # of the slide's files
    offsets: NDArray[np.uint64] = field(repr=False)  # shape (paths * planes * rows * columns,)
    lengths: NDArray[np.uint32] = field(repr=False)

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
        return Span(self.file, int(self.offsets[number]), int(self.lengths[number]))


@dataclass(frozen=True, slots=True)
class Associated:
    """A picture of the glass beside the tissue. All but a thumbnail show or may show who the patient is."""

    kind: Literal["thumbnail", "label", "macro", "other"]
    directory: int  # offset of its TIFF directory


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

    def completion(self, level: int, *, with_profile: bool = True) -> Completion:
        """Return what the JPEG tiles of a level lack; the profile too, unless whoever gets them has it already."""
        one = self.levels[level]
        profile = self.icc_profile if with_profile else b""
        return completion(one.tables, one.colour, profile, one.tile_width, one.tile_height)


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
    if len(level.offsets) != count or len(level.lengths) != count:
        raise malformed(f"a level has {len(level.offsets)} tiles where its size asks for {count}")
    if count and int(level.lengths.max()) > TILE_BYTES_MAX:
        raise malformed(f"a tile is longer than {TILE_BYTES_MAX} bytes")
    end = file_bytes[level.file]
    lengths = level.lengths.astype(np.uint64)
    if bool(((level.offsets > end) | (level.offsets + lengths > end)).any()):
        raise malformed("a tile lies past the end of the file")
    at_most("bytes of JPEG tables", len(level.tables), TABLES_BYTES_MAX)
    return level


def save(index: SlideIndex, path: Path) -> None:
    """Write an index beside its slide; whole, or not at all."""
    header = json.dumps(_described(index)).encode()
    parts = [MAGIC, struct.pack("<Q", len(header)), header]
    size = sum(map(len, parts))
    for level in index.levels:
        for numbers in (level.offsets.astype("<u8"), level.lengths.astype("<u4")):
            padding = b"\0" * (-size % _ALIGNMENT)
            body = numbers.tobytes()
            parts += [padding, body]
            size += len(padding) + len(body)
    unnamed = path.with_name(path.name + ".new")
    unnamed.write_bytes(b"".join(parts))
    unnamed.replace(path)


def load(path: Path) -> SlideIndex:
    """Open an index; its numbers stay in the file until they are asked for.

    Raises
    ------
    MalformedSlide
        It is no index, or was cut off.
    """
    content = np.memmap(path, np.uint8, mode="r")
    if bytes(content[:8]) != MAGIC or len(content) < 16:
        raise malformed("its index is not one")
    (length,) = struct.unpack("<Q", bytes(content[8:16]))
    at_most("bytes of an index's header", length, HEADER_BYTES_MAX)
    if 16 + length > len(content):
        raise malformed("its index was cut off")
    described = json.loads(bytes(content[16 : 16 + length]))
    position = 16 + length
    levels: list[Level] = []
    for values in described["levels"]:
        count = values.pop("count")
        numbers: list[NDArray[Any]] = []
        for kind, width in (("<u8", 8), ("<u4", 4)):
            position += -position % _ALIGNMENT
            if position + count * width > len(content):
                raise malformed("its index was cut off")
            numbers.append(content[position : position + count * width].view(kind))
            position += count * width
        values["tables"] = base64.b64decode(values["tables"])
        levels.append(Level(**values, offsets=numbers[0], lengths=numbers[1]))
    mpp = described["mpp"]
    return SlideIndex(
        vendor=described["vendor"],
        mpp=(mpp[0], mpp[1]) if mpp else None,
        objective=described["objective"],
        icc_profile=base64.b64decode(described["icc_profile"]),
        levels=tuple(levels),
        acquired_at=datetime.fromisoformat(described["acquired_at"]) if described["acquired_at"] else None,
        associated=tuple(Associated(**one) for one in described["associated"]),
    )


def _described(index: SlideIndex) -> dict[str, Any]:
    at_most("bytes of a colour profile", len(index.icc_profile), PROFILE_BYTES_MAX)
    return {
        "vendor": index.vendor,
        "mpp": index.mpp,
        "objective": index.objective,
        "icc_profile": base64.b64encode(index.icc_profile).decode(),
        "acquired_at": index.acquired_at.isoformat() if index.acquired_at else None,
        "levels": [_described_level(level) for level in index.levels],
        "associated": [asdict(one) for one in index.associated],
    }


def _described_level(level: Level) -> dict[str, Any]:
    names = ("width", "height", "tile_width", "tile_height", "coding", "colour", "planes", "paths", "file")
    return {
        **{name: getattr(level, name) for name in names},
        "tables": base64.b64encode(level.tables).decode(),
        "count": len(level.offsets),
    }
