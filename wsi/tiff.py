"""TIFF directories, classic and Big, read within bounds (TIFF 6.0 section 2; BigTIFF 2007). No pixel is decoded.

The file is a buffer, as a rule a memory map. Nothing is believed: every offset is checked against the file's end, the
chain of directories against loops, and every count against its bound before a byte is read for it.
"""

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wsi.limits import DIRECTORIES_MAX, ENTRIES_MAX, at_most, malformed

Buffer = bytes | memoryview


class Tag(IntEnum):
    """The tags that slides need."""

    NEW_SUBFILE_TYPE = 254
    IMAGE_WIDTH = 256
    IMAGE_LENGTH = 257
    BITS_PER_SAMPLE = 258
    COMPRESSION = 259
    PHOTOMETRIC_INTERPRETATION = 262
    IMAGE_DESCRIPTION = 270
    MAKE = 271
    STRIP_OFFSETS = 273
    SAMPLES_PER_PIXEL = 277
    STRIP_BYTE_COUNTS = 279
    X_RESOLUTION = 282
    Y_RESOLUTION = 283
    PLANAR_CONFIGURATION = 284
    RESOLUTION_UNIT = 296
    SOFTWARE = 305
    TILE_WIDTH = 322
    TILE_LENGTH = 323
    TILE_OFFSETS = 324
    TILE_BYTE_COUNTS = 325
    SUB_IFDS = 330
    JPEG_TABLES = 347
    XMP = 700
    ICC_PROFILE = 34675
    NDPI = 65420  # Hamamatsu's mark of its own form


# Of each field type: numpy's name for one value, and how many of them make one (a rational is two).
_TYPES: Final[Mapping[int, tuple[str, int]]] = {
    1: ("u1", 1), 2: ("u1", 1), 3: ("u2", 1), 4: ("u4", 1), 5: ("u4", 2), 6: ("i1", 1), 7: ("u1", 1), 8: ("i2", 1),
    9: ("i4", 1), 10: ("i4", 2), 11: ("f4", 1), 12: ("f8", 1), 13: ("u4", 1), 16: ("u8", 1), 17: ("i8", 1),
    18: ("u8", 1),
}  # fmt: skip
_BYTE_TYPES: Final = frozenset({1, 2, 6, 7})
_BEGINNINGS: Final = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")


@dataclass(frozen=True, slots=True)
class _Field:
    dtype: np.dtype[np.generic]
    kind: int
    count: int  # of numbers: two for each rational
    offset: int  # of the values in the file


class Directory:
    """One image of the file: its fields by tag, read when they are asked for."""

    __slots__ = ("_buffer", "_fields", "offset")

    def __init__(self, buffer: Buffer, offset: int, fields: Mapping[int, _Field]) -> None:
        self._buffer = buffer
        self._fields = fields
        self.offset = offset

    def __contains__(self, tag: int) -> bool:
        return tag in self._fields

    def integers(self, tag: int, *, count_max: int) -> NDArray[np.uint64]:
        """Return the values of a field of integers, shape (count,); empty when it is absent.

        Raises
        ------
        LimitExceeded
            There are more than `count_max`.
        MalformedSlide
            They are no unsigned integers.
        """
        field = self._fields.get(tag)
        if field is None:
            return np.empty(0, np.uint64)
        at_most(f"values of TIFF tag {tag}", field.count, count_max)
        if field.dtype.kind != "u":
            raise malformed(f"TIFF tag {tag} holds no unsigned integers")
        return np.frombuffer(self._buffer, field.dtype, field.count, field.offset).astype(np.uint64)

    def integer(self, tag: int, default: int | None = None) -> int:
        """Return a field's first value.

        Raises
        ------
        MalformedSlide
            It is absent and has no default, or is no unsigned integer.
        """
        field = self._fields.get(tag)
        if field is None or not field.count:
            if default is None:
                raise malformed(f"TIFF tag {tag} is missing")
            return default
        if field.dtype.kind != "u":
            raise malformed(f"TIFF tag {tag} is no unsigned integer")
        return int(np.frombuffer(self._buffer, field.dtype, 1, field.offset)[0])

    def rational(self, tag: int) -> float | None:
        """Return a field's first rational; None when it is absent, no rational, or has no denominator."""
        field = self._fields.get(tag)
        if field is None or field.kind not in (5, 10) or field.count < 2:
            return None
        numerator, denominator = np.frombuffer(self._buffer, field.dtype, 2, field.offset).tolist()
        return numerator / denominator if denominator else None

    def octets(self, tag: int, *, bytes_max: int) -> bytes:
        """Return a field of bytes; empty when it is absent or of another type.

        Raises
        ------
        LimitExceeded
            It is longer than `bytes_max`.
        """
        field = self._fields.get(tag)
        if field is None or field.kind not in _BYTE_TYPES:
            return b""
        at_most(f"bytes of TIFF tag {tag}", field.count, bytes_max)
        return bytes(self._buffer[field.offset : field.offset + field.count])

    def text(self, tag: int, *, bytes_max: int) -> str:
        """Return a text; UTF-8 where it is, else Latin-1, up to its NUL."""
        value = self.octets(tag, bytes_max=bytes_max).split(b"\0", 1)[0]
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")


