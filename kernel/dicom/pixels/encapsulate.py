"""Encapsulated pixel data, written: one fragment a frame, and the offset table that says where each begins (PS3.5 A.4).

The table stands before the frames, so they wait where the caller says: on the archive's disk, when they are many.
"""

import struct
from array import array
from collections.abc import Callable, Iterable, Iterator
from typing import Final, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.scanning.elements import UNDEFINED
from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded

ENCODED_BYTES_MAX: Final = 64 * 1024 * MEBIBYTE  # of all frames of an instance together
IN_MEMORY_BYTES_MAX: Final = 64 * MEBIBYTE  # of an instance whose maker names no disk
BASIC_OFFSETS_MAX: Final = 0xFFFFFFFF  # what a Basic Offset Table can say
_ITEM: Final = struct.Struct("<HHI")
_END: Final = _ITEM.pack(0xFFFE, 0xE0DD, 0)


class Scratch(Protocol):
    """Where bytes wait: appended, then read once, in order."""

    def append(self, data: bytes) -> None:
        """Add bytes at the end; raises StorageFull."""
        ...

    def chunks(self) -> Iterator[bytes]:
        """Yield all of them in pieces of bounded size."""
        ...

    def close(self) -> None:
        """Let them go; safe to call twice."""
        ...


class InMemory:
    """A scratch for small instances, where there is no archive."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._size_bytes = 0

    def append(self, data: bytes) -> None:
        """Add bytes at the end.

        Raises
        ------
        LimitExceeded
            They are more than IN_MEMORY_BYTES_MAX.
        """
        self._size_bytes += len(data)
        if self._size_bytes > IN_MEMORY_BYTES_MAX:
            raise exceeded("IN_MEMORY_BYTES_MAX", self._size_bytes, IN_MEMORY_BYTES_MAX)
        self._pieces.append(data)

    def chunks(self) -> Iterator[bytes]:
        """Yield what was added."""
        yield from self._pieces

    def close(self) -> None:
        """Forget it."""
        self._pieces.clear()


class Fragments:
    """Encoded frames, all of them waiting; a context manager that lets them go.

    Raises
    ------
    LimitExceeded
        They are more than ENCODED_BYTES_MAX.
    StorageFull
        There is no space for them to wait.
    The errors of the frames' own iterator.
    """

    def __init__(self, frames: Iterable[bytes], scratch: Callable[[], Scratch] = InMemory) -> None:
        self._waiting = scratch()
        self._lengths = array("Q")
        self.size_bytes = 0  # of the frames, without what is around them
        try:
            for frame in frames:
                self._add(frame)
        except BaseException:
            self._waiting.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.close()

    def _add(self, frame: bytes) -> None:
        padded = len(frame) + len(frame) % 2
        self.size_bytes += padded
        if self.size_bytes > ENCODED_BYTES_MAX or padded >= UNDEFINED:
            raise exceeded("ENCODED_BYTES_MAX", self.size_bytes, ENCODED_BYTES_MAX)
        self._waiting.append(_ITEM.pack(0xFFFE, 0xE000, padded))
        self._waiting.append(frame + b"\0" * (padded - len(frame)))
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
        yield from self._waiting.chunks()
        yield _END

    def _starts(self) -> NDArray[np.uint64]:
        """Return where each frame's item begins, counted from the first."""
        lengths = np.asarray(self._lengths, np.uint64) + np.uint64(8)
        return np.concatenate((np.zeros(1, np.uint64), np.cumsum(lengths[:-1], dtype=np.uint64)))

    @staticmethod
    def _is_basic(starts: NDArray[np.uint64]) -> bool:
        return int(starts[-1]) <= BASIC_OFFSETS_MAX
