"""The folders that blobs get their names in, kept open: every instance flushes one, which needs a descriptor.

They are made once and never replaced while a node runs.
"""

import os
import weakref
from pathlib import Path


class Folders:
    """Descriptors of the folders below a root, opened when first asked for. Safe to use from many threads."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._descriptors: dict[str, int] = {}
        weakref.finalize(self, _close, self._descriptors)

    def descriptor(self, name: str) -> int:
        """Return the descriptor of a folder; it stays open as long as this object lives."""
        found = self._descriptors.get(name)
        if found is None:
            opened = os.open(self._root / name, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            found = self._descriptors.setdefault(name, opened)
            if found != opened:  # another thread was first
                os.close(opened)
        return found


def _close(descriptors: dict[str, int]) -> None:
    while descriptors:
        os.close(descriptors.popitem()[1])
