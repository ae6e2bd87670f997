"""Bytes that came apart from what they belong to, on disk until it is put together; one file without a name a request.

Nothing survives: the file has no name, so that a crash leaves nothing behind.
"""

import os
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from kernel.archive.stage import WATERMARK_STEP_BYTES, Space, told

CHUNK_BYTES: Final = 512 * 1024  # read at once


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

    def read(self) -> bytes:
        """Return all of them; for what is known to be small."""
        return b"".join(self.chunks())
