"""New pixel data opened as pixels again: what is looked at a second time is what will leave, not what was meant."""

import mmap
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from anonymizer.engine.result import NewPixels, chunks_of, joined, size_of
from kernel.dicom.pixels.frames import locate_frames
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.scanning.elements import Buffer

IN_MEMORY_BYTES: Final = 64 * 1024 * 1024  # more waits in a temporary file
_PHOTOMETRIC, _PLANAR = 0x00280004, 0x00280006


@contextmanager
def reopened(pixels: Pixels, new: NewPixels) -> Generator[Pixels]:
    """Give the frames of `new`, which was made of `pixels`."""
    if sum(map(size_of, new.pieces)) <= IN_MEMORY_BYTES:
        yield _opened(joined(chunks_of(new.pieces, pixels.buffer)), pixels, new)
        return
    with tempfile.TemporaryFile() as file:
        for chunk in chunks_of(new.pieces, pixels.buffer):
            file.write(chunk)
        file.flush()
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as view:
            yield _opened(view, pixels, new)


def _opened(value: Buffer, pixels: Pixels, new: NewPixels) -> Pixels:
    where = pixels.header.pixel_data
    assert where is not None
    image = pixels.image
    color, planar = new.changes.get(_PHOTOMETRIC), new.changes.get(_PLANAR)
    if color is not None:
        image = replace(image, photometric_interpretation=color[1].decode("ascii").strip())
    if planar is not None:
        image = replace(image, planar_configuration=0)
    header = replace(pixels.header, pixel_data=replace(where, value_offset=0, end=len(value)))
    without_table = replace(header, elements=tuple(one for one in header.elements if one.tag >> 16 != 0x7FE0))
    frames = locate_frames(value, without_table, image)
    return Pixels(value, header, image, frames, new.transfer_syntax_uid, new.transfer_syntax_uid)
