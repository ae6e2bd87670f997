"""The options of PS3.15 Table E.1-1: their names here, their codes of CID 7050, and who may say that one was done.

Most options are a column of the table: a profile that has one applies it to every instance. Four depend on what an
instance holds and on cleaners that may find nothing to do or may not be installed: those are declared for an instance
only when the cleaner says so (`anonymizer.elements.cleaning`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

BASIC_CODE: Final = "113100"
FACES: Final = "clean_recognizable_visual_features"  # nothing here removes a face: what may show one is held


@dataclass(frozen=True, slots=True)
class Option:
    """One option of the Basic Profile (PS3.15 E.3, PS3.16 CID 7050)."""

    code: str
    meaning: str
    per_instance: bool = False  # declared only where a cleaner says that it was done


OPTIONS: Final[Mapping[str, Option]] = {
    "clean_pixel_data": Option("113101", "Clean Pixel Data Option", per_instance=True),
    FACES: Option("113102", "Clean Recognizable Visual Features Option", per_instance=True),
    "clean_graphics": Option("113103", "Clean Graphics Option", per_instance=True),
    "clean_structured_content": Option("113104", "Clean Structured Content Option", per_instance=True),
    "clean_descriptors": Option("113105", "Clean Descriptors Option"),
    "retain_full_dates": Option("113106", "Retain Longitudinal Temporal Information Full Dates Option"),
    "retain_modified_dates": Option("113107", "Retain Longitudinal Temporal Information Modified Dates Option"),
    "retain_patient_characteristics": Option("113108", "Retain Patient Characteristics Option"),
    "retain_device_identity": Option("113109", "Retain Device Identity Option"),
    "retain_uids": Option("113110", "Retain UIDs Option"),
    "retain_safe_private": Option("113111", "Retain Safe Private Option"),
    "retain_institution_identity": Option("113112", "Retain Institution Identity Option"),
}
METHOD_MEANINGS: Final[Mapping[str, str]] = {
    BASIC_CODE: "Basic Application Confidentiality Profile",
    **{option.code: option.meaning for option in OPTIONS.values()},
}
EXCLUSIVE: Final = ("retain_full_dates", "retain_modified_dates")  # a date is either as it was or moved


def declared(name: str) -> str:
    """Return in words when the code of an option is in an instance of a profile that has it."""
    if name == FACES:
        return "never: faces are held"
    return "where it was done" if OPTIONS[name].per_instance else "always"
