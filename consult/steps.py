"""A scheduled procedure step (PS3.3 C.4.10) as a value: its fields, what they may hold, and its states. Pure.

One step is what one modality does at one time for one order. Its key within a site is (accession number, step id).
"""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from kernel.dicom.vocabulary.uids import check_uid
from kernel.errors import InvalidOrder, OrderConflict, Refused


class Status(StrEnum):
    """Where a step stands. The values are those of (0040,0020) Scheduled Procedure Step Status."""

    SCHEDULED = "SCHEDULED"
    ARRIVED = "ARRIVED"
    STARTED = "STARTED"  # a performed step of it is in progress
    COMPLETED = "COMPLETED"
    DISCONTINUED = "DISCONTINUED"
    CANCELED = "CANCELED"


OPEN: Final = frozenset({Status.SCHEDULED, Status.ARRIVED})  # what a modality is offered
FIELD_CHARACTERS_MAX: Final = 64  # LO; shorter bounds are in `_LENGTHS`


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What was ordered. Names are the standard's; texts without padding; empty where nobody said."""

    accession_number: str
    step_id: str = "1"
    patient_id: str
    issuer: str = ""
    patient_name: str
    patient_birth_date: str = ""
    patient_sex: str = ""
    placer_order_number: str = ""
    filler_order_number: str = ""
    study_instance_uid: str = ""
    requested_procedure_id: str = ""
    procedure_code: str = ""
    procedure_code_scheme: str = ""
    procedure_description: str = ""
    step_description: str = ""
    modality: str = ""
    station_ae_title: str = ""  # empty: any station of the modality
    station_name: str = ""
    start_date: str = ""  # DA, local as the order says
    start_time: str = ""  # TM
    priority: str = "ROUTINE"  # (0040,1003): STAT, HIGH, ROUTINE, MEDIUM, LOW
    performing_physician_name: str = ""
    referring_physician_name: str = ""
    requesting_physician_name: str = ""
    reason: str = ""


FIELDS: Final = tuple(item.name for item in dataclasses.fields(Step))
_LENGTHS: Final[Mapping[str, int]] = {
    **dict.fromkeys(("accession_number", "step_id", "requested_procedure_id", "procedure_code"), 16),
    **dict.fromkeys(("procedure_code_scheme", "modality", "priority", "station_ae_title", "station_name"), 16),
    **dict.fromkeys(
        ("patient_name", "performing_physician_name", "referring_physician_name", "requesting_physician_name"), 194
    ),  # three component groups of 64 characters (PS3.5 6.2)
}
_PATTERNS: Final = {
    "patient_birth_date": re.compile(r"|\d{8}"),
    "start_date": re.compile(r"|(19|20)\d\d(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01])"),
    "start_time": re.compile(r"|([01]\d|2[0-3])([0-5]\d([0-5]\d(\.\d{1,6})?)?)?"),
    "patient_sex": re.compile(r"|[MFO]"),
    "modality": re.compile(r"|[A-Z0-9_ ]+"),
    "priority": re.compile(r"STAT|HIGH|ROUTINE|MEDIUM|LOW"),
    "station_ae_title": re.compile(r"|[\x21-\x5b\x5d-\x7e]([\x20-\x5b\x5d-\x7e]*[\x21-\x5b\x5d-\x7e])?"),
}
_FORMS: Final = {  # the same in words, for who typed it
    "patient_birth_date": "YYYYMMDD",
    "start_date": "YYYYMMDD",
    "start_time": "HHMM or HHMMSS",
    "patient_sex": "M, F or O",
    "modality": "capital letters and digits, such as CT",
    "priority": "STAT, HIGH, ROUTINE, MEDIUM or LOW",
    "station_ae_title": "an AE title, in ASCII without a backslash",
}
_REQUIRED: Final = ("accession_number", "step_id", "patient_id", "patient_name", "modality", "start_date")

# What an order may do to a step that is there: the status that follows, or None where it comes too late.
_AFTER_ORDER: Final[Mapping[Status, Status | None]] = {
    Status.SCHEDULED: Status.SCHEDULED,
    Status.ARRIVED: Status.ARRIVED,
    Status.STARTED: Status.STARTED,  # what is known of the patient may still be put right
    Status.CANCELED: Status.SCHEDULED,  # ordered again
    Status.COMPLETED: None,
    Status.DISCONTINUED: None,
}
_AFTER_CANCEL: Final[Mapping[Status, Status | None]] = {
    Status.SCHEDULED: Status.CANCELED,
    Status.ARRIVED: Status.CANCELED,
    Status.CANCELED: Status.CANCELED,
    Status.STARTED: None,
    Status.COMPLETED: None,
    Status.DISCONTINUED: None,
}


def step_of(values: Mapping[str, Any]) -> Step:
    """Return a checked step of field names and texts.

    Raises
    ------
    InvalidOrder
        Names the field, never its value.
    """
    for name in values:
        if name not in FIELDS:
            raise InvalidOrder(field=name[:32], reason="no such field")
    texts = {name: _text(name, value) for name, value in values.items()}
    for name in _REQUIRED:
        if not texts.get(name, "1" if name == "step_id" else ""):
            raise InvalidOrder(field=name, reason="is missing")
    if texts.get("study_instance_uid"):
        try:
            check_uid(texts["study_instance_uid"], "study_instance_uid")
        except Refused:
            raise InvalidOrder(field="study_instance_uid", reason="is not a UID") from None
    return Step(**{name: text for name, text in texts.items() if text or name not in ("priority", "step_id")})


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise InvalidOrder(field=name, reason="must be text")
    text = value.strip(" \0")
    if len(text) > _LENGTHS.get(name, FIELD_CHARACTERS_MAX):
        raise InvalidOrder(field=name, reason=f"more than {_LENGTHS.get(name, FIELD_CHARACTERS_MAX)} characters")
    if any(ord(character) < 32 or character in "\\\x7f" for character in text):
        raise InvalidOrder(field=name, reason="a control character or a backslash")
    pattern = _PATTERNS.get(name)
    if pattern is not None and not pattern.fullmatch(text) and (text or name != "priority"):
        raise InvalidOrder(field=name, reason=f"must be {_FORMS[name]}")
    return text


def after_order(status: Status) -> Status:
    """Return the status of a step that is ordered again or changed.

    Raises
    ------
    OrderConflict
        It has been performed.
    """
    following = _AFTER_ORDER[status]
    if following is None:
        raise OrderConflict(reason=f"the step is {status.value} and may not be changed")
    return following


def after_cancel(status: Status) -> Status:
    """Return the status of a step whose order is taken back.

    Raises
    ------
    OrderConflict
        It was begun: what a modality does is ended at the modality.
    """
    following = _AFTER_CANCEL[status]
    if following is None:
        raise OrderConflict(reason=f"the step is {status.value} and may not be canceled")
    return following
