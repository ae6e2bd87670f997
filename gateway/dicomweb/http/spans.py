"""Bytes of a blob, named and not read: what answers are made of."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from kernel.errors import BlobMissing


class FileSpan(NamedTuple):
    """A part of a blob: `size_bytes` from `offset` on."""

    path: Path
    offset: int
    size_bytes: int

    def read(self, start: int, count: int) -> bytes:
        """Return `count` bytes from `start`, counted within the span.

        Raises
        ------
        BlobMissing
            They are not there.
        """
        descriptor = self.open()
        try:
            data = os.pread(descriptor, count, self.offset + start)
        finally:
            os.close(descriptor)
        if len(data) != count:
            raise BlobMissing(key=self.path.name)
        return data

    def chunks(self, bytes_max: int) -> Iterator[bytes]:
        """Yield the span in pieces of at most `bytes_max`; errors as `read`."""
        for start in range(0, self.size_bytes, bytes_max):
            yield self.read(start, min(bytes_max, self.size_bytes - start))

    def read_into(self, target: memoryview) -> None:
        """Read the span to where it is wanted; errors as `read`."""
        descriptor = self.open()
        try:
            count = os.preadv(descriptor, [target], self.offset)
        finally:
            os.close(descriptor)
        if count != len(target):
            raise BlobMissing(key=self.path.name)

    def open(self) -> int:
        """Return a descriptor of the blob; errors as `read`."""
        try:
            return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            raise BlobMissing(key=self.path.name) from None
