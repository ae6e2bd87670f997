"""A vendor's slide written as DICOM: stored tiles become frames as they are, whole levels pass in bounded memory.

Each level is one VL Whole Slide Microscopy instance (PS3.3 A.32.8), TILED_FULL, with an Extended Offset Table, because
a Basic Offset Table ends at 4 GiB. Where a partner refuses large objects, a level is cut into a concatenation
(PS3.3 C.7.6.16.2.2.4). Pictures of label and macro are not written: they show whose slide it is.
"""

import hashlib
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import numpy as np

from kernel.dicom.scanning.file_meta import file_meta
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.dicom.vocabulary.uids import JPEG_BASELINE
from wsi.dicom_elements import encoded
from wsi.dicom_header import Identity, Values, header_of, slide_uid
from wsi.limits import malformed
from wsi.tile_index import Level, SlideIndex

DIGEST_BYTES: Final = 1024 * 1024  # of the file's begin and end that go into the digest beside the places of all tiles
READ_BYTES_MAX: Final = 256 * 1024  # of tiles that are neighbours in the file, at once
GAP_BYTES_MAX: Final = 4096  # between two neighbours
TOGETHER: Final = 16  # tiles written at once
_ITEM: Final = struct.Struct("<HHI")
_UNDEFINED: Final = 0xFFFFFFFF


Read = Callable[[int, int], bytes]
"""Given an offset and a length: bytes of the slide's file. Not a map of it, which would count as this program's memory."""


@dataclass(frozen=True, slots=True)
class Part:
    """Frames of one level that become one instance."""

    level: int
    first: int  # frame, from 0
    frames: int
    number: int  # in its concatenation, from 1
    parts: int


def slide_digest(read: Read, file_bytes: int, index: SlideIndex) -> bytes:
    """Return what a slide's UIDs are made of: 32 bytes, the same for the same file."""
    digest = hashlib.sha256(read(0, DIGEST_BYTES))
    digest.update(read(max(0, file_bytes - DIGEST_BYTES), DIGEST_BYTES))
    for level in index.levels:
        digest.update(level.offsets.astype("<u8").tobytes())
        digest.update(level.lengths.astype("<u4").tobytes())
    return digest.digest()


def parts_of(index: SlideIndex, part_bytes_max: int) -> Iterator[Part]:
    """Yield what will be written: each level whole, or cut where its tiles would be more than `part_bytes_max`."""
    for number, level in enumerate(index.levels):
        ends = _cuts(level, part_bytes_max)
        for position, (first, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True), 1):
            yield Part(number, first, end - first, position, len(ends))


def _cuts(level: Level, part_bytes_max: int) -> list[int]:
    """Return the frame before which each part ends."""
    sums = np.cumsum(level.lengths, dtype=np.uint64)
    ends: list[int] = []
    begun = 0
    while not ends or ends[-1] < len(sums):
        end = max(int(np.searchsorted(sums, begun + part_bytes_max, "right")), (ends[-1] if ends else 0) + 1)
        ends.append(end)
        begun = int(sums[end - 1])
    return ends


