"""The encoders: samples to one compressed frame, without loss but for JPEG Baseline (PS3.5 8.2, annex A.4).

The same libraries as in `kernel.dicom.pixels.codecs`: libjpeg-turbo, CharLS, OpenJPEG, OpenJPH, and our own RLE. They are run in
the processes of `kernel.dicom.pixels.decoders`, like every codec. Samples come as `codecs.decode` gives them.
"""

import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

import imagecodecs
import jpeg_ls
import numpy as np
from numpy.typing import NDArray

from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.vocabulary.syntaxes import (
    HTJ2K_LOSSLESS,
    HTJ2K_LOSSLESS_RPCL,
    JPEG_2000_LOSSLESS,
    JPEG_BASELINE,
    JPEG_LOSSLESS_SV1,
    JPEG_LS_LOSSLESS,
    RLE_LOSSLESS,
)
from kernel.errors import UnsupportedTransferSyntax

LOSSY_QUALITY: Final = 90
_BY_PIXEL: Final = 2  # interleave mode of JPEG-LS


@dataclass(frozen=True, slots=True)
class Work:
    """One frame to encode."""

    samples: NDArray[Any]  # (rows, columns) or (rows, columns, 3), 8 or 16 bits (32 for RLE)
    bits: int  # of a sample in the codestream
    is_rgb: bool
    quality: int

    @property
    def unsigned(self) -> NDArray[Any]:
        """The samples as they lie in memory, without sign."""
        return np.ascontiguousarray(self.samples).view(np.dtype(f"u{self.samples.dtype.itemsize}"))

    @property
    def patterns(self) -> NDArray[Any]:
        """The samples without sign, cut to `bits`: codestreams that know no sign hold them so."""
        return self.unsigned & ((1 << self.bits) - 1) if self.samples.dtype.kind == "i" else self.unsigned


@dataclass(frozen=True, slots=True)
class Encoder:
    """One target: what it takes, and what becomes of RGB in it."""

    encode: Callable[[Work], bytes]
    bits_allocated: frozenset[int]
    rgb_becomes: str  # Photometric Interpretation of what was RGB
    is_lossy: bool = False


def encode(samples: NDArray[Any], image: ImagePixel, transfer_syntax_uid: str, *, is_rgb: bool, quality: int) -> bytes:
    """Return one frame, encoded; `image` is what the header said of its samples."""
    work = Work(samples, _bits(samples, image), is_rgb, quality)
    return ENCODERS[transfer_syntax_uid].encode(work)


def check_encodable(image: ImagePixel, transfer_syntax_uid: str) -> None:
    """Refuse what this transfer syntax cannot hold.

    Raises
    ------
    UnsupportedTransferSyntax
        No encoder, or not for such samples.
    """
    encoder = ENCODERS.get(transfer_syntax_uid)
    if encoder is None:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=transfer_syntax_uid, reason="no encoder for it")
    is_taken = (
        image.samples_per_pixel in (1, 3) and not image.is_float and image.bits_allocated in encoder.bits_allocated
    )
    if encoder.is_lossy and image.photometric_interpretation == "PALETTE COLOR":
        is_taken = False  # indices have no neighbors
    if not is_taken:
        raise UnsupportedTransferSyntax(transfer_syntax_uid=transfer_syntax_uid, reason="it cannot hold such samples")


def _bits(samples: NDArray[Any], image: ImagePixel) -> int:
    """Return Bits Stored if the samples keep to it, else all bits: nothing that a sender put above it is lost."""
    allocated = 8 * samples.dtype.itemsize
    unused = allocated - image.bits_stored
    if allocated != 16 or unused <= 0:
        return allocated
    kept = (samples << unused) >> unused
    return max(image.bits_stored, 9) if np.array_equal(kept, samples) else allocated


def _jpeg_lossless(work: Work) -> bytes:
    color: dict[str, Any] = {"colorspace": "RGB", "outcolorspace": "RGB"} if work.samples.ndim == 3 else {}
    return bytes(imagecodecs.jpeg8_encode(work.patterns, lossless=True, predictor=1, bitspersample=work.bits, **color))


