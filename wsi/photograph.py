"""A photograph of a field under the microscope, from a camera's JPEG to a VL Photographic Image (PS3.3 A.32.4).

The scan stays as the camera made it where DICOM and browsers take it: baseline, and upright. What the camera or telephone
wrote beside it (its place, its owner, its serial number) does not come along; the moment and the colour profile do.
"""

import hashlib
import io
import struct
from datetime import datetime
from typing import Any, Final, NamedTuple

import pydicom
from PIL import Image, ImageOps, UnidentifiedImageError

from kernel.dicom.uids import uid_of
from kernel.errors import MalformedSlide
from wsi.dicom_header import UNKNOWN, Identity, data_set, slide_uid
from wsi.jpeg import Colour, completion, frame_of, marked_colour
from wsi.limits import MEBIBYTE, PROFILE_BYTES_MAX, at_most, malformed

PHOTOGRAPH: Final = "1.2.840.10008.5.1.4.1.1.77.1.4"
BYTES_MAX: Final = 64 * MEBIBYTE
PIXELS_MAX: Final = 120_000_000
QUALITY: Final = 95
ANEW: Final = "Encoded anew: it was not upright, or of another kind of JPEG"
_ORIENTATION, _TAKEN = 0x0112, 0x9003
_EXIF: Final = 0x8769
_PHOTOMETRIC: Final = {"grey": "MONOCHROME2", "RGB": "RGB", "YCbCr": "YBR_FULL_422"}


class Photograph(NamedTuple):
    """An instance without its file meta."""

    sop_instance_uid: str
    dataset: bytes  # explicit VR little endian, JPEG baseline


class _Scan(NamedTuple):
    jpeg: bytes
    width: int
    height: int
    colour: Colour
    is_anew: bool


def photograph(content: bytes, identity: Identity, description: str, number: int) -> Photograph:
    """Make the instance of a JPEG; its UIDs are made of the picture and the study.

    Raises
    ------
    MalformedSlide
        It is no JPEG that can be read.
    LimitExceeded
        It is larger than BYTES_MAX or PIXELS_MAX.
    """
    at_most("bytes of a photograph", len(content), BYTES_MAX)
    frame = frame_of(content)
    at_most("pixels of a photograph", frame.width * frame.height, PIXELS_MAX)
    orientation, taken_at, profile = _beside(content)
    upright = orientation in (0, 1)
    fits = frame.is_baseline and frame.precision == 8 and frame.components in (1, 3)
    scan = _as_it_is(content) if fits and upright else _anew(content)
    uid = uid_of(hashlib.sha256(content + identity.study_instance_uid.encode()).digest()[:16])
    ds = data_set({
        **_study(identity, description, taken_at),
        **_picture(scan, len(content)),
        "SOPInstanceUID": uid,
        "InstanceNumber": number,
        **({"ICCProfile": profile} if profile and scan.colour != "grey" else {}),
    })  # fmt: skip
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return Photograph(uid, out.getvalue() + _encapsulated(scan.jpeg))


def _beside(content: bytes) -> tuple[int, datetime | None, bytes]:
    """Return how the picture is turned, when it was taken, and its profile."""
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as opened:
            exif, profile = opened.getexif(), opened.info.get("icc_profile") or b""
            taken = str(exif.get_ifd(_EXIF).get(_TAKEN, ""))
            orientation = exif.get(_ORIENTATION, 1)
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError, KeyError, struct.error):
        raise malformed("the photograph cannot be read") from None
    try:
        taken_at = datetime.strptime(taken[:19], "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - a camera has no zone
    except ValueError:
        taken_at = None
    number = orientation if isinstance(orientation, int) else 1
    return number, taken_at, profile if len(profile) <= PROFILE_BYTES_MAX else b""


def _as_it_is(content: bytes) -> _Scan:
    frame = frame_of(content)
    colour: Colour = "grey" if frame.components == 1 else marked_colour(content) or "YCbCr"
    made = completion(b"", colour, b"", frame.width, frame.height, is_exact=True).complete(content)
    return _Scan(made, frame.width, frame.height, colour, is_anew=False)


def _anew(content: bytes) -> _Scan:
    try:
        with Image.open(io.BytesIO(content), formats=["JPEG"]) as opened:
            picture = ImageOps.exif_transpose(opened).convert("RGB")
    except (OSError, UnidentifiedImageError, SyntaxError, ValueError) as error:
        raise malformed("the photograph does not decode") from error
    out = io.BytesIO()
    picture.info.clear()
    picture.save(out, "JPEG", quality=QUALITY, subsampling="4:2:2")
    return _as_it_is(out.getvalue())._replace(is_anew=True)


def _study(identity: Identity, description: str, taken_at: datetime | None) -> dict[str, Any]:
    """Patient, General Study, General Series, General Equipment, Acquisition Context."""
    study = identity.study_instance_uid
    if not study:
        raise MalformedSlide(reason="a photograph belongs to a study")
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": PHOTOGRAPH,
        "StudyDate": "",
        "StudyTime": "",
        "ContentDate": f"{taken_at:%Y%m%d}" if taken_at else "",
        "ContentTime": f"{taken_at:%H%M%S}" if taken_at else "",
        "AccessionNumber": identity.accession_number,
        "Modality": "XC",
        "Manufacturer": UNKNOWN,
        "ReferringPhysicianName": "",
        "SeriesDescription": description,
        "PatientName": identity.patient_name,
        "PatientID": identity.patient_id,
        "PatientBirthDate": "",
        "PatientSex": "",
        "StudyInstanceUID": study,
        "SeriesInstanceUID": slide_uid(hashlib.sha256(study.encode()).digest(), "photographs"),
        "StudyID": "",
        "SeriesNumber": 2,
        "Laterality": "",  # nobody said which
        "PatientOrientation": "",
        "AcquisitionContextSequence": [],
    }


def _picture(scan: _Scan, stored_bytes: int) -> dict[str, Any]:
    """General Image, Image Pixel, VL Image."""
    samples = 1 if scan.colour == "grey" else 3
    ratio = scan.width * scan.height * samples / stored_bytes
    return {
        "ImageType": ["DERIVED" if scan.is_anew else "ORIGINAL", "PRIMARY"],
        **({"DerivationDescription": ANEW} if scan.is_anew else {}),
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": _PHOTOMETRIC[scan.colour],
        **({"PlanarConfiguration": 0} if samples == 3 else {}),
        "Rows": scan.height,
        "Columns": scan.width,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": f"{ratio:.2f}",
        "LossyImageCompressionMethod": "ISO_10918_1",
    }


def _encapsulated(jpeg: bytes) -> bytes:
    """Return Pixel Data of one frame (PS3.5 A.4), its offset table empty."""
    padded = jpeg + b"\0" * (len(jpeg) % 2)
    item = struct.Struct("<HHI").pack
    head = struct.pack("<HH2sHI", 0x7FE0, 0x0010, b"OB", 0, 0xFFFFFFFF) + item(0xFFFE, 0xE000, 0)
    return head + item(0xFFFE, 0xE000, len(padded)) + padded + item(0xFFFE, 0xE0DD, 0)
