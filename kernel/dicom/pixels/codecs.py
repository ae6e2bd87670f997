"""The codecs: which library decodes what, and what is checked before it may.

Codecs are native code that reads a stranger's bytes inside our process, so the sturdiest one was chosen for each
format, not the first that pydicom would find: libjpeg-turbo for every JPEG (also 12-bit and lossless), CharLS for
JPEG-LS, OpenJPEG for JPEG 2000 and HTJ2K, our own RLE. (The libjpeg of pylibjpeg-libjpeg ends the process on damaged JPEG-LS,
pylibjpeg-rle panics.) A frame must claim the size that the header says; what it claims is read by `codestream`.
"""

import struct
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from pydicom.encaps import encapsulate
from pydicom.pixels.decoders.base import get_decoder
from pydicom.uid import UID

from kernel.dicom.pixels.codestream import is_stored_as_rgb, stream_size, without_boxes
from kernel.dicom.pixels.color import upsampled
from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.reencode import inflate
from kernel.dicom.vocabulary.limits import malformed
from kernel.dicom.vocabulary.syntaxes import (
    DEFLATED_FRAMES,
    ENCAPSULATED_UNCOMPRESSED,
    JPEG_LOSSLESS,
    JPEG_LOSSLESS_SV1,
    JPEG_LOSSY,
    JPEG_LS_LOSSLESS,
    JPEG_LS_NEAR_LOSSLESS,
    RLE_LOSSLESS,
    SYNTAXES,
)
from kernel.errors import MalformedInstance

_JPEG_LOSSLESS: Final = frozenset({JPEG_LOSSLESS, JPEG_LOSSLESS_SV1})
_JPEG_LS: Final = frozenset({JPEG_LS_LOSSLESS, JPEG_LS_NEAR_LOSSLESS})
_KEYWORDS: Final = {0x7FE00010: "PixelData", 0x7FE00008: "FloatPixelData", 0x7FE00009: "DoubleFloatPixelData"}


def is_native_code(transfer_syntax_uid: str) -> bool:
    """Whether frames of this transfer syntax need a codec that a stranger's bytes may crash."""
    syntax = SYNTAXES[transfer_syntax_uid]
    return syntax.encapsulated and transfer_syntax_uid not in (ENCAPSULATED_UNCOMPRESSED, DEFLATED_FRAMES, RLE_LOSSLESS)


