"""What an instance of a slide shows: its tissue, or the glass beside it, where the patient's label is.

Image Type's third value says it (PS3.3 C.8.12.4.1.1). Converters write Burned In Annotation = NO on overviews in which the
label is plain to read, so that attribute is not looked at: whatever is not the tissue counts as showing the label.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from kernel.dicom.scanning.values import Values  # pydicom comes with it

WHOLE_SLIDE: Final = "1.2.840.10008.5.1.4.1.1.77.1.6"  # VL Whole Slide Microscopy Image Storage
Flavour = Literal["volume", "thumbnail", "label", "macro", "other"]
TISSUE: Final = frozenset[Flavour]({"volume", "thumbnail"})
BESIDE_TISSUE: Final = frozenset[Flavour]({"label", "macro"})
_FLAVOURS: Final[Mapping[str, Flavour]] = {
    "VOLUME": "volume",
    "THUMBNAIL": "thumbnail",
    "LABEL": "label",
    "OVERVIEW": "macro",
}


def flavour_of(image_type: str, specimen_label_in_image: str) -> Flavour:
    """Return what is shown, by Image Type with its backslashes and Specimen Label in Image (0048,0010)."""
    flavour = _said(image_type)
    return "macro" if specimen_label_in_image.strip().upper() == "YES" and flavour in TISSUE else flavour


def shows_label(sop_class_uid: str, values: "Values") -> bool:
    """Whether an instance of a slide shows, or may show, whose it is."""
    if sop_class_uid != WHOLE_SLIDE:
        return False
    return flavour_of(values.text(0x00080008), values.text(0x00480010)) not in TISSUE


def is_label(sop_class_uid: str, values: "Values") -> bool:
    """Whether an instance says plainly that it is the picture of a slide's label, or of the whole glass: no tissue is lost.

    One of another kind, or tissue that says that a label is in it, `shows_label` alone: somebody must look.
    """
    return sop_class_uid == WHOLE_SLIDE and _said(values.text(0x00080008)) in BESIDE_TISSUE


def _said(image_type: str) -> Flavour:
    words = image_type.split("\\")
    return _FLAVOURS.get(words[2].strip().upper() if len(words) > 2 else "", "other")
