"""Messages that come back about a released study: FHIR R4 resources as JSON, and HL7 v2 (ORU). Pure.

Whose a message is, is found as for a DICOM object (`anonymizer.reidentify`): it names one pseudonym and the UID of a
study. Text, identifiers, names, birth dates and UIDs are led back; other fields stay as they are.
"""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from anonymizer.identifiers import is_pseudonym
from anonymizer.reidentify import Named
from anonymizer.way_back import NEW_UID, PSEUDONYM, WayBack
from kernel.errors import LimitExceeded, MalformedInstance

MESSAGE_BYTES_MAX: Final = 16 * 1024 * 1024
DEPTH_MAX: Final = 64
UTF_8: Final = "UNICODE UTF-8"  # HL7 table 0211
_ISO_DATE: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?=$|[T\"])")


def named_in_message(content: bytes) -> Named:
    """Return what a message names; without exactly one pseudonym in it the patient is empty.

    Raises
    ------
    LimitExceeded
        It is longer than `MESSAGE_BYTES_MAX`.
    """
    if len(content) > MESSAGE_BYTES_MAX:
        raise LimitExceeded(limit="MESSAGE_BYTES_MAX", value=len(content), bound=MESSAGE_BYTES_MAX)
    text = _decoded(content)
    pseudonyms = {found for found in PSEUDONYM.findall(text) if is_pseudonym(found)}
    return Named(next(iter(pseudonyms)) if len(pseudonyms) == 1 else "", "", "", frozenset(), _uids(text))


def _uids(text: str) -> frozenset[str]:
    return frozenset(NEW_UID.findall(text))


def fhir(content: bytes, way: WayBack) -> bytes:
    """Return a FHIR resource or Bundle with the patient and study as they are here.

    Raises
    ------
    MalformedInstance, LimitExceeded
        It is not JSON, or nested deeper than `DEPTH_MAX`.
    """
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        raise MalformedInstance(reason="it is not JSON") from None
    moved = way.has_moved_any(f"{y}{m}{d}" for y, m, d in _ISO_DATE.findall(_decoded(content)))
    return json.dumps(_Fhir(way, dates_moved=moved).value(document, 0), ensure_ascii=False).encode("utf-8")


class _Fhir:
    def __init__(self, way: WayBack, *, dates_moved: bool) -> None:
        self._way = way
        self._dates_moved = dates_moved

    def value(self, value: Any, depth: int) -> Any:
        if depth > DEPTH_MAX:
            raise LimitExceeded(limit="DEPTH_MAX", value=depth, bound=DEPTH_MAX)
        if isinstance(value, dict):
            return self._object(cast("dict[str, Any]", value), depth)
        if isinstance(value, list):
            return [self.value(one, depth + 1) for one in cast("list[Any]", value)]
        return self._text(value) if isinstance(value, str) else value

    def _object(self, found: dict[str, Any], depth: int) -> dict[str, Any]:
        way, identity = self._way, self._way.identity
        new = {key: self.value(value, depth + 1) for key, value in found.items()}
        if found.get("value") == way.pseudonym:  # an Identifier
            new["value"] = identity.get("PatientID", "")
        names = [one for one in (found.get("family"), found.get("text")) if isinstance(one, str)]
        if any(map(way.is_name, names)) and ({"family", "given", "use"} & found.keys()):
            family, _, given = identity.get("PatientName", "").partition("=")[0].partition("^")
            new |= {"text": way.person, "family": family, "given": [part for part in given.split("^") if part]}
        born = identity.get("PatientBirthDate", "")
        if found.get("resourceType") == "Patient" and way.pseudonym in json.dumps(found) and len(born) == 8:
            new["birthDate"] = f"{born[:4]}-{born[4:6]}-{born[6:]}"
        return new

    def _text(self, value: str) -> str:
        found = _ISO_DATE.match(value)
        if found and self._dates_moved:
            back = self._way.date("".join(found.groups()))
            return f"{back[:4]}-{back[4:6]}-{back[6:8]}{value[found.end() :]}"
        return self._way.text(value)


def hl7(content: bytes, way: WayBack) -> bytes:
    """Return an HL7 v2 message with the patient (PID) and the texts and UIDs of all segments as they are here.

    It is written in UTF-8 and says so in MSH-18, because names have marks.

    Raises
    ------
    MalformedInstance
        It does not begin with an MSH segment.
    """
    text = _decoded(content).removeprefix("\x0b").rstrip("\x1c\r\n")
    if not text.startswith("MSH") or len(text) < 9:
        raise MalformedInstance(reason="it does not begin with an MSH segment")
    separator, component, repetition, escape = text[3], text[4], text[5], text[6]
    marks = {escape: f"{escape}E{escape}", separator: f"{escape}F{escape}", component: f"{escape}S{escape}"}
    marks |= {repetition: f"{escape}R{escape}", text[7]: f"{escape}T{escape}"}

    def escaped(value: str) -> str:
        return "".join(marks.get(character, character) for character in value)

    lines: list[str] = []
    for line in re.split(r"\r\n|\r|\n", text):
        fields = line.split(separator)
        if fields[0] == "MSH":
            fields += [""] * (18 - len(fields))
            fields[17] = UTF_8
        elif fields[0] == "PID":
            fields = _pid(fields, way, component, escaped)
        plain = WayBack(way.pseudonym, {"PatientName": escaped(way.person)}, {}, way.uids, 0)
        lines.append(separator.join([fields[0], *(plain.text(one) for one in fields[1:])]))
    return ("\r".join(lines) + "\r").encode("utf-8")


def _pid(fields: list[str], way: WayBack, component: str, escaped: Callable[[str], str]) -> list[str]:
    """Fill in PID-3 (identifiers), PID-5 (name), PID-7 (birth date) and PID-8 (sex) of the patient."""
    if not any(way.pseudonym in field for field in fields):
        return fields
    fields = fields + [""] * (9 - len(fields))
    identity = way.identity
    fields[3] = fields[3].replace(way.pseudonym, escaped(identity.get("PatientID", ""))) or fields[3]
    name = identity.get("PatientName", "").partition("=")[0]
    fields[5] = component.join(escaped(part) for part in name.split("^"))
    fields[7], fields[8] = identity.get("PatientBirthDate", ""), identity.get("PatientSex", "")
    return fields


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def studies_in(named: Named, known: Iterable[str]) -> Named:
    """Return what a message names, told which of its UIDs are studies; several are looked at as one."""
    studies = sorted(set(known) & named.uids)
    first = studies[0] if studies else ""
    return Named(named.patient_id, first, "", frozenset(studies), named.uids)
