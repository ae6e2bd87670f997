"""What a stranger's slide may cost, and how the readers of this package refuse."""

from typing import Final

from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded
from kernel.errors import MalformedSlide

SIDE_PIXELS_MAX: Final = 1 << 20  # width or height of a slide; the largest scanners make some 300,000
TILE_SIDE_MIN: Final = 8  # pixels; TIFF 6.0 asks for 16 of tiles, highdicom's own examples in DICOM have 10
TILE_SIDE_MAX: Final = 4096
TILES_MAX: Final = 4_000_000  # of one level, its focal planes and optical paths together
TILE_BYTES_MAX: Final = 16 * MEBIBYTE  # of one stored tile
DIRECTORIES_MAX: Final = 64  # of a TIFF file
ENTRIES_MAX: Final = 1024  # of one TIFF directory
TEXT_BYTES_MAX: Final = 4 * MEBIBYTE  # of a description; OME-XML of many planes is long
PROFILE_BYTES_MAX: Final = 4 * MEBIBYTE  # of an ICC profile
TABLES_BYTES_MAX: Final = 64 * 1024  # of JPEG tables that tiles share
MPP_MAX: Final = 100.0  # microns a pixel, where the file does not say and somebody does


def malformed(reason: str) -> MalformedSlide:
    """Make the refusal of a slide that cannot be read."""
    return MalformedSlide(reason=reason)


def at_most(limit: str, value: int, bound: int) -> int:
    """Return a value that keeps its bound.

    Raises
    ------
    LimitExceeded
        It does not.
    """
    if value > bound:
        raise exceeded(limit, value, bound)
    return value
