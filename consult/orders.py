"""Orders in the database: place, change, cancel and correct scheduled steps; who may is asked elsewhere.

Every function works in the caller's transaction, may run twice, and is idempotent: the same order again changes
nothing but the time of its last word.
"""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Connection, select, update

from consult.order_rows import OrderNumbers, Scheduled, row_of, rows_of_order, scheduled_of
from consult.steps import FIELDS, OPEN, Status, Step, after_cancel, after_order
from consult.tables import scheduled_step
from kernel.database import insert
from kernel.dicom.vocabulary.names import fold
from kernel.errors import NotFound, OrderConflict

_PATIENT: Final = ("patient_name", "patient_birth_date", "patient_sex")


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
    known = row_of(connection, site, step.accession_number, step.step_id)
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
    rows = rows_of_order(connection, site, numbers)
    if not rows:
        raise NotFound(what="order")
    statuses = {row["pk"]: after_cancel(Status(row["status"])) for row in rows}
    for row in rows:
        if row["status"] != statuses[row["pk"]].value:
            _set_status(connection, row["pk"], statuses[row["pk"]], at)
    return [scheduled_of({**row, "status": statuses[row["pk"]]}) for row in rows]


def set_status(connection: Connection, site: str, numbers: OrderNumbers, status: Status, *, at: datetime) -> int:
    """Let the steps of an order say what is performed of them; returns how many there are."""
    rows = rows_of_order(connection, site, numbers)
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


def _set_status(connection: Connection, pk: int, status: Status, at: datetime) -> None:
    table = scheduled_step
    values = {"status": status.value, "revision": table.c.revision + 1, "updated_at": at}
    connection.execute(update(table).where(table.c.pk == pk).values(values))
