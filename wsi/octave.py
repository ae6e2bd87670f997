"""Tiles of an octave that a slide does not store: finer tiles, reduced while they are decoded, side by side.

A JPEG decoder makes an image 2, 4 or 8 times smaller for less than it takes to decode it whole (it leaves out high
frequencies of each block). The result is JPEG again, and says its colour profile.
"""

import io
from collections.abc import Callable
from typing import Final

from PIL import Image, UnidentifiedImageError

from wsi.limits import malformed
from wsi.pyramid import Octave
from wsi.tile_index import Level

QUALITY: Final = 85
SUBSAMPLING: Final = "4:2:2"
BACKGROUND: Final = (255, 255, 255)  # where nothing was scanned

TileOf = Callable[[int, int], bytes | None]
"""Given a column and a row of the source octave: a JPEG that stands for itself, or None where nothing was scanned."""


def reduced_tile(
    octave: Octave, source: Octave, column: int, row: int, tile_of: TileOf, *, icc_profile: bytes
) -> bytes:
    """Make one tile, `octave.tile_width` by `octave.tile_height` pixels, padded at the slide's edges.

    Raises
    ------
    MalformedSlide
        A tile of the source does not decode.
    What `tile_of` raises.
    """
    scale = 1 << (octave.number - source.number)
    canvas = Image.new("RGB", (octave.tile_width, octave.tile_height), BACKGROUND)
    exact = octave.tile_width % scale == 0 and octave.tile_height % scale == 0
    if not exact:
        canvas = canvas.resize((octave.tile_width * scale, octave.tile_height * scale))
    across, down = canvas.width // scale, canvas.height // scale
    for down_number in range(min(scale, source.rows - row * scale)):
        for across_number in range(min(scale, source.columns - column * scale)):
            tile = tile_of(column * scale + across_number, row * scale + down_number)
            if tile is not None:
                picture = _decoded(tile, scale if exact else 1)
                canvas.paste(picture, (across_number * across, down_number * down))
    if not exact:
        canvas = canvas.reduce(scale)
    out = io.BytesIO()
    canvas.save(out, "JPEG", quality=QUALITY, subsampling=SUBSAMPLING, icc_profile=icc_profile or None)
    return out.getvalue()


def _decoded(tile: bytes, scale: int) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(tile), formats=["JPEG"])
        wanted = (-(-picture.width // scale), -(-picture.height // scale))
        picture.draft("RGB", wanted)
        picture = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError) as error:
        raise malformed("a stored tile does not decode") from error
    return picture if picture.size == wanted else picture.reduce(picture.width // wanted[0])


def blank_tile(level: Level) -> bytes:
    """Return a tile of bare glass in its level's colours."""
    out = io.BytesIO()
    if level.colour == "grey":
        Image.new("L", (level.tile_width, level.tile_height), BACKGROUND[0]).save(out, "JPEG", quality=90)
    else:
        picture = Image.new("RGB", (level.tile_width, level.tile_height), BACKGROUND)
        picture.save(out, "JPEG", quality=90, keep_rgb=level.colour == "RGB")
    return out.getvalue()
