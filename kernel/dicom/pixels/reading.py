"""Frames of an instance: found, read as they are stored, and decoded to arrays.

Rendering for the eye is in `kernel.dicom.pictures.render`; where frames are, in `kernel.dicom.pixels.frames`; codecs are called in
`kernel.dicom.pixels.codecs`, and those that are native code in `kernel.dicom.pixels.decoders`' own processes. No frame takes more
than `DECODED_BYTES_MAX`.
"""

import mmap
import os
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from numpy.typing import NDArray

from kernel.dicom.pixels.codecs import decode, is_native_code
from kernel.dicom.pixels.color import decoded_photometric_interpretation, to_rgb
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.frames import FrameMap, Span, locate_frames
from kernel.dicom.pixels.image import ImagePixel, image_pixel
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.part10 import read_file_meta
from kernel.dicom.scanning.reencode import to_explicit_little_endian
from kernel.dicom.scanning.scanner import scan_apart
from kernel.dicom.vocabulary.limits import exceeded, malformed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, SYNTAXES
from kernel.errors import UnsupportedTransferSyntax

__all__ = ["FrameMap", "Pixels", "Span", "decode_frame", "locate_frames", "open_pixels"]

READ_BYTES_MAX: Final = 1024 * 1024  # of a file that is read whole: mapping and unmapping it costs more
ENCODED_FRAME_TIMES_MAX: Final = 4  # how many times larger than its samples an encoded frame may be,
ENCODED_FRAME_BYTES_MORE: Final = 1024 * 1024  # besides so many bytes
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

    def read_bounded(self, frame_index: int) -> bytes:
        """Return a frame as it is encoded, for a codec: not larger than an encoded frame can sensibly be.

        Raises
        ------
        LimitExceeded
            It is; nothing was read.
        """
        size = sum(span.length for span in self.frames.spans(self.buffer, frame_index))
        bound = ENCODED_FRAME_TIMES_MAX * self.image.decoded_bytes + ENCODED_FRAME_BYTES_MORE
        if size > bound:
            raise exceeded("ENCODED_FRAME", size, bound)
        return self.read(frame_index)

    def decode(self, frame_index: int) -> NDArray[Any]:
        """Return a frame as an array: (rows, columns) or (rows, columns, samples), color as RGB.

        Palettes are not applied: see `kernel.dicom.pictures.render`.

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
        array = to_rgb(self.samples(frame_index), self.decoded_photometric_interpretation)
        return _without_unused_bits(array, self.image)

    @property
    def decoded_photometric_interpretation(self) -> str:
        """What the color of `samples` is."""
        image = self.image
        return decoded_photometric_interpretation(
            image.photometric_interpretation, image.samples_per_pixel, self.transfer_syntax_uid
        )

    def samples(self, frame_index: int) -> NDArray[Any]:
        """Return a frame as `decode` does, but as it was encoded.

        Its color is as `decoded_photometric_interpretation` says, and above High Bit may be anything.
        """
        check_decodable(self.image, self.transfer_syntax_uid)
        data = self.read_bounded(frame_index)
        if is_native_code(self.transfer_syntax_uid):
            return shared_decoders().decode(data, self.image, self.transfer_syntax_uid)
        return decode(data, self.image, self.transfer_syntax_uid)


@contextmanager
def open_pixels(source: Path | str | Buffer) -> Generator[Pixels]:
    """Open a Part 10 file, or its bytes, for its frames. A large file is mapped, not read.

    Raises
    ------
    MalformedInstance, LimitExceeded, NotFound
        It is no instance, or has no frames that can be found.
    """
    if not isinstance(source, Path | str):
        yield _pixels(source)
        return
    descriptor = os.open(source, os.O_RDONLY | os.O_CLOEXEC)
    try:
        size = os.fstat(descriptor).st_size
        if not size:
            raise malformed("it is empty")
        whole = (
            os.read(descriptor, size) if size <= READ_BYTES_MAX else mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ)
        )
    finally:
        os.close(descriptor)
    if isinstance(whole, bytes):
        yield _pixels(whole)
        return
    with whole:
        yield _pixels(whole)


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
    return pixels_of(buffer, scan_apart(buffer, transfer_syntax_uid, offset=offset), transfer_syntax_uid, stored)


def pixels_of(buffer: Buffer, header: Header, transfer_syntax_uid: str, stored: str = "") -> Pixels:
    """Find the frames of a scanned little endian instance; `stored` if its file is in another transfer syntax.

    The errors are those of `open_pixels`.
    """
    image = image_pixel(header)
    frames = locate_frames(buffer, header, image)
    return Pixels(buffer, header, image, frames, transfer_syntax_uid, stored or transfer_syntax_uid)


def check_decodable(image: ImagePixel, transfer_syntax_uid: str) -> None:
    """Refuse frames that no codec reads, or that are too large; nothing is decoded.

    Raises
    ------
    UnsupportedTransferSyntax, LimitExceeded
        As `Pixels.decode`.
    """
    syntax = SYNTAXES.get(transfer_syntax_uid)
    if syntax is None or not syntax.decodable:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=transfer_syntax_uid, reason="no codec for its frames")
    if image.decoded_bytes > DECODED_BYTES_MAX:
        raise exceeded("DECODED_BYTES_MAX", image.decoded_bytes, DECODED_BYTES_MAX)


def _without_unused_bits(array: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Return samples without what is above Bits Stored: old overlays, or a sign that was not extended (PS3.5 8.1.1)."""
    unused = 8 * array.dtype.itemsize - image.bits_stored
    if array.dtype.kind not in "iu" or unused <= 0 or image.high_bit + 1 != image.bits_stored:
        return array
    if image.pixel_representation:
        return (array << unused) >> unused
    return array & ((1 << image.bits_stored) - 1)
