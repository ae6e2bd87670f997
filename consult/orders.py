"""Orders in the database: place, change, cancel and correct scheduled steps; who may is asked elsewhere.

Every function works in the caller's transaction, may run twice, and is idempotent: the same order again changes
nothing but the time of its last word.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select, update

from consult.steps import FIELDS, OPEN, Status, Step, after_cancel, after_order
from consult.tables import scheduled_step
from kernel.database import insert
from kernel.dicom.names import fold
from kernel.errors import InvalidOrder, NotFound, OrderConflict

STEPS_PER_ORDER_MAX: Final = 100
LIST_MAX: Final = 500
_PATIENT: Final = ("patient_name", "patient_birth_date", "patient_sex")


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A step as it stands."""

    site: str
    step: Step
    status: Status
    origin: str
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class OrderNumbers:
    """How an order that is changed or taken back is named; the most exact name that is given counts."""

    accession_number: str = ""
    step_id: str = ""
    filler_order_number: str = ""
    placer_order_number: str = ""


@dataclass(frozen=True, slots=True)
class Patient:
    """What is known of a patient; fields that are empty say nothing."""

    patient_id: str
    issuer: str = ""
    patient_name: str = ""
    patient_birth_date: str = ""
    patient_sex: str = ""


@dataclass(frozen=True, slots=True)
class Place:
    """A step is ordered or changed."""

    step: Step


@dataclass(frozen=True, slots=True)
class Cancel:
    """An order is taken back."""

    numbers: OrderNumbers


@dataclass(frozen=True, slots=True)
class Correct:
    """A patient is put right; `merged` is an id that the patient had as well."""

    patient: Patient
    merged: str = ""


Change = Place | Cancel | Correct


def place(
    connection: Connection, site: str, step: Step, *, origin: str, at: datetime, new_uid: Callable[[], str]
) -> Scheduled:
    """Order a step, or change the one of its key; returns it as it stands then.

    A step without a Study Instance UID gets the one of its order's other steps, or a new one: a modality gives it to
    every image (PS3.4 K.6.1.2.2), so it never changes once a step has begun.

    Raises
    ------
    OrderConflict
        The step has been performed, or has begun and would change its study or patient.
    """
    known = _one(connection, site, step.accession_number, step.step_id)
    if known is not None and not step.study_instance_uid:
        step = dataclasses.replace(step, study_instance_uid=known["study_instance_uid"])
    step = _completed(connection, site, step, new_uid)
    status = Status.SCHEDULED if known is None else after_order(Status(known["status"]))
    if known is not None and status not in OPEN:
        for name in ("study_instance_uid", "patient_id", "issuer"):
            if known[name] != getattr(step, name):
                raise OrderConflict(reason=f"the step is {status.value} and its {name} may not change")
    values = {name: getattr(step, name) for name in FIELDS}
    values |= {"name_fold": fold(step.patient_name), "status": status.value, "origin": origin, "updated_at": at}
    if known is None:
        values |= {"site": site, "revision": 1, "created_at": at}
        connection.execute(insert(connection, scheduled_step).values(values))
    elif any(known[name] != values[name] for name in (*FIELDS, "status")):
        values["revision"] = known["revision"] + 1
        connection.execute(update(scheduled_step).where(scheduled_step.c.pk == known["pk"]).values(values))
    return Scheduled(site, step, status, origin, at)


def _completed(connection: Connection, site: str, step: Step, new_uid: Callable[[], str]) -> Step:
    """Fill in what a modality needs and an order may leave out."""
    study = step.study_instance_uid
    if not study:
        study = connection.scalar(
            select(scheduled_step.c.study_instance_uid)
            .where(scheduled_step.c.site == site, scheduled_step.c.accession_number == step.accession_number)
            .limit(1)
        )
    return dataclasses.replace(
        step,
        study_instance_uid=study or new_uid(),
        requested_procedure_id=step.requested_procedure_id or step.accession_number,
        step_description=step.step_description or step.procedure_description,
    )


def cancel(connection: Connection, site: str, numbers: OrderNumbers, *, at: datetime) -> list[Scheduled]:
    """Cancel every step of an order that has not begun; returns them.

    Raises
    ------
    NotFound
        There is no such order at this site.
    OrderConflict
        A step of it has begun; nothing was canceled.
    """
    rows = _of_order(connection, site, numbers)
    if not rows:
        raise NotFound(what="order")
    statuses = {row["pk"]: after_cancel(Status(row["status"])) for row in rows}
    for row in rows:
        if row["status"] != statuses[row["pk"]].value:
            _set_status(connection, row["pk"], statuses[row["pk"]], at)
    return [scheduled_of({**row, "status": statuses[row["pk"]]}) for row in rows]


