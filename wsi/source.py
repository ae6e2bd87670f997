"""A vendor's slide opened for being written as DICOM: its tiles as they are stored, or encoded anew where nobody can."""

import hashlib
import mmap
import os
import tempfile
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import IO, NamedTuple

from kernel.errors import InvalidRequest, MalformedSlide
from wsi import mirax
from wsi.convert import DIGEST_BYTES, Read, slide_digest
from wsi.index_file import load
from wsi.limits import MPP_MAX
from wsi.openslide_child import decoded_slide
from wsi.tiff_slide import Decline, index_tiff
from wsi.tile_index import SlideIndex

Progress = Callable[[int, int], None]
"""Told how many tiles were encoded anew, and of how many."""


class Source(NamedTuple):
    """A slide whose tiles are JPEGs that can be read."""

    slide: SlideIndex
    read: Read
    digest: bytes  # that its UIDs are made of


@contextmanager
def opened_source(path: Path, mpp: float, scratch: Path, progress: Progress | None) -> Generator[Source]:
    """Open a slide; one whose tiles cannot be taken over is decoded into `scratch`, if `progress` is given.

    Raises
    ------
    MalformedSlide, LimitExceeded
        It cannot be read, or its tiles cannot be taken over and it is not to be decoded.
    InvalidRequest
        `mpp` is no scale.
    """
    if mpp and not 0 < mpp <= MPP_MAX:  # not a number, too
        raise InvalidRequest(reason=f"microns a pixel are more than 0 and at most {MPP_MAX:g}")
    with path.open("rb") as opened:
        read = _reader(opened)
        index = _told(opened)
        if isinstance(index, SlideIndex):
            yield Source(_scaled(index, mpp), read, slide_digest(read, path.stat().st_size, index))
            return
        digest = _file_digest(read, path.stat().st_size)
        if mirax.is_mirax(path):
            digest = mirax.digest_with(digest, path)
    if progress is None:
        raise MalformedSlide(reason=f"its tiles cannot be taken over as they are: {index.reason}")
    with tempfile.TemporaryDirectory(prefix="slide-", dir=scratch) as folder:
        tiles, kept = decoded_slide(path, Path(folder), progress)
        with tiles.open("rb") as opened:
            yield Source(_scaled(load(kept), mpp), _reader(opened), digest)


def index_of(opened: IO[bytes]) -> SlideIndex | Decline:
    """Find the tiles of a TIFF slide; anything else is declined. Raises as `index_tiff`."""
    if os.fstat(opened.fileno()).st_size == 0:
        return Decline("it is empty")
    with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content, memoryview(content) as view:
        return index_tiff(view)


def _told(opened: IO[bytes]) -> SlideIndex | Decline:
    """Return the index of a slide whose tiles can be taken over."""
    try:
        index = index_of(opened)
    except MalformedSlide as error:  # no TIFF: of another kind, perhaps
        return Decline(str(error.fields["reason"]))
    if isinstance(index, SlideIndex) and any(level.coding != "jpeg" for level in index.levels):
        return Decline("its tiles are no JPEGs")
    return index


def _scaled(index: SlideIndex, mpp: float) -> SlideIndex:
    return replace(index, mpp=(mpp, mpp)) if mpp > 0 else index


def _reader(opened: IO[bytes]) -> Read:
    """Return what reads a file as long as nobody writes to it: a tile that is half another's must not pass."""
    descriptor = opened.fileno()
    as_opened = _state(descriptor)

    def read(at: int, length: int) -> bytes:
        data = os.pread(descriptor, length, at)
        if _state(descriptor) != as_opened:
            raise MalformedSlide(reason="it was changed while it was read")
        return data

    return read


def _state(descriptor: int) -> tuple[int, int]:
    told = os.fstat(descriptor)
    return told.st_size, told.st_mtime_ns


def _file_digest(read: Read, size: int) -> bytes:
    """Return what the UIDs of a slide are made of that is not served as stored: of the file that came, not of ours."""
    digest = hashlib.sha256(read(0, DIGEST_BYTES) + read(max(0, size - DIGEST_BYTES), DIGEST_BYTES))
    digest.update(size.to_bytes(8, "little"))
    return digest.digest()
