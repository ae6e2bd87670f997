"""The image of a disc with a medium on it: ISO 9660 level 1, names of eight and three as File IDs have them (PS3.12).

Rock Ridge beside it keeps the names in capitals on systems that would show others, so that the page finds its pictures.
The image cannot be written while it is sent, as it begins with where everything lies: files and image are written first,
and want room for the medium twice. They have no names in the archive's folder: nothing of them survives a crash.
"""

import io
import os
from collections.abc import Iterator
from contextlib import closing
from typing import IO, BinaryIO, Final, cast

from pycdlib import PyCdlib

from gateway.dicomweb.media.medium import File
from kernel.archive.blobs.spool import Span
from kernel.archive.blobs.store import Blobs
from kernel.dicom.vocabulary.limits import MEBIBYTE
from kernel.errors import LimitExceeded, StorageFull

BYTES_MAX: Final = 24 * 1024 * MEBIBYTE  # of the files; as a disc of one blue layer holds
FILE_BYTES_MAX: Final = 2**32 - 1  # level 1 has one extent for a file (ECMA-119 10.1)
RESERVE_BYTES: Final = 256 * MEBIBYTE  # that stay free
VOLUME: Final = "DICOM"
CD_BYTES: Final = 700 * MEBIBYTE
DVD_BYTES: Final = 4_700_000_000
_CHUNK_BYTES: Final = MEBIBYTE


def write_disc(image: IO[bytes], files: Iterator[File], blobs: Blobs) -> None:
    """Write the files of a medium as the image of a disc, into a new file.

    Raises
    ------
    LimitExceeded
        They are more than BYTES_MAX, or one is more than FILE_BYTES_MAX.
    StorageFull
        There is no room for them in the archive, or once more where `image` is.
    """
    disc = PyCdlib()
    disc.new(interchange_level=1, vol_ident=VOLUME, app_ident_str="VIENANH", rock_ridge="1.09")
    with closing(disc), closing(blobs.spool()) as spool:
        known = {""}
        for name, _, chunks in files:
            begin = spool.size_bytes
            for chunk in chunks:
                spool.append(chunk)
            _check(spool.size_bytes - begin, spool.size_bytes, image)
            _add(disc, name, spool.span(begin, spool.size_bytes - begin), known)
        disc.write_fp(cast("BinaryIO", image))


def disc_chunks(files: Iterator[File], blobs: Blobs) -> Iterator[bytes]:
    """Yield the image of a disc; the first piece is there when all of it is written. Errors are those of `write_disc`."""
    with blobs.unnamed() as image:
        write_disc(image, files, blobs)
        image.seek(0)
        while chunk := image.read(_CHUNK_BYTES):
            yield chunk


def kind_of_disc(size_bytes: int) -> str:
    """Return the smallest disc that an image fits on."""
    if size_bytes <= CD_BYTES:
        return "CD"
    return "DVD" if size_bytes <= DVD_BYTES else "Blu-ray"


def _check(size: int, total: int, image: IO[bytes]) -> None:
    if size > FILE_BYTES_MAX:
        raise LimitExceeded(limit="FILE_BYTES_MAX", value=size, bound=FILE_BYTES_MAX)
    if total > BYTES_MAX:
        raise LimitExceeded(limit="BYTES_MAX", value=total, bound=BYTES_MAX)
    disk = os.fstatvfs(image.fileno())
    free = disk.f_bavail * disk.f_frsize - RESERVE_BYTES
    if free < total:  # the image will be as large again
        raise StorageFull(needed_bytes=total, free_bytes=max(0, free))


def _add(disc: PyCdlib, name: str, content: Span, known: set[str]) -> None:
    folder, _, file = name.rpartition("/")
    _add_folders(disc, folder, known)
    opened: BinaryIO = cast("BinaryIO", _File(content))  # pycdlib says so, and reads alone
    disc.add_fp(opened, content.size_bytes, f"/{name}{'' if '.' in file else '.'};1", rr_name=file)


def _add_folders(disc: PyCdlib, name: str, known: set[str]) -> None:
    if name in known:
        return
    parent, _, last = name.rpartition("/")
    _add_folders(disc, parent, known)
    disc.add_directory(f"/{name}", rr_name=last)
    known.add(name)


class _File(io.RawIOBase):
    """A part of a spool as pycdlib reads a file: from its beginning, once."""

    def __init__(self, content: Span) -> None:
        self._content = content
        self._at = 0

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        assert whence == os.SEEK_SET
        self._at = offset
        return offset

    def read(self, size: int = -1) -> bytes:
        left = self._content.size_bytes - self._at
        size = left if size < 0 else min(size, left)
        data = os.pread(self._content.descriptor, size, self._content.offset + self._at)
        self._at += len(data)
        return data
