"""Scheduled steps as they stand: rows of orders read and searched. Writing them is orders.py's."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, RowMapping, and_, select

from consult.steps import FIELDS, Status, Step
from consult.tables import scheduled_step
from kernel.errors import InvalidOrder, NotFound

STEPS_PER_ORDER_MAX: Final = 100
LIST_MAX: Final = 500


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


def find(connection: Connection, site: str, accession_number: str, step_id: str) -> Scheduled:
    """Return one step. Raises NotFound."""
    row = row_of(connection, site, accession_number, step_id)
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


def row_of(connection: Connection, site: str, accession_number: str, step_id: str) -> RowMapping | None:
    """Return the row of one step."""
    table = scheduled_step
    query = select(table).where(
        table.c.site == site, table.c.accession_number == accession_number, table.c.step_id == step_id
    )
    return connection.execute(query).mappings().first()


def rows_of_order(connection: Connection, site: str, numbers: OrderNumbers) -> Sequence[RowMapping]:
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


def scheduled_of(row: RowMapping | Mapping[str, Any]) -> Scheduled:
    """Return a row of `scheduled_step` as a value."""
    step = Step(**{name: row[name] for name in FIELDS})
    return Scheduled(row["site"], step, Status(row["status"]), row["origin"], row["updated_at"])
