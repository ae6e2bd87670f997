"""What `vienanh deidentify` reads: files, those below a folder, members of zips. Each once, its bytes in memory or mapped."""

import mmap
import os
import tempfile
import zipfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import IO, Final

from anonymizer.engine.result import Buffer
from kernel.errors import LimitExceeded

FILES_MAX: Final = 1_000_000  # of one run
READ_BYTES_MAX: Final = 16 * 1024**2  # into a buffer that is used again; larger files are mapped
MEMBER_BYTES_MAX: Final = 8 * 1024**3  # of one file in a zip, as it unpacks
MEMBER_RATIO_MAX: Final = 200  # unpacked to packed; beyond it a zip is an attack
MEMBER_SMALL_BYTES: Final = 1024**2  # below which the ratio means nothing
CHUNK_BYTES: Final = 1024 * 1024
DIRECTORY_NAME: Final = "DICOMDIR"  # names of files and patients; nothing of it is needed in the result

_spare: list[bytearray] = []  # buffers that nobody reads into now: new memory costs more than the reading


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: a file, or a member of a zip."""

    path: Path
    member: str = ""

    @property
    def label(self) -> str:
        """How the input is called on screen and in the report, which stay with whoever has the input."""
        return f"{self.path}!{self.member}" if self.member else str(self.path)


def entries(source: Path) -> Iterator[Entry]:
    """Yield what is to be read: a file, every file below a folder, every member of a zip.

    Raises
    ------
    LimitExceeded
        There are more than FILES_MAX.
    """
    for number, entry in enumerate(_entries(source), start=1):
        if number > FILES_MAX:
            raise LimitExceeded(limit="FILES_MAX", value=number, bound=FILES_MAX)
        yield entry


def _entries(source: Path) -> Iterator[Entry]:
    files = sorted(path for path in source.rglob("*") if path.is_file()) if source.is_dir() else [source]
    for file in files:
        if file.name.upper() == DIRECTORY_NAME:
            continue
        if not zipfile.is_zipfile(file):
            yield Entry(file)
            continue
        with zipfile.ZipFile(file) as archive:
            for info in archive.infolist():
                if not info.is_dir() and Path(info.filename).name.upper() != DIRECTORY_NAME:
                    yield Entry(file, info.filename)


@contextmanager
def content_of(entry: Entry) -> Generator[Buffer]:
    """Give the bytes of a file or of an unpacked member; nobody may keep them."""
    if entry.member:
        archive = _archive(entry.path)
        with tempfile.TemporaryFile() as unpacked:
            _unpack(archive, archive.getinfo(entry.member), unpacked)
            with _mapped(unpacked.fileno()) as view:
                yield view
        return
    file = os.open(entry.path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(file).st_size
        if size > READ_BYTES_MAX:
            with _mapped(file) as view:
                yield view
            return
        buffer = _spare.pop() if _spare else bytearray(READ_BYTES_MAX)
        try:
            yield memoryview(buffer).toreadonly()[: _read(file, memoryview(buffer)[:size])]
        finally:
            _spare.append(buffer)
    finally:
        os.close(file)


@lru_cache(maxsize=1)  # its members come one after the other
def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _read(file: int, into: memoryview) -> int:
    """Read until the file or the room ends; return how many bytes there were."""
    size = 0
    while size < len(into) and (count := os.readv(file, [into[size:]])):
        size += count
    return size


@contextmanager
def _mapped(file: int) -> Generator[Buffer]:
    if os.fstat(file).st_size == 0:
        yield b""
        return
    with mmap.mmap(file, 0, access=mmap.ACCESS_READ) as view:
        yield view


def _unpack(archive: zipfile.ZipFile, info: zipfile.ZipInfo, file: IO[bytes]) -> None:
    bound = max(MEMBER_SMALL_BYTES, min(MEMBER_BYTES_MAX, info.compress_size * MEMBER_RATIO_MAX))
    size = 0
    with archive.open(info) as member:
        while chunk := member.read(CHUNK_BYTES):
            size += len(chunk)
            if size > bound:
                raise LimitExceeded(limit="a file in the zip, unpacked", value=size, bound=bound)
            file.write(chunk)
    file.flush()