class Converter:
    """Writes the parts of one slide. Only slides whose levels are all stored JPEG."""

    def __init__(self, read: Read, index: SlideIndex, identity: Identity, digest: bytes) -> None:
        """Prepare headers; all UIDs are made of `digest`.

        Raises
        ------
        MalformedSlide
            A level is not JPEG, or the slide has no scale.
        """
        if any(level.coding != "jpeg" for level in index.levels):
            raise malformed("its tiles are no JPEGs; they would have to be encoded anew")
        self._read = read
        self._index = index
        self._digest = digest
        self._headers = [header_of(index, number, identity, digest) for number in range(len(index.levels))]

    def sop_instance_uid(self, part: Part) -> str:
        """Return a part's UID: its level's own when it is whole."""
        role = f"level {part.level}"
        return slide_uid(self._digest, role if part.parts == 1 else f"{role} part {part.number} of {part.parts}")

    def write(self, part: Part, path: Path, progress: Callable[[int], None] = lambda _: None) -> None:
        """Write one instance; `progress` is told how many frames were just written.

        Raises
        ------
        MalformedSlide
            A tile is not what its level says; nothing is left at `path`.
        """
        unnamed = path.with_name(path.name + ".part")
        try:
            with unnamed.open("w+b") as file:
                self._write(part, file, progress)
            unnamed.replace(path)
        finally:
            unnamed.unlink(missing_ok=True)

    def _write(self, part: Part, file: IO[bytes], progress: Callable[[int], None]) -> None:
        uid = self.sop_instance_uid(part)
        file.write(file_meta(WHOLE_SLIDE, uid, JPEG_BASELINE))
        file.write(encoded(self._header(part, uid)))
        table_at = file.tell()
        offsets, lengths = np.zeros(part.frames, "<u8"), np.zeros(part.frames, "<u8")
        _write_tables(file, offsets, lengths)
        file.write(struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, _UNDEFINED) + _ITEM.pack(0xFFFE, 0xE000, 0))
        position, waiting = 0, list[bytes | memoryview]()
        for frame, tile in enumerate(self._tiles(part)):
            length = sum(map(len, tile))
            offsets[frame], lengths[frame] = position, length + length % 2
            waiting += (_ITEM.pack(0xFFFE, 0xE000, length + length % 2), *tile, b"\0" * (length % 2))
            position += _ITEM.size + length + length % 2
            if frame + 1 == part.frames or not (frame + 1) % TOGETHER:
                file.write(b"".join(waiting))
                waiting.clear()
                progress(frame % TOGETHER + 1)
        file.write(_ITEM.pack(0xFFFE, 0xE0DD, 0))
        file.seek(table_at)
        _write_tables(file, offsets, lengths)

    def _header(self, part: Part, uid: str) -> Values:
        values = {**self._headers[part.level], "SOPInstanceUID": uid, "NumberOfFrames": part.frames}
        if part.parts > 1:
            role = f"level {part.level}"
            values |= {
                "ConcatenationUID": slide_uid(self._digest, f"{role} concatenation"),
                "SOPInstanceUIDOfConcatenationSource": slide_uid(self._digest, role),
                "ConcatenationFrameOffsetNumber": part.first,
                "InConcatenationNumber": part.number,
                "InConcatenationTotalNumber": part.parts,
            }
        return values

    def _tiles(self, part: Part) -> Iterator[tuple[bytes | memoryview, ...]]:
        """Yield the pieces of each tile."""
        level = self._index.levels[part.level]
        completion = self._index.completion(part.level, as_frames=True)
        blank: bytes | None = None
        for stored in self._stored(level, part):
            if len(stored):
                length, begun = completion.beginning(stored)
                yield begun, stored[length:]
            else:
                blank = blank or _blank_tile(level)
                yield (blank,)

    def _stored(self, level: Level, part: Part) -> Iterator[memoryview]:
        """Yield the stored bytes of each tile; neighbours in the file are read at once."""
        frames = slice(part.first, part.first + part.frames)
        spans: list[tuple[int, int]] = list(
            zip(level.offsets[frames].tolist(), level.lengths[frames].tolist(), strict=True)
        )
        number = 0
        while number < len(spans):
            start, length = spans[number]
            after, end = number + 1, start + length
            while after < len(spans) and 0 <= spans[after][0] - end <= GAP_BYTES_MAX:
                if sum(spans[after]) - start > READ_BYTES_MAX:
                    break
                end = sum(spans[after])
                after += 1
            view = memoryview(self._read(start, end - start))
            for offset, size in spans[number:after]:
                yield view[offset - start : offset - start + size]
            number = after


def _write_tables(file: IO[bytes], offsets: np.ndarray, lengths: np.ndarray) -> None:
    """Write Extended Offset Table (7FE0,0001) and its lengths (7FE0,0002), VR OV (PS3.3 C.7.6.3)."""
    for number, values in ((1, offsets), (2, lengths)):
        file.write(struct.pack("<HH2sHI", 0x7FE0, number, b"OV", 0, values.nbytes))
        file.write(values.tobytes())


def _blank_tile(level: Level) -> bytes:
    from wsi.octave import blank_tile  # which draws: few slides have a tile where nothing was scanned

    return blank_tile(level)
