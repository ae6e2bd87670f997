"""A photograph of a field under the microscope, from a camera's JPEG to a VL Photographic Image (PS3.3 A.32.4).

The scan stays as the camera made it where DICOM and browsers take it: baseline, and upright. What the camera or telephone
wrote beside it (its place, its owner, its serial number) does not come along; the moment and the colour profile do.
"""

import hashlib
import io
from datetime import datetime
from typing import Any, Final, NamedTuple

import pydicom
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence as DicomSequence

from kernel.dicom.pictures.photographs import (
    SIDE_PIXELS_MAX,
    Drawing,
    Photometric,
    Seen,
    photographic,
    shared_photographs,
)
from kernel.dicom.vocabulary.uids import uid_of
from kernel.errors import InvalidRequest, MalformedSlide, UnsupportedMediaType
from wsi.dicom_header import UNKNOWN, Identity, slide_uid
from wsi.jpeg import SOI, Colour, completion, frame_of, marked_colour
from wsi.limits import MEBIBYTE, PROFILE_BYTES_MAX, at_most, malformed

BYTES_MAX: Final = 64 * MEBIBYTE
PIXELS_MAX: Final = 120_000_000
QUALITY: Final = 95
OFFERED: Final = "a JPEG"
_PHOTOMETRIC: Final[dict[Colour, Photometric]] = {"grey": "MONOCHROME2", "RGB": "RGB", "YCbCr": "YBR_FULL_422"}


class Photograph(NamedTuple):
    """An instance without its file meta."""

    sop_instance_uid: str
    dataset: bytes  # explicit VR little endian, JPEG baseline


def photograph(content: bytes, identity: Identity, description: str, number: int) -> Photograph:
    """Make the instance of a JPEG; its UIDs are made of the picture and the study.

    Raises
    ------
    MalformedSlide
        It is no JPEG that can be read.
    LimitExceeded
        It is larger than BYTES_MAX or PIXELS_MAX, or took too long.
    Busy
        Another photograph was being read for too long.
    """
    at_most("bytes of a photograph", len(content), BYTES_MAX)
    if not content.startswith(SOI):
        raise malformed("a photograph must be a JPEG")
    frame = frame_of(content)
    at_most("pixels of a photograph", frame.width * frame.height, PIXELS_MAX)
    try:
        seen = shared_photographs().look(content, ("JPEG",), OFFERED)
        fits = frame.is_baseline and frame.precision == 8 and frame.components in (1, 3)
        stays = fits and seen.orientation in (0, 1)
        jpeg = content if stays else _drawn(content)
    except (InvalidRequest, UnsupportedMediaType):
        raise malformed("the photograph cannot be read") from None
    colour, scan = _as_it_is(jpeg)
    uid = uid_of(hashlib.sha256(content + identity.study_instance_uid.encode()).digest()[:16])
    ds = _data_set({
        **_study(identity, description, _taken_at(seen)),
        **photographic(scan, _PHOTOMETRIC[colour], is_anew=not stays),
        "SOPInstanceUID": uid,
        "InstanceNumber": number,
        **({"ICCProfile": seen.icc_profile} if _fits(seen.icc_profile) and colour != "grey" else {}),
    })  # fmt: skip
    ds["PixelData"].VR = "OB"
    ds["PixelData"].is_undefined_length = True
    out = io.BytesIO()
    pydicom.dcmwrite(out, ds, implicit_vr=False, little_endian=True, enforce_file_format=False)
    return Photograph(uid, out.getvalue())


def _drawn(content: bytes) -> bytes:
    return shared_photographs().draw(content, ("JPEG",), Drawing(PIXELS_MAX, SIDE_PIXELS_MAX, QUALITY), OFFERED)


def _as_it_is(content: bytes) -> tuple[Colour, bytes]:
    """Return what the components of a baseline JPEG are, and the JPEG without what was written beside its scan."""
    frame = frame_of(content)
    colour: Colour = "grey" if frame.components == 1 else marked_colour(content) or "YCbCr"
    return colour, completion(b"", colour, b"", frame.width, frame.height, is_exact=True).complete(content)


def _taken_at(seen: Seen) -> datetime | None:
    try:
        return datetime.strptime(seen.taken, "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007 - a camera has no zone
    except ValueError:
        return None


def _fits(profile: bytes) -> bool:
    return 0 < len(profile) <= PROFILE_BYTES_MAX


def _study(identity: Identity, description: str, taken_at: datetime | None) -> dict[str, Any]:
    """Patient, General Study, General Series, General Equipment."""
    study = identity.study_instance_uid
    if not study:
        raise MalformedSlide(reason="a photograph belongs to a study")
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "StudyDate": "",
        "StudyTime": "",
        "ContentDate": f"{taken_at:%Y%m%d}" if taken_at else "",
        "ContentTime": f"{taken_at:%H%M%S}" if taken_at else "",
        "AccessionNumber": identity.accession_number,
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
    }


def _data_set(values: dict[str, Any]) -> Dataset:
    """Return a data set of these attributes by keyword; lists of data sets become sequences."""
    made = Dataset()
    for keyword, value in values.items():
        setattr(made, keyword, DicomSequence(value) if keyword.endswith("Sequence") else value)
    return made
