"""The ICC profile of a picture (PS3.3 C.11.15): the image's own; that of sRGB is in `srgb`.

A stranger's profile is carried along here and never interpreted: `as_srgb` runs in the processes of
`kernel.dicom.pixels.decoders`.
"""

import io
from typing import Final

from PIL import Image, ImageCms

from kernel.dicom.pixels.image import ImagePixel
from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.values import Values
from kernel.dicom.vocabulary.limits import MEBIBYTE, malformed

PROFILE_BYTES_MAX: Final = MEBIBYTE  # usual are 0.5 to 20 KiB; larger ones are left out
_PROFILE, _OPTICAL_PATHS = 0x00282000, 0x00480105


def own_profile(header: Header) -> bytes | None:
    """Return the profile of an image, or of the first optical path of a slide; None if it has none."""
    values = Values(header)
    path = values.item(_OPTICAL_PATHS)
    for level in (values, path) if path else (values,):
        profile = level.raw(_PROFILE, PROFILE_BYTES_MAX + 1)
        if profile[36:40] == b"acsp" and len(profile) <= PROFILE_BYTES_MAX:
            return profile
    return None


def as_srgb(pixels: bytes, image: ImagePixel, profile: bytes) -> bytes:
    """Return RGB of 8 bits by pixel, as an ICC profile describes it, as sRGB, perceptually.

    Raises
    ------
    MalformedInstance
        The profile cannot be used.
    """
    picture = Image.frombytes("RGB", (image.columns, image.rows), pixels)
    try:
        converted = ImageCms.profileToProfile(picture, io.BytesIO(profile), ImageCms.createProfile("sRGB"))
    except (ImageCms.PyCMSError, OSError, ValueError):
        raise malformed("the ICC profile cannot be used") from None
    return (converted or picture).tobytes()
