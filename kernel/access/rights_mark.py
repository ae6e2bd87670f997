"""A mark that changes with anybody's rights, seen by every process of a node: eight bytes of a file that each has mapped.

What a process remembers of callers is forgotten when the mark is another one, so that a right withdrawn by a command is
withdrawn at the next request. Looking costs no system call. Processes on other machines have what they remember for
`RECENT_S` at most.
"""

import mmap
import os
from pathlib import Path
from typing import Final, Protocol

from kernel.access.secrets import RandomBytes

MARK_BYTES: Final = 8


class Mark(Protocol):
    """Says whether anybody's rights have changed."""

    def now(self) -> bytes:
        """Return the mark; another one than before when rights have changed since."""
        ...

    def change(self) -> None:
        """Rights have changed, and are durable."""
        ...


class NoMark:
    """Of a single process, which knows what it changes."""

    def now(self) -> bytes:
        """Return the same mark always."""
        return b""

    def change(self) -> None:
        """Tell nobody."""


class FileMark:
    """The mark in a file, which is made when it is not there."""

    def __init__(self, path: Path, random_bytes: RandomBytes = os.urandom) -> None:
        self._random_bytes = random_bytes
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(handle).st_size < MARK_BYTES:  # a hole in a file is no place on a full disk: written
                os.pwrite(handle, bytes(MARK_BYTES), 0)
            self._bytes = mmap.mmap(handle, MARK_BYTES)
        finally:
            os.close(handle)

    def now(self) -> bytes:
        """Return the mark, from memory."""
        return self._bytes[:]

    def change(self) -> None:
        """Put another mark there: never one counted on from the last, which two processes would do at once."""
        self._bytes[:] = self._random_bytes(MARK_BYTES)
