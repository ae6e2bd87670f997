"""The program of `wsi.openslide_child`: a slide in; a file of JPEG tiles and their index out, or pictures of its glass.

Its arguments are `tiles`, the slide, the file of tiles, and the file of the index; or `glass`, the slide, and a folder. It
says `tile N of M` for each tile, or `refused WHY`, or `errno N` of a disk that is full. OpenSlide ends its process on some
damaged files, which is why it has one.
"""

import errno
import io
import resource
import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import numpy as np
from PIL import Image

from kernel.errors import ExchangeError
from wsi import mirax, ndpi
from wsi.index_file import save
from wsi.limits import MEBIBYTE, PROFILE_BYTES_MAX, SIDE_PIXELS_MAX, TILES_MAX, at_most, malformed
from wsi.octave import BACKGROUND
from wsi.tile_index import Level, SlideIndex, checked

NO_SPACE: Final = (errno.ENOSPC, errno.EDQUOT)
MEMORY_BYTES_MAX: Final = 3072 * MEBIBYTE  # of address space, libraries included
TILE: Final = 512  # pixels
QUALITY: Final = 90
TOLD_EVERY: Final = 16  # tiles
GLASS: Final = ("label", "macro")  # pictures beside the tissue, as OpenSlide names them
GLASS_AREA_MAX: Final = 64 * 1024 * 1024  # pixels of one as it is stored
GLASS_SIDE: Final = 1600  # pixels of one as it is given
DESCRIPTION: Final = "Decoded by OpenSlide and encoded anew"
# Formats whose other files, if there are any, stand beside the slide under names that we can look at.
VENDORS: Final = frozenset({"aperio", "generic-tiff", "hamamatsu", "leica", "mirax", "philips", "ventana"})
_NAMES_ELSEWHERE: Final = frozenset({".vms", ".vmu"})  # Hamamatsu's older forms name any file they like


def main() -> int:
    """Decode; 0 if all went well."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES_MAX, MEMORY_BYTES_MAX))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    task, path, *places = sys.argv[1], *(Path(argument) for argument in sys.argv[2:])
    try:
        if task == "glass":
            _photograph(path, *places)
        else:
            _decode(path, *places)
    except ExchangeError as error:
        return _refuse(str(error.fields.get("reason", error)))
    except ImportError:
        return _refuse("OpenSlide is not installed (the extra `slides` of this package)")
    except MemoryError:
        return _refuse("it takes too much memory")
    except OSError as error:
        if error.errno in NO_SPACE:
            _say(f"errno {error.errno}")
            return 1
        return _refuse(f"it cannot be read ({type(error).__name__})")
    return 0


def _refuse(reason: str) -> int:
    _say(f"refused {reason}")
    return 1


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _decode(path: Path, tiles: Path, index: Path) -> None:
    from openslide.deepzoom import DeepZoomGenerator

    with tiles.open("wb") as out, _opened(path) as (slide, vendor):
        for side in slide.dimensions:
            at_most("pixels of a slide's side", side, SIDE_PIXELS_MAX)
        save(_index(slide, DeepZoomGenerator(slide, TILE, 0, limit_bounds=True), vendor, out), index)


def _photograph(path: Path, folder: Path) -> None:
    """Write the pictures of a slide's label and of its whole glass, those that it has."""
    with _opened(path) as (slide, _):
        for name in GLASS:
            sides = (slide.properties.get(f"openslide.associated.{name}.{side}", "") for side in ("width", "height"))
            width, height = (int(side) if side.isdecimal() else 0 for side in sides)
            if 0 < width * height <= GLASS_AREA_MAX:
                picture = slide.associated_images[name].convert("RGB")
                picture.thumbnail((GLASS_SIDE, GLASS_SIDE))
                picture.save(folder / f"{name}.jpg", "JPEG", quality=QUALITY)


@contextmanager
def _opened(path: Path) -> Generator[tuple[Any, str]]:
    """Open a slide of a kind that is taken; what OpenSlide says against it becomes MalformedSlide."""
    import openslide

    if path.suffix.lower() in _NAMES_ELSEWHERE:
        raise malformed("its kind names files elsewhere")
    if mirax.is_mirax(path):
        mirax.check_companions(path)
    if path.suffix.lower() == ndpi.SUFFIX and (planes := ndpi.focal_planes(path)) > 1:
        raise malformed(f"it has {planes} focal planes, of which OpenSlide reads one")
    vendor = openslide.OpenSlide.detect_format(str(path))
    if vendor not in VENDORS:
        raise malformed("OpenSlide does not know it, or its kind is not taken")
    try:
        with openslide.OpenSlide(str(path)) as slide:
            yield slide, vendor
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
