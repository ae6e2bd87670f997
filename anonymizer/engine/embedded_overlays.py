"""Overlays that older instances keep in the unused bits of their pixel data (PS3.5 8.1.2, retired): the bits are cleared.

The elements of an overlay go with their group; what was written with them would stay behind in the pixels, and many
programs show it. Only bits that the header gives to an overlay, and that hold no sample, are touched.
"""

from typing import Final

import numpy as np

from kernel.dicom.pixels.image import ImagePixel, image_pixel
from kernel.dicom.scanning.elements import Buffer, Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.limits import exceeded
from kernel.dicom.vocabulary.syntaxes import JPEG_LOSSY, SYNTAXES
from kernel.errors import UnsupportedTransferSyntax

COPIED_BYTES_MAX: Final = 256 * 1024 * 1024  # of an instance that is cleared in memory
POSITIONS: Final = frozenset(
    0x60000102 + (number << 17) for number in range(128)
)  # Overlay Bit Position of groups 60xx
_SAMPLE: Final = {8: "u1", 16: "<u2", 32: "<u4"}


def cleared(source: Buffer, header: Header, transfer_syntax_uid: str) -> bytes | None:
    """Return a little endian instance without embedded overlays, of the same offsets; None when it has none.

    Raises
    ------
    LimitExceeded
        It is longer than COPIED_BYTES_MAX.
    UnsupportedTransferSyntax
        It has one in compressed frames, which may hold those bits, or in samples of an odd size.
    """
    if POSITIONS.isdisjoint(header.index):
        return None
    positions = [tag for tag in header.index if tag in POSITIONS and not _is_apart(header, tag)]
    pixels = header.pixel_data
    if not positions or pixels is None:
        return None
    image = image_pixel(header)
    unused = _unused(header, positions, image)
    if not unused or transfer_syntax_uid in JPEG_LOSSY:  # that knows no bits beyond those of its samples
        return None
    syntax = SYNTAXES.get(transfer_syntax_uid)
    if syntax is None or syntax.encapsulated or image.bits_allocated not in _SAMPLE:
        raise UnsupportedTransferSyntax(
            transfer_syntax_uid=transfer_syntax_uid, reason="an overlay may be in unused bits of its samples"
        )
    dtype = np.dtype(_SAMPLE[image.bits_allocated])
    count = (pixels.end - pixels.value_offset) // dtype.itemsize
    with memoryview(source) as view:
        if not (np.frombuffer(view, dtype, count, pixels.value_offset) & unused).any():
            return None
        if len(view) > COPIED_BYTES_MAX:
            raise exceeded("COPIED_BYTES_MAX", len(view), COPIED_BYTES_MAX)
        copy = bytearray(view)
    samples = np.frombuffer(copy, dtype, count, pixels.value_offset)
    samples &= dtype.type(~unused & ((1 << image.bits_allocated) - 1))
    return bytes(copy)


def _is_apart(header: Header, position: int) -> bool:
    """Whether an overlay has its bits in an element of its own, as those of today have."""
    return int.from_bytes(header.raw(position), "little") == 0 and position - 0x102 + 0x3000 in header.index


def _unused(header: Header, positions: list[int], image: ImagePixel) -> int:
    """Return the bits that overlays claim and that no sample uses, as a mask."""
    values, claimed = Values(header), 0
    for tag in positions:
        claimed |= 1 << min(values.unsigned(tag) or 0, 63)
    lowest = image.high_bit + 1 - image.bits_stored
    stored = ((1 << image.bits_stored) - 1) << max(lowest, 0)
    return claimed & ~stored & ((1 << image.bits_allocated) - 1)
