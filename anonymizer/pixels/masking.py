"""Masks put onto an instance: boxes of pixels of some frames made black, everything else as it was.

Native pixel data is patched where it stands; a lossy JPEG frame loses the blocks that a mask touches and keeps all
others as they were coded; any other encapsulated frame is decoded, masked and encoded again without loss. What had
lost something by compression goes on saying so.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from anonymizer.engine.result import NewPixels, Piece
from anonymizer.pixels.blank import black_sample, filled
from anonymizer.pixels.native import native_pieces
from anonymizer.pixels.pieces import encapsulated_pieces
from kernel.dicom.pixels.boxes import Box
from kernel.dicom.pixels.codecs import as_allocated
from kernel.dicom.pixels.decoder_messages import Question
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.encoders import ENCODERS, LOSSY_QUALITY, check_encodable
from kernel.dicom.pixels.frames import Span
from kernel.dicom.pixels.jpeg_transform import has_library
from kernel.dicom.pixels.reading import Pixels
from kernel.dicom.transcoding.header import Change
from kernel.dicom.vocabulary.limits import exceeded
from kernel.dicom.vocabulary.syntaxes import (
    EXPLICIT_VR_LITTLE_ENDIAN,
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    JPEG_2000_LOSSLESS,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LOSSY,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS,
    RLE_LOSSLESS,
    SYNTAXES,
)
from kernel.errors import UnsupportedTransferSyntax

REPLACED_BYTES_MAX: Final = 1024 * 1024 * 1024  # of new encapsulated frames of an instance, which wait in memory
JPEG_2000, HTJ2K = "1.2.840.10008.1.2.4.91", "1.2.840.10008.1.2.4.203"
# What a frame is encoded in again. Each of these transfer syntaxes may hold frames without loss, so its name stays.
ENCODED_IN: Final[Mapping[str, str]] = {
    JPEG_LOSSLESS: JPEG_LOSSLESS_SV1,
    JPEG_LOSSLESS_SV1: JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS: JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS: JPEG_LS_LOSSLESS,
    JPEG_2000_LOSSLESS: JPEG_2000_LOSSLESS,
    JPEG_2000: JPEG_2000_LOSSLESS,
    HTJ2K_LOSSLESS: HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL: HTJ2K_LOSSLESS_RPCL,
    HTJ2K: HTJ2K_LOSSLESS,
    RLE_LOSSLESS: RLE_LOSSLESS,
}

Masks = Mapping[int, tuple[Box, ...]]  # by frame index


def masked(pixels: Pixels, masks: Masks) -> NewPixels:
    """Return the pixel data with boxes of some frames made black.

    Raises
    ------
    UnsupportedTransferSyntax
        There is no way to mask frames of this kind.
    MalformedInstance
        A frame cannot be read; or libturbojpeg is absent, and the frames are lossy JPEG.
    LimitExceeded
        There is more to replace than REPLACED_BYTES_MAX, or a frame is too large.
    """
    image, syntax = pixels.image, pixels.transfer_syntax_uid
    inside = {
        index: boxes
        for index, given in sorted(masks.items())
        if (boxes := tuple(box for one in given if not (box := one.within(image.rows, image.columns)).is_empty))
    }
    if not inside:
        return NewPixels(_as_it_is(pixels), syntax)
    if not SYNTAXES[syntax].encapsulated:
        return NewPixels(tuple(native_pieces(pixels, inside)), syntax)
    if syntax in JPEG_LOSSY:
        return _jpeg(pixels, inside)
    if syntax not in ENCODED_IN:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=syntax, reason="its frames cannot be masked")
    return _encoded_again(pixels, inside, ENCODED_IN[syntax], syntax)


def _as_it_is(pixels: Pixels) -> tuple[Piece, ...]:
    where = pixels.header.pixel_data
    assert where is not None
    return (Span(where.value_offset, where.end - where.value_offset),)


def _jpeg(pixels: Pixels, masks: Masks) -> NewPixels:
    """Mask blocks; frames of 12 bits, which have no such way, are encoded again without loss."""
    image = pixels.image
    if image.bits_allocated > 8:
        return _encoded_again(pixels, masks, JPEG_LOSSLESS_SV1, JPEG_LOSSLESS_SV1)
    if not has_library():
        raise UnsupportedTransferSyntax(
            transfer_syntax_uid=pixels.transfer_syntax_uid, reason="masking its frames needs libturbojpeg"
        )
    new = {index: shared_decoders().mask(pixels.read_bounded(index), image, boxes) for index, boxes in masks.items()}
    return NewPixels(encapsulated_pieces(pixels, new), pixels.transfer_syntax_uid, _WITHOUT_OFFSETS)


def _encoded_again(pixels: Pixels, masks: Masks, target: str, syntax: str) -> NewPixels:
    """Decode, mask and encode frames; all of them when they would otherwise differ in what the header says of them."""
    image, color = pixels.image, pixels.decoded_photometric_interpretation
    check_encodable(image, target)
    new_color = ENCODERS[target].rgb_becomes if color == "RGB" and image.samples_per_pixel == 3 else color
    changes: dict[int, Change] = dict(_WITHOUT_OFFSETS)
    indices = list(masks)
    if syntax != pixels.transfer_syntax_uid or new_color != image.photometric_interpretation:
        indices = list(range(pixels.frames.number_of_frames))
        changes[0x00280004] = ("CS", new_color.encode("ascii") + b" " * (len(new_color) % 2))
    if image.samples_per_pixel > 1:
        changes[0x00280006] = ("US", b"\0\0")
    if pixels.transfer_syntax_uid in JPEG_LOSSY:
        changes[0x00282110] = ("CS", b"01")
    plain = replace(image, planar_configuration=0, photometric_interpretation=color)
    new: dict[int, bytes] = {}
    size = 0
    for index in indices:
        samples = _masked_samples(pixels, index, masks.get(index, ()))
        question = Question(samples.tobytes(), plain, EXPLICIT_VR_LITTLE_ENDIAN, target, LOSSY_QUALITY)
        new[index] = shared_decoders().transcode(question)
        size += len(new[index])
        if size > REPLACED_BYTES_MAX:
            raise exceeded("REPLACED_BYTES_MAX", size, REPLACED_BYTES_MAX)
    return NewPixels(encapsulated_pieces(pixels, new), syntax, changes)


def _masked_samples(pixels: Pixels, index: int, boxes: tuple[Box, ...]) -> NDArray[Any]:
    samples = as_allocated(pixels.samples(index), pixels.image)
    if not boxes:
        return np.ascontiguousarray(samples)
    black = black_sample(pixels, samples, pixels.decoded_photometric_interpretation)
    return filled(samples, boxes, black if samples.ndim == 3 else black[0])


_WITHOUT_OFFSETS: Final[Mapping[int, Change]] = {0x7FE00001: None, 0x7FE00002: None}