def decode(data: bytes, image: ImagePixel, transfer_syntax_uid: str) -> NDArray[Any]:
    """Return any frame as an array: (rows, columns) or (rows, columns, samples).

    Color is by pixel, in the color space that `color.decoded_photometric_interpretation` names.

    Raises
    ------
    MalformedInstance
        It is damaged, or not what the header says.
    """
    if transfer_syntax_uid == RLE_LOSSLESS:
        return decode_rle(data, image)
    if is_native_code(transfer_syntax_uid):
        return decode_compressed(data, image, transfer_syntax_uid)
    if transfer_syntax_uid == DEFLATED_FRAMES:
        data, _ = inflate(data, 0, (image.frame_bits + 7) // 8)
    return decode_native(data, image)


def as_allocated(samples: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Return decoded samples in Bits Allocated bits: codecs give what their codestream says, which may be less.

    Raises
    ------
    MalformedInstance
        It is more.
    """
    wanted = max(1, image.bits_allocated // 8)
    if samples.dtype.itemsize == wanted:
        return samples
    if samples.dtype.itemsize > wanted:
        raise malformed("a frame has more bits than Bits Allocated")
    return samples.astype(np.dtype(f"<{samples.dtype.kind}{wanted}"))


def decode_native(data: bytes, image: ImagePixel) -> NDArray[Any]:
    """Return an uncompressed little endian frame; pixels of one bit as one byte each (PS3.5 8.1.1)."""
    if len(data) * 8 < image.frame_bits:
        raise malformed("a frame is shorter than the header says")
    if image.bits_allocated == 1:
        bits = np.unpackbits(np.frombuffer(data, np.uint8), count=image.frame_bits, bitorder="little")
        return _shaped(bits.reshape(-1, image.samples_per_pixel).T, image)
    if not image.has_whole_bytes:
        raise malformed(f"samples of {image.bits_allocated} bits")
    if image.photometric_interpretation == "YBR_FULL_422":
        if image.bits_allocated != 8 or image.samples_per_pixel != 3 or image.columns % 2:
            raise malformed("a YBR_FULL_422 frame that is no such thing")
        return upsampled(data, image.rows, image.columns)
    count = image.rows * image.columns * image.samples_per_pixel
    samples = np.frombuffer(data, np.dtype(image.sample_type), count)
    if image.planar_configuration and image.samples_per_pixel > 1:
        return _shaped(samples.reshape(image.samples_per_pixel, -1), image)
    shape = (image.rows, image.columns, image.samples_per_pixel)
    return samples.reshape(shape if image.samples_per_pixel > 1 else shape[:2])


def decode_compressed(data: bytes, image: ImagePixel, transfer_syntax_uid: str) -> NDArray[Any]:
    """Return a compressed frame, not RLE, as an array; see `decode`.

    Raises
    ------
    MalformedInstance
        It is damaged, or not what the header says.
    """
    precision = _check_claims(data, image)
    if transfer_syntax_uid in JPEG_LOSSY | _JPEG_LOSSLESS:
        array = _jpeg(data, image, lossless=transfer_syntax_uid in _JPEG_LOSSLESS)
        return _signed(array, precision) if image.pixel_representation else array
    if transfer_syntax_uid in _JPEG_LS:
        plugin = "pyjpegls"
    else:
        plugin, data = "pylibjpeg", without_boxes(data)
    fragments = encapsulate([data + b"\0" * (len(data) % 2)], has_bot=False)
    array = _with_pydicom(fragments, image, transfer_syntax_uid, plugin)
    return _signed(array, precision) if image.pixel_representation and plugin == "pyjpegls" else array


def _signed(array: NDArray[Any], precision: int) -> NDArray[Any]:
    """Return samples as two's complement of `precision` bits: these codestreams know no sign (PS3.5 8.2.1, 8.2.3)."""
    signed = np.ascontiguousarray(array).view(np.dtype(f"i{array.dtype.itemsize}"))
    unused = 8 * signed.dtype.itemsize - precision
    return (signed << unused) >> unused if unused > 0 else signed


def decode_rle(data: bytes, image: ImagePixel) -> NDArray[Any]:
    """Return an RLE frame as an array (PS3.5 annex G): one segment for each byte of each sample, highest byte first.

    A segment decodes to no more than one byte a pixel, whatever its runs say; pixels of one bit are packed.
    """
    if image.is_float or image.photometric_interpretation == "YBR_FULL_422":
        raise malformed("an RLE frame of samples that RLE does not have")
    pixels = image.rows * image.columns
    bytes_each = max(1, image.bits_allocated // 8)
    segment_bytes = pixels if image.bits_allocated > 1 else (pixels + 7) // 8
    try:
        count, *offsets = struct.unpack_from("<16I", data)
        if count != image.samples_per_pixel * bytes_each:
            raise malformed(f"an RLE frame of {count} segments")
        ends = [*offsets[1:count], len(data)]
        segments = [_segment(data[a:b], segment_bytes) for a, b in zip(offsets, ends, strict=False)]
    except (struct.error, RuntimeError, ValueError):
        raise malformed("a frame cannot be decoded") from None
    if image.bits_allocated == 1:
        bits = np.unpackbits(np.concatenate(segments), count=pixels * count, bitorder="little")
        return _shaped(bits.reshape(image.samples_per_pixel, -1), image)
    planes = np.stack(segments).reshape(image.samples_per_pixel, bytes_each, pixels)[:, ::-1]
    kind = "i" if image.pixel_representation else "u"
    samples = np.ascontiguousarray(planes.transpose(0, 2, 1)).view(np.dtype(f"<{kind}{bytes_each}"))
    return _shaped(samples.reshape(image.samples_per_pixel, pixels), image)


def _segment(data: bytes, size: int) -> NDArray[np.uint8]:
    """Return one decoded segment of `size` bytes; some writers add a pad byte."""
    decoded = np.frombuffer(imagecodecs.packbits_decode(data, out=size + 1), np.uint8)
    if len(decoded) < size:
        raise malformed("an RLE segment is shorter than the frame")
    return decoded[:size]


def _shaped(samples: NDArray[Any], image: ImagePixel) -> NDArray[Any]:
    """Return planes, shape (samples, pixels), in the shape of a frame, color by pixel."""
    if image.samples_per_pixel == 1:
        return samples.reshape(image.rows, image.columns)
    return np.ascontiguousarray(samples.reshape(-1, image.rows, image.columns).transpose(1, 2, 0))


def _check_claims(data: bytes, image: ImagePixel) -> int:
    """Refuse a frame that would decode to something else than the header says; return its bits a sample."""
    size = stream_size(data)
    if size is None:
        raise malformed("a compressed frame without a frame header")
    if (size.rows, size.columns, size.components) != (image.rows, image.columns, image.samples_per_pixel):
        raise malformed(
            f"a compressed frame of {size.rows} rows, {size.columns} columns and {size.components} components, "
            f"where {image.rows}, {image.columns} and {image.samples_per_pixel} were announced"
        )
    return size.precision


def _jpeg(data: bytes, image: ImagePixel, *, lossless: bool) -> NDArray[Any]:
    as_stored = lossless or is_stored_as_rgb(data, image.photometric_interpretation)
    stored, wanted = (None, None) if image.samples_per_pixel == 1 else ("RGB" if as_stored else "YCBCR", "RGB")
    try:
        array = np.asarray(imagecodecs.jpeg8_decode(data, colorspace=stored, outcolorspace=wanted))
    except (RuntimeError, ValueError, TypeError):
        raise malformed("a frame cannot be decoded") from None
    shape = (image.rows, image.columns, image.samples_per_pixel)
    if array.shape != (shape if image.samples_per_pixel > 1 else shape[:2]):
        raise malformed("a frame is not of the announced size")
    return array


def _with_pydicom(data: bytes, image: ImagePixel, transfer_syntax_uid: str, plugin: str) -> NDArray[Any]:
    options: dict[str, Any] = {
        "rows": image.rows,
        "columns": image.columns,
        "number_of_frames": 1,
        "samples_per_pixel": image.samples_per_pixel,
        "photometric_interpretation": image.photometric_interpretation,
        "bits_allocated": image.bits_allocated,
        "bits_stored": image.bits_stored,
        "pixel_representation": image.pixel_representation,
        "planar_configuration": image.planar_configuration,
        "pixel_keyword": _KEYWORDS[image.pixel_tag],
    }
    decoder = get_decoder(UID(transfer_syntax_uid))
    try:
        array, _ = decoder.as_array(data, index=0, raw=True, decoding_plugin=plugin, **options)
    except (MemoryError, MalformedInstance):
        raise
    except Exception as error:  # noqa: BLE001 codecs raise whatever they like about a stranger's bytes
        raise malformed(f"a frame cannot be decoded ({type(error).__name__})") from None
    return array
