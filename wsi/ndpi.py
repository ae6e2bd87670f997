"""Hamamatsu NDPI: how many focal planes it has. OpenSlide decodes the one in focus alone, and says nothing of the others.

A TIFF whose directories lead to each other by 8 bytes, so that it may be larger than 4 GiB.
"""

import struct
from pathlib import Path
from typing import IO, Final

from wsi.limits import ENTRIES_MAX

SUFFIX: Final = ".ndpi"
DIRECTORIES_MAX: Final = 4096  # looked at; some ten for each focal plane
_BEGINNING: Final = b"II*\0"
_ENTRY: Final = struct.Struct("<HHIi")
_FOCAL_PLANE: Final = 65424  # nanometres from the plane in focus


def focal_planes(path: Path) -> int:
    """Return how many heights its pictures were taken at; 1 of a file that is none, or damaged: OpenSlide says so."""
    heights = {0}
    size = path.stat().st_size
    with path.open("rb") as file:
        if file.read(len(_BEGINNING)) != _BEGINNING:
            return 1
        for _ in range(DIRECTORIES_MAX):
            (at,) = struct.unpack("<Q", _read(file, 8))
            if not 0 < at < size:
                break
            file.seek(at)
            (count,) = struct.unpack("<H", _read(file, 2))
            if count > ENTRIES_MAX:
                break
            entries = _ENTRY.iter_unpack(_read(file, count * _ENTRY.size))
            heights |= {value for tag, _, _, value in entries if tag == _FOCAL_PLANE}
    return len(heights)


def _read(file: IO[bytes], size: int) -> bytes:
    """Read so much; zeros where the file ends."""
    return file.read(size).ljust(size, b"\0")
