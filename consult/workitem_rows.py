"""Work items as rows: read, written, searched and swept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import ColumnElement, Connection, Row, Select, delete, exists, select, update

from consult.workitem_attributes import START, STATE, State, state_of, tag, text
from consult.workitem_model import Model
from consult.workitem_tables import subscription, workitem
from kernel.database import Database
from kernel.dicom.queries.identifier import Tree, fits
from kernel.dicom.queries.matching import AnyOf, Exact
from kernel.errors import NotFound

SWEPT_AT_ONCE: Final = 500
PAGE_ROWS: Final = 500
ROWS_MAX: Final = 20_000  # looked at for one search, or subscribed to at once
_STUDY: Final = tag("StudyInstanceUID")
_PATIENT: Final = tag("PatientID")
_COLUMNS: Final = {
    int(_PATIENT, 16): workitem.c.patient_id,
    int(_STUDY, 16): workitem.c.study_instance_uid,
    int(STATE, 16): workitem.c.state,
}


@dataclass(frozen=True, slots=True)
class Matches:
    """Work items that match, newest first, and the key of the newest that was looked at."""

    uids: Sequence[str] = ()
    newest_pk: int = 0


def row_of(connection: Connection, site: str, uid: str) -> Row[Any]:
    """Return the row of a work item. Raises NotFound."""
    row = connection.execute(select(workitem).where(workitem.c.site == site, workitem.c.uid == uid)).first()
    if row is None:
        raise NotFound(what="workitem")
    return row


def model_of(row: Row[Any]) -> Model:
    """Return a row's work item; the Transaction UID is not in it."""
    return msgspec.json.decode(row.model, type=dict[str, Any])


def columns_of(model: Model, at: datetime) -> dict[str, Any]:
    """Return what a row has of its work item."""
    return {
        "state": state_of(model).value,
        "scheduled_start": text(model, START),
        "patient_id": text(model, _PATIENT),
        "study_instance_uid": text(model, _STUDY)[:64],
        "model": msgspec.json.encode(model).decode(),
        "updated_at": at,
    }


def write_row(connection: Connection, row: Row[Any], model: Model, transaction_uid: str, at: datetime) -> None:
    """Let a row say what has become of its work item."""
    values = columns_of(model, at) | {"transaction_uid": transaction_uid, "revision": row.revision + 1}
    connection.execute(update(workitem).where(workitem.c.pk == row.pk).values(values))


def search(db: Database, sites: frozenset[str] | None, keys: Tree, limit: int, offset: int) -> tuple[list[Model], bool]:
    """Return the work items that match, earliest start first, and whether there are more; `sites` None means all."""
    where = [] if sites is None else [workitem.c.site.in_(sites)]
    query = select(workitem).where(*where, *_narrowed(keys)).order_by(workitem.c.scheduled_start, workitem.c.pk)
    found: list[Model] = []
    skipped = 0
    for start in range(0, ROWS_MAX, PAGE_ROWS):
        with db.read() as connection:
            page = connection.execute(query.offset(start).limit(PAGE_ROWS)).all()
        for model in filter(lambda model: fits(keys, model), map(model_of, page)):
            if skipped < offset:
                skipped += 1
            elif len(found) == limit:
                return found, True
            else:
                found.append(model)
        if len(page) < PAGE_ROWS:
            return found, False
    return found, True


def newest(connection: Connection, site: str) -> list[str]:
    """Return the UIDs of a site's work items, newest first, at most `ROWS_MAX`."""
    query = select(workitem.c.uid).where(workitem.c.site == site).order_by(workitem.c.pk.desc())
    return list(connection.scalars(query.limit(ROWS_MAX)))


def newest_matches(db: Database, site: str, keys: Tree) -> Matches:
    """Return a site's work items that match, of the newest `ROWS_MAX` that their columns do not rule out."""
    query = _looked_at(site, keys).limit(PAGE_ROWS)
    uids: list[str] = []
    pks: list[int] = []
    while len(pks) < ROWS_MAX:
        with db.read() as connection:
            page = connection.execute(query.where(workitem.c.pk < pks[-1]) if pks else query).all()
        pks += [row.pk for row in page]
        uids += [row.uid for row in page if fits(keys, model_of(row))]
        if len(page) < PAGE_ROWS:
            break
    return Matches(uids, pks[0] if pks else 0)


def matches_since(connection: Connection, site: str, keys: Tree, pk: int) -> list[str]:
    """Return the UIDs of those that match and are newer than `pk`, newest first."""
    rows = connection.execute(_looked_at(site, keys).where(workitem.c.pk > pk).limit(ROWS_MAX))
    return [row.uid for row in rows if fits(keys, model_of(row))]


def models_of(connection: Connection, site: str, uids: Sequence[str]) -> list[tuple[str, Model]]:
    """Return work items with their UIDs, oldest first."""
    query = select(workitem).where(workitem.c.site == site, workitem.c.uid.in_(uids)).order_by(workitem.c.pk)
    return [(row.uid, model_of(row)) for row in connection.execute(query)]


def _looked_at(site: str, keys: Tree) -> Select[Any]:
    return select(workitem).where(workitem.c.site == site, *_narrowed(keys)).order_by(workitem.c.pk.desc())


def _narrowed(keys: Tree) -> list[ColumnElement[bool]]:
    """Return what keys say of columns; the rest is for `fits`."""
    where: list[ColumnElement[bool]] = []
    for number, column in _COLUMNS.items():
        match keys.get(number):
            case Exact(value=value):
                where.append(column == value)
            case AnyOf(values=values):
                where.append(column.in_(values))
            case _:
                pass
    return where


def sweep(db: Database, before: datetime) -> int:
    """Delete work items that ended `before` and that nobody's deletion lock keeps; returns how many, a few at once."""
    locked = exists().where(
        subscription.c.site == workitem.c.site, subscription.c.uid == workitem.c.uid, subscription.c.deletion_lock
    )
    old = select(workitem.c.pk, workitem.c.site, workitem.c.uid).where(
        workitem.c.state.in_([State.COMPLETED.value, State.CANCELED.value]), workitem.c.updated_at < before, ~locked
    )
    with db.read() as connection:
        if connection.execute(old.limit(1)).first() is None:
            return 0

    def write(connection: Connection) -> int:
        rows = connection.execute(old.limit(SWEPT_AT_ONCE)).all()
        for row in rows:
            mine = (subscription.c.site == row.site, subscription.c.uid == row.uid)
            connection.execute(delete(subscription).where(*mine))
            connection.execute(delete(workitem).where(workitem.c.pk == row.pk))
        return len(rows)

    return db.write(write)
