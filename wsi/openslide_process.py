"""The program of `wsi.openslide_child`: a slide in, a file of JPEG tiles and their index out.

Its arguments are the slide, the file of tiles, and the file of the index. It says `tile N of M` for each tile, or
`refused WHY`. OpenSlide ends its process on some damaged files, which is why it has one.
"""

import io
import resource
import sys
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from PIL import Image

from kernel.errors import ExchangeError
from wsi import mirax
from wsi.index_file import save
from wsi.limits import MEBIBYTE, PROFILE_BYTES_MAX, SIDE_PIXELS_MAX, TILES_MAX, at_most, malformed
from wsi.octave import BACKGROUND
from wsi.tile_index import Level, SlideIndex, checked

MEMORY_BYTES_MAX: Final = 3072 * MEBIBYTE  # of address space, libraries included
TILE: Final = 512  # pixels
QUALITY: Final = 90
TOLD_EVERY: Final = 16  # tiles
DESCRIPTION: Final = "Decoded by OpenSlide and encoded anew"
# Formats whose other files, if there are any, stand beside the slide under names that we can look at.
VENDORS: Final = frozenset({"aperio", "generic-tiff", "hamamatsu", "leica", "mirax", "philips", "ventana"})
_NAMES_ELSEWHERE: Final = frozenset({".vms", ".vmu"})  # Hamamatsu's older forms name any file they like


def main() -> int:
    """Decode; 0 if all went well."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    path, tiles, index = (Path(argument) for argument in sys.argv[1:4])
    try:
        with tiles.open("wb") as out:
            save(_decoded(path, out), index)
    except ExchangeError as error:
        return _refuse(str(error.fields.get("reason", error)))
    except ImportError:
        return _refuse("OpenSlide is not installed (the extra `slides` of this package)")
    except MemoryError:
        return _refuse("it takes too much memory")
    except OSError as error:
        return _refuse(f"it cannot be read, or there is no room ({type(error).__name__})")
    return 0


def _refuse(reason: str) -> int:
    _say(f"refused {reason}")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _decoded(path: Path, out: IO[bytes]) -> SlideIndex:
    import openslide
    from openslide.deepzoom import DeepZoomGenerator

    if path.suffix.lower() in _NAMES_ELSEWHERE:
        raise malformed("its kind names files elsewhere")
    if mirax.is_mirax(path):
        mirax.check_companions(path)
    vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor not in VENDORS:
        raise malformed("OpenSlide does not know it, or its kind is not taken")
    try:
        with openslide.OpenSlide(str(path)) as slide:
            for side in slide.dimensions:
                at_most("pixels of a slide's side", side, SIDE_PIXELS_MAX)
            pyramid = DeepZoomGenerator(slide, TILE, 0, limit_bounds=True)
            return _index(slide, pyramid, vendor, out)
    except openslide.OpenSlideError:  # its words may name the file, or what is in it
        raise malformed("OpenSlide cannot read it") from None


def _index(slide: Any, pyramid: Any, vendor: str, out: IO[bytes]) -> SlideIndex:
    numbers = [number for number in range(pyramid.level_count) if _is_wanted(pyramid.level_dimensions[number])]
    if not numbers:
        raise malformed("it is smaller than a part of one tile")
    total = at_most("tiles of a slide", sum(_tiles(pyramid.level_tiles[number]) for number in numbers), TILES_MAX)
    done = 0
    levels: list[Level] = []
    for number in reversed(numbers):
        columns, rows = pyramid.level_tiles[number]
        offsets, lengths = np.zeros(columns * rows, np.uint64), np.zeros(columns * rows, np.uint32)
        for row in range(rows):
            for column in range(columns):
                tile = _encoded(pyramid.get_tile(number, (column, row)))
                at = row * columns + column
                offsets[at], lengths[at] = out.tell(), len(tile)
                out.write(tile)
                done += 1
                if done % TOLD_EVERY == 0 or done == total:
                    _say(f"tile {done} of {total}")
        width, height = pyramid.level_dimensions[number]
        files = np.zeros(columns * rows, np.uint16)
        level = Level(
            width, height, TILE, TILE, "jpeg", "YCbCr", b"", 1, 1, offsets=offsets, lengths=lengths, files=files
        )
        levels.append(checked(level, [out.tell()]))
    return SlideIndex(
        vendor=vendor,
        mpp=_mpp(slide.properties),
        objective=_number(slide.properties.get("openslide.objective-power")),
        icc_profile=_profile(slide),
        levels=tuple(levels),
        derivation=DESCRIPTION,
    )


def _is_wanted(size: tuple[int, int]) -> bool:
    """Whether a level is more than a part of one tile: DeepZoom goes down to one pixel."""
    return max(size) > TILE // 2


def _tiles(size: tuple[int, int]) -> int:
    return size[0] * size[1]


def _encoded(tile: Image.Image) -> bytes:
    """Return a tile as JPEG, padded; nothing where nothing was scanned."""
    tile = tile.convert("RGB")
    if tile.getextrema() == tuple((one, one) for one in BACKGROUND):
        return b""
    if tile.size != (TILE, TILE):
        padded = Image.new("RGB", (TILE, TILE), BACKGROUND)
        padded.paste(tile)
        tile = padded
    out = io.BytesIO()
    tile.save(out, "JPEG", quality=QUALITY, subsampling="4:2:2")
    return out.getvalue()


def _mpp(properties: Any) -> tuple[float, float] | None:
    across, down = (_number(properties.get(f"openslide.mpp-{axis}")) for axis in "xy")
    return (across, down) if across and down else None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if 0 < number < float("inf") else None


def _profile(slide: Any) -> bytes:
    profile = slide.color_profile
    content: bytes = profile.tobytes() if profile is not None else b""
    return content if len(content) <= PROFILE_BYTES_MAX else b""


if __name__ == "__main__":
    sys.exit(main())
