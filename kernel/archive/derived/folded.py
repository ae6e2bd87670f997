"""Folded metadata: an answer, what it is remembered by, and which of those in memory still hold.

Making them, and what they are made of, is `metadata`'s.
"""

import gzip
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

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
