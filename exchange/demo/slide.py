"""The demo's slide as its scanner sends it: one VL Whole Slide Microscopy instance for each resolution (PS3.3 A.32.8)."""

import io
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset

from exchange.demo import tissue
from kernel.dicom.scanning.part10 import open_dataset
from wsi.convert import Converter, parts_of, slide_digest
from wsi.dicom_header import Identity
from wsi.tile_index import Level, SlideIndex

_TILE: Final = 256  # pixels
_REDUCTIONS: Final = (1, 4, 16)
_QUALITY: Final = 85
_SCANNED_AT: Final = datetime(2026, 11, 22, 1, 47, 30)  # noqa: DTZ001 (the scanner's own time)


def scanned(identity: Identity) -> Iterator[Dataset]:
    """Yield the instances of the slide, the finest first."""
    file = io.BytesIO()
    picture = tissue.drawn()
    levels = tuple(_stored(picture.reduce(reduction), file) for reduction in _REDUCTIONS)
    index = SlideIndex("", (tissue.MPP, tissue.MPP), 20.0, b"", levels, acquired_at=_SCANNED_AT)
    stored = file.getvalue()

    def read(at: int, length: int) -> bytes:
        return stored[at : at + length]

    converter = Converter(read, index, identity, slide_digest(read, len(stored), index))
    with tempfile.TemporaryDirectory() as folder:
        for part in parts_of(index, len(stored)):
            path = Path(folder) / str(part.level)
            converter.write(part, path)
            yield open_dataset(path)


def _stored(picture: Image.Image, file: io.BytesIO) -> Level:
    """Write the tiles of one resolution behind what is in the file."""
    offsets: list[int] = []
    lengths: list[int] = []
    for top in range(0, picture.height, _TILE):
        for left in range(0, picture.width, _TILE):
            offsets.append(file.tell())
            tile = picture.crop((left, top, left + _TILE, top + _TILE))
            tile.save(file, "JPEG", quality=_QUALITY, subsampling="4:2:2")
            lengths.append(file.tell() - offsets[-1])
    return Level(
        width=picture.width,
        height=picture.height,
        tile_width=_TILE,
        tile_height=_TILE,
        coding="jpeg",
        colour="YCbCr",
        tables=b"",
        planes=1,
        paths=1,
        offsets=np.array(offsets, np.uint64),
        lengths=np.array(lengths, np.uint32),
        files=np.zeros(len(offsets), np.uint16),
    )
