"""New files: written under a temporary name, flushed while others are worked on, named once they are on the disk.

So a name means a whole file, across a power cut too, and a disk that is waited for is waited for by several at a time.
"""

import filecmp
import os
import tempfile
from collections.abc import Iterable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final, Self

from kernel.archive.durable import flush_data, flush_folder, rename_new

FLUSHERS: Final = 4  # files on their way to the disk at once


@dataclass(frozen=True, slots=True)
class Writing:
    """One file on its way; `name` is relative to the output folder."""

    name: str
    temporary: Path
    flushed: Future[None]


class Writer:
    """Writes the files of one group; use it in `with`: what was not named by then is gone, and names are durable."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._begun: list[Writing] = []
        self._folders: set[Path] = set()  # that are there
        self._named: set[Path] = set()  # in which there are new names

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        wait(writing.flushed for writing in self._begun)
        for writing in self._begun:
            writing.temporary.unlink(missing_ok=True)
        for folder in self._named:
            flush_folder(folder)

    def begin(self, name: str, chunks: Iterable[bytes | memoryview]) -> Writing:
        """Write a file's bytes, and have them flushed; its name comes with `end`."""
        folder = (self._output / name).parent
        if folder not in self._folders:
            folder.mkdir(parents=True, exist_ok=True)
            self._folders.add(folder)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
        try:
            for chunk in chunks:
                written = 0
                while written < len(chunk):
                    written += os.write(handle, chunk[written:])
        except BaseException:
            os.close(handle)
            Path(temporary).unlink()
            raise
        writing = Writing(name, Path(temporary), _threads().submit(_flush, handle))
        self._begun.append(writing)
        return writing

    def end(self, writing: Writing) -> bool:
        """Give a file its name once it is on the disk; False when other bytes are there under that name."""
        writing.flushed.result()
        final = self._output / writing.name
        if not rename_new(writing.temporary, final):
            return filecmp.cmp(writing.temporary, final, shallow=False)
        self._named.add(final.parent)
        return True


@cache
def _threads() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(FLUSHERS, "flush")


def _flush(handle: int) -> None:
    try:
        flush_data(handle)
    finally:
        os.close(handle)