def set_status(connection: Connection, site: str, numbers: OrderNumbers, status: Status, *, at: datetime) -> int:
    """Let the steps of an order say what is performed of them; returns how many there are."""
    rows = _of_order(connection, site, numbers)
    for row in rows:
        if row["status"] != status.value:
            _set_status(connection, row["pk"], status, at)
    return len(rows)


def correct_patient(connection: Connection, site: str, patient: Patient, *, merged: str = "", at: datetime) -> int:
    """Put right what open steps say of a patient; with `merged`, the id under which the patient was known as well.

    Steps that were performed keep what their images say. Returns how many steps were changed.
    """
    ids = {patient.patient_id, merged} - {""}
    values: dict[str, Any] = {name: getattr(patient, name) for name in _PATIENT if getattr(patient, name)}
    if patient.patient_name:
        values["name_fold"] = fold(patient.patient_name)
    where = [
        scheduled_step.c.site == site,
        scheduled_step.c.patient_id.in_(ids),
        scheduled_step.c.status.in_([status.value for status in OPEN]),
    ]
    if patient.issuer:
        where.append(scheduled_step.c.issuer.in_(("", patient.issuer)))
        values["issuer"] = patient.issuer
    changed = connection.execute(
        update(scheduled_step)
        .where(*where)
        .values(values | {"patient_id": patient.patient_id, "updated_at": at})
        .returning(scheduled_step.c.pk)
    )
    return len(changed.all())


def find(connection: Connection, site: str, accession_number: str, step_id: str) -> Scheduled:
    """Return one step. Raises NotFound."""
    row = _one(connection, site, accession_number, step_id)
    if row is None:
        raise NotFound(what="scheduled step")
    return scheduled_of(row)


def listed(
    connection: Connection,
    sites: frozenset[str] | None,
    *,
    start_date: str = "",
    modality: str = "",
    status: Status | None = None,
    limit: int = LIST_MAX,
) -> list[Scheduled]:
    """Return steps in the order of their start, of one day, modality or status where these are given."""
    table = scheduled_step
    where: list[ColumnElement[bool]] = []
    if sites is not None:
        where.append(table.c.site.in_(sites))
    for column, value in ((table.c.start_date, start_date), (table.c.modality, modality), (table.c.status, status)):
        if value:
            where.append(column == str(value))
    query = select(table).where(*where).order_by(table.c.start_date, table.c.start_time, table.c.pk)
    return [scheduled_of(row) for row in connection.execute(query.limit(min(limit, LIST_MAX))).mappings()]


def _one(connection: Connection, site: str, accession_number: str, step_id: str) -> RowMapping | None:
    table = scheduled_step
    query = select(table).where(
        table.c.site == site, table.c.accession_number == accession_number, table.c.step_id == step_id
    )
    return connection.execute(query).mappings().first()


def _of_order(connection: Connection, site: str, numbers: OrderNumbers) -> Sequence[RowMapping]:
    """Return the steps of an order, at most `STEPS_PER_ORDER_MAX`."""
    table = scheduled_step
    if numbers.accession_number:
        name = table.c.accession_number == numbers.accession_number
        if numbers.step_id:
            name = and_(name, table.c.step_id == numbers.step_id)
    elif numbers.filler_order_number:
        name = table.c.filler_order_number == numbers.filler_order_number
    elif numbers.placer_order_number:
        name = table.c.placer_order_number == numbers.placer_order_number
    else:
        raise InvalidOrder(field="accession_number", reason="is missing")
    query = select(table).where(table.c.site == site, name).order_by(table.c.pk).limit(STEPS_PER_ORDER_MAX)
    return connection.execute(query).mappings().all()


def _set_status(connection: Connection, pk: int, status: Status, at: datetime) -> None:
    table = scheduled_step
    values = {"status": status.value, "revision": table.c.revision + 1, "updated_at": at}
    connection.execute(update(table).where(table.c.pk == pk).values(values))


def scheduled_of(row: RowMapping | Mapping[str, Any]) -> Scheduled:
    """Return a row of `scheduled_step` as a value."""
    step = Step(**{name: row[name] for name in FIELDS})
    return Scheduled(row["site"], step, Status(row["status"]), row["origin"], row["updated_at"])
