"""HL7 v2 messages about a released study, led back. Pure.

The patient of PID, texts and UIDs of all segments, documents within results (ED), and the dates of orders, visits and
observations. Other fields stay as they are.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final

from anonymizer.reidentify.messages import decoded, document_led_back
from anonymizer.reidentify.way_back import WayBack
from kernel.errors import MalformedInstance

UTF_8: Final = "UNICODE UTF-8"  # HL7 table 0211
_SEGMENT_END: Final = re.compile(r"\r\n|\r|\n")
_IDENTIFIERS: Final[Mapping[str, frozenset[int]]] = {  # fields in which an id belongs, not a name
    "PID": frozenset({2, 3, 4, 18}),
    "MRG": frozenset({1, 2, 4}),
}
_DATES: Final[Mapping[str, frozenset[int]]] = {  # fields of type TS, DT or DTM (HL7 2.5 chapters 3, 4, 7 and 9)
    "PV1": frozenset({44, 45}),
    "ORC": frozenset({9, 15}),
    "OBR": frozenset({6, 7, 8, 14, 22, 36}),
    "OBX": frozenset({14, 19}),
    "SPM": frozenset({17, 18}),
    "TXA": frozenset({4, 6, 7, 8}),
}
_DATE_TYPES: Final = frozenset({"DT", "TS", "DTM"})  # of OBX-5, by OBX-2
_DATE: Final = re.compile(r"(?<!\d)\d{8}(?:\d{2,6}(?:\.\d{1,4})?)?(?:[+-]\d{4})?(?![\d.])")
_ENCAPSULATED: Final = "ED"


@dataclass(frozen=True, slots=True)
class _Marks:
    """The characters that part a message (MSH-1 and MSH-2)."""

    field: str
    component: str
    repetition: str
    escape: str
    subcomponent: str

    @classmethod
    def of(cls, text: str) -> "_Marks":
        return cls(*text[3:8])

    def escaped(self, value: str) -> str:
        """Return a text as it may stand in a field (HL7 2.5 2.7)."""
        letters = {self.escape: "E", self.field: "F", self.component: "S", self.repetition: "R", self.subcomponent: "T"}
        marks = {mark: f"{self.escape}{letter}{self.escape}" for mark, letter in letters.items()}
        return "".join(marks.get(character, character) for character in value)


def hl7(content: bytes, way: WayBack) -> bytes:
    """Return an HL7 v2 message with the patient and study as they are here.

    It is written in UTF-8 and says so in MSH-18, because names have marks.

    Raises
    ------
    MalformedInstance
        It does not begin with an MSH segment.
    """
    text = decoded(content).removeprefix("\x0b").rstrip("\x1c\r\n")
    if not text.startswith("MSH") or len(text) < 9:
        raise MalformedInstance(reason="it does not begin with an MSH segment")
    marks = _Marks.of(text)
    segments = [line.split(marks.field) for line in _SEGMENT_END.split(text)]
    moved = way.has_moved_any(date[:8] for fields in segments for date in _dates(fields))
    way = replace(way, dates_came_moved=moved)
    lines = [marks.field.join(_led_back(fields, way, marks)) for fields in segments]
    return ("\r".join(lines) + "\r").encode("utf-8")


def _led_back(fields: list[str], way: WayBack, marks: _Marks) -> list[str]:
    """Return the fields of one segment, its name first, as they are here."""
    name = fields[0]
    if name == "MSH":
        fields = fields + [""] * (18 - len(fields))
        fields[17] = UTF_8
    new = [name, *(way.text(one, marks.escaped(way.person)) for one in fields[1:])]
    patient_id = marks.escaped(way.identity.get("PatientID", ""))
    for at in _IDENTIFIERS.get(name, frozenset()) & set(range(len(fields))):
        new[at] = fields[at].replace(way.pseudonym, patient_id)
    if way.dates_came_moved:
        for at in _date_fields(fields):
            new[at] = _DATE.sub(lambda found: way.date(found[0]), fields[at])
    if name == "PID" and any(way.pseudonym in field for field in fields):
        new = _of_patient(new, way, marks)
    if name == "OBX" and _value(fields, 2) == _ENCAPSULATED:
        new[5] = _document(_value(fields, 5), way, marks) or new[5]
    return new


def _of_patient(fields: list[str], way: WayBack, marks: _Marks) -> list[str]:
    """Fill in PID-5 (name), PID-7 (birth date) and PID-8 (sex) of the patient."""
    fields = fields + [""] * (9 - len(fields))
    name = way.identity.get("PatientName", "").partition("=")[0]
    fields[5] = marks.component.join(marks.escaped(part) for part in name.split("^"))
    fields[7], fields[8] = way.identity.get("PatientBirthDate", ""), way.identity.get("PatientSex", "")
    return fields


def _document(value: str, way: WayBack, marks: _Marks) -> str | None:
    """Return an ED value (source, type, subtype, encoding, data) with its document led back; None: it stays."""
    parts = value.split(marks.component)
    if len(parts) < 5 or parts[3].lower() not in {"base64", "hex"}:
        return None
    kind = parts[2] if parts[1].lower() == "application" else f"{parts[1].lower()}/{parts[2].lower()}"
    led = document_led_back(kind, parts[4], way, is_hexadecimal=parts[3].lower() == "hex")
    return marks.component.join([*parts[:4], led[0], *parts[5:]]) if led else None


def _dates(fields: list[str]) -> Iterator[str]:
    for at in _date_fields(fields):
        yield from _DATE.findall(fields[at])


def _date_fields(fields: list[str]) -> Iterator[int]:
    """Yield which fields of a segment hold dates."""
    yield from sorted(_DATES.get(fields[0], frozenset()) & set(range(len(fields))))
    if fields[0] == "OBX" and _value(fields, 2) in _DATE_TYPES and len(fields) > 5:
        yield 5


def _value(fields: list[str], at: int) -> str:
    return fields[at] if at < len(fields) else ""
