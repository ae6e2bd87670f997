"""How many associations one source may have at once, over all listener processes of a node.

A place is a lock on one byte of a file, held by a descriptor of its own (an open file description lock): the kernel frees
it when the association ends, and also when its process dies.
"""

import contextlib
import fcntl
import hashlib
import os
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PLACES_FILE: Final = "places"  # in the data folder
PLACES_MAX: Final = 1 << 16  # of one source
_FLOCK: Final = struct.Struct("@hhqqi")  # struct flock: type, whence, start, length, pid (Linux, 64 bits)


@dataclass(frozen=True, slots=True)
class Place:
    """One place that is taken."""

    descriptor: int

    def leave(self) -> None:
        """Give it back."""
        os.close(self.descriptor)


class Places:
    """The places of every source of a node."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def take(self, source: str, most: int) -> Place | None:
        """Take one of `most` places of a source; None when all are taken.

        Raises
        ------
        OSError
            The file cannot be opened: out of descriptors, for example.
        """
        descriptor = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        digest = hashlib.sha256(source.encode()).digest()
        first = int.from_bytes(digest[:5], "big") * PLACES_MAX
        try:
            for number in range(min(most, PLACES_MAX)):
                with contextlib.suppress(BlockingIOError, PermissionError):  # somebody else has it
                    lock = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, first + number, 1, 0)
                    fcntl.fcntl(descriptor, fcntl.F_OFD_SETLK, lock)
                    return Place(descriptor)
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)
        return None
