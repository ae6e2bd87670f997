"""Words within compressed frames, color profiles and videos, and words that are coded: more kinds of the planted corpus."""

import base64
import io
import struct
import urllib.parse
from collections.abc import Callable
from typing import Protocol

import numpy as np
from PIL import Image
from pydicom.dataset import Dataset
from pydicom.encaps import encapsulate
from pydicom.uid import MPEG4HP41 as H264
from pydicom.uid import (
    JPEG2000Lossless,
    JPEGBaseline8Bit,
    UltrasoundMultiFrameImageStorage,
    VLWholeSlideMicroscopyImageStorage,
)

from tests.anonymizer.color_profiles import CURVE, XYZ, a_profile, a_text_tag, mluc
from tests.support.builders import a_dataset, with_pixels

PIXELS = (np.arange(3 * 24 * 32).reshape(3, 24, 32) % 251).astype(np.uint8)


class Named(Protocol):
    """Whose words are planted."""

    @property
    def name(self) -> str: ...
    @property
    def plain(self) -> str: ...
    @property
    def patient_id(self) -> str: ...


def a_profile_of(person: Named) -> bytes:
    """Return a color profile whose texts, private tag and end name the person."""
    plain = person.plain.encode()
    tags = {
        b"desc": a_text_tag(b"desc", plain),
        b"rXYZ": XYZ,
        b"cprt": mluc(person.name),
        b"rTRC": CURVE,
        b"MINE": a_text_tag(b"text", plain),
    }
    made = a_profile(tags, behind=plain)
    return made + bytes(len(made) % 2)


def jpeg_frames(person: Named) -> tuple[Dataset, str]:
    """Return a slide's level whose frames have comments before and behind their samples, EXIF, a profile, and a tail."""
    words = person.plain.encode()
    com = struct.pack(">BBH", 0xFF, 0xFE, 2 + len(words)) + words
    exif = struct.pack(">BBH", 0xFF, 0xE1, 8 + len(words)) + b"Exif\0\0" + words
    profile = a_profile_of(person)
    icc = struct.pack(">BBH", 0xFF, 0xE2, 16 + len(profile)) + b"ICC_PROFILE\0\1\1" + profile
    frames: list[bytes] = []
    for plane in PIXELS:
        buffer = io.BytesIO()
        Image.fromarray(plane).save(buffer, "JPEG", quality=90)
        one = buffer.getvalue()
        frames.append(one[:2] + com + exif + icc + one[2:-2] + com + one[-2:] + words)
    return _a_level(frames, person), JPEGBaseline8Bit


def jpeg_2000_frames(person: Named) -> tuple[Dataset, str]:
    """Return a slide's level whose frames have boxes, a profile and comments."""
    words = person.plain.encode()
    frames: list[bytes] = []
    for plane in PIXELS:
        buffer = io.BytesIO()
        Image.fromarray(plane).save(buffer, "JPEG2000", irreversible=False)
        one = buffer.getvalue()
        frames.append(one + struct.pack(">I", 8 + len(words)) + b"xml " + words)
    return _a_level(frames, person), JPEG2000Lossless


def a_video(person: Named) -> tuple[Dataset, str]:
    """Return a stream of H.264 with a message and an unspecified unit that name the person."""
    words = person.plain.encode()
    message = b"\0\0\1\x06\x05" + bytes((16 + len(words),)) + b"u" * 16 + words + b"\x80"
    stream = b"\0\0\0\1\x67" + bytes(range(16, 24)) + message + b"\0\0\1\x65" + bytes(range(64, 90))
    return _a_cine(stream + b"\0\0\1\x18" + words, person), H264


def a_video_in_a_container(person: Named) -> tuple[Dataset, str]:
    """Return an MP4 whose description names the person."""
    words = person.plain.encode()
    return _a_cine(
        b"\0\0\0\x14ftypmp42\0\0\0\0mp42" + struct.pack(">I", 8 + len(words)) + b"udta" + words, person
    ), H264


def _a_level(frames: list[bytes], person: Named) -> Dataset:
    ds = with_pixels(a_dataset(VLWholeSlideMicroscopyImageStorage, seed=person.patient_id, Modality="SM"), PIXELS)
    ds.ImageType = ["ORIGINAL", "PRIMARY", "VOLUME", "NONE"]
    return _encapsulated(ds, frames)


def _a_cine(stream: bytes, person: Named) -> Dataset:
    ds = with_pixels(a_dataset(UltrasoundMultiFrameImageStorage, seed=person.patient_id, Modality="US"), PIXELS)
    return _encapsulated(ds, [stream])


def _encapsulated(ds: Dataset, frames: list[bytes]) -> Dataset:
    ds.PixelData = encapsulate([one + bytes(len(one) % 2) for one in frames])
    ds["PixelData"].VR, ds["PixelData"].is_undefined_length = "OB", True
    return ds


FRAMES: dict[str, Callable[[Named], tuple[Dataset, str]]] = {
    "frames of JPEG": jpeg_frames,
    "frames of JPEG 2000": jpeg_2000_frames,
    "video": a_video,
    "video in a container": a_video_in_a_container,
}
CODED: dict[str, Callable[[Named], str]] = {
    "base64": lambda person: base64.b64encode(person.plain.encode()).decode(),
    "base64 of a number": lambda person: base64.b64encode(f"id {person.patient_id}".encode()).decode(),
    "hexadecimal": lambda person: person.plain.encode().hex(),
    "percent signs": lambda person: "".join(f"%{byte:02X}" for byte in person.plain.encode()),
    "percent signs of UTF-8": lambda person: urllib.parse.quote(person.name),
    "quoted-printable": lambda person: "".join(f"={byte:02X}" for byte in person.name.encode()),
}
