"""What was made of slides, kept on disk: indexes and reduced tiles, up to a number of bytes; all of it can be made again.

    <root>/<revision>/index     the tile index
    <root>/<revision>/<tile>    a tile that the slide does not store

The slide that was longest not looked at goes first, whole. Nothing is flushed: what a crash loses is made anew.
"""

import os
import secrets
import shutil
import threading
from collections import OrderedDict
from contextlib import suppress
from pathlib import Path
from typing import Final

from kernel.archive.blobs.store import Blobs
from kernel.errors import StorageFull

_NEW: Final = ".new"
_GONE: Final = ".gone-"


class Kept:
    """The folder of what was made; safe in threads."""

    def __init__(self, root: Path, bytes_max: int, blobs: Blobs) -> None:
        self._root = root
        self._bytes_max = bytes_max
        self._blobs = blobs
        self._lock = threading.Lock()
        self._sizes: OrderedDict[str, int] | None = None  # bytes by revision, the longest unused first

    def path(self, revision: str, name: str) -> Path:
        """Return where something is or will be."""
        return self._root / revision / name

    def get(self, revision: str, name: str) -> bytes | None:
        """Return what is kept under a name."""
        try:
            return self.path(revision, name).read_bytes()
        except OSError:
            return None

    def put(self, revision: str, name: str, content: bytes) -> None:
        """Keep something if there is room for it; if not, it is made again next time."""
        if not self._makes_room(revision, len(content)):
            return
        final = self.path(revision, name)
        unnamed = final.with_name(secrets.token_hex(8) + _NEW)
        try:
            final.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            unnamed.write_bytes(content)
            unnamed.replace(final)
        except OSError:  # the disk is full, or the folder went meanwhile: it is only a convenience
            unnamed.unlink(missing_ok=True)

    def clear(self) -> None:
        """Forget everything: instances were deleted, and nobody knows here which tiles showed them."""
        gone = self._root.with_name(f"{self._root.name}{_GONE}{secrets.token_hex(8)}")
        with self._lock, suppress(FileNotFoundError):
            self._sizes = None
            self._root.rename(gone)
        threading.Thread(target=self.sweep, name="slides-sweep", daemon=True).start()

    def sweep(self) -> None:
        """Remove what was forgotten, by an earlier run too."""
        for folder in self._root.parent.glob(f"{self._root.name}{_GONE}*"):
            shutil.rmtree(folder, ignore_errors=True)

    def _makes_room(self, revision: str, size: int) -> bool:
        with suppress(StorageFull):
            self._blobs.check_space(size)
            with self._lock:
                return self._evicted(revision, size)
        return False

    def _evicted(self, revision: str, size: int) -> bool:
        """Count what will be kept, and remove other slides' until it fits."""
        sizes = self._sizes = self._walked() if self._sizes is None else self._sizes
        sizes[revision] = sizes.get(revision, 0) + size
        sizes.move_to_end(revision)
        total = sum(sizes.values())
        while total > self._bytes_max and len(sizes) > 1:
            oldest, freed = sizes.popitem(last=False)
            shutil.rmtree(self._root / oldest, ignore_errors=True)
            total -= freed
        if total > self._bytes_max:
            sizes[revision] -= size
            return False
        return True

    def _walked(self) -> OrderedDict[str, int]:
        """Count what earlier runs kept; a slide was last used when something was last made of it."""
        found: list[tuple[float, str, int]] = []
        self._root.mkdir(parents=True, exist_ok=True, mode=0o700)
        for folder in self._root.iterdir():
            with suppress(OSError), os.scandir(folder) as entries:
                found.append((folder.stat().st_mtime, folder.name, sum(entry.stat().st_size for entry in entries)))
        return OrderedDict((name, size) for _, name, size in sorted(found))
