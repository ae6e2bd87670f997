"""Folded metadata in memory: the answers by what they answer, up to a number of bytes, and which of them still hold.

Making them, and what they are made of, is `metadata`'s.
"""

import gzip
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MEMORY_BYTES_MAX: Final = 64 * 1024 * 1024  # of folded answers kept
FRESH_MAX: Final = 1_000  # questions whose answers are known to hold


@dataclass(frozen=True, slots=True)
class Folded:
    """The DICOM JSON array of a series or study."""

    gzipped: bytes
    etag: str  # of these very bytes

    def json(self) -> bytes:
        """Return the array itself, for a client that does not accept gzip."""
        return gzip.decompress(self.gzipped)


Key = tuple[str, int, int, str]  # whose and which, for a row's key may be given to another once it was deleted; URL


class Memory:
    """Folded answers by what they answer, the newest uses, up to a number of bytes."""

    def __init__(self, bytes_max: int) -> None:
        self._bytes_max = bytes_max
        self._bytes = 0
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, Folded] = OrderedDict()

    def get(self, key: Key) -> Folded | None:
        """Return an answer and count it as used."""
        with self._lock:
            folded = self._kept.get(key)
            if folded is not None:
                self._kept.move_to_end(key)
            return folded

    def put(self, key: Key, folded: Folded) -> None:
        """Keep an answer; those longest unused go."""
        with self._lock:
            replaced = self._kept.pop(key, None)
            self._kept[key] = folded
            self._bytes += len(folded.gzipped) - (len(replaced.gzipped) if replaced else 0)
            while self._bytes > self._bytes_max:
                _, gone = self._kept.popitem(last=False)
                self._bytes -= len(gone.gzipped)

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._kept.clear()
            self._bytes = 0


Asked = tuple[str, str, str | None, str]  # site, study, series or None for all of it, base URL


class Fresh:
    """Which answer a question had, until anything is written: rows change by this process alone."""

    def __init__(self, commits: Callable[[], int]) -> None:
        self._commits = commits
        self._lock = threading.Lock()
        self._at = -1
        self._keys: dict[Asked, Key] = {}

    def get(self, asked: Asked) -> Key | None:
        """Return the key of an answer that still holds."""
        with self._lock:
            return self._keys.get(asked) if self._at == self._commits() else None

    def put(self, asked: Asked, key: Key, commits: int) -> None:
        """Note what was read when so many commits had been made."""
        with self._lock:
            if self._at != commits or len(self._keys) >= FRESH_MAX:
                self._keys.clear()
            self._at = commits
            self._keys[asked] = key
