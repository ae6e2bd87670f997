"""From a frame and what a client asked for to the bytes of a picture file."""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from gateway.dicomweb.retrieve.frame_source import FrameSource
from gateway.dicomweb.retrieve.rendering import Rendering
from kernel.dicom.pictures.annotate import annotated
from kernel.dicom.pictures.picture_files import FRAME_MS, FileOptions, encode_gif, encode_jpeg, encode_picture
from kernel.dicom.pictures.render import drawn, render, to_grey
from kernel.dicom.pictures.video import encode_mp4
from kernel.dicom.pixels.codecs import decode_native
from kernel.dicom.pixels.decoders import shared_decoders
from kernel.dicom.pixels.icc import own_profile
from kernel.dicom.pixels.image import pixel_aspect
from kernel.dicom.pixels.reading import Pixels, check_decodable
from kernel.dicom.pixels.srgb import srgb_profile
from kernel.dicom.scanning.values import Values

_FRAME_TIME, _CINE_RATE, _DISPLAY_RATE = 0x00181063, 0x00180040, 0x00082144


def draw(pixels: Pixels, frame_index: int, media_type: str, how: Rendering) -> bytes:
    """Return one frame as a file; the errors are those of `render`."""
    if media_type == "image/jpeg" and how.is_plain and pixel_aspect(pixels.header, frame_index) == 1:
        return encode_jpeg(drawn(pixels, frame_index, window=how.window), how.quality)
    picture = _drawn(pixels, frame_index, how)
    profile = None
    if picture.mode == "RGB" and how.icc_profile in ("yes", "srgb"):
        own = own_profile(pixels.header)
        if own and how.icc_profile == "srgb":
            picture, own = Image.fromarray(shared_decoders().to_srgb(np.asarray(picture), own)), None
        profile = own or srgb_profile()
    return encode_picture(picture, media_type, FileOptions(how.quality, profile))


def draw_remembered(source: FrameSource, frame_index: int, media_type: str, how: Rendering) -> bytes | None:
    """Return one frame as `draw` does, without its header: None unless a whole native grey frame is wanted as JPEG."""
    grey = source.grey
    if grey is None or media_type != "image/jpeg" or not how.is_plain:
        return None
    check_decodable(grey.image, source.located.transfer_syntax_uid)
    (span,) = source.spans(frame_index)
    frame = decode_native(span.read(0, span.size_bytes), grey.image)
    return encode_jpeg(to_grey(frame, grey.image, grey.display, how.window), how.quality)


def animation(pixels: Pixels, numbers: Sequence[int] | None, how: Rendering) -> bytes:
    """Return frames, or all of them, as an animated GIF at the speed that the instance says (PS3.3 C.7.6.5)."""
    wanted = numbers or range(1, pixels.frames.number_of_frames + 1)
    return encode_gif((_drawn(pixels, number - 1, how) for number in wanted), frame_ms(pixels))


def video(pixels: Pixels, numbers: Sequence[int] | None, how: Rendering) -> bytes:
    """Return frames, or all of them, as an MP4 file at the same speed."""
    wanted = numbers or range(1, pixels.frames.number_of_frames + 1)
    return encode_mp4((_drawn(pixels, number - 1, how) for number in wanted), frame_ms(pixels), how.quality)


def frame_ms(pixels: Pixels) -> float:
    """Return how long a frame is shown, in milliseconds."""
    values = Values(pixels.header)
    if (time := values.decimal(_FRAME_TIME)) and time > 0:
        return time
    rate = values.integer(_DISPLAY_RATE) or values.integer(_CINE_RATE)
    return 1000 / rate if rate and rate > 0 else FRAME_MS


def _drawn(pixels: Pixels, frame_index: int, how: Rendering) -> Image.Image:
    picture = render(pixels, frame_index, window=how.window, viewport=how.viewport)
    return annotated(picture, pixels.header, how.annotations) if how.annotations else picture
