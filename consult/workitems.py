"""The UPS desk: work items in the database, and who is told of what becomes of them. Each call is one transaction."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection

from consult import subscriptions, workitem_rows
from consult.ordering import By
from consult.subscriptions import FILTERED, ReadFilter, Subscriber, Terms
from consult.workitem import (
    ALREADY,
    INCONSISTENT,
    advanced,
    canceled,
    created,
    transaction_of,
    updated,
)
from consult.workitem_attributes import State, state_of, tag, text
from consult.workitem_model import Model
from consult.workitem_reports import cancel_report, reports_of_update, state_report
from consult.workitem_rows import (
    Matches,
    columns_of,
    matches_since,
    model_of,
    models_of,
    newest,
    newest_matches,
    row_of,
    write_row,
)
from consult.workitem_tables import workitem
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database, insert, tx_after_commit
from kernel.dicom.queries.identifier import Tree
from kernel.errors import NotFound, WorkitemConflict, WorkitemExists

KEPT: Final = timedelta(days=7)  # how long one that has ended stays when nobody holds a deletion lock
_STUDY: Final = tag("StudyInstanceUID")

Notify = Callable[[str, Sequence[str]], None]  # site, AE titles for which reports wait now


class WorkitemDesk:
    """Work items of a node. Every method blocks until it is durable and may be called from any thread."""

    def __init__(self, db: Database, clock: Clock, read_filter: ReadFilter, notify: Notify) -> None:
        self._db = db
        self._clock = clock
        self._read_filter = read_filter
        self._notify = notify

    def create(self, site: str, uid: str, model: Model, by: By) -> bool:
        """Keep a new work item; returns whether anything was added to it. Raises WorkitemExists, InvalidRequest."""
        at = self._clock.now()
        item, modified = created(model, uid, at)

        def change(connection: Connection) -> None:
            made = connection.execute(
                insert(connection, workitem)
                .values(site=site, uid=uid, transaction_uid="", revision=1, created_at=at, **columns_of(item, at))
                .on_conflict_do_nothing(index_elements=["site", "uid"])
                .returning(workitem.c.pk)
            ).first()
            if made is None:
                raise WorkitemExists(workitem_uid=uid)
            subscriptions.enroll(connection, site, uid, item, at=at, read=self._read_filter)
            self._tell(connection, site, uid, [state_report(uid, item)], at)
            _audit(connection, site, item, by, at)

        self._db.write(change)
        return modified

    def retrieve(self, site: str, uid: str) -> Model:
        """Return a work item, without its Transaction UID. Raises NotFound."""
        with self._db.read() as connection:
            return model_of(row_of(connection, site, uid))

    def update(self, site: str, uid: str, change: Model, transaction_uid: str, by: By) -> None:
        """Change a work item's attributes. Raises NotFound, WorkitemConflict, TransactionRefused, InvalidRequest."""
        at = self._clock.now()

        def write(connection: Connection) -> None:
            row = row_of(connection, site, uid)
            known = model_of(row)
            after = updated(known, change, row.transaction_uid, transaction_uid or transaction_of(change), at)
            write_row(connection, row, after, row.transaction_uid, at)
            self._tell(connection, site, uid, list(reports_of_update(uid, known, after)), at)
            _audit(connection, site, after, by, at)

        self._db.write(write)

    def change_state(self, site: str, uid: str, asked: Model, by: By) -> str:
        """Take, complete or cancel a work item; returns a warning if it is already so. Raises as `update`."""
        at = self._clock.now()
        state, transaction_uid = state_of(asked), transaction_of(asked)

        def write(connection: Connection) -> str:
            row = row_of(connection, site, uid)
            after = advanced(model_of(row), state, row.transaction_uid, transaction_uid, at)
            if after is None:
                return ALREADY.format(state=state.value)
            write_row(connection, row, after, transaction_uid, at)
            self._tell(connection, site, uid, [state_report(uid, after)], at)
            _audit(connection, site, after, by, at)
            return ""

        return self._db.write(write)

    def request_cancellation(self, site: str, uid: str, asked: Model, requesting_ae: str, by: By) -> str:
        """Cancel a work item that nobody has taken, or ask who has; returns a warning if it is canceled already.

        Raises
        ------
        WorkitemConflict
            It is completed, or nobody would hear the request.
        """
        at = self._clock.now()

        def write(connection: Connection) -> str:
            row = row_of(connection, site, uid)
            known = model_of(row)
            match state_of(known):
                case State.CANCELED:
                    return ALREADY.format(state=State.CANCELED.value)
                case State.COMPLETED:
                    raise WorkitemConflict(warning=INCONSISTENT)
                case State.SCHEDULED:
                    after = canceled(known, at, text(asked, tag("ReasonForCancellation")))
                    write_row(connection, row, after, "", at)
                    self._tell(connection, site, uid, [state_report(uid, after)], at)
                    _audit(connection, site, after, by, at)
                case State.IN_PROGRESS:
                    if not subscriptions.subscribers(connection, site, uid):
                        raise WorkitemConflict(warning=INCONSISTENT)
                    self._tell(connection, site, uid, [cancel_report(uid, asked, requesting_ae)], at)
            return ""

        return self._db.write(write)

    def search(self, sites: frozenset[str] | None, keys: Tree, limit: int, offset: int) -> tuple[list[Model], bool]:
        """Return the work items that match, earliest start first, and whether there are more."""
        return workitem_rows.search(self._db, sites, keys, limit, offset)

    def subscribe(self, who: Subscriber, uid: str, terms: Terms) -> None:
        """Subscribe to a work item or a worklist, and report how its work items stand.

        What a filter matches is looked for before the transaction, which looks only at what came since.

        Raises
        ------
        NotFound, Forbidden, LimitExceeded
            There is no such work item; the title is another's; the site has its subscribers.
        InvalidQuery
            The filter cannot be read.
        """
        at = self._clock.now()
        keys = self._read_filter(terms.query) if uid == FILTERED else {}
        known = newest_matches(self._db, who.site, keys) if uid == FILTERED else Matches()

        def write(connection: Connection) -> None:
            match uid:
                case subscriptions.GLOBAL:
                    items = newest(connection, who.site)
                case subscriptions.FILTERED:
                    items = [*matches_since(connection, who.site, keys, known.newest_pk), *known.uids]
                case _:
                    items = [row_of(connection, who.site, uid).uid]
            named = [uid] if uid in subscriptions.WORKLISTS else []
            subscriptions.subscribe(connection, who, [*named, *items], terms, at=at)
            models = models_of(connection, who.site, items[: subscriptions.REPORTS_MAX])
            reports = [(one, state_report(one, model)) for one, model in models]
            subscriptions.tell(connection, who.site, [who.ae_title], reports, at)
            tx_after_commit(connection, lambda: self._notify(who.site, [who.ae_title]))

        self._db.write(write)

    def unsubscribe(self, who: Subscriber, uid: str) -> None:
        """End a subscription. Raises NotFound, Forbidden."""
        if not self._db.write(lambda connection: subscriptions.unsubscribe(connection, who, uid)):
            raise NotFound(what="subscription")

    def suspend(self, who: Subscriber, uid: str) -> None:
        """Subscribe to no further work items. Raises NotFound, Forbidden."""
        if not self._db.write(lambda connection: subscriptions.suspend(connection, who, uid)):
            raise NotFound(what="subscription")

    def check_holder(self, who: Subscriber) -> None:
        """Check that a caller speaks for a subscriber. Raises Forbidden."""
        with self._db.read() as connection:
            subscriptions.check_holder(connection, who)

    def waiting(self, site: str, ae_title: str, limit: int) -> list[tuple[int, Model]]:
        """Return the oldest reports that wait for a subscriber."""
        with self._db.read() as connection:
            return subscriptions.waiting(connection, site, ae_title, limit)

    def told(self, site: str, ae_title: str, seq: int) -> None:
        """Forget the reports up to `seq`: they were sent."""
        self._db.write(lambda connection: subscriptions.told(connection, site, ae_title, seq))

    def sweep(self) -> int:
        """Delete work items that ended long ago and that nobody's deletion lock keeps; returns how many."""
        return workitem_rows.sweep(self._db, self._clock.now() - KEPT)

    def _tell(self, connection: Connection, site: str, uid: str, reports: list[Model], at: datetime) -> None:
        titles = subscriptions.subscribers(connection, site, uid) if reports else []
        if titles:
            subscriptions.tell(connection, site, titles, [(uid, report) for report in reports], at)
            tx_after_commit(connection, lambda: self._notify(site, titles))


def _audit(connection: Connection, site: str, model: Model, by: By, at: datetime) -> None:
    line = Line(
        at,
        Action.PROCEDURE_RECORD,
        by.who,
        site=site,
        study_instance_uid=text(model, _STUDY)[:64],
        address=by.address,
        detail={"workitem": text(model, tag("SOPInstanceUID")), "state": state_of(model).value},
    )
    append(connection, line)
