"""The ICC profile of a picture (PS3.3 C.11.15): the image's own, or sRGB, only ever carried along.

A stranger's profile is not interpreted here: conversion is not offered.
"""

from functools import lru_cache
from typing import Final

from PIL import ImageCms

from kernel.dicom.elements import Header
from kernel.dicom.limits import MEBIBYTE
from kernel.dicom.values import Values

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


@lru_cache(maxsize=1)
def srgb_profile() -> bytes:
    """Return the profile of sRGB."""
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
