"""A part of a slide at any size, as one JPEG: for protocols that ask for regions (IIIF), and for thumbnails.

The nearest finer octave gives the pixels; they are scaled only from there, so that a picture costs what it shows.
"""

import io
from collections.abc import Callable
from typing import Final, NamedTuple

from PIL import Image, UnidentifiedImageError

from kernel.errors import InvalidRequest, LimitExceeded
from wsi.jpeg import embedded_profile
from wsi.limits import malformed
from wsi.octave import BACKGROUND
from wsi.slide import Address, Slide

AREA_MAX: Final = 4 * 1024 * 1024  # pixels of one picture
QUALITY: Final = 90

TileOf = Callable[[Address], bytes]


class Region(NamedTuple):
    """Pixels of the finest level."""

    left: int
    top: int
    width: int
    height: int


class Size(NamedTuple):
    """Pixels of a picture."""

    width: int
    height: int


def clipped(slide: Slide, region: Region) -> Region:
    """Return the part of a region that lies on the slide.

    Raises
    ------
    InvalidRequest
        None of it does.
    """
    finest = slide.octaves[0]
    right, bottom = min(region.left + region.width, finest.width), min(region.top + region.height, finest.height)
    if region.left >= right or region.top >= bottom:
        raise InvalidRequest(reason="the region is empty, or lies outside the slide")
    return Region(region.left, region.top, right - region.left, bottom - region.top)


def whole_tile(slide: Slide, region: Region, size: Size) -> Address | None:
    """Return the tile that a region is at a size, pixel for pixel, cut where the slide ends; None if it is none."""
    for octave in slide.octaves:
        scale = 1 << octave.number
        across, down = octave.tile_width * scale, octave.tile_height * scale
        column, row = region.left // across, region.top // down
        whole = clipped(slide, Region(column * across, row * down, across, down))
        if region == whole and size == Size(*octave.extent(column, row)):
            return Address(0, 0, octave.number, column, row)
    return None


def picture(slide: Slide, region: Region, size: Size, tile_of: TileOf) -> bytes:
    """Draw a region that lies on the slide; the first focal plane and optical path.

    Raises
    ------
    LimitExceeded
        It would have more than AREA_MAX pixels.
    MalformedSlide
        A tile does not decode.
    What `tile_of` raises.
    """
    area = size.width * size.height
    if area > AREA_MAX:
        raise LimitExceeded(limit="pixels of a picture", value=area, bound=AREA_MAX)
    octave = slide.octaves[_octave_for(slide, region, size)]
    scale = 1 << octave.number
    left, top = region.left // scale, region.top // scale
    right = max(left + 1, min(octave.width, -(-(region.left + region.width) // scale)))
    bottom = max(top + 1, min(octave.height, -(-(region.top + region.height) // scale)))
    canvas = Image.new("RGB", (right - left, bottom - top), BACKGROUND)
    for row in range(top // octave.tile_height, -(-bottom // octave.tile_height)):
        for column in range(left // octave.tile_width, -(-right // octave.tile_width)):
            tile = _decoded(tile_of(Address(0, 0, octave.number, column, row)))
            canvas.paste(tile, (column * octave.tile_width - left, row * octave.tile_height - top))
    if canvas.size != size:
        canvas = canvas.resize(size, Image.Resampling.BILINEAR, reducing_gap=2.0)
    return _encoded(slide, canvas)


def glimpse(slide: Slide, size: Size, tile_of: TileOf, tiles_max: int) -> bytes:
    """Draw all of a slide of which the coarse octaves are not made yet, from so many of its stored tiles.

    Each part has the color of the tile in its middle; between these it is smooth.

    Raises
    ------
    As `picture`.
    """
    octave = next(one for one in reversed(slide.octaves) if one.stored is not None)
    step = 1
    while (columns := -(-octave.columns // step)) * (rows := -(-octave.rows // step)) > tiles_max:
        step += 1
    canvas = Image.new("RGB", (columns, rows))
    for row in range(rows):
        for column in range(columns):
            place = (
                min(at * step + step // 2, last - 1) for at, last in ((column, octave.columns), (row, octave.rows))
            )
            tile = _decoded(
                tile_of(Address(0, 0, octave.number, *place)), (octave.tile_width // 8, octave.tile_height // 8)
            )
            canvas.paste(tile.resize((1, 1), Image.Resampling.BOX), (column, row))
    return _encoded(slide, canvas.resize(size, Image.Resampling.BILINEAR))


def _encoded(slide: Slide, canvas: Image.Image) -> bytes:
    index = slide.index
    profile = b"" if index.levels[0].colour == "grey" else embedded_profile(index.icc_profile)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY, subsampling="4:2:2", icc_profile=profile or None)
    return out.getvalue()


def _octave_for(slide: Slide, region: Region, size: Size) -> int:
    """Return the coarsest octave that still has every pixel of the picture."""
    number = 0
    while number + 1 < len(slide.octaves) and (
        region.width >> (number + 1) >= size.width and region.height >> (number + 1) >= size.height
    ):
        number += 1
    return number


def _decoded(tile: bytes, at_least: tuple[int, int] | None = None) -> Image.Image:
    """Decode a tile; where a size is enough, to the smallest above it that costs a decoder less."""
    try:
        opened = Image.open(io.BytesIO(tile), formats=["JPEG"])
        opened.draft("RGB", at_least)
        return opened.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise malformed("a stored tile does not decode") from error