def directories(buffer: Buffer) -> tuple[Directory, ...]:
    """Return a file's directories in the order of their chain; those of SubIFDs are `sub_directories`'.

    Raises
    ------
    MalformedSlide
        It is no TIFF, or its directories lead nowhere or in a circle.
    LimitExceeded
        There are more than DIRECTORIES_MAX, or one has more than ENTRIES_MAX fields.
    """
    return tuple(_Reader(buffer).chain())


def sub_directories(buffer: Buffer, directory: Directory) -> tuple[Directory, ...]:
    """Return the directories that one names as its reduced images (TIFF-EP, OME-TIFF 6).

    Raises
    ------
    MalformedSlide, LimitExceeded
        As `directories`.
    """
    offsets = directory.integers(Tag.SUB_IFDS, count_max=DIRECTORIES_MAX)
    reader = _Reader(buffer)
    return tuple(reader.directory(int(offset))[0] for offset in offsets)


class _Reader:
    """The numbers of one file: their order and their widths."""

    def __init__(self, buffer: Buffer) -> None:
        head = bytes(buffer[:16])
        if len(head) < 8 or head[:4] not in _BEGINNINGS:
            raise malformed("it does not begin like a TIFF")
        self._buffer = buffer
        self._order: Literal["<", ">"] = "<" if head[:1] == b"I" else ">"
        self._is_big = head[2:4] in (b"+\0", b"\0+")
        if self._is_big and (len(head) < 16 or self._unpack("HH", 4) != (8, 0)):
            raise malformed("it is a BigTIFF with other offsets than of 8 bytes")

    def chain(self) -> Iterator[Directory]:
        """Yield the directories from the first on."""
        (offset,) = self._unpack("Q", 8) if self._is_big else self._unpack("I", 4)
        seen: set[int] = set()
        while offset:
            if offset in seen:
                raise malformed("its directories lead in a circle")
            seen.add(offset)
            at_most("directories of a TIFF", len(seen), DIRECTORIES_MAX)
            directory, offset = self.directory(offset)
            yield directory

    def directory(self, offset: int) -> tuple[Directory, int]:
        """Return the directory at an offset, and where the next one is."""
        (count,), offset_of_first = (
            (self._unpack("Q", offset), offset + 8) if self._is_big else (self._unpack("H", offset), offset + 2)
        )
        at_most("fields of a TIFF directory", count, ENTRIES_MAX)
        width = 20 if self._is_big else 12
        fields: dict[int, _Field] = {}
        for position in range(offset_of_first, offset_of_first + count * width, width):
            tag, kind = self._unpack("HH", position)
            if kind in _TYPES:  # what is unknown is skipped (TIFF 6.0 page 16)
                fields[tag] = self._field(tag, kind, position + 4)
        (following,) = self._unpack("Q" if self._is_big else "I", offset_of_first + count * width)
        return Directory(self._buffer, offset, fields), following

    def _field(self, tag: int, kind: int, position: int) -> _Field:
        name, width = _TYPES[kind]
        dtype = np.dtype(self._order + name)
        (count,) = self._unpack("Q" if self._is_big else "I", position)
        inline, at = (8, position + 8) if self._is_big else (4, position + 4)
        size = count * width * dtype.itemsize
        if size > inline:
            (at,) = self._unpack("Q" if self._is_big else "I", at)
        if at + size > len(self._buffer):
            raise malformed(f"TIFF tag {tag} leads past the end of the file")
        return _Field(dtype, kind, count * width, at)

    def _unpack(self, form: str, offset: int) -> tuple[int, ...]:
        try:
            return struct.unpack_from(self._order + form, self._buffer, offset)
        except (struct.error, OverflowError):  # the latter of offsets beyond what an address can be
            raise malformed("a directory leads past the end of the file") from None
