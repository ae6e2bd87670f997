"""The pyramid that viewers see: every level half the one before, whichever of them a slide stores.

An Aperio slide has levels of 1, 1/4, 1/16 and 1/32; OpenSeadragon, DeepZoom and IIIF's tiles count in halves, and show a
blurred enlargement where they are given other steps. An octave that is stored is served as it is; another one is made
from the nearest finer stored octave, at most REDUCTION_MAX halvings away, or from an octave so made.
"""

from dataclasses import dataclass
from typing import Final

from wsi.tile_index import Grid, SlideIndex

REDUCTION_MAX: Final = 3  # halvings in one step: what a JPEG decoder can do while it decodes (8 to 1)
ROUNDING: Final = 2  # pixels by which a stored level may differ from the exact half: scanners round either way


@dataclass(frozen=True, slots=True)
class Octave(Grid):
    """One level as viewers see it, `2 ** number` times smaller than the finest."""

    number: int
    stored: int | None  # the slide's level that it is
    source: int  # the octave that it is made from when it is not stored


def octaves(index: SlideIndex) -> tuple[Octave, ...]:
    """Return the pyramid of a slide, finest first, down to the octave that is one tile."""
    finest = index.levels[0]
    found: list[Octave] = []
    number = 0
    while True:
        width, height = (max(1, -(-side // (1 << number))) for side in (finest.width, finest.height))
        stored = _stored(index, width, height)
        tiles = finest if stored is None else index.levels[stored]
        source = _source(found, finest, number) if stored is None else number
        octave = Octave(width, height, tiles.tile_width, tiles.tile_height, number, stored, source)
        found.append(octave)
        if octave.columns == octave.rows == 1:
            return tuple(found)
        number += 1


def _stored(index: SlideIndex, width: int, height: int) -> int | None:
    """Return the level of a size, if its tiles are of the finest level's size: all octaves share one grid."""
    finest = index.levels[0]
    for number, level in enumerate(index.levels):
        same_grid = (level.tile_width, level.tile_height) == (finest.tile_width, finest.tile_height)
        if same_grid and abs(level.width - width) <= ROUNDING and abs(level.height - height) <= ROUNDING:
            return number
    return None


def _source(found: list[Octave], finest: Grid, number: int) -> int:
    """Return the octave to make another from: a stored one if it is near, else the farthest that one step reaches."""
    steps = REDUCTION_MAX
    while steps > 1 and (finest.tile_width % (1 << steps) or finest.tile_height % (1 << steps)):
        steps -= 1  # reduced tiles must fit each other without a seam
    reachable = found[max(0, number - steps) :]
    nearest = next((one.number for one in reversed(reachable) if one.stored is not None), None)
    return reachable[0].number if nearest is None else nearest
