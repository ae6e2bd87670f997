"""The header of a VL Whole Slide Microscopy image made of a vendor's level (PS3.3 A.32.8), all but its pixels.

Every attribute of Type 1 and 2 has a row here. What is asked for and nobody knows has the word or the moment that
other software writes there, so that it is recognised as unknown.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

from kernel.dicom.pixels.srgb import srgb_profile
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE
from kernel.dicom.vocabulary.uids import uid_of
from wsi.limits import malformed
from wsi.tile_index import Level, SlideIndex

DEPTH_MM: Final = 0.0005  # of the imaged volume: must not be 0 (PS3.3 C.8.12.4.1.2); a plane's usual thickness
UNKNOWN: Final = "Unknown"
UNKNOWN_MOMENT: Final = datetime.fromtimestamp(0, UTC)
# Rows run down the slide and columns across it, as a vendor's viewer shows its file (PS3.3 C.8.12.4.1.3).
ORIENTATION: Final = (0, 1, 0, 1, 0, 0)
OPTICAL_PATH: Final = "1"

Values = dict[str, Any]
"""A data set by keyword, as `wsi.dicom_elements` writes it."""

_MANUFACTURERS: Final[Mapping[str, str]] = {"aperio": "Leica Biosystems"}
_PHOTOMETRIC: Final = {"grey": "MONOCHROME2", "RGB": "RGB", "YCbCr": "YBR_FULL_422"}
_SLIDE: Final = ("433466003", "SCT", "Microscope slide")
_SLIDE_SPECIMEN: Final = ("1179252003", "SCT", "Slide")
_SPECIMEN_IDENTIFIER: Final = ("121041", "DCM", "Specimen Identifier")
_PROCESSING: Final = ("111701", "DCM", "Processing type")
_STAINING: Final = ("127790008", "SCT", "Staining")
_USING: Final = ("424361007", "SCT", "Using substance")
_BRIGHTFIELD: Final = ("111744", "DCM", "Brightfield illumination")
_FULL_SPECTRUM: Final = ("414298005", "SCT", "Full Spectrum")


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose slide it is, as the caller says; nothing of it is taken from the vendor's file."""

    patient_id: str = field(default="", repr=False)
    patient_name: str = field(default="", repr=False)
    accession_number: str = field(default="", repr=False)
    study_instance_uid: str = ""  # empty: one made of the slide
    container: str = field(default="", repr=False)  # the slide's own identifier
    stain: str = ""
    series_number: int = 1  # which of the study's slides it is


def slide_uid(digest: bytes, role: str) -> str:
    """Return a UID that is the same whenever it is asked for."""
    return uid_of(hashlib.sha256(digest + role.encode()).digest()[:16])


def header_of(index: SlideIndex, number: int, identity: Identity, digest: bytes) -> Values:
    """Return the attributes of one level but for NumberOfFrames, SOP Instance UID and pixel data.

    Parameters
    ----------
    number
        Of the level in the index.
    digest
        What all UIDs of this slide are made of.

    Raises
    ------
    MalformedSlide
        The slide does not say how large a pixel is; without that it is no volume image.
    """
    if index.mpp is None:
        raise malformed("it does not say how many microns a pixel has (give them with --mpp)")
    level, finest = index.levels[number], index.levels[0]
    across = index.mpp[0] / 1000 * finest.width / level.width
    down = index.mpp[1] / 1000 * finest.height / level.height
    origin = "DERIVED" if number or index.derivation else "ORIGINAL"
    kind = [origin, "PRIMARY", "VOLUME", "RESAMPLED" if number else "NONE"]
    return {
        **_study(index, identity, digest),
        **_slide(identity, digest),
        **_matrix(level, across, down, digest),
        **_pixels(level),
        "ImageType": kind,
        **({"DerivationDescription": index.derivation} if index.derivation else {}),
        "InstanceNumber": number + 1,
        "OpticalPathSequence": [_optical_path(index, level)],
        "SharedFunctionalGroupsSequence": [_shared(kind, across, down)],
    }


def _study(index: SlideIndex, identity: Identity, digest: bytes) -> Values:
    """Patient, General Study, General Series, Whole Slide Microscopy Series, Frame of Reference, Enhanced Equipment."""
    at = index.acquired_at or UNKNOWN_MOMENT
    return {
        "SpecificCharacterSet": "ISO_IR 192",
        "SOPClassUID": WHOLE_SLIDE,
        "StudyDate": "",
        "StudyTime": "",
        "AccessionNumber": identity.accession_number,
        "Modality": "SM",
        "Manufacturer": _MANUFACTURERS.get(index.vendor, UNKNOWN),
        "ReferringPhysicianName": "",
        "ManufacturerModelName": UNKNOWN,
        "PatientName": identity.patient_name,
        "PatientID": identity.patient_id,
        "PatientBirthDate": "",
        "PatientSex": "",
        "DeviceSerialNumber": UNKNOWN,
        "SoftwareVersions": UNKNOWN,
        "StudyInstanceUID": identity.study_instance_uid or slide_uid(digest, "study"),
        "SeriesInstanceUID": slide_uid(digest, "series"),
        "StudyID": "",
        "SeriesNumber": identity.series_number,
        "FrameOfReferenceUID": slide_uid(digest, "frame of reference"),
        "PositionReferenceIndicator": "SLIDE_CORNER",
        "ContentDate": f"{at:%Y%m%d}",
        "ContentTime": f"{at:%H%M%S}",
        "AcquisitionDateTime": f"{at:%Y%m%d%H%M%S}",
        "PyramidUID": slide_uid(digest, "pyramid"),
    }


