"""Frames in another transfer syntax, a few at a time, by the processes of `kernel.dicom.pixels.decoders`; and which can be had.

A frame without codec on either side is not touched, and one of single bits is packed here.
"""

from collections.abc import Iterable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.decoder_messages import Question
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.encoders import ENCODERS, LOSSY_QUALITY, check_encodable
from kernel.dicom.pixels.reading import Pixels, check_decodable
from kernel.dicom.vocabulary.limits import exceeded
from kernel.dicom.vocabulary.syntaxes import EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN, SYNTAXES

NATIVE_BYTES_MAX: Final = 0xFFFFFFFE  # of native pixel data: its length has 32 bits (PS3.5 7.1.1)
NATIVE_TARGETS: Final = frozenset({EXPLICIT_VR_LITTLE_ENDIAN, IMPLICIT_VR_LITTLE_ENDIAN})
TARGETS: Final = NATIVE_TARGETS | ENCODERS.keys()
LOSSLESS_TARGETS: Final = frozenset(uid for uid in TARGETS if uid not in ENCODERS or not ENCODERS[uid].is_lossy)


def can_transcode(stored: str, target: str) -> bool:
    """Whether instances of one transfer syntax can usually be had in another: a look at tables, not at the instance."""
    syntax = SYNTAXES.get(stored)
    return stored == target or (syntax is not None and syntax.decodable and target in TARGETS)


def check_frames(pixels: Pixels, target: str) -> None:
    """Refuse what cannot be decoded or what the target cannot hold; nothing is decoded yet.

    Raises
    ------
    UnsupportedTransferSyntax, LimitExceeded
        As `Pixels.decode` and `encoders.check_encodable`.
    """
    check_decodable(pixels.image, pixels.transfer_syntax_uid)
    if target not in NATIVE_TARGETS:
        check_encodable(pixels.image, target)


def check_native(pixels: Pixels) -> None:
    """Refuse frames that native pixel data cannot hold together. Raises LimitExceeded."""
    image = pixels.image
    bits = image.rows * image.columns * image.samples_per_pixel * image.bits_allocated
    size = (bits * pixels.frames.number_of_frames + 7) // 8
    if size > NATIVE_BYTES_MAX:
        raise exceeded("NATIVE_BYTES_MAX", size, NATIVE_BYTES_MAX)


def frames_in(pixels: Pixels, indices: Iterable[int], target: str, *, quality: int = LOSSY_QUALITY) -> Iterator[bytes]:
    """Yield frames of a checked instance in another transfer syntax, in the order asked; errors as `Pixels.decode`."""
    if target in NATIVE_TARGETS and pixels.transfer_syntax_uid in NATIVE_TARGETS:
        return map(pixels.read, indices)
    if target in NATIVE_TARGETS and pixels.image.bits_allocated == 1:
        return (np.packbits(_bits(pixels, index), bitorder="little").tobytes() for index in indices)
    image, source = pixels.image, pixels.transfer_syntax_uid
    questions = (Question(pixels.read_bounded(index), image, source, target, quality) for index in indices)
    return shared_decoders().transcode_each(questions)


def packed(pixels: Pixels) -> Iterator[bytes]:
    """Yield all frames of one bit a pixel as native pixel data: they follow each other without padding (PS3.5 8.1.1)."""
    over = np.empty(0, np.uint8)
    for frame_index in range(pixels.frames.number_of_frames):
        over = np.concatenate((over, _bits(pixels, frame_index)))
        whole = len(over) // 8 * 8
        yield np.packbits(over[:whole], bitorder="little").tobytes()
        over = over[whole:]
    yield np.packbits(over, bitorder="little").tobytes()


def _bits(pixels: Pixels, frame_index: int) -> NDArray[np.uint8]:
    return pixels.samples(frame_index).reshape(-1).astype(np.uint8)