def _jpeg_baseline(work: Work) -> bytes:
    if work.samples.ndim == 2:
        return bytes(imagecodecs.jpeg8_encode(work.patterns, level=work.quality))
    stored = "RGB" if work.is_rgb else "YCBCR"
    return bytes(
        imagecodecs.jpeg8_encode(
            work.patterns, level=work.quality, colorspace=stored, outcolorspace="YCBCR", subsampling="422"
        )
    )


def _jpeg_ls(work: Work) -> bytes:
    rows, columns, *samples = work.samples.shape
    count = samples[0] if samples else 1
    mode = _BY_PIXEL if count > 1 else 0
    try:
        return bytes(jpeg_ls.encode_buffer(work.patterns.tobytes(), rows, columns, count, work.bits, 0, mode))
    except RuntimeError:  # it makes no room for what grows: noise of a few pixels
        return bytes(imagecodecs.jpegls_encode(work.unsigned))  # which writes all bits of them


def _jpeg_2000(work: Work) -> bytes:
    color: dict[str, Any] = (
        {"colorspace": 1 if work.is_rgb else 3, "mct": work.is_rgb} if work.samples.ndim == 3 else {}
    )
    return bytes(
        imagecodecs.jpeg2k_encode(
            work.samples, reversible=True, level=0, codecformat="j2k", bitspersample=work.bits, numthreads=1, **color
        )
    )


def _htj2k(work: Work) -> bytes:
    """Encode progressively by resolution, one tile-part each, with TLM: any prefix of parts is a smaller picture."""
    samples = work.samples
    color: dict[str, Any] = {}
    if samples.ndim == 3 and not work.is_rgb:
        samples, color = np.ascontiguousarray(samples.transpose(2, 0, 1)), {"rgb": False, "planar": True}
    elif samples.ndim == 3:
        color = {"rgb": True, "planar": False}
    return bytes(imagecodecs.htj2k_encode(samples, reversible=True, tlm=True, tilepart=1, **color))


def _rle(work: Work) -> bytes:
    """Encode one segment for each byte of each sample, highest byte first, rows apart (PS3.5 G)."""
    samples = np.ascontiguousarray(work.samples)
    rows = samples.shape[0]
    planes = samples.reshape(rows, -1, 1) if samples.ndim == 2 else samples
    octets = planes.reshape(*planes.shape, 1).view(np.uint8)[..., ::-1]  # rows, columns, samples, bytes
    segments: list[bytes] = []
    for sample in range(octets.shape[2]):
        for byte in range(octets.shape[3]):
            plane = octets[:, :, sample, byte].copy()  # a single pixel counts as contiguous whatever its strides
            segment = bytes(imagecodecs.packbits_encode(plane, axis=-1))
            segments.append(segment + b"\0" * (len(segment) % 2))
    offsets = [64 + sum(map(len, segments[:number])) for number in range(len(segments))]
    return struct.pack("<16I", len(segments), *offsets, *([0] * (15 - len(segments)))) + b"".join(segments)


_TO_16: Final = frozenset({8, 16})
ENCODERS: Final[Mapping[str, Encoder]] = MappingProxyType(
    {
        JPEG_LOSSLESS_SV1: Encoder(_jpeg_lossless, _TO_16, "RGB"),
        JPEG_LS_LOSSLESS: Encoder(_jpeg_ls, _TO_16, "RGB"),
        JPEG_2000_LOSSLESS: Encoder(_jpeg_2000, _TO_16, "YBR_RCT"),
        HTJ2K_LOSSLESS: Encoder(_htj2k, _TO_16, "YBR_RCT"),
        HTJ2K_LOSSLESS_RPCL: Encoder(_htj2k, _TO_16, "YBR_RCT"),
        RLE_LOSSLESS: Encoder(_rle, frozenset({8, 16, 32}), "RGB"),
        JPEG_BASELINE: Encoder(_jpeg_baseline, frozenset({8}), "YBR_FULL_422", is_lossy=True),
    }
)
