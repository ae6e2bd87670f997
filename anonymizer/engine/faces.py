"""Whether a face could be made from a series: CT and MR of the head, by what the header says. Nothing is removed.

Thin slices of a whole head show its air-skin surface, and a rendering of that is a portrait. Removing it needs a model
that we do not ship; so a profile with Clean Recognizable Visual Features holds what this names, and never declares
113102. Where the header says too little the answer is yes.
"""

import re
from collections.abc import Iterator
from typing import Final

from anonymizer.engine.acceptance import text_of
from anonymizer.words.descriptors import fold
from kernel.dicom.scanning.elements import Header

SLICE_MM_MAX: Final = 3.0  # thicker slices give steps, not features
FIELD_MM_MIN: Final = 120.0  # a smaller field holds no whole face: a pituitary gland, an inner ear
VALUES_MAX: Final = 4_096  # nested values that are looked at; an enhanced image says it for each frame
FACE: Final = "face"

MODALITY, BODY_PART, IMAGE_TYPE = 0x00080060, 0x00180015, 0x00080008
SLICE_THICKNESS, SLICE_SPACING, PIXEL_SPACING, ROWS, COLUMNS = (
    0x00180050,
    0x00180088,
    0x00280030,
    0x00280010,
    0x00280011,
)
DESCRIPTIONS: Final = (0x00081030, 0x0008103E, 0x00181030)
REGION_MEANING: Final = (0x00082218, 0x00080104)  # Anatomic Region Sequence > Code Meaning

_CROSS_SECTIONS = frozenset({"CT", "MR"})
_FLAT = frozenset({"LOCALIZER", "SCOUT"})
_HEAD = re.compile(
    r"head|brain|skull|cranium|crani|face|facial|orbit|eye|sinus|maxill|mandib|jaw|nose|nasal|dental|tmj|iac|stroke|neuro"
    r"|neck|whole ?body|so nao|dau\b|ham mat|xoang|mat\b|mui\b|toan than"
)
_ELSEWHERE = re.compile(
    r"chest|thora|lung|heart|cardia|coronar|breast|abdom|liver|kidney|renal|pelvi|hip|prostat|uter|rectum|colon|knee|ankle"
    r"|foot|hand|wrist|elbow|shoulder|spine|femur|tibia|arm|leg|extremity|nguc|phoi|bung|gan|than\b|chau|goi|cot song|tim"
)


def face_risk(header: Header) -> str:
    """Return FACE when a face could be made from the series of this instance, else an empty string."""
    if header.pixel_data is None or text_of(header, MODALITY) not in _CROSS_SECTIONS:
        return ""
    if _FLAT & set(text_of(header, IMAGE_TYPE).upper().split("\\")):
        return ""
    return FACE if _may_be_head(header) and _is_thin(header) and _is_wide(header) else ""


def _may_be_head(header: Header) -> bool:
    for said in (_regions(header), " ".join(_words(header, DESCRIPTIONS))):
        if _HEAD.search(said):
            return True
        if _ELSEWHERE.search(said):
            return False
    return True


def _regions(header: Header) -> str:
    sequence = header.get(REGION_MEANING[0])
    named = [*_words(header, (BODY_PART,))]
    for item in (sequence.items or ()) if sequence else ():
        named += [
            fold(header.value(one).decode("utf-8", "replace")) for one in item.elements if one.tag == REGION_MEANING[1]
        ]
    return " ".join(named)


def _words(header: Header, tags: tuple[int, ...]) -> Iterator[str]:
    for tag in tags:
        yield fold(header.raw(tag).decode("utf-8", "replace")).replace("_", " ")


def _is_thin(header: Header) -> bool:
    found = [*_numbers(header, SLICE_THICKNESS), *_numbers(header, SLICE_SPACING)]
    return min((abs(mm) for mm in found), default=0.0) <= SLICE_MM_MAX


def _is_wide(header: Header) -> bool:
    sides = (int.from_bytes(header.raw(tag)[:2], "little") for tag in (ROWS, COLUMNS))
    spacing = max(_numbers(header, PIXEL_SPACING), default=0.0)
    return not spacing or min(sides) * spacing >= FIELD_MM_MIN


def _numbers(header: Header, tag: int) -> list[float]:
    """Return the decimal values of an attribute wherever it is."""
    found: list[float] = []
    for element in header.walk():
        if element.tag == tag and element.items is None and len(found) < VALUES_MAX:
            for part in header.value(element).split(b"\\"):
                try:
                    found.append(float(part.strip(b" \0")))
                except ValueError:
                    continue
    return found
