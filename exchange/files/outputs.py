"""New files: written under a temporary name, on their way to the disk at once, flushed and named group by group.

So a name means a whole file, across a power cut too, and the disk is waited for once for a whole group.
"""

import filecmp
import os
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, Self

from kernel.archive.blobs.durable import begin_write_back, flush_folder, rename_new
from kernel.archive.blobs.flushing import flush_together

CHUNKS_AT_ONCE: Final = 16  # of a MiB at most each: they wait in memory (`anonymizer.engine.result.chunks_of`)


@dataclass(frozen=True, slots=True)
class Writing:
    """One file on its way; `name` is relative to the output folder."""

    name: str
    temporary: Path
    handle: int


class Writer:
    """Writes the files of one group; use it in `with`: what was not named by then is gone, and names are durable."""

    def __init__(self, output: Path) -> None:
        self._output = output
        self._mark = f".{secrets.token_hex(8)}"  # of temporary names: no other writer's
        self._count = 0
        self._unnamed: list[Writing] = []
        self._unflushed: list[Writing] = []
        self._folders: set[Path] = set()  # that are there
        self._changed: set[Path] = set()  # in which there are new names, of files or of folders

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for writing in self._unflushed:
            os.close(writing.handle)
        for writing in self._unnamed:
            writing.temporary.unlink(missing_ok=True)
        for folder in self._changed:
            flush_folder(folder)

    def begin(self, name: str, chunks: Iterable[bytes | memoryview]) -> Writing:
        """Write a file's bytes, and send them on their way to the disk; its name comes with `end`."""
        folder = (self._output / name).parent
        self._make(folder)
        temporary = folder / f"{self._mark}.{self._count}.part"
        handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        writing = Writing(name, temporary, handle)
        self._count += 1
        self._unnamed.append(writing)
        self._unflushed.append(writing)
        write_chunks(handle, chunks)
        begin_write_back(handle)
        return writing

    def end(self, writing: Writing) -> bool:
        """Give a file its name, once all that were begun are on the disk; False when other bytes have that name."""
        self._flush()
        final = self._output / writing.name
        if not rename_new(writing.temporary, final):
            return filecmp.cmp(writing.temporary, final, shallow=False)
        self._unnamed.remove(writing)
        self._changed.add(final.parent)
        return True

    def _flush(self) -> None:
        flush_together([writing.handle for writing in self._unflushed])
        while self._unflushed:
            os.close(self._unflushed.pop().handle)

    def _make(self, folder: Path) -> None:
        """Have a folder, whose own name is durable when the group is over."""
        if folder in self._folders:
            return
        self._folders.add(folder)
        if not folder.is_dir():
            self._make(folder.parent)
            folder.mkdir(exist_ok=True)  # another process may have been quicker
            self._changed.add(folder.parent)


def write_chunks(handle: int, chunks: Iterable[bytes | memoryview]) -> None:
    """Write all chunks, several with one call to the system."""
    chunks = iter(chunks)
    while waiting := [memoryview(chunk) for chunk in islice(chunks, CHUNKS_AT_ONCE)]:
        while waiting:
            written = os.writev(handle, waiting)
            while waiting and written >= len(waiting[0]):
                written -= len(waiting.pop(0))
            if written:
                waiting[0] = waiting[0][written:]
