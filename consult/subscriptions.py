"""Who is told what of work items (PS3.4 CC.2.3), and the reports that wait for them. In the caller's transaction.

A subscriber is an application entity of a site, held by the account or token that subscribed first. Subscribing to the
worklist subscribes to every work item that is and will be, to the filtered worklist to those that match; suspending
leaves what is subscribed and adds nothing. Reports wait, at most `REPORTS_MAX` for a subscriber, the oldest go first.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, delete, func, select

from consult.workitem_model import Model
from consult.workitem_tables import subscription, workitem_report
from kernel.database import upsert
from kernel.dicom.queries.identifier import Tree, fits
from kernel.errors import Forbidden, InvalidQuery, LimitExceeded

GLOBAL: Final = "1.2.840.10008.5.1.4.34.5"
FILTERED: Final = "1.2.840.10008.5.1.4.34.5.1"
WORKLISTS: Final = (GLOBAL, FILTERED)
REPORTS_MAX: Final = 1000  # that wait for one subscriber
SUBSCRIBERS_MAX: Final = 200  # of one site

ReadFilter = Callable[[str], Tree]  # the keys of a filter as it was given; raises InvalidQuery


@dataclass(frozen=True, slots=True)
class Subscriber:
    """An application entity that is told, and who speaks for it."""

    site: str
    ae_title: str
    holder: str
    may_all: bool = False  # an administrator speaks for every subscriber


@dataclass(frozen=True, slots=True)
class Terms:
    """How somebody subscribes: with a deletion lock, and to the filtered worklist by which query string."""

    lock: bool = False
    query: str = ""


def check_holder(connection: Connection, who: Subscriber) -> None:
    """Check that the caller speaks for an application entity: it subscribed first, or nobody has.

    Raises
    ------
    Forbidden
        Somebody else subscribed under this AE title.
    """
    table = subscription
    holder = connection.scalar(
        select(table.c.holder).where(table.c.site == who.site, table.c.ae_title == who.ae_title).limit(1)
    )
    if holder not in (None, who.holder) and not who.may_all:
        raise Forbidden(action="speak for this application entity")


def subscribe(connection: Connection, who: Subscriber, uids: Sequence[str], terms: Terms, *, at: datetime) -> None:
    """Subscribe to work items, and to a worklist if its UID is among them. Raises Forbidden, LimitExceeded."""
    check_holder(connection, who)
    table = subscription
    titles = select(func.count(table.c.ae_title.distinct())).where(
        table.c.site == who.site, table.c.ae_title != who.ae_title
    )
    if (connection.scalar(titles) or 0) >= SUBSCRIBERS_MAX:
        raise LimitExceeded(limit="SUBSCRIBERS_MAX", value=SUBSCRIBERS_MAX + 1, bound=SUBSCRIBERS_MAX)
    _write(connection, who, uids, terms, at=at)


def _write(connection: Connection, who: Subscriber, uids: Sequence[str], terms: Terms, *, at: datetime) -> None:
    rows = [
        {
            "site": who.site,
            "uid": uid,
            "ae_title": who.ae_title,
            "holder": who.holder,
            "deletion_lock": terms.lock,
            "filter": terms.query if uid == FILTERED else "",
            "at": at,
        }
        for uid in uids
    ]
    key = ("site", "uid", "ae_title")
    upsert(connection, subscription, rows, key=key, update=("deletion_lock", "filter", "at"))


def unsubscribe(connection: Connection, who: Subscriber, uid: str) -> bool:
    """End a subscription; that of a worklist ends every one of the subscriber. Returns whether there was one."""
    check_holder(connection, who)
    table = subscription
    where = [table.c.site == who.site, table.c.ae_title == who.ae_title]
    if uid not in WORKLISTS:
        where.append(table.c.uid == uid)
    ended = connection.execute(delete(table).where(*where).returning(table.c.uid)).all()
    left = select(table.c.uid).where(table.c.site == who.site, table.c.ae_title == who.ae_title).limit(1)
    if ended and connection.execute(left).first() is None:  # the title is free: what waits is not for who takes it next
        reports = workitem_report
        mine = (reports.c.site == who.site, reports.c.ae_title == who.ae_title)
        connection.execute(delete(reports).where(*mine))
    return bool(ended)


def suspend(connection: Connection, who: Subscriber, uid: str) -> bool:
    """Subscribe to no further work items; those that are subscribed to stay. Returns whether there was one."""
    check_holder(connection, who)
    table = subscription
    where = (table.c.site == who.site, table.c.ae_title == who.ae_title, table.c.uid == uid)
    return bool(connection.execute(delete(table).where(*where).returning(table.c.uid)).all())


def enroll(connection: Connection, site: str, uid: str, model: Model, *, at: datetime, read: ReadFilter) -> None:
    """Subscribe to a new work item whoever subscribed to the worklist, or to those that it matches."""

    def matches(text: str) -> bool:
        try:
            return fits(read(text), model)
        except InvalidQuery:
            return False  # it was read once; who subscribed by it is not told, and who creates is not refused

    table = subscription
    worklists = select(table).where(table.c.site == site, table.c.uid.in_(WORKLISTS))
    for row in connection.execute(worklists).all():
        if row.uid == GLOBAL or matches(row.filter):
            who = Subscriber(site, row.ae_title, row.holder)
            _write(connection, who, [uid], Terms(row.deletion_lock), at=at)


def subscribers(connection: Connection, site: str, uid: str) -> list[str]:
    """Return the AE titles that are told of a work item."""
    table = subscription
    query = select(table.c.ae_title).where(table.c.site == site, table.c.uid == uid).order_by(table.c.ae_title)
    return list(connection.scalars(query))


def tell(
    connection: Connection, site: str, titles: Iterable[str], reports: Iterable[tuple[str, Model]], at: datetime
) -> None:
    """Let reports wait for subscribers; what is more than `REPORTS_MAX` of one loses its oldest."""
    table = workitem_report
    rows = [(uid, msgspec.json.encode(model).decode()) for uid, model in reports]
    for title in titles:
        values = [{"site": site, "ae_title": title, "uid": uid, "model": model, "at": at} for uid, model in rows]
        if not values:
            return
        connection.execute(table.insert(), values)
        mine = (table.c.site == site, table.c.ae_title == title)
        kept = select(table.c.seq).where(*mine).order_by(table.c.seq.desc()).offset(REPORTS_MAX).limit(1)
        connection.execute(delete(table).where(*mine, table.c.seq <= kept.scalar_subquery()))


def waiting(connection: Connection, site: str, ae_title: str, limit: int) -> list[tuple[int, Model]]:
    """Return the oldest reports that wait for a subscriber, with their numbers."""
    table = workitem_report
    mine = select(table.c.seq, table.c.model).where(table.c.site == site, table.c.ae_title == ae_title)
    rows = connection.execute(mine.order_by(table.c.seq).limit(limit)).all()
    return [(row.seq, msgspec.json.decode(row.model, type=dict[str, Any])) for row in rows]


def told(connection: Connection, site: str, ae_title: str, seq: int) -> None:
    """Forget the reports up to `seq`: they were sent."""
    table = workitem_report
    connection.execute(delete(table).where(table.c.site == site, table.c.ae_title == ae_title, table.c.seq <= seq))
