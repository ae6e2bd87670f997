"""The order desk: what the API, HL7 and the command line call. Each call is one durable transaction."""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from consult import messages, order_rows, orders
from consult.messages import Taken
from consult.order_rows import OrderNumbers, Scheduled
from consult.orders import Cancel, Change, Correct, Place
from consult.steps import Status, Step
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database


def random_uid() -> str:
    """Return a new UID (PS3.5 B.2)."""
    return f"2.25.{uuid.uuid4().int}"


@dataclass(frozen=True, slots=True)
class By:
    """Who orders, for the audit and for whoever looks at the list."""

    who: str  # account, token, or the way in: hl7, command line
    address: str = ""


class OrderDesk:
    """Takes orders for a node. Every method blocks until it is durable and may be called from any thread."""

    def __init__(self, db: Database, clock: Clock, new_uid: Callable[[], str] = random_uid) -> None:
        self._db = db
        self._clock = clock
        self._new_uid = new_uid

    def place(self, site: str, step: Step, by: By) -> Scheduled:
        """Order a step or change it. Raises OrderConflict."""
        return self._db.write(lambda connection: self._place(connection, site, step, by))

    def cancel(self, site: str, numbers: OrderNumbers, by: By) -> list[Scheduled]:
        """Cancel an order's steps. Raises NotFound, OrderConflict."""
        return self._db.write(lambda connection: self._cancel(connection, site, numbers, by))

    def find(self, site: str, accession_number: str, step_id: str) -> Scheduled:
        """Return one step. Raises NotFound."""
        with self._db.read() as connection:
            return order_rows.find(connection, site, accession_number, step_id)

    def listed(
        self, sites: frozenset[str] | None, *, start_date: str = "", modality: str = "", status: Status | None = None
    ) -> list[Scheduled]:
        """Return the steps of some sites (None: all), in the order of their start, at most `order_rows.LIST_MAX`."""
        with self._db.read() as connection:
            return order_rows.listed(connection, sites, start_date=start_date, modality=modality, status=status)

    def answered(self, sender: str, control_id: str, digest: bytes) -> Taken | None:
        """Return what was answered to this very message, None when it is new."""
        with self._db.read() as connection:
            return messages.answered(connection, sender, control_id, digest)

    def take(self, site: str, asked: Sequence[Change], taken: Taken, by: By) -> None:
        """Do all that a message asks for and remember that it was done; all of it or nothing.

        Raises
        ------
        NotFound, OrderConflict
            Nothing was done, and nothing is remembered.
        """
        now = self._clock.now()

        def change(connection: Connection) -> None:
            for one in asked:
                match one:
                    case Place(step):
                        self._place(connection, site, step, by)
                    case Cancel(numbers):
                        self._cancel(connection, site, numbers, by)
                    case Correct(patient, merged):
                        orders.correct_patient(connection, site, patient, merged=merged, at=now)
            messages.record(connection, taken, now)

        self._db.write(change)

    def _place(self, connection: Connection, site: str, step: Step, by: By) -> Scheduled:
        at = self._clock.now()
        placed = orders.place(connection, site, step, origin=by.who, at=at, new_uid=self._new_uid)
        append(connection, _line(placed, by, at))
        return placed

    def _cancel(self, connection: Connection, site: str, numbers: OrderNumbers, by: By) -> list[Scheduled]:
        at = self._clock.now()
        canceled = orders.cancel(connection, site, numbers, at=at)
        for one in canceled:
            append(connection, _line(one, by, at))
        return canceled


def _line(one: Scheduled, by: By, at: datetime) -> Line:
    return Line(
        at,
        Action.ORDER_RECORD,
        by.who,
        site=one.site,
        study_instance_uid=one.step.study_instance_uid,
        address=by.address,
        detail={"step": one.status.value},
    )
