"""The codes of marks on images: what is measured, in which unit, how a region's samples were summed up (PS3.16).

What the standard has no code for is ours (99VIENANH): the way of drawing, where millimetres come from, and the value of
samples whose meaning the image does not tell.
"""

from typing import Final

from consult.findings.marks import Calibration, Kind, Quantity, Unit
from consult.highdicom_door import sr

SCHEME: Final = "99VIENANH"
_SCT, _DCM, _UCUM = "SCT", "DCM", "UCUM"

MEANINGS: Final[dict[Kind, str]] = {
    "length": "Length between two places",
    "bidirectional": "Two diameters at right angles",
    "angle": "Angle at a place",
    "cobb": "Cobb angle between two lines",
    "probe": "Value at a place",
    "rectangle": "Rectangle",
    "ellipse": "Ellipse",
    "freehand": "Freehand outline",
    "arrow": "Arrow with words",
}
CALIBRATION: Final = sr.CodedConcept("calibration", SCHEME, "Where lengths come from")
CALIBRATIONS: Final[dict[Calibration, sr.CodedConcept]] = {
    "patient": sr.CodedConcept("patient", SCHEME, "Pixel Spacing in the plane of the patient"),
    "detector": sr.CodedConcept("detector", SCHEME, "Imager Pixel Spacing at the detector"),
    "region": sr.CodedConcept("region", SCHEME, "Ultrasound region"),
    "none": sr.CodedConcept("none", SCHEME, "Not calibrated"),
}
# CID 7470 (linear), 7461 (area units), TID 1410 and 1419.
LENGTHS: Final[dict[Quantity, sr.CodedConcept]] = {
    "length": sr.CodedConcept("410668003", _SCT, "Length"),
    "long": sr.CodedConcept("103339001", _SCT, "Long axis"),
    "short": sr.CodedConcept("103340004", _SCT, "Short axis"),
    "angle": sr.CodedConcept("1483009", _SCT, "Angle"),
    "cobb": sr.CodedConcept("285285000", _SCT, "Cobb angle"),
    "area": sr.CodedConcept("42798000", _SCT, "Area"),
}
# CID 7464: how the samples of a region became one number.
DERIVATIONS: Final[dict[Quantity, sr.CodedConcept]] = {
    "mean": sr.CodedConcept("373098007", _SCT, "Mean"),
    "deviation": sr.CodedConcept("386136009", _SCT, "Standard Deviation"),
    "lowest": sr.CodedConcept("255605001", _SCT, "Minimum"),
    "highest": sr.CodedConcept("56851009", _SCT, "Maximum"),
}
# CID 7469: what the samples are, by their unit.
SAMPLES: Final[dict[Unit, sr.CodedConcept]] = {
    "HU": sr.CodedConcept("112031", _DCM, "Attenuation Coefficient"),
    "SUVbw": sr.CodedConcept("126401", _DCM, "SUVbw"),
    "": sr.CodedConcept("value", SCHEME, "Value of the samples"),
}
UNITS: Final[dict[Unit, sr.CodedConcept]] = {
    "mm": sr.CodedConcept("mm", _UCUM, "millimeter"),
    "px": sr.CodedConcept("{pixels}", _UCUM, "pixels"),
    "mm2": sr.CodedConcept("mm2", _UCUM, "square millimeter"),
    "px2": sr.CodedConcept("{square_pixels}", _UCUM, "square pixels"),
    "deg": sr.CodedConcept("deg", _UCUM, "degree"),
    "HU": sr.CodedConcept("[hnsf'U]", _UCUM, "Hounsfield unit"),
    "SUVbw": sr.CodedConcept("g/ml{SUVbw}", _UCUM, "Standardized Uptake Value body weight"),
    "": sr.CodedConcept("1", _UCUM, "no units"),
}
QUANTITY_OF: Final[dict[str, Quantity]] = {str(code.value): name for name, code in (LENGTHS | DERIVATIONS).items()}
UNIT_OF: Final[dict[str, Unit]] = {str(code.value): name for name, code in UNITS.items()}
