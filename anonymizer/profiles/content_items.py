"""Content items (PS3.3 10.2, C.17.3) and text objects: what happens to each, by what its concept name says it is about.

The table judges attributes. In a tree of content items every name, identifier and comment is the same attribute, and
only the coded concept tells an accession number from a finding.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from anonymizer.profiles.actions import Action
from anonymizer.words.descriptors import fold
from kernel.dicom.scanning.elements import Element, Item

CONTENT_SEQUENCE: Final = 0x0040A730
TEXT_OBJECTS: Final = 0x00700008
WAVEFORM_ANNOTATIONS: Final = 0x0040B020
PARENTS: Final = frozenset({  # whose items are content items, or hold a text to be judged as one
    CONTENT_SEQUENCE, TEXT_OBJECTS, WAVEFORM_ANNOTATIONS,
    0x00400555,  # Acquisition Context
    0x00400612,  # Specimen Preparation Step Content Item
    0x00400440, 0x00400441,  # Protocol Context, Content Item Modifier
})  # fmt: skip
VALUE_TYPES: Final = frozenset({
    b"TEXT", b"NUM", b"CODE", b"DATETIME", b"DATE", b"TIME", b"UIDREF", b"PNAME", b"COMPOSITE", b"IMAGE", b"WAVEFORM",
    b"SCOORD", b"SCOORD3D", b"TCOORD", b"CONTAINER",
})  # fmt: skip
AGE_YEARS_MAX: Final = 89  # above it a number of years goes

_CONCEPT, _VALUE_TYPE, _BY_REFERENCE = 0x0040A043, 0x0040A040, 0x0040DB73
_CODE_VALUE, _SCHEME, _MEANING = 0x00080100, 0x00080102, 0x00080104
_TEXT, _PERSON, _DATE, _DATETIME = 0x0040A160, 0x0040A123, 0x0040A121, 0x0040A120
_CODE, _MEASURED, _NUMERIC, _FREE_TEXT = 0x0040A168, 0x0040A300, 0x0040A30A, 0x00700006
_SUBJECT_NAME, _SUBJECT_ID, _SUBJECT_AGE = b"121029", b"121030", b"121033"

# Concepts of scheme DCM (PS3.16 Annex D) whose value identifies, and the option that lets it stay.
_IDENTIFYING: Final[Mapping[bytes, str]] = {
    **dict.fromkeys((
        b"121008", b"121020", b"121021", b"121022", b"121028", _SUBJECT_NAME, _SUBJECT_ID, b"121031", b"121036", b"121039",
        b"121040", b"121041", b"121152", b"128774", b"128775", b"109111", b"110122", b"110190", b"111700", b"111705",
        b"111706", b"111718", b"111724", b"113870", b"113871", b"113872",
    ), ""),
    **dict.fromkeys((b"121009", b"113873", b"121434"), "retain_institution_identity"),
    **dict.fromkeys((
        b"110119", b"121013", b"121016", b"121017", b"121148", b"121193", b"121196", b"121197", b"113877", b"113880",
    ), "retain_device_identity"),
    **dict.fromkeys((b"121032", _SUBJECT_AGE), "retain_patient_characteristics"),
}  # fmt: skip
# The same in words, for concepts of private schemes: folded.
_TELLING: Final = re.compile(
    r"name|ho (va )?ten|patient|benh nhan|operator|physician|doctor|bac si|accession|mrn|phone|dien thoai|address|"
    r"dia chi|birth|ngay sinh|insurance|bao hiem|cccd|cmnd|identifier|serial"
)
Overlay = tuple[tuple[int, Action], ...]  # what differs from the table's actions; few, so that they can be kept merged
_NARRATIVE: Final[Overlay] = ((_TEXT, Action.KEEP), (_FREE_TEXT, Action.KEEP))  # left to the second net
_HARMLESS: Final[Overlay] = ((_TEXT, Action.CLEAN), (_FREE_TEXT, Action.CLEAN))  # word by word
_NO_NUMBER: Final[Overlay] = ((_MEASURED, Action.EMPTY),)
_REST: Final[Overlay] = (
    (_DATE, Action.DUMMY), (_DATETIME, Action.DUMMY), (_CODE, Action.DUMMY), (_MEASURED, Action.EMPTY), (_FREE_TEXT, Action.DUMMY),
)  # fmt: skip
_GONE: Final[Overlay] = (*_REST, (_TEXT, Action.DUMMY), (_PERSON, Action.DUMMY))
_OF_SUBJECT: Final[Mapping[bytes, Overlay]] = {
    _SUBJECT_NAME: (*_REST, (_TEXT, Action.PATIENT_NAME), (_PERSON, Action.PATIENT_NAME)),
    _SUBJECT_ID: (*_REST, (_TEXT, Action.PATIENT_ID), (_PERSON, Action.DUMMY)),
}


@dataclass(frozen=True, slots=True)
class Concept:
    """The concept name of a content item."""

    code: bytes
    scheme: bytes
    meaning: str  # folded

    @property
    def is_private(self) -> bool:
        """Whether its scheme is a maker's own (PS3.16 8.2)."""
        return self.scheme.startswith(b"99") or not self.scheme


