"""Stored tiles that browsers do not show, as JPEG: decoded by the kernel, compressed ones in its limited processes.

One frame is handed to the kernel as an instance of a single frame, with the header of the instance that it comes from.
"""

from dataclasses import dataclass, replace
from typing import Final

from PIL import Image

from kernel.dicom.pictures.picture_files import FileOptions, encode_picture
from kernel.dicom.pictures.render import drawn
from kernel.dicom.pixels.frames import FrameMap
from kernel.dicom.pixels.image import ImagePixel, image_pixel
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.scanner import scan, scan_apart
from wsi.jpeg import spliced_profile
from wsi.tile_index import Span

QUALITY: Final = 90
_ITEM_HEAD: Final = 8  # bytes of an item's tag and length, which stand before an encapsulated frame


@dataclass(frozen=True, slots=True)
class FrameForm:
    """How the frames of one instance are encoded: its header, and none of its pixels."""

    header: Header
    image: ImagePixel  # of one frame
    transfer_syntax_uid: str
    is_encapsulated: bool

    def whole(self, span: Span) -> Span:
        """Return what is to be read of a frame: with the head of its item."""
        head = _ITEM_HEAD if self.is_encapsulated else 0
        return Span(span.file, span.offset - head, span.length + head)


def form_of(buffer: Buffer, transfer_syntax_uid: str, dataset_offset: int) -> FrameForm:
    """Read how the frames of an instance are encoded; nothing of `buffer` is kept.

    Raises
    ------
    MalformedInstance, LimitExceeded, NotFound
        It is no instance, or has no pixel data.
    """
    return form_in(scan_apart(buffer, transfer_syntax_uid, offset=dataset_offset), transfer_syntax_uid)


def form_in(whole: Header, transfer_syntax_uid: str) -> FrameForm:
    """Return how the frames of an instance are encoded whose header was scanned; as `form_of`."""
    buffer, found, apart = whole.buffer, whole.pixel_data, whole.frame_groups_apart
    end = found.value_offset + _ITEM_HEAD if found else len(buffer)
    first, last = (apart.start, apart.end) if apart else (end, end)
    kept = bytes(buffer[:first]) + bytes(buffer[last:end])
    header = scan(kept, transfer_syntax_uid, offset=whole.start, prefix=True)
    image = replace(image_pixel(header), number_of_frames=1)
    return FrameForm(header, image, transfer_syntax_uid, bool(found and found.is_encapsulated))


def as_jpeg(form: FrameForm, data: bytes, icc_profile: bytes) -> bytes:
    """Return a frame, with the head of its item, as JPEG.

    Raises
    ------
    UnsupportedTransferSyntax, MalformedInstance, LimitExceeded, Busy
        As `kernel.dicom.pixels.reading.Pixels.decode`.
    """
    frames = FrameMap(1, form.image.frame_bits, 0, len(data))
    if form.is_encapsulated:
        frames = FrameMap(1, 0, 0, len(data), [0], [len(data) - _ITEM_HEAD])
    pixels = Pixels(data, form.header, form.image, frames, form.transfer_syntax_uid, form.transfer_syntax_uid)
    picture = Image.fromarray(drawn(pixels, 0))
    profile = spliced_profile(icc_profile) if picture.mode == "RGB" else b""
    return encode_picture(picture, "image/jpeg", FileOptions(QUALITY, profile or None))