def _slide(identity: Identity, digest: bytes) -> Values:
    """Specimen (PS3.3 C.7.6.22) and Slide Label."""
    container = identity.container or UNKNOWN
    specimen = {
        "SpecimenIdentifier": container,
        "SpecimenUID": slide_uid(digest, "specimen"),
        "IssuerOfTheSpecimenIdentifierSequence": [],
        "SpecimenTypeCodeSequence": [_code(_SLIDE_SPECIMEN)],
        "SpecimenPreparationSequence": [_stained(container, identity.stain)] if identity.stain else [],
    }
    return {
        "ContainerIdentifier": container,
        "IssuerOfTheContainerIdentifierSequence": [],
        "ContainerTypeCodeSequence": [_code(_SLIDE)],
        "AcquisitionContextSequence": [],
        "SpecimenDescriptionSequence": [specimen],
        "SpecimenLabelInImage": "NO",
        "BurnedInAnnotation": "NO",  # on the tissue; the pictures of the label are not written
    }


def _stained(specimen: str, stain: str) -> Values:
    """Return the step of a preparation that says how a specimen was stained (PS3.16 TID 8001, 8003)."""
    staining = {"ConceptNameCodeSequence": [_code(_PROCESSING)], "ConceptCodeSequence": [_code(_STAINING)]}
    items = [
        _told(_SPECIMEN_IDENTIFIER, specimen),
        {"ValueType": "CODE", **staining},
        _told(_USING, stain),
    ]
    return {"SpecimenPreparationStepContentItemSequence": items}


def _told(name: tuple[str, str, str], text: str) -> Values:
    return {"ValueType": "TEXT", "ConceptNameCodeSequence": [_code(name)], "TextValue": text}


def _matrix(level: Level, across: float, down: float, digest: bytes) -> Values:
    """Multi-frame Dimension and Whole Slide Microscopy Image (PS3.3 C.8.12.4); `across` and `down` in mm a pixel."""
    organization = {"DimensionOrganizationUID": slide_uid(digest, "dimensions")}
    return {
        "VolumetricProperties": "VOLUME",
        "DimensionOrganizationSequence": [organization],
        "DimensionOrganizationType": "TILED_FULL",
        "ImagedVolumeWidth": level.width * across,
        "ImagedVolumeHeight": level.height * down,
        "ImagedVolumeDepth": DEPTH_MM * 1000,  # this one in microns
        "TotalPixelMatrixColumns": level.width,
        "TotalPixelMatrixRows": level.height,
        "TotalPixelMatrixOriginSequence": [
            {"XOffsetInSlideCoordinateSystem": 0.0, "YOffsetInSlideCoordinateSystem": 0.0}
        ],
        "ImageOrientationSlide": list(ORIENTATION),
        "NumberOfOpticalPaths": level.paths,
        "TotalPixelMatrixFocalPlanes": level.planes,
        "FocusMethod": "AUTO",
        "ExtendedDepthOfField": "NO",
    }


def _pixels(level: Level) -> Values:
    samples = 1 if level.colour == "grey" else 3
    ratio = level.width * level.height * samples / max(1, int(level.lengths.sum()))
    return {
        "SamplesPerPixel": samples,
        "PhotometricInterpretation": _PHOTOMETRIC[level.colour],
        **({"PlanarConfiguration": 0} if samples == 3 else {"PresentationLUTShape": "IDENTITY"}),
        **({} if samples == 3 else {"RescaleIntercept": 0, "RescaleSlope": 1}),
        "Rows": level.tile_height,
        "Columns": level.tile_width,
        "BitsAllocated": 8,
        "BitsStored": 8,
        "HighBit": 7,
        "PixelRepresentation": 0,
        "LossyImageCompression": "01",
        "LossyImageCompressionRatio": round(ratio, 2),
        "LossyImageCompressionMethod": "ISO_10918_1",
    }


def _optical_path(index: SlideIndex, level: Level) -> Values:
    path: Values = {
        "OpticalPathIdentifier": OPTICAL_PATH,
        "IlluminationTypeCodeSequence": [_code(_BRIGHTFIELD)],
        "IlluminationColorCodeSequence": [_code(_FULL_SPECTRUM)],
    }
    if level.colour != "grey":
        path["ICCProfile"] = index.icc_profile or srgb_profile()
    if index.objective:
        path["ObjectiveLensPower"] = index.objective
    return path


def _shared(kind: list[str], across: float, down: float) -> Values:
    return {
        "PixelMeasuresSequence": [{"PixelSpacing": [down, across], "SliceThickness": DEPTH_MM}],
        "WholeSlideMicroscopyImageFrameTypeSequence": [{"FrameType": kind}],
        "OpticalPathIdentificationSequence": [{"OpticalPathIdentifier": OPTICAL_PATH}],
    }


def _code(values: tuple[str, str, str]) -> Values:
    return dict(zip(("CodeValue", "CodingSchemeDesignator", "CodeMeaning"), values, strict=True))
