"""Pictures as files: JPEG, PNG, GIF, JPEG 2000 (PS3.18 8.7.4). What they show is drawn by `kernel.dicom.pictures.render`."""

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import imagecodecs
import numpy as np
from numpy.typing import NDArray
from PIL import Image

from kernel.dicom.vocabulary.limits import MEBIBYTE, exceeded

JPEG_QUALITY: Final = 90
GIF_FRAMES_MAX: Final = 1000
GIF_BYTES_MAX: Final = 64 * MEBIBYTE  # of all frames drawn, held at once while the file is written
FRAME_MS: Final = 40  # when nothing says how long a frame is shown
FRAME_MS_RANGE: Final = (20, 10_000)
_LOSSLESS_QUALITY: Final = 100


@dataclass(frozen=True, slots=True)
class FileOptions:
    """What may be said about a file besides its picture."""

    quality: int | None = None  # 1 to 100; None: the format's own
    icc_profile: bytes | None = None


def encode_picture(picture: Image.Image, media_type: str, options: FileOptions = FileOptions()) -> bytes:
    """Return a picture as a file of one of `PICTURES`."""
    if media_type == "image/jpeg" and options.icc_profile is None:
        return encode_jpeg(np.asarray(picture), options.quality)
    output = io.BytesIO()
    arguments = {"icc_profile": options.icc_profile} if options.icc_profile else {}
    picture.save(output, _FORMATS[media_type], **_arguments(media_type, options), **arguments)
    return output.getvalue()


def encode_gif(pictures: Iterable[Image.Image], frame_ms: float) -> bytes:
    """Return pictures as an animation that repeats.

    Raises
    ------
    LimitExceeded
        They are more, or larger together, than is held at once.
    """
    low, high = FRAME_MS_RANGE
    frames: list[Image.Image] = []
    size = 0
    for picture in pictures:
        frames.append(picture if picture.mode == "L" else picture.quantize(256))
        size += picture.width * picture.height
        if len(frames) > GIF_FRAMES_MAX:
            raise exceeded("GIF_FRAMES_MAX", len(frames), GIF_FRAMES_MAX)
        if size > GIF_BYTES_MAX:
            raise exceeded("GIF_BYTES_MAX", size, GIF_BYTES_MAX)
    output = io.BytesIO()
    duration = round(min(max(frame_ms, low), high))
    frames[0].save(output, "GIF", save_all=True, append_images=frames[1:], duration=duration, loop=0)
    return output.getvalue()


def encode_jpeg(array: NDArray[np.uint8], quality: int | None = None) -> bytes:
    """Return grey or RGB as JPEG, by libjpeg-turbo directly: half the price of the way through Pillow."""
    level = min(max(quality or JPEG_QUALITY, 1), 100)
    if array.ndim == 2:
        return bytes(imagecodecs.jpeg8_encode(array, level=level))
    return bytes(
        imagecodecs.jpeg8_encode(array, level=level, colorspace="RGB", outcolorspace="YCBCR", subsampling="420")
    )


def _arguments(media_type: str, options: FileOptions) -> Mapping[str, Any]:
    if media_type == "image/jpeg":
        return {"quality": options.quality or JPEG_QUALITY}
    if media_type == "image/png":
        return {"compress_level": 1}
    if media_type == "image/jp2" and options.quality is not None and options.quality < _LOSSLESS_QUALITY:
        return {"quality_mode": "rates", "quality_layers": [(104 - options.quality) / 4], "irreversible": True}
    return {}


_FORMATS: Final = {"image/jpeg": "JPEG", "image/png": "PNG", "image/gif": "GIF", "image/jp2": "JPEG2000"}
PICTURES: Final = tuple(_FORMATS)
