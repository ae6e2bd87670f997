"""Zips of strangers, opened with bounds. Nothing is believed that a zip says of itself: who reads counts what comes out."""

import errno
import io
import lzma
import zipfile
import zlib
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from kernel.dicom.vocabulary.limits import exceeded

DIRECTORY_BYTES_MAX: Final = 4 * 1024 * 1024  # of the zip's own list of files
CHUNK_BYTES: Final = 256 * 1024  # read from it at once
DAMAGED: Final = (
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError),
    *(EOFError, NotImplementedError, RuntimeError, OSError, ValueError),
)
"""What is raised by one that is damaged, encrypted, or of an odd compression; errors of a disk are among it (`is_of_disk`)."""
_OF_BYTES: Final = (None, errno.EINVAL)  # what decompressors, and places before the beginning of a file, raise


@contextmanager
def opened_zip(file: io.RawIOBase) -> Generator[zipfile.ZipFile]:
    """Open a zip; `file` is closed at the end.

    Raises
    ------
    LimitExceeded
        Its directory is longer than `DIRECTORY_BYTES_MAX`.
    What `DAMAGED` names, also later.
    """
    with _Bounded(file) as bounded, zipfile.ZipFile(bounded) as archive:
        yield archive


def files_of(archive: zipfile.ZipFile, files_max: int, limit: str) -> list[zipfile.ZipInfo]:
    """Return the files in a zip, without its folders. Raises LimitExceeded."""
    files = [info for info in archive.infolist() if not info.is_dir()]
    if len(files) > files_max:
        raise exceeded(limit, len(files), files_max)
    return files


def is_of_disk(error: BaseException) -> bool:
    """Whether of what was caught as `DAMAGED` not the zip is to blame: a disk is full, or fails."""
    return isinstance(error, OSError) and error.errno not in _OF_BYTES


class _Bounded(io.RawIOBase):
    """A file of which nobody reads much at once: `zipfile` reads the whole directory, however long it says it is."""

    def __init__(self, file: io.RawIOBase) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        if size > DIRECTORY_BYTES_MAX:
            raise exceeded("DIRECTORY_BYTES_MAX", size, DIRECTORY_BYTES_MAX)
        return self._file.read(size) or b""

    def close(self) -> None:
        self._file.close()
        super().close()
