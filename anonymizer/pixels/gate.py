"""Which instances may show the patient in their pixels or as a document: a look at the header alone."""

from typing import Final

from kernel.dicom.scanning.elements import Header
from kernel.dicom.scanning.slide_flavour import WHOLE_SLIDE, shows_label
from kernel.dicom.scanning.values import Values

SOP_CLASS_UID, IMAGE_TYPE, MODALITY, CONVERSION_TYPE = 0x00080016, 0x00080008, 0x00080060, 0x00080064
BURNED_IN_ANNOTATION, RECOGNIZABLE_VISUAL_FEATURES = 0x00280301, 0x00280302

# Screens, scanned paper, photographs and ultrasound carry the patient's name in their pixels as a rule.
_STORAGE = "1.2.840.10008.5.1.4.1.1."
ULTRASOUND: Final = frozenset(_STORAGE + end for end in ("6.1", "6.2", "6", "3.1", "3"))
SECONDARY_CAPTURE: Final = frozenset(_STORAGE + end for end in ("7", "7.1", "7.2", "7.3", "7.4"))
DOCUMENTS: Final = _STORAGE + "104."  # encapsulated PDF, CDA, STL ...
PHOTOGRAPHS: Final = _STORAGE + "77.1."
SLIDE_GLASS: Final = frozenset({"LABEL", "OVERVIEW"})  # show what is written on the slide, whatever their header says
SCREEN_WORDS: Final = frozenset({"SCREEN SAVE", "SCREENSHOT", "SCREENCAPTURE", "LABEL", "OVERVIEW", "DOSE_INFO"})

PROJECTIONS: Final = frozenset({"CR", "DX", "XA", "RF", "MG", "IO", "PX", "DG", "ES"})
# No look for text can say that these show nobody: a document, a slide's label, a face.
FOR_A_PERSON: Final = frozenset({"encapsulated-document", "slide-label", "visual-features"})
FACES: Final = PHOTOGRAPHS + "4"  # photographs of the body, still and moving
CAPTURES: Final = frozenset({"ultrasound", "secondary-capture", "screen-capture", "burned-in-annotation"})


def needs_pixel_review(header: Header) -> str | None:
    """Return why the pixels (or an encapsulated document) may carry identity, or None when nothing says so.

    The reason is one stable word, for rules and events: `burned-in-annotation`, `ultrasound`, `secondary-capture`,
    `screen-capture`, `photograph`, `slide-label`, `visual-features`, `encapsulated-document`. An instance that says
    NO to Burned In Annotation is not believed when it is of a kind that usually has it.
    """
    sop_class_uid = _text(header, SOP_CLASS_UID)
    if sop_class_uid.startswith(DOCUMENTS):
        return "encapsulated-document"
    if header.pixel_data is None:
        return None
    kinds = {part.strip() for part in _text(header, IMAGE_TYPE).upper().split("\\")}
    if sop_class_uid == WHOLE_SLIDE and (kinds & SLIDE_GLASS or shows_label(sop_class_uid, Values(header))):
        return "slide-label"  # a person's, also if it says that something is burned in, which a cleaner would look at
    if _text(header, BURNED_IN_ANNOTATION).upper() == "YES":
        return "burned-in-annotation"
    if sop_class_uid in ULTRASOUND or _text(header, MODALITY) == "US":
        return "ultrasound"
    if sop_class_uid in SECONDARY_CAPTURE or _text(header, CONVERSION_TYPE):
        return "secondary-capture"
    if sop_class_uid.startswith(PHOTOGRAPHS):
        return None if sop_class_uid == WHOLE_SLIDE else "photograph"
    if kinds & SCREEN_WORDS:
        return "screen-capture"
    if _text(header, RECOGNIZABLE_VISUAL_FEATURES).upper() == "YES":
        return "visual-features"
    return None


def needs_cleaning(header: Header) -> str | None:
    """Return why somebody must look for text in the pixels, or None when their kind shows none.

    A word of `needs_pixel_review` that a look for text can answer, or `projection`: radiographs, mammograms and
    angiograms, on which a name may have been written or exposed. Axial CT and MR images as the scanner made them show
    none.
    """
    reason = needs_pixel_review(header)
    if reason is not None:
        return None if reason in FOR_A_PERSON or _is_a_face(header) else reason
    if header.pixel_data is None or _text(header, SOP_CLASS_UID) == WHOLE_SLIDE:
        return None
    return "projection" if _text(header, MODALITY).upper() in PROJECTIONS else None


def _is_a_face(header: Header) -> bool:
    return _text(header, SOP_CLASS_UID).startswith(FACES)


def _text(header: Header, tag: int) -> str:
    return header.raw(tag).decode("latin-1").strip(" \0")
