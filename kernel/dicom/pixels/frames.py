"""Where each frame of an instance is: spans of the file, to be served by range reads without decoding (PS3.5 A.4).

A `FrameMap` keeps offsets only, some bytes a frame, and none of the buffer it was made from: it may be cached. With an
Extended Offset Table or a Basic Offset Table only a few fragments are looked at before their frame is asked for; a
table that these contradict is not used. Without a table the fragments are walked once: as many fragments as frames is
one each, otherwise a frame begins where a codestream begins.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.elements import Buffer, Header, PixelData
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.limits import LIMITS, Limits, exceeded, malformed
from kernel.errors import NotFound

FRAMES_MAX: Final = 4_000_000  # of one instance
_EXTENDED_OFFSETS, _EXTENDED_LENGTHS = 0x7FE00001, 0x7FE00002
_ITEM_TAG: Final = b"\xfe\xff\x00\xe0"
# SOI of JPEG and JPEG-LS; SOC and SIZ of JPEG 2000 and HTJ2K; the JP2 signature box that some put before them.
_STARTS: Final = (b"\xff\xd8", b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP")
_START_BYTES: Final = 6
_SAMPLES: Final = 16  # entries of an offset table that are checked at first; each one is when its frame is read


class Span(NamedTuple):
    """Bytes of the scanned buffer."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class FrameMap:
    """The frames of one instance."""

    number_of_frames: int
    frame_bits: int  # native frames; 0: encapsulated
    start: int  # of the first native frame; of the first fragment's item, after the Basic Offset Table
    end: int  # of the native pixels; of the last fragment
    offsets: Sequence[int] = ()  # of each frame's first fragment's item from `start`; empty: native
    lengths: Sequence[int] = ()  # of each frame in bytes, from an Extended Offset Table: one fragment a frame

    def spans(self, buffer: Buffer, frame_index: int) -> tuple[Span, ...]:
        """Return where a frame is, in order; more than one span if it is in several fragments.

        `buffer` is what was scanned. Native frames that do not begin on a byte share their first and last one: see
        `read`.

        Raises
        ------
        NotFound
            There is no such frame.
        """
        if not 0 <= frame_index < self.number_of_frames:
            raise NotFound(what=f"frame {frame_index + 1}")
        if self.frame_bits:
            first = frame_index * self.frame_bits
            offset = self.start + first // 8
            return (Span(offset, self.start + (first + self.frame_bits + 7) // 8 - offset),)
        if self.lengths:
            offset, length = self.start + self.offsets[frame_index], self.lengths[frame_index]
            if not _is_fragment(buffer, offset, self.end, length):
                raise malformed("the offset table contradicts the fragments of the pixel data")
            return (Span(offset + 8, length),)
        offset = self.start + self.offsets[frame_index]
        last = frame_index + 1 == len(self.offsets)
        return tuple(_fragments(buffer, offset, self.end if last else self.start + self.offsets[frame_index + 1]))

    def is_aligned(self, frame_index: int) -> bool:
        """Whether the frame begins on a byte: always, but for some with one bit a pixel."""
        return frame_index * self.frame_bits % 8 == 0

    def read(self, buffer: Buffer, frame_index: int) -> bytes:
        """Return the encoded frame; one that shares bytes with others is shifted to begin on a byte."""
        data = b"".join(
            bytes(buffer[span.offset : span.offset + span.length]) for span in self.spans(buffer, frame_index)
        )
        if self.is_aligned(frame_index) and self.frame_bits % 8 == 0:
            return data
        if not self.frame_bits:
            return data
        bits = int.from_bytes(data, "little") >> (frame_index * self.frame_bits % 8)
        return (bits & ((1 << self.frame_bits) - 1)).to_bytes((self.frame_bits + 7) // 8, "little")


def locate_frames(buffer: Buffer, header: Header, image: ImagePixel, *, limits: Limits = LIMITS) -> FrameMap:
    """Find the frames of a scanned instance. `buffer` is what was scanned, all of it.

    Raises
    ------
    MalformedInstance
        The pixel data does not hold the frames that the header speaks of.
    LimitExceeded
        More than `FRAMES_MAX` frames, or `fragments_max` fragments.
    """
    pixels = header.pixel_data
    assert pixels is not None
    if not header.complete:
        raise malformed("the pixel data is not complete")
    frames = image.number_of_frames
    if frames > FRAMES_MAX:
        raise exceeded("FRAMES_MAX", frames, FRAMES_MAX)
    if not pixels.is_encapsulated:
        needed = (frames * image.frame_bits + 7) // 8
        if needed > pixels.length:
            raise malformed(f"{frames} frames need {needed} bytes, the pixel data has {pixels.length}")
        return FrameMap(frames, image.frame_bits, pixels.value_offset, pixels.value_offset + pixels.length)
    return _encapsulated(buffer, header, pixels, frames, limits)


def stream_spans(buffer: Buffer, header: Header, *, limits: Limits = LIMITS) -> list[Span]:
    """Return where the one stream of an instance is that is stored as a video; `buffer` is what was scanned.

    Raises
    ------
    MalformedInstance, LimitExceeded
        The pixel data are no fragments, or more than `fragments_max`.
    """
    pixels = header.pixel_data
    assert pixels is not None
    try:
        (table_length,) = struct.unpack_from("<I", buffer, pixels.value_offset + 4)
        spans = _fragments(buffer, pixels.value_offset + 8 + table_length, pixels.end - 8)
    except struct.error:
        raise malformed("the fragments of the pixel data are damaged") from None
    if len(spans) > limits.fragments_max:
        raise exceeded("fragments_max", len(spans), limits.fragments_max)
    return spans


def _encapsulated(buffer: Buffer, header: Header, pixels: PixelData, frames: int, limits: Limits) -> FrameMap:
    try:
        (table_length,) = struct.unpack_from("<I", buffer, pixels.value_offset + 4)
        start = pixels.value_offset + 8 + table_length
        end = pixels.end - 8
        extended = _extended_table(buffer, header, frames, start, end)
        if extended is not None:
            return FrameMap(frames, 0, start, end, *extended)
        offsets = _basic_table(buffer, pixels.value_offset + 8, frames, start, end)
        if offsets is None:
            offsets = _walked(buffer, frames, start, end, limits)
    except struct.error:
        raise malformed("the fragments of the pixel data are damaged") from None
    return FrameMap(frames, 0, start, end, offsets)


def _extended_table(
    buffer: Buffer, header: Header, frames: int, start: int, end: int
) -> tuple[Sequence[int], Sequence[int]] | None:
    values = Values(header)
    offsets = values.raw(_EXTENDED_OFFSETS, 8 * frames)
    lengths = values.raw(_EXTENDED_LENGTHS, 8 * frames)
    if len(offsets) != 8 * frames or len(lengths) != 8 * frames:
        return None
    table, sizes = array("Q", offsets), array("Q", lengths)
    if all(_is_fragment(buffer, start + table[at], end, sizes[at]) for at in _some(frames)):
        return table, sizes
    return None


def _is_fragment(buffer: Buffer, offset: int, end: int, length: int) -> bool:
    """Whether an item of this length, padded to even, begins at `offset`."""
    if offset + 8 + length > end or bytes(buffer[offset : offset + 4]) != _ITEM_TAG:
        return False
    (found,) = struct.unpack_from("<I", buffer, offset + 4)
    return length <= found <= length + 1


def _basic_table(buffer: Buffer, offset: int, frames: int, start: int, end: int) -> Sequence[int] | None:
    length = start - offset
    if length != 4 * frames:
        return None
    table = array("I", bytes(buffer[offset : offset + length]))
    words = np.asarray(table)
    if table[0] != 0 or bool((words[1:] <= words[:-1]).any()) or start + table[-1] >= end:
        return None
    if all(bytes(buffer[start + table[at] : start + table[at] + 4]) == _ITEM_TAG for at in _some(frames)):
        return table
    return None


def _some(frames: int) -> Iterable[int]:
    """Choose frames whose table entries are looked at: all of a few, else some from the first to the last."""
    return range(frames) if frames <= _SAMPLES else (frames - 1) * np.arange(_SAMPLES) // (_SAMPLES - 1)


def _walked(buffer: Buffer, frames: int, start: int, end: int, limits: Limits) -> Sequence[int]:
    """Find the frames from the fragments alone."""
    fragments, begins = array("Q"), array("Q")
    offset = start
    while offset < end:
        (length,) = struct.unpack_from("<I", buffer, offset + 4)
        if len(fragments) >= limits.fragments_max:
            raise exceeded("fragments_max", len(fragments) + 1, limits.fragments_max)
        fragments.append(offset - start)
        if frames > 1 and bytes(buffer[offset + 8 : offset + 8 + min(length, _START_BYTES)]).startswith(_STARTS):
            begins.append(offset - start)
        offset += 8 + length
    if frames == 1 and fragments:
        return fragments[:1]
    if len(fragments) == frames:
        return fragments
    if len(begins) == frames and begins[0] == 0:
        return begins
    raise malformed(f"{frames} frames cannot be told apart in {len(fragments)} fragments without an offset table")


def _fragments(buffer: Buffer, offset: int, end: int) -> list[Span]:
    spans: list[Span] = []
    while offset < end:
        if offset + 8 > end or bytes(buffer[offset : offset + 4]) != _ITEM_TAG:
            raise malformed("the offset table contradicts the fragments of the pixel data")
        (length,) = struct.unpack_from("<I", buffer, offset + 4)
        spans.append(Span(offset + 8, length))
        offset += 8 + length
    if offset != end:
        raise malformed("the offset table contradicts the fragments of the pixel data")
    return spans
