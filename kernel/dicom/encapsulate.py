"""Encapsulated pixel data, written: one fragment a frame, and the offset table that says where each begins (PS3.5 A.4).

The table stands before the frames, so they wait in a temporary file: in memory as long as they are few.
"""

import struct
from array import array
from collections.abc import Iterable, Iterator
from tempfile import SpooledTemporaryFile
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.elements import UNDEFINED
from kernel.dicom.limits import MEBIBYTE, exceeded
from kernel.errors import StorageFull

ENCODED_BYTES_MAX: Final = 64 * 1024 * MEBIBYTE  # of all frames of an instance together
IN_MEMORY_BYTES: Final = 8 * MEBIBYTE  # what is larger goes to disk
BASIC_OFFSETS_MAX: Final = 0xFFFFFFFF  # what a Basic Offset Table can say
_ITEM: Final = struct.Struct("<HHI")
_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)


class Fragments:
    """Encoded frames, all of them waiting; a context manager that lets them go.

    Raises
    ------
    LimitExceeded
        They are more than ENCODED_BYTES_MAX.
    StorageFull
        The disk for temporary files is full.
    The errors of the frames' own iterator.
    """

    def __init__(self, frames: Iterable[bytes]) -> None:
        self._file = SpooledTemporaryFile[bytes](IN_MEMORY_BYTES)
        self._lengths = array("Q")
        self.size_bytes = 0  # of the frames, without what is around them
        try:
            for frame in frames:
                self._add(frame)
        except BaseException:
            self._file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def _add(self, frame: bytes) -> None:
        padded = len(frame) + len(frame) % 2
        self.size_bytes += padded
        if self.size_bytes > ENCODED_BYTES_MAX or padded >= UNDEFINED:
            raise exceeded("ENCODED_BYTES_MAX", self.size_bytes, ENCODED_BYTES_MAX)
        try:
            self._file.write(_ITEM.pack(0xFFFE, 0xE000, padded))
            self._file.write(frame)
            self._file.write(b"\0" * (padded - len(frame)))
        except OSError:
            raise StorageFull(needed_bytes=padded, free_bytes=0) from None
        self._lengths.append(padded)

    @property
    def extended_offsets(self) -> dict[int, tuple[str, bytes] | None]:
        """Extended Offset Table and Lengths (PS3.3 C.7.6.3.1.8), where the basic one does not suffice."""
        starts = self._starts()
        if self._is_basic(starts):
            return {}
        lengths = np.asarray(self._lengths, np.uint64).astype("<u8").tobytes()
        return {0x7FE00001: ("OV", starts.astype("<u8").tobytes()), 0x7FE00002: ("OV", lengths)}

    def value(self) -> Iterator[bytes]:
        """Yield the value of Pixel Data: offset table, fragments, delimiter."""
        starts = self._starts()
        table = starts.astype("<u4").tobytes() if self._is_basic(starts) else b""
        yield _ITEM.pack(0xFFFE, 0xE000, len(table)) + table
        self._file.seek(0)
        while chunk := self._file.read(MEBIBYTE):
            yield chunk
        yield _END

    def _starts(self) -> NDArray[np.uint64]:
        """Return where each frame's item begins, counted from the first."""
        lengths = np.asarray(self._lengths, np.uint64) + np.uint64(8)
        return np.concatenate((np.zeros(1, np.uint64), np.cumsum(lengths[:-1], dtype=np.uint64)))

    @staticmethod
    def _is_basic(starts: NDArray[np.uint64]) -> bool:
        return int(starts[-1]) <= BASIC_OFFSETS_MAX
