"""The Modality Worklist (PS3.4 K.6): scheduled steps as the entities that a modality asks for.

Keys that are columns narrow the rows by SQL; everything else, with the sequences, is matched over DICOM JSON by
`kernel.dicom.queries.identifier`, so that names match without accents.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Connection, select

from consult.order_rows import Scheduled, scheduled_of
from consult.steps import Status, Step
from consult.tables import scheduled_step
from kernel.database import Readable
from kernel.dicom.queries.identifier import Identifier, Model, Tree, chosen, fits
from kernel.dicom.queries.matching import AnyOf, Exact, Match, Range
from kernel.dicom.vocabulary.dictionary import TAG_OF, VR_OF
from kernel.dicom.vocabulary.names import groups
from kernel.errors import QueryTooBroad

PAGE_ROWS: Final = 200  # read at once; between pages a request may be cancelled
ROWS_MAX: Final = 20_000  # looked at for one request
STEP_SEQUENCE: Final = 0x00400100
STATION: Final = 0x00400001
STATUS: Final = 0x00400020
OFFERED: Final = (Status.SCHEDULED, Status.ARRIVED, Status.STARTED)  # unless a status is asked for

# Attribute -> field of `Step`; those of the step are in Scheduled Procedure Step Sequence.
ATTRIBUTES: Final[Mapping[str, str]] = {
    "AccessionNumber": "accession_number",
    "ReferringPhysicianName": "referring_physician_name",
    "PatientName": "patient_name",
    "PatientID": "patient_id",
    "IssuerOfPatientID": "issuer",
    "PatientBirthDate": "patient_birth_date",
    "PatientSex": "patient_sex",
    "StudyInstanceUID": "study_instance_uid",
    "RequestingPhysician": "requesting_physician_name",
    "RequestedProcedureDescription": "procedure_description",
    "RequestedProcedureID": "requested_procedure_id",
    "ReasonForTheRequestedProcedure": "reason",
    "RequestedProcedurePriority": "priority",
    "PlacerOrderNumberImagingServiceRequest": "placer_order_number",
    "FillerOrderNumberImagingServiceRequest": "filler_order_number",
}
STEP_ATTRIBUTES: Final[Mapping[str, str]] = {
    "Modality": "modality",
    "ScheduledStationAETitle": "station_ae_title",
    "ScheduledProcedureStepStartDate": "start_date",
    "ScheduledProcedureStepStartTime": "start_time",
    "ScheduledPerformingPhysicianName": "performing_physician_name",
    "ScheduledProcedureStepDescription": "step_description",
    "ScheduledProcedureStepID": "step_id",
    "ScheduledStationName": "station_name",
}

_TOP: Final[Mapping[int, Column[str]]] = {
    TAG_OF["PatientID"]: scheduled_step.c.patient_id,
    TAG_OF["AccessionNumber"]: scheduled_step.c.accession_number,
    TAG_OF["StudyInstanceUID"]: scheduled_step.c.study_instance_uid,
    TAG_OF["RequestedProcedureID"]: scheduled_step.c.requested_procedure_id,
}
_STEP: Final[Mapping[int, Column[str]]] = {
    TAG_OF["Modality"]: scheduled_step.c.modality,
    TAG_OF["ScheduledProcedureStepStartDate"]: scheduled_step.c.start_date,
    TAG_OF["ScheduledProcedureStepID"]: scheduled_step.c.step_id,
    STATUS: scheduled_step.c.status,
}


def found(db: Readable, site: str, asked: Identifier, calling_ae_title: str) -> Iterator[Model | None]:
    """Yield the items of a site's worklist that match, emergencies first, then by start; None after each page read.

    A step that no station was named for is everybody's: it is offered under the AE title that is asked for, or that of
    the caller.

    Raises
    ------
    QueryTooBroad
        There are more than `ROWS_MAX` to look through; what was yielded is not the whole.
    """
    inner = asked.keys.get(STEP_SEQUENCE, {})
    inner = inner if isinstance(inner, Mapping) else {}
    station = inner.get(STATION)
    own = station.value if isinstance(station, Exact) else calling_ae_title
    where = _conditions(site, asked.keys, inner)
    for start in range(0, ROWS_MAX, PAGE_ROWS):
        with db.read() as connection:
            page = _page(connection, where, start)
        for one in page:
            item = model_of(one, own)
            if fits(asked.keys, item):
                yield chosen(asked.wanted, asked.keys, item)
        if len(page) < PAGE_ROWS:
            return
        yield None
    raise QueryTooBroad(reason=f"more than {ROWS_MAX} scheduled steps to look through")


def _page(connection: Connection, where: list[ColumnElement[bool]], start: int) -> list[Scheduled]:
    table = scheduled_step
    query = (
        select(table)
        .where(*where)
        .order_by(table.c.priority != "STAT", table.c.start_date, table.c.start_time, table.c.pk)
        .offset(start)
        .limit(PAGE_ROWS)
    )
    return [scheduled_of(row) for row in connection.execute(query).mappings()]


def _conditions(site: str, keys: Tree, inner: Tree) -> list[ColumnElement[bool]]:
    where: list[ColumnElement[bool]] = [scheduled_step.c.site == site]
    for columns, level in ((_TOP, keys), (_STEP, inner)):
        for tag, column in columns.items():
            key = level.get(tag)
            where += [] if key is None or isinstance(key, Mapping) else _condition(column, key)
    if STATUS not in inner:
        where.append(scheduled_step.c.status.in_([status.value for status in OFFERED]))
    station = inner.get(STATION)
    if isinstance(station, Exact):
        where.append(scheduled_step.c.station_ae_title.in_(("", station.value)))
    elif isinstance(station, AnyOf):
        where.append(scheduled_step.c.station_ae_title.in_(("", *station.values)))
    return where


def _condition(column: Column[str], key: Match) -> list[ColumnElement[bool]]:
    """Return what a key says of a column; nothing for keys that only `fits` understands."""
    match key:
        case Exact(value=value):
            return [column == value]
        case AnyOf(values=values):
            return [column.in_(values)]
        case Range(lower=lower, upper=upper):
            bounds = ((column >= lower) if lower else None, (column <= upper) if upper else None)
            return [column != "", *(bound for bound in bounds if bound is not None)]
        case _:
            return []


def model_of(one: Scheduled, own_ae_title: str = "") -> Model:
    """Return a scheduled step as a worklist item (PS3.4 table K.6-1), a DICOM JSON object without empty attributes."""
    step = one.step
    item, inside = _elements(step, ATTRIBUTES), _elements(step, STEP_ATTRIBUTES)
    if own_ae_title and not step.station_ae_title:
        inside[f"{STATION:08X}"] = {"vr": "AE", "Value": [own_ae_title]}
    inside.setdefault("00400003", {"vr": "TM", "Value": ["000000"]})  # type 1 in every answer
    inside[f"{STATUS:08X}"] = {"vr": "CS", "Value": [one.status.value]}
    if step.procedure_code and step.procedure_code_scheme:
        code = _code(step.procedure_code, step.procedure_code_scheme, step.procedure_description or step.procedure_code)
        item["00321064"] = inside["00400008"] = code
    item[f"{STEP_SEQUENCE:08X}"] = {"vr": "SQ", "Value": [dict(sorted(inside.items()))]}
    return dict(sorted(item.items()))


def _elements(step: Step, attributes: Mapping[str, str]) -> Model:
    values = ((TAG_OF[keyword], getattr(step, field)) for keyword, field in attributes.items())
    return {f"{tag:08X}": _element(VR_OF[tag], text) for tag, text in values if text}


def _element(vr: str, text: str) -> dict[str, Any]:
    if vr != "PN":
        return {"vr": vr, "Value": [text]}
    parts = zip(("Alphabetic", "Ideographic", "Phonetic"), groups(text), strict=True)
    return {"vr": "PN", "Value": [{name: part for name, part in parts if part}]}


def _code(value: str, scheme: str, meaning: str) -> dict[str, Any]:
    triple = (("00080100", "SH", value), ("00080102", "SH", scheme), ("00080104", "LO", meaning))
    return {"vr": "SQ", "Value": [{tag: {"vr": vr, "Value": [text]} for tag, vr, text in triple}]}
