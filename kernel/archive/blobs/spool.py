"""Bytes that wait on disk: parts of what is still to be put together, and frames whose offsets stand before them.

Nothing survives: the file has no name, so that a crash leaves nothing behind.
"""

import io
import os
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.archive.blobs.stage import WATERMARK_STEP_BYTES, Space, told

CHUNK_BYTES: Final = 512 * 1024  # read at once
IN_MEMORY_BYTES: Final = 8 * 1024 * 1024  # of a scratch; what is larger goes to disk


class Spool:
    """An unnamed file that only grows. Append from one thread at a time; read from any."""

    def __init__(self, space: Space, folder: Path) -> None:
        self._space = space
        self._file = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (closed by `close`)
        self._look_again_at = WATERMARK_STEP_BYTES
        self.size_bytes = 0

    def append(self, data: bytes | memoryview) -> None:
        """Add bytes at the end.

        Raises
        ------
        StorageFull
            The disk is full, or its reserve was reached.
        """
        view = memoryview(data)
        try:
            while view:
                written = os.write(self._file.fileno(), view)
                self.size_bytes += written
                view = view[written:]
        except OSError as error:
            raise told(error, self._space, len(view)) from error
        if self.size_bytes >= self._look_again_at:
            self._look_again_at = self.size_bytes + WATERMARK_STEP_BYTES
            self._space.check_space(WATERMARK_STEP_BYTES)

    def span(self, offset: int, size_bytes: int) -> "Span":
        """Return a part of what was appended."""
        return Span(self._file.fileno(), offset, size_bytes)

    def reader(self) -> io.RawIOBase:
        """Return what was appended as a file to be read from any place; nothing is appended meanwhile."""
        return io.FileIO(os.dup(self._file.fileno()), "rb")

    def close(self) -> None:
        """Give the disk's space back; safe to call twice."""
        self._file.close()


@dataclass(frozen=True, slots=True)
class Span:
    """A part of an open spool."""

    descriptor: int
    offset: int
    size_bytes: int

    def chunks(self) -> Iterator[bytes]:
        """Yield the bytes, at most `CHUNK_BYTES` at once."""
        for start in range(0, self.size_bytes, CHUNK_BYTES):
            yield os.pread(self.descriptor, min(CHUNK_BYTES, self.size_bytes - start), self.offset + start)

    def head(self, bytes_max: int) -> bytes:
        """Return the first bytes."""
        return os.pread(self.descriptor, min(bytes_max, self.size_bytes), self.offset)

    def read(self) -> bytes:
        """Return all of them; for what is known to be small."""
        return b"".join(self.chunks())


class Scratch:
    """Bytes that are appended and then read in order: in memory as long as they are few, else in a spool."""

    def __init__(self, open_spool: Callable[[], Spool]) -> None:
        self._open_spool = open_spool
        self._few: list[bytes] = []
        self._few_bytes = 0
        self._spool: Spool | None = None

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises
        ------
        StorageFull
            The disk is full, or its reserve was reached.
        """
        if self._spool is None and self._few_bytes + len(data) <= IN_MEMORY_BYTES:
            self._few.append(data)
            self._few_bytes += len(data)
            return
        if self._spool is None:
            self._spool = self._open_spool()
            self._spool.append(b"".join(self._few))
            self._few.clear()
        self._spool.append(data)

    def chunks(self) -> Iterator[bytes]:
        """Yield all bytes."""
        yield from self._few if self._spool is None else self._spool.span(0, self._spool.size_bytes).chunks()

    def close(self) -> None:
        """Let the bytes go; safe to call twice."""
        self._few.clear()
        if self._spool is not None:
            self._spool.close()
