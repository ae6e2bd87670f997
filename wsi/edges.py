"""Tiles at the right and lower edge of a slide: files pad them to the size of all others, viewers expect the part on the slide.

It is cut in the blocks that JPEG is coded in, by the kernel's limited processes, so that no pixel is encoded anew. Where
libjpeg-turbo is absent, or a tile is sampled in a way that it has no name for, the tile is decoded and encoded anew instead.
"""

import io
from typing import Final

from PIL import Image, UnidentifiedImageError

from kernel.dicom.pixels.codestream import jpeg_sampling
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.jpeg_transform import Extent, has_library
from wsi.jpeg import frame_of
from wsi.limits import malformed
from wsi.tile_index import Grid

QUALITY: Final = 90
# Horizontal and vertical factors of luminance where chrominance has one sample: 4:4:4, 4:2:2, 4:2:0, 4:4:0, 4:1:1.
_KNOWN_SAMPLING: Final = frozenset({0x11, 0x21, 0x22, 0x12, 0x41})


def has_padding(tile: bytes, grid: Grid, column: int, row: int) -> bool:
    """Whether a tile shows more than lies on the slide; some converters do not pad.

    Raises
    ------
    MalformedSlide
        It is no JPEG.
    """
    extent = grid.extent(column, row)
    if extent == (grid.tile_width, grid.tile_height):
        return False
    frame = frame_of(tile)
    return frame.width > extent.columns or frame.height > extent.rows


def without_padding(tile: bytes, grid: Grid, column: int, row: int) -> bytes:
    """Return the part of a tile that lies on the slide.

    Raises
    ------
    MalformedSlide, MalformedInstance
        The tile is no JPEG, or damaged.
    LimitExceeded, Busy
        Cutting it took too long, or nobody was free to do it.
    """
    if not has_padding(tile, grid, column, row):
        return tile
    frame, extent = frame_of(tile), grid.extent(column, row)
    kept = Extent(min(extent.columns, frame.width), min(extent.rows, frame.height))
    if has_library() and _is_known(jpeg_sampling(tile)):
        return shared_decoders().crop(tile, kept)
    return _encoded_anew(tile, kept)


def _is_known(factors: list[int]) -> bool:
    return len(factors) == 1 or (factors[0] in _KNOWN_SAMPLING and factors[1:] == [0x11, 0x11])


def _encoded_anew(tile: bytes, kept: Extent) -> bytes:
    try:
        opened = Image.open(io.BytesIO(tile), formats=["JPEG"])
        part = opened.crop((0, 0, kept.columns, kept.rows))
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise malformed("a tile does not decode") from error
    out = io.BytesIO()
    part.save(out, "JPEG", quality=QUALITY, icc_profile=opened.info.get("icc_profile"))
    return out.getvalue()
