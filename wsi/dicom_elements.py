"""A slide's header as bytes: explicit VR little endian (PS3.5 7.1.2), from values by keyword.

A table of the attributes that `wsi.dicom_header` has, and nothing else: pydicom can write any, but loading it takes
longer than a whole slide takes to be converted.
"""

import math
import struct
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

from wsi.limits import at_most

VALUE_BYTES_MAX: Final = 0xFFFE  # of a value with a length of two bytes (PS3.5 7.1.2)
_DS_CHARACTERS_MAX: Final = 16  # PS3.5 6.2
_LONG: Final = frozenset({"OB", "SQ", "UT"})  # four bytes of length
_BINARY: Final = MappingProxyType({"US": "H", "UL": "I", "FL": "f"})
_ITEM: Final = 0xE000FFFE

# PS3.6 6, by tag. tests/wsi/test_dicom_elements.py compares each row with pydicom's dictionary.
ELEMENTS: Final[Mapping[str, tuple[int, str]]] = MappingProxyType({
    "SpecificCharacterSet": (0x00080005, "CS"),
    "ImageType": (0x00080008, "CS"),
    "SOPClassUID": (0x00080016, "UI"),
    "SOPInstanceUID": (0x00080018, "UI"),
    "PyramidUID": (0x00080019, "UI"),
    "StudyDate": (0x00080020, "DA"),
    "ContentDate": (0x00080023, "DA"),
    "AcquisitionDateTime": (0x0008002A, "DT"),
    "StudyTime": (0x00080030, "TM"),
    "ContentTime": (0x00080033, "TM"),
    "AccessionNumber": (0x00080050, "SH"),
    "Modality": (0x00080060, "CS"),
    "Manufacturer": (0x00080070, "LO"),
    "ReferringPhysicianName": (0x00080090, "PN"),
    "CodeValue": (0x00080100, "SH"),
    "CodingSchemeDesignator": (0x00080102, "SH"),
    "CodeMeaning": (0x00080104, "LO"),
    "ManufacturerModelName": (0x00081090, "LO"),
    "DerivationDescription": (0x00082111, "ST"),
    "FrameType": (0x00089007, "CS"),
    "VolumetricProperties": (0x00089206, "CS"),
    "PatientName": (0x00100010, "PN"),
    "PatientID": (0x00100020, "LO"),
    "PatientBirthDate": (0x00100030, "DA"),
    "PatientSex": (0x00100040, "CS"),
    "SliceThickness": (0x00180050, "DS"),
    "DeviceSerialNumber": (0x00181000, "LO"),
    "SoftwareVersions": (0x00181020, "LO"),
    "StudyInstanceUID": (0x0020000D, "UI"),
    "SeriesInstanceUID": (0x0020000E, "UI"),
    "StudyID": (0x00200010, "SH"),
    "SeriesNumber": (0x00200011, "IS"),
    "InstanceNumber": (0x00200013, "IS"),
    "FrameOfReferenceUID": (0x00200052, "UI"),
    "SOPInstanceUIDOfConcatenationSource": (0x00200242, "UI"),
    "PositionReferenceIndicator": (0x00201040, "LO"),
    "ConcatenationUID": (0x00209161, "UI"),
    "InConcatenationNumber": (0x00209162, "US"),
    "InConcatenationTotalNumber": (0x00209163, "US"),
    "DimensionOrganizationUID": (0x00209164, "UI"),
    "DimensionOrganizationSequence": (0x00209221, "SQ"),
    "ConcatenationFrameOffsetNumber": (0x00209228, "UL"),
    "DimensionOrganizationType": (0x00209311, "CS"),
    "IlluminationTypeCodeSequence": (0x00220016, "SQ"),
    "SamplesPerPixel": (0x00280002, "US"),
    "PhotometricInterpretation": (0x00280004, "CS"),
    "PlanarConfiguration": (0x00280006, "US"),
    "NumberOfFrames": (0x00280008, "IS"),
    "Rows": (0x00280010, "US"),
    "Columns": (0x00280011, "US"),
    "PixelSpacing": (0x00280030, "DS"),
    "BitsAllocated": (0x00280100, "US"),
    "BitsStored": (0x00280101, "US"),
    "HighBit": (0x00280102, "US"),
    "PixelRepresentation": (0x00280103, "US"),
    "BurnedInAnnotation": (0x00280301, "CS"),
    "RescaleIntercept": (0x00281052, "DS"),
    "RescaleSlope": (0x00281053, "DS"),
    "ICCProfile": (0x00282000, "OB"),
    "LossyImageCompression": (0x00282110, "CS"),
    "LossyImageCompressionRatio": (0x00282112, "DS"),
    "LossyImageCompressionMethod": (0x00282114, "CS"),
    "PixelMeasuresSequence": (0x00289110, "SQ"),
    "ContainerIdentifier": (0x00400512, "LO"),
    "IssuerOfTheContainerIdentifierSequence": (0x00400513, "SQ"),
    "ContainerTypeCodeSequence": (0x00400518, "SQ"),
    "SpecimenIdentifier": (0x00400551, "LO"),
    "SpecimenUID": (0x00400554, "UI"),
    "AcquisitionContextSequence": (0x00400555, "SQ"),
    "SpecimenDescriptionSequence": (0x00400560, "SQ"),
    "IssuerOfTheSpecimenIdentifierSequence": (0x00400562, "SQ"),
    "SpecimenTypeCodeSequence": (0x0040059A, "SQ"),
    "SpecimenPreparationSequence": (0x00400610, "SQ"),
    "SpecimenPreparationStepContentItemSequence": (0x00400612, "SQ"),
    "WholeSlideMicroscopyImageFrameTypeSequence": (0x00400710, "SQ"),
    "XOffsetInSlideCoordinateSystem": (0x0040072A, "DS"),
    "YOffsetInSlideCoordinateSystem": (0x0040073A, "DS"),
    "ValueType": (0x0040A040, "CS"),
    "ConceptNameCodeSequence": (0x0040A043, "SQ"),
    "TextValue": (0x0040A160, "UT"),
    "ConceptCodeSequence": (0x0040A168, "SQ"),
    "ImagedVolumeWidth": (0x00480001, "FL"),
    "ImagedVolumeHeight": (0x00480002, "FL"),
    "ImagedVolumeDepth": (0x00480003, "FL"),
    "TotalPixelMatrixColumns": (0x00480006, "UL"),
    "TotalPixelMatrixRows": (0x00480007, "UL"),
    "TotalPixelMatrixOriginSequence": (0x00480008, "SQ"),
    "SpecimenLabelInImage": (0x00480010, "CS"),
    "FocusMethod": (0x00480011, "CS"),
    "ExtendedDepthOfField": (0x00480012, "CS"),
    "ImageOrientationSlide": (0x00480102, "DS"),
    "OpticalPathSequence": (0x00480105, "SQ"),
    "OpticalPathIdentifier": (0x00480106, "SH"),
    "IlluminationColorCodeSequence": (0x00480108, "SQ"),
    "ObjectiveLensPower": (0x00480112, "DS"),
    "OpticalPathIdentificationSequence": (0x00480207, "SQ"),
    "NumberOfOpticalPaths": (0x00480302, "UL"),
    "TotalPixelMatrixFocalPlanes": (0x00480303, "UL"),
    "PresentationLUTShape": (0x20500020, "CS"),
    "SharedFunctionalGroupsSequence": (0x52009229, "SQ"),
})  # fmt: skip