def overlay_of(item: Item, view: memoryview, options: Collection[str]) -> Overlay:
    """Return what happens to one item of a sequence in `PARENTS` otherwise than the table says.

    Parameters
    ----------
    view
        The bytes that the offsets in `item` mean.
    options
        Of the profile. With Clean Descriptors text is left to the second net; without, it stays only when every word
        of it is harmless.
    """
    text: Overlay = ()
    if "clean_structured_content" in options or "clean_graphics" in options:
        text = _NARRATIVE if "clean_descriptors" in options else _HARMLESS
    concept = concept_of(item, view)
    if concept is None:
        return text
    if concept.scheme == b"DCM":
        retained_by = _IDENTIFYING.get(concept.code)
        if retained_by is not None and (not retained_by or retained_by not in options):
            return _OF_SUBJECT.get(concept.code, _GONE)
        if concept.code == _SUBJECT_AGE and _number(item, view) > AGE_YEARS_MAX:
            return text + _NO_NUMBER
    elif concept.is_private and _TELLING.search(concept.meaning):
        return _GONE
    return text


def concept_of(item: Item, view: memoryview) -> Concept | None:
    """Return the concept name of a content item, or None when it has none."""
    sequence = _element(item, _CONCEPT)
    if sequence is None or not sequence.items:
        return None
    code = sequence.items[0]
    return Concept(
        code=_value(code, _CODE_VALUE, view),
        scheme=_value(code, _SCHEME, view),
        meaning=fold(_value(code, _MEANING, view).decode("utf-8", "replace")),
    )


def are_understood(items: Iterable[Item], view: memoryview) -> bool:
    """Whether every item of a Content Sequence has a value type that is known, or refers to another item."""
    return all(
        _value(item, _VALUE_TYPE, view) in VALUE_TYPES
        or (_element(item, _VALUE_TYPE) is None and _element(item, _BY_REFERENCE) is not None)
        for item in items
    )


def _number(item: Item, view: memoryview) -> float:
    measured = _element(item, _MEASURED)
    if measured is None or not measured.items:
        return 0
    try:
        return float(_value(measured.items[0], _NUMERIC, view))
    except ValueError:
        return AGE_YEARS_MAX + 1


def _element(item: Item, tag: int) -> Element | None:
    return next((element for element in item.elements if element.tag == tag), None)


def _value(item: Item, tag: int, view: memoryview) -> bytes:
    element = _element(item, tag)
    if element is None or element.items is not None:
        return b""
    return bytes(view[element.value_offset : element.value_offset + element.length]).strip(b" \0")
