"""The codes of marks on images: what is measured, in which unit, how a region's samples were summed up (PS3.16).

What the standard has no code for is ours (99VIENANH): the way of drawing, where millimetres come from, and the value of
samples whose meaning the image does not tell.
"""

from typing import Final

from highdicom.sr import CodedConcept

from consult.findings.marks import Calibration, Kind, Quantity, Unit

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
CALIBRATION: Final = CodedConcept("calibration", SCHEME, "Where lengths come from")
CALIBRATIONS: Final[dict[Calibration, CodedConcept]] = {
    "patient": CodedConcept("patient", SCHEME, "Pixel Spacing in the plane of the patient"),
    "detector": CodedConcept("detector", SCHEME, "Imager Pixel Spacing at the detector"),
    "region": CodedConcept("region", SCHEME, "Ultrasound region"),
    "none": CodedConcept("none", SCHEME, "Not calibrated"),
}
# CID 7470 (linear), 7461 (area units), TID 1410 and 1419.
LENGTHS: Final[dict[Quantity, CodedConcept]] = {
    "length": CodedConcept("410668003", _SCT, "Length"),
    "long": CodedConcept("103339001", _SCT, "Long axis"),
    "short": CodedConcept("103340004", _SCT, "Short axis"),
    "angle": CodedConcept("1483009", _SCT, "Angle"),
    "cobb": CodedConcept("285285000", _SCT, "Cobb angle"),
    "area": CodedConcept("42798000", _SCT, "Area"),
}
# CID 7464: how the samples of a region became one number.
DERIVATIONS: Final[dict[Quantity, CodedConcept]] = {
    "mean": CodedConcept("373098007", _SCT, "Mean"),
    "deviation": CodedConcept("386136009", _SCT, "Standard Deviation"),
    "lowest": CodedConcept("255605001", _SCT, "Minimum"),
    "highest": CodedConcept("56851009", _SCT, "Maximum"),
}
# CID 7469: what the samples are, by their unit.
SAMPLES: Final[dict[Unit, CodedConcept]] = {
    "HU": CodedConcept("112031", _DCM, "Attenuation Coefficient"),
    "SUVbw": CodedConcept("126401", _DCM, "SUVbw"),
    "": CodedConcept("value", SCHEME, "Value of the samples"),
}
UNITS: Final[dict[Unit, CodedConcept]] = {
    "mm": CodedConcept("mm", _UCUM, "millimeter"),
    "px": CodedConcept("{pixels}", _UCUM, "pixels"),
    "mm2": CodedConcept("mm2", _UCUM, "square millimeter"),
    "px2": CodedConcept("{square_pixels}", _UCUM, "square pixels"),
    "deg": CodedConcept("deg", _UCUM, "degree"),
    "HU": CodedConcept("[hnsf'U]", _UCUM, "Hounsfield unit"),
    "SUVbw": CodedConcept("g/ml{SUVbw}", _UCUM, "Standardized Uptake Value body weight"),
    "": CodedConcept("1", _UCUM, "no units"),
}
QUANTITY_OF: Final[dict[str, Quantity]] = {str(code.value): name for name, code in (LENGTHS | DERIVATIONS).items()}
UNIT_OF: Final[dict[str, Unit]] = {str(code.value): name for name, code in UNITS.items()}
