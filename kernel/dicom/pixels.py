"""Frames of an instance: found, read as they are stored, and decoded to arrays.

Rendering for the eye is in `kernel.dicom.render`; where frames are, in `kernel.dicom.frames`; codecs are called in
`kernel.dicom.codecs`, and those that are native code in `kernel.dicom.decoders`' own processes. No frame takes more
than `DECODED_BYTES_MAX`.
"""

import mmap
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.codecs import decode_native, decode_rle
from kernel.dicom.decoders import shared_decoders
from kernel.dicom.elements import Buffer, Header
from kernel.dicom.frames import FrameMap, Span, locate_frames
from kernel.dicom.image import ImagePixel, image_pixel
from kernel.dicom.limits import exceeded, malformed
from kernel.dicom.part10 import read_file_meta
from kernel.dicom.reencode import inflate, to_explicit_little_endian
from kernel.dicom.scanner import scan
from kernel.dicom.syntaxes import (
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    EXPLICIT_VR_LITTLE_ENDIAN,
    RLE_LOSSLESS,
    SYNTAXES,
)
from kernel.errors import UnsupportedTransferSyntax

__all__ = ["FrameMap", "Pixels", "Span", "decode_frame", "locate_frames", "open_pixels"]

DECODED_BYTES_MAX: Final = 512 * 1024 * 1024  # of one frame: 16,384 by 16,384 of 16 bits


@dataclass(frozen=True, slots=True)
class Pixels:
    """An instance opened for its frames. Deflated and big endian ones are explicit little endian here, in memory."""

    buffer: Buffer
    header: Header
    image: ImagePixel
    frames: FrameMap
    transfer_syntax_uid: str  # of the frames, as `read` gives them
    stored_transfer_syntax_uid: str  # of the file

    def spans(self, frame_index: int) -> tuple[Span, ...]:
        """Return where a frame is in the *file*, if `is_as_stored`; in `buffer` in any case."""
        return self.frames.spans(self.buffer, frame_index)

    @property
    def is_as_stored(self) -> bool:
        """Whether spans are of the file itself."""
        return self.transfer_syntax_uid == self.stored_transfer_syntax_uid

    def read(self, frame_index: int) -> bytes:
        """Return a frame as it is encoded."""
        return self.frames.read(self.buffer, frame_index)

    def decode(self, frame_index: int) -> NDArray[Any]:
        """Return a frame as an array: (rows, columns) or (rows, columns, samples), color as RGB.

        Raises
        ------
        NotFound
            There is no such frame.
        UnsupportedTransferSyntax
            No codec for it.
        MalformedInstance
            The codec cannot read it, or it is not what the header says.
        LimitExceeded
            It is larger than `DECODED_BYTES_MAX`.
        """
        return _decode(self.read(frame_index), self.image, self.transfer_syntax_uid)


@contextmanager
def open_pixels(source: Path | str | Buffer) -> Generator[Pixels]:
    """Open a Part 10 file, or its bytes, for its frames. A file is mapped, not read.

    Raises
    ------
    MalformedInstance, LimitExceeded, NotFound
        It is no instance, or has no frames that can be found.
    """
    if not isinstance(source, Path | str):
        yield _pixels(source)
        return
    with Path(source).open("rb") as file:
        try:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        except ValueError:
            raise malformed("it is empty") from None
        with mapped:
            yield _pixels(mapped)


def decode_frame(source: Path | str | Buffer, frame_index: int) -> NDArray[Any]:
    """Open an instance and decode one of its frames; see `Pixels.decode`."""
    with open_pixels(source) as pixels:
        return pixels.decode(frame_index)


def _pixels(buffer: Buffer) -> Pixels:
    meta = read_file_meta(buffer)
    stored = transfer_syntax_uid = meta.transfer_syntax_uid
    offset = meta.dataset_offset
    syntax = SYNTAXES.get(stored)
    if syntax is not None and (syntax.deflated or not syntax.little_endian):
        buffer = to_explicit_little_endian(buffer, stored, offset=offset)
        transfer_syntax_uid, offset = EXPLICIT_VR_LITTLE_ENDIAN, 0
    header = scan(buffer, transfer_syntax_uid, offset=offset)
    image = image_pixel(header)
    return Pixels(buffer, header, image, locate_frames(buffer, header, image), transfer_syntax_uid, stored)


def _decode(data: bytes, image: ImagePixel, transfer_syntax_uid: str) -> NDArray[Any]:
    syntax = SYNTAXES.get(transfer_syntax_uid)
    if syntax is None or not syntax.decodable:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=transfer_syntax_uid, reason="no codec for its frames")
    if image.decoded_bytes > DECODED_BYTES_MAX:
        raise exceeded("DECODED_BYTES_MAX", image.decoded_bytes, DECODED_BYTES_MAX)
    if transfer_syntax_uid == DEFLATED_FRAMES:
        data, _ = inflate(data, 0, (image.frame_bits + 7) // 8)
    elif syntax.encapsulated and transfer_syntax_uid != ENCAPSULATED_UNCOMPRESSED:
        if transfer_syntax_uid == RLE_LOSSLESS:
            return decode_rle(data, image)
        return shared_decoders().decode(data, image, transfer_syntax_uid)
    if len(data) * 8 < image.frame_bits:
        raise malformed("a frame is shorter than the header says")
    return _unpacked(data, image) if image.bits_allocated == 1 else decode_native(data, image)


def _unpacked(data: bytes, image: ImagePixel) -> NDArray[np.uint8]:
    """Return one byte for each pixel of a bit-packed frame (PS3.5 8.1.1)."""
    bits = np.unpackbits(np.frombuffer(data, np.uint8), count=image.frame_bits, bitorder="little")
    shape = (image.rows, image.columns, image.samples_per_pixel)
    return bits.reshape(shape if image.samples_per_pixel > 1 else shape[:2])
