"""What `vienanh deidentify` reads: files, those below a folder, members of zips. Each once, its bytes in memory or mapped.

Whatever lies below a folder is told: what is no file, or cannot be read, is an entry with its problem. Links to files are
read, those to folders are not followed.
"""

import errno
import mmap
import os
import stat
import tempfile
import zipfile
from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Final

from anonymizer.engine.result import Buffer
from kernel.errors import InputNotRead, LimitExceeded
from kernel.zips import DAMAGED, is_of_disk

FILES_MAX: Final = 1_000_000  # of one run
READ_BYTES_MAX: Final = 16 * 1024**2  # into a buffer that is used again; larger files are mapped
MEMBER_BYTES_MAX: Final = 8 * 1024**3  # of one file in a zip, as it unpacks
MEMBER_RATIO_MAX: Final = 200  # unpacked to packed; beyond it a zip is an attack
MEMBER_SMALL_BYTES: Final = 1024**2  # below which the ratio means nothing
CHUNK_BYTES: Final = 1024 * 1024
FOLDERS_MAX: Final = 100  # one in the other
DIRECTORY_NAME: Final = "DICOMDIR"  # names of files and patients; nothing of it is needed in the result

_spare: list[bytearray] = []  # buffers that nobody reads into now: new memory costs more than the reading


ZIP_BEGINNING: Final = b"PK\3\4"
DICOM_PREFIX: Final = slice(128, 132)  # behind a preamble, which may be anything (PS3.10 7.1)
# Why an input is not read, in words that stay.
NOT_A_FILE, LINK_TO_FOLDER, DANGLING_LINK = "not-a-file", "link-to-folder", "dangling-link"
ZIP_IN_ZIP, TWO_OF_ONE_NAME, FOLDERS_TOO_DEEP = "zip-in-zip", "two-of-one-name", "folders-too-deep"
NOT_READ, BAD_ZIP, NO_SPACE = "not-read", "BadZipFile", "no-space"
_WORDS: Final = {
    errno.EACCES: "no-permission",
    errno.EPERM: "no-permission",
    errno.ENOENT: "gone",
    errno.ELOOP: DANGLING_LINK,
    errno.ENAMETOOLONG: "name-too-long",
    errno.ENOSPC: NO_SPACE,  # for what comes out of a zip
    errno.EDQUOT: NO_SPACE,
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One input: a file, or a member of a zip."""

    path: Path
    member: str = ""
    problem: str = ""  # why it cannot be read

    @property
    def label(self) -> str:
        """How the input is called on screen and in the report, which stay with whoever has the input."""
        return printable(f"{self.path}!{self.member}" if self.member else str(self.path))


def printable(name: str) -> str:
    """Return a name of a file with escapes for bytes that are not UTF-8, and for what would move a screen's cursor."""
    text = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode("ascii") for one in text)


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
    files = (
        sorted(islice(_below(source), FILES_MAX + 1), key=lambda one: one.path) if source.is_dir() else [Entry(source)]
    )
    for file in files:
        if file.path.name.upper() == DIRECTORY_NAME:
            continue
        if file.problem or not _is_zip(file.path):
            yield file
        else:
            yield from _members(file.path)


def _below(folder: Path) -> Iterator[Entry]:
    """Yield everything below a folder that is not a folder, and folders that cannot be read."""
    waiting = [(folder, 0)]
    while waiting:
        here, depth = waiting.pop()
        if depth > FOLDERS_MAX:
            yield Entry(here, problem=FOLDERS_TOO_DEEP)
            continue
        try:
            with os.scandir(here) as listed:
                found = list(listed)
        except OSError as error:
            yield Entry(here, problem=_why(error))
            continue
        for one in found:
            if one.is_dir(follow_symlinks=False):
                waiting.append((Path(one.path), depth + 1))
            else:
                yield Entry(Path(one.path), problem=_problem(one))


def _problem(one: os.DirEntry[str]) -> str:
    try:
        if one.is_file():
            return ""
        if one.is_symlink():
            return LINK_TO_FOLDER if one.is_dir() else NOT_A_FILE if Path(one.path).exists() else DANGLING_LINK
    except OSError as error:
        return _why(error)
    return NOT_A_FILE


def _why(error: OSError) -> str:
    return _WORDS.get(error.errno or 0, NOT_READ)


def _why_no_zip(error: BaseException) -> str:
    return _why(error) if isinstance(error, OSError) and is_of_disk(error) else BAD_ZIP


def _is_zip(file: Path) -> bool:
    """Whether a file is a zip, and no instance that ends as one."""
    try:
        if not file.is_file():  # a pipe would have to be waited for
            return False
        with file.open("rb") as opened:
            return opened.read(DICOM_PREFIX.stop)[DICOM_PREFIX] != b"DICM" and zipfile.is_zipfile(opened)
    except OSError:
        return False  # told when it is read


def _members(file: Path) -> Iterator[Entry]:
    try:
        with zipfile.ZipFile(file) as archive:
            infos = [info for info in archive.infolist() if not info.is_dir()]
            packed_bytes = sum(info.compress_size for info in infos)
    except DAMAGED as error:
        yield Entry(file, problem=_why_no_zip(error))
        return
    if packed_bytes > file.stat().st_size:  # members that overlap, so that a few bytes are unpacked again and again
        yield Entry(file, problem=BAD_ZIP)
        return
    names = Counter(info.filename for info in infos)
    for info in infos:
        if Path(info.filename).name.upper() != DIRECTORY_NAME:
            yield Entry(file, info.filename, TWO_OF_ONE_NAME if names[info.filename] > 1 else "")


@contextmanager
def content_of(entry: Entry) -> Generator[Buffer]:
    """Give the bytes of a file or of an unpacked member; nobody may keep them.

    Raises
    ------
    InputNotRead
        It is none, or cannot be read.
    LimitExceeded
        The member unpacks to more than it may.
    """
    if entry.problem:
        raise InputNotRead(why=entry.problem)
    if entry.member:
        with tempfile.TemporaryFile() as unpacked:
            try:
                archive = _archive(entry.path)
                _unpack(archive, archive.getinfo(entry.member), unpacked)
            except DAMAGED as error:
                raise InputNotRead(why=_why_no_zip(error)) from None
            with _mapped(unpacked.fileno()) as view:
                if view[: len(ZIP_BEGINNING)] == ZIP_BEGINNING and view[DICOM_PREFIX] != b"DICM":
                    raise InputNotRead(why=ZIP_IN_ZIP)
                yield view
        return
    file = _opened(entry.path)
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


def _opened(path: Path) -> int:
    """Return a handle of a file; nothing that would have to be waited for is opened."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise InputNotRead(why=_why(error)) from None
    if not stat.S_ISREG(os.fstat(file).st_mode):
        os.close(file)
        raise InputNotRead(why=NOT_A_FILE)
    return file


@lru_cache(maxsize=1)  # its members come one after the other
def _archive(path: Path) -> zipfile.ZipFile:
    return zipfile.ZipFile(path)


def _read(file: int, into: memoryview) -> int:
    """Read until the file or the room ends; return how many bytes there were."""
    size = 0
    try:
        while size < len(into) and (count := os.readv(file, [into[size:]])):
            size += count
    except OSError as error:
        raise InputNotRead(why=_why(error)) from None
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
