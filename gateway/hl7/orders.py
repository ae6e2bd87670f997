"""What an HL7 message asks for: ORM^O01 and OMI^O23 orders, ADT^A08 and A40 corrections, as values of consult. Pure.

Fields are those of IHE Radiology's Placer/Filler Order Management and Procedure Scheduled (RAD-2, RAD-4, TF-2 4.4):

    accession number   IPC-1, OBR-18, else ORC-3        study instance UID  IPC-3, ZDS-1
    requested procedure IPC-2, OBR-19                   step id             IPC-4, OBR-20, else 1, 2, ...
    modality           IPC-5, OBR-24                    station AE title    IPC-9 (ORM has no field: the `[[station]]`)
    start              TQ1-7, ORC-7.4, OBR-27.4, OBR-36, else the message's own time
    priority           TQ1-9, ORC-7.6, OBR-27.6, OBR-5
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final

from consult.order_rows import STEPS_PER_ORDER_MAX, OrderNumbers
from consult.orders import Cancel, Change, Correct, Patient, Place
from consult.stations import Stations
from consult.steps import FIELD_CHARACTERS_MAX, step_of
from gateway.hl7.message import Message, Segment
from kernel.errors import InvalidOrder, InvalidRequest, LimitExceeded

ORDERS: Final = frozenset({("ORM", "O01"), ("OMI", "O23")})
CORRECTIONS: Final = frozenset({("ADT", "A08"), ("ADT", "A40"), ("ADT", "A31")})
_PLACES: Final = frozenset({"NW", "XO", "XR", "SC", "SN", "RP", "RO", "OK", "XX"})  # ORC-1, HL7 table 0119
_CANCELS: Final = frozenset({"CA", "OC", "DC", "OD", "CR", "DR"})
_PRIORITIES: Final[Mapping[str, str]] = {  # HL7 tables 0485 and 0027 to DICOM's (0040,1003)
    "S": "STAT",
    "STAT": "STAT",
    "A": "HIGH",
    "ASAP": "HIGH",
    "U": "HIGH",
    "HIGH": "HIGH",
    "R": "ROUTINE",
    "C": "ROUTINE",
    "P": "ROUTINE",
    "T": "HIGH",
}
_FREE: Final = frozenset({"procedure_description", "step_description", "reason"})  # words for people, longer in HL7
_MOMENT: Final = re.compile(r"(?P<date>\d{8})(?P<time>\d{2}(\d{2}(\d{2}(\.\d{1,6})?)?)?)?\d*([+-]\d{4})?")


def changes(message: Message, stations: Stations) -> list[Change]:
    """Return what a message asks for, in order.

    Raises
    ------
    InvalidOrder, InvalidRequest, LimitExceeded
        Names the field.
    """
    if message.kind in CORRECTIONS:
        return [_correction(message)]
    if message.kind not in ORDERS:
        raise InvalidRequest(reason="a message type that is not taken here")
    steps = (change for group in _groups(message) for change in _of_group(message, group, stations))
    found = list(islice(steps, STEPS_PER_ORDER_MAX + 1))  # a long message is not read for what it may not ask
    if not found:
        raise InvalidOrder(field="ORC", reason="is missing")
    if len(found) > STEPS_PER_ORDER_MAX:
        raise LimitExceeded(limit="hl7.steps", value=len(found), bound=STEPS_PER_ORDER_MAX)
    return found


@dataclass(slots=True)
class _Group:
    """The segments of one order."""

    orc: Segment
    obr: Segment
    tq1: Segment
    ipcs: list[Segment]
    zds: Segment


def _groups(message: Message) -> Iterator[_Group]:
    absent = message.first("(none)")
    group: _Group | None = None
    for segment in message.segments:
        if segment.name == "ORC":
            if group is not None:
                yield group
            group = _Group(segment, absent, absent, [], message.first("ZDS"))
        elif group is None:
            continue
        elif segment.name == "OBR":
            group.obr = segment
        elif segment.name == "TQ1" and group.tq1 is absent:
            group.tq1 = segment
        elif segment.name == "IPC":
            group.ipcs.append(segment)
        elif segment.name == "ZDS":
            group.zds = segment
    if group is not None:
        yield group


def _of_group(message: Message, group: _Group, stations: Stations) -> Iterator[Change]:
    control = group.orc.text(1).upper()
    ipcs = group.ipcs or [message.first("(none)")]
    if control in _CANCELS:
        yield Cancel(
            OrderNumbers(
                accession_number=ipcs[0].text(1) or group.obr.text(18),
                filler_order_number=group.orc.text(3) or group.obr.text(3),
                placer_order_number=group.orc.text(2) or group.obr.text(2),
            )
        )
        return
    if control not in _PLACES:
        raise InvalidOrder(field="ORC-1", reason="is not an order control code that is taken here")
    for number, ipc in enumerate(ipcs, start=1):
        values = _patient(message) | _order(message, group) | _step(group, ipc, number)
        values = {
            name: text[: FIELD_CHARACTERS_MAX if name in _FREE else None] for name, text in values.items() if text
        }
        if "start_date" not in values:
            values["start_date"], values["start_time"] = _moment(message.header.raw(7))
        values |= stations.defaults(values.get("modality", ""), values.get("station_ae_title", ""))
        yield Place(step_of(values))


def _patient(message: Message) -> dict[str, str]:
    pid = message.first("PID")
    identifiers = pid.repetitions(3)
    # among several, the medical record number (type MR); else the first
    chosen = next(
        (one for one in identifiers if len(one) > 4 and one[4] == "MR"), identifiers[0] if identifiers else []
    )
    sex = pid.text(8).upper()[:1]
    return {
        "patient_id": chosen[0] if chosen else "",
        "issuer": chosen[3] if len(chosen) > 3 else "",
        "patient_name": _name(pid.repetitions(5)[0]) if pid.repetitions(5) else "",
        "patient_birth_date": pid.text(7)[:8] if len(pid.text(7)) >= 8 else "",
        "patient_sex": sex if sex in ("M", "F", "O") else "",
    }


def _order(message: Message, group: _Group) -> dict[str, str]:
    orc, obr = group.orc, group.obr
    date, time = next(
        (found for raw in _starts(group) if (found := _moment(raw))[0]),
        ("", ""),
    )
    priorities = (group.tq1.text(9), orc.text(7, 6), obr.text(27, 6), obr.text(5))
    return {
        "placer_order_number": orc.text(2) or obr.text(2),
        "filler_order_number": orc.text(3) or obr.text(3),
        "start_date": date,
        "start_time": time,
        "priority": next((_PRIORITIES[one.upper()] for one in priorities if one.upper() in _PRIORITIES), ""),
        "procedure_code": obr.text(4),
        "procedure_description": obr.text(4, 2),
        "procedure_code_scheme": obr.text(4, 3),
        "referring_physician_name": _person(message.first("PV1"), 8),
        "requesting_physician_name": _person(obr, 16) or _person(orc, 12),
        "reason": obr.text(31, 2) or obr.text(31),
    }


def _starts(group: _Group) -> tuple[str, ...]:
    return (group.tq1.raw(7), group.orc.text(7, 4), group.obr.text(27, 4), group.obr.raw(36))


def _step(group: _Group, ipc: Segment, number: int) -> dict[str, str]:
    obr = group.obr
    return {
        "accession_number": ipc.text(1) or obr.text(18) or group.orc.text(3),
        "requested_procedure_id": ipc.text(2) or obr.text(19),
        "study_instance_uid": ipc.text(3) or group.zds.text(1),
        "step_id": ipc.text(4) or obr.text(20) or str(number),
        "modality": (ipc.text(5) or obr.text(24)).upper(),
        "step_description": ipc.text(6, 2),
        "station_name": ipc.text(7),
        "station_ae_title": ipc.text(9),
    }


def _correction(message: Message) -> Correct:
    values = _patient(message)
    if not values["patient_id"]:
        raise InvalidOrder(field="PID-3", reason="is missing")
    merged = message.first("MRG").text(1) if message.kind[1] == "A40" else ""
    if message.kind[1] == "A40" and not merged:
        raise InvalidOrder(field="MRG-1", reason="is missing")
    # the same bounds as in an order; what an order needs beside the patient stands in for it
    checked = step_of(
        {**values, "patient_name": values["patient_name"] or "-", "accession_number": "-", "modality": "OT"}
        | {"start_date": "20000101"}
    )
    patient = Patient(
        checked.patient_id,
        checked.issuer,
        checked.patient_name if values["patient_name"] else "",
        checked.patient_birth_date,
        checked.patient_sex,
    )
    return Correct(patient, merged[:64])


def _name(components: list[str]) -> str:
    """Return an XPN as a PN: family, given, middle; HL7 has the suffix before the prefix (PS3.5 6.2)."""
    family, given, middle, suffix, prefix = [*components, "", "", "", "", ""][:5]
    return f"{family}^{given}^{middle}^{prefix}^{suffix}".rstrip("^")


def _person(segment: Segment, position: int) -> str:
    """Return an XCN as a PN; one without a name is shown by its id."""
    repetitions = segment.repetitions(position)
    if not repetitions:
        return ""
    return _name(repetitions[0][1:]) or repetitions[0][0]


def _moment(raw: str) -> tuple[str, str]:
    """Return date and time of a TS as the sender's wall clock shows them; a modality asks by the same clock."""
    found = _MOMENT.match(raw.split("^", maxsplit=1)[0])
    return (found["date"], found["time"] or "") if found else ("", "")
