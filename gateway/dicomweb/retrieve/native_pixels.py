"""Encoded pixel data decoded as a whole, as Explicit VR Little Endian has them (PS3.18 8.7.3.3.1)."""

from collections.abc import Iterator
from itertools import chain

from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.transcoding.frames import check_frames, check_native, frames_in, packed
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, SYNTAXES


def is_decoded_unasked(stored: str) -> bool:
    """Whether bulk data that are asked for without a transfer syntax are decoded (PS3.18 8.7.3.3).

    Those that may have lost something stay as they are, as the standard lets them: decoded they would not say so.
    """
    syntax = SYNTAXES.get(stored)
    return syntax is not None and syntax.encapsulated and syntax.decodable and not syntax.lossy


def native_pixels(pixels: Pixels) -> Iterator[bytes]:
    """Return all frames one behind the other; the first is decoded already, which shows whether the others can be.

    Raises
    ------
    Refused
        They cannot be decoded, or native pixel data cannot be that long.
    """
    check_frames(pixels, EXPLICIT_VR_LITTLE_ENDIAN)
    check_native(pixels)
    if pixels.image.bits_allocated == 1:
        frames = packed(pixels)
    else:
        frames = frames_in(pixels, range(pixels.frames.number_of_frames), EXPLICIT_VR_LITTLE_ENDIAN)
    return chain([next(frames)], frames)
