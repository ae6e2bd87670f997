"""ZIP files written while they are sent (APPNOTE 4.3): nothing of them is kept, neither in memory nor on disk.

Entries are not compressed: pixels that can be, are already. Names are UIDs; nothing in them is a patient's.
"""

import zipfile
from collections.abc import Iterable, Iterator
from typing import Final

ZIP64_BYTES: Final = 2**31  # an entry that may be larger says so in its header
ENTRIES_MAX: Final = 65_535  # the directory at the end is all that is remembered
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # when an instance was written is nobody's business, and changes the bytes


class _Sink:
    """What the ZIP file is written to; it cannot be sought in, so sizes follow each entry."""

    def __init__(self) -> None:
        self._waiting: list[bytes] = []

    def write(self, data: bytes) -> int:
        self._waiting.append(bytes(data))
        return len(data)

    def flush(self) -> None:
        """Do nothing: `taken` gives what was written."""

    def taken(self) -> bytes:
        data = b"".join(self._waiting)
        self._waiting.clear()
        return data


def zipped(entries: Iterable[tuple[str, int, Iterator[bytes]]]) -> Iterator[bytes]:
    """Yield a ZIP file of (name, about how many bytes, chunks)."""
    sink = _Sink()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:  # type: ignore[arg-type] (an unseekable stream does)
        for name, size_bytes, chunks in entries:
            info = zipfile.ZipInfo(name, _EPOCH)
            with archive.open(info, "w", force_zip64=size_bytes >= ZIP64_BYTES) as entry:
                for chunk in chunks:
                    entry.write(chunk)
                    yield sink.taken()
    yield sink.taken()
