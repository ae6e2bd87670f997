"""Encapsulated documents (PS3.3 A.45, A.104): cleaned where they are understood, never forwarded as they are.

A CDA is written anew (`anonymizer.content.clinical_document`), a binary STL loses its header. A PDF is cleaned before the header
is (`anonymizer.pdf`), or else its place holds two bytes, as the Basic Profile says, and the instance waits for a person.
"""

import struct
from collections.abc import Mapping
from functools import partial
from typing import Final

from anonymizer.content.clinical_document import Substitutes, cleaned
from anonymizer.elements.treatment import Treatment
from anonymizer.profiles.profile import Profile
from anonymizer.pseudonyms.identifiers import shift_date
from kernel.dicom.scanning.elements import Header
from kernel.dicom.transcoding.header import Change

CDA, STL = "1.2.840.10008.5.1.4.1.1.104.2", "1.2.840.10008.5.1.4.1.1.104.3"
STL_HEADER_BYTES: Final = 80
_DOCUMENT, _LENGTH, _HL7_IDENTIFIER = 0x00420011, 0x00420015, 0x0040E001
_STL_COUNT, _STL_FACET_BYTES = struct.Struct("<I"), 50

Changes = Mapping[int, Change]
NOTHING: Final[Changes] = {}


def changes_of(sop_class_uid: str, header: Header, treatment: Treatment, profile: Profile) -> Changes:
    """Return the new attributes of an encapsulated document; empty when it is none, or not understood."""
    if sop_class_uid not in {CDA, STL} or not {"clean_structured_content", "clean_descriptors"} <= profile.options:
        return NOTHING
    content = header.raw(_DOCUMENT)
    declared = header.raw(_LENGTH)
    if len(declared) == 4:
        content = content[: int.from_bytes(declared, "little")]
    if sop_class_uid == STL:
        new = _stl(content)
        return NOTHING if new is None else _encoded(new, b"\0", header)
    result = cleaned(content, _substitutes(treatment, profile))
    if result is None:
        return NOTHING
    new, identifier = result
    return {**_encoded(new, b"\n", header), _HL7_IDENTIFIER: ("ST", identifier.encode("ascii"))}


def _encoded(content: bytes, padding: bytes, header: Header) -> Changes:
    padded = content + padding * (len(content) % 2)
    length = len(padded) if padding == b"\n" else len(content)
    changes: dict[int, Change] = {_DOCUMENT: ("OB", padded)}
    if header.get(_LENGTH) is not None:
        changes[_LENGTH] = ("UL", length.to_bytes(4, "little"))
    return changes


def _substitutes(treatment: Treatment, profile: Profile) -> Substitutes:
    return Substitutes(
        pseudonym=treatment.patient.pseudonym,
        net=treatment.net,
        new_uid=lambda old: treatment.new_uid(old.encode()).decode("ascii"),
        shifted=partial(_shifted, profile.dates, treatment.patient.shift_days),
        keeps_sex="retain_patient_characteristics" in profile.options,
    )


def _shifted(dates: str, days: int, value: str) -> str:
    if dates == "UNMODIFIED":
        return value
    moved = shift_date(value.encode("ascii"), days) if dates == "MODIFIED" else None
    return "" if moved is None else moved.decode("ascii")


def _stl(content: bytes) -> bytes | None:
    """Return a binary STL without the 80 bytes of text that it begins with; None for one in ASCII."""
    if len(content) < STL_HEADER_BYTES + _STL_COUNT.size:
        return None
    facets = _STL_COUNT.unpack_from(content, STL_HEADER_BYTES)[0]
    end = STL_HEADER_BYTES + _STL_COUNT.size + facets * _STL_FACET_BYTES
    return bytes(STL_HEADER_BYTES) + content[STL_HEADER_BYTES:end] if end <= len(content) else None