def encoded(values: Mapping[str, Any]) -> bytes:
    """Return a data set; sequences are given as lists of mappings, several values as lists.

    Raises
    ------
    LimitExceeded
        A value is longer than VALUE_BYTES_MAX.
    KeyError
        A keyword is not in the table: our own mistake.
    """
    rows = sorted((*ELEMENTS[keyword], value) for keyword, value in values.items())
    return b"".join(_element(tag, vr, value) for tag, vr, value in rows)


def decimal_string(value: float) -> str:
    """Return a DS: as few characters as tell the number, or as many of its digits as 16 characters hold (PS3.5 6.2)."""
    shortest = repr(float(value))
    if len(shortest) <= _DS_CHARACTERS_MAX:
        return shortest
    digits = 14 - (value < 0)
    magnitude = math.log10(abs(value))
    if not -4 <= magnitude < digits:
        shown = f"{value:.{digits - 4}e}"
        return shown if len(shown) <= _DS_CHARACTERS_MAX else f"{value:.{digits - 5}e}"
    return f"{value:.{digits - max(0, math.floor(magnitude))}f}"


def _element(tag: int, vr: str, value: Any) -> bytes:
    content = _sequence(value) if vr == "SQ" else _content(vr, value)
    begun = struct.pack("<HH2s", tag >> 16, tag & 0xFFFF, vr.encode("ascii"))
    if vr in _LONG:
        return begun + struct.pack("<HI", 0, len(content)) + content
    at_most("bytes of a value in a slide's header", len(content), VALUE_BYTES_MAX)
    return begun + struct.pack("<H", len(content)) + content


def _sequence(items: Sequence[Mapping[str, Any]]) -> bytes:
    contents = [encoded(item) for item in items]
    return b"".join(struct.pack("<II", _ITEM, len(content)) + content for content in contents)


def _content(vr: str, value: Any) -> bytes:
    if vr == "OB":
        return value + b"\0" * (len(value) % 2)
    several = value if isinstance(value, (list, tuple)) else [value]
    if vr in _BINARY:
        return struct.pack(f"<{len(several)}{_BINARY[vr]}", *several)
    shown: Callable[[Any], str] = decimal_string if vr == "DS" else str
    text = "\\".join(map(shown, several)).encode("utf-8", "replace")
    return text + (b"\0" if vr == "UI" else b" ") * (len(text) % 2)
