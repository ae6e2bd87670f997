"""The displays that people read on, and who checked them when: a register, as a browser cannot prove what a screen shows.

The figures are for the reader to see (ACR-AAPM-SIIM, electronic practice of medical imaging; AAPM TG-270); nobody is
locked out by them. A display is never erased, only retired; a check is never changed.
"""

import secrets
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, get_args

from sqlalchemy import Column, Connection, ForeignKey, Index, Row, Select, String, Table, Text, func, select, update

from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import BigKey, Database, UtcDateTime, metadata
from kernel.errors import InvalidRequest, LimitExceeded, NotFound

Result = Literal["passed", "failed"]
RESULTS: Final[tuple[Result, ...]] = get_args(Result)
DISPLAYS_MAX: Final = 500  # that are not retired
CHECKS_MAX: Final = 1000  # of one display
CHECKS_SHOWN: Final = 100
RETIRED_SHOWN: Final = 100
NAME_CHARACTERS_MAX: Final = 64
PLACE_CHARACTERS_MAX: Final = 128
NOTE_CHARACTERS_MAX: Final = 512
INTERVAL_DAYS_MAX: Final = 730  # from a check to the next one that is due
_ID_BYTES: Final = 8

display = Table(
    "display",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", String(64), nullable=False),
    Column("place", String(128), nullable=False),
    Column("registered_by", String(128), nullable=False),
    Column("registered_at", UtcDateTime, nullable=False),
    Column("retired_at", UtcDateTime),
)
display_check = Table(
    "display_check",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("display", String(16), ForeignKey("display.id"), nullable=False),
    Column("checked_by", String(128), nullable=False),
    Column("checked_on", String(10), nullable=False),  # ISO 8601, as is next_due
    Column("result", String(8), nullable=False),
    Column("next_due", String(10), nullable=False),
    Column("note", Text, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    Index(None, "display", "pk"),
)


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a display, as somebody put it on file."""

    by: str  # who checked
    on: date
    result: Result
    next_due: date
    note: str = ""


@dataclass(frozen=True, slots=True)
class Recorded:
    """A check and who put it on file."""

    check: Check
    recorded_by: str
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Display:
    """A display; `last` is None until it was checked, `retired_at` while it is in use."""

    display_id: str
    name: str
    place: str
    registered_by: str
    registered_at: datetime
    retired_at: datetime | None = None
    last: Recorded | None = None


class Displays:
    """The displays of this node; safe in threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def listed(self) -> list[Display]:
        """Return the displays that are not retired, by place and name, each with the check that was filed last."""
        standing = select(display).where(display.c.retired_at.is_(None))
        return self._with_checks(standing.order_by(display.c.place, display.c.name))

    def retired(self) -> list[Display]:
        """Return the displays that are retired, the last first, at most RETIRED_SHOWN."""
        gone = select(display).where(display.c.retired_at.is_not(None))
        return self._with_checks(gone.order_by(display.c.retired_at.desc(), display.c.id).limit(RETIRED_SHOWN))

    def _with_checks(self, query: Select[Any]) -> list[Display]:
        with self._db.read() as connection:
            rows = connection.execute(query).all()
            of = display_check.c.display.in_([row.id for row in rows])
            newest = select(func.max(display_check.c.pk)).where(of).group_by(display_check.c.display)
            last = {
                row.display: _recorded(row)
                for row in connection.execute(select(display_check).where(display_check.c.pk.in_(newest)))
            }
        return [
            Display(row.id, row.name, row.place, row.registered_by, row.registered_at, row.retired_at, last.get(row.id))
            for row in rows
        ]

    def checks(self, display_id: str) -> list[Recorded]:
        """Return the checks of a display, the newest first, at most CHECKS_SHOWN. Raises NotFound."""
        query = select(display_check).where(display_check.c.display == display_id).order_by(display_check.c.pk.desc())
        with self._db.read() as connection:
            if connection.scalar(select(display.c.id).where(display.c.id == display_id)) is None:
                raise NotFound(what="display")
            return [_recorded(row) for row in connection.execute(query.limit(CHECKS_SHOWN))]

    def register(self, name: str, place: str, *, by: str, address: str) -> Display:
        """Put a display on file.

        Raises
        ------
        InvalidRequest
            It has no name, or one that is no line of text.
        LimitExceeded
            There are DISPLAYS_MAX.
        """
        made = Display(
            secrets.token_hex(_ID_BYTES),
            _line("name", name, 1, NAME_CHARACTERS_MAX),
            _line("place", place, 0, PLACE_CHARACTERS_MAX),
            by,
            self._clock.now(),
        )

        def write(connection: Connection) -> None:
            standing = select(func.count()).select_from(display).where(display.c.retired_at.is_(None))
            if (connection.scalar(standing) or 0) >= DISPLAYS_MAX:
                raise LimitExceeded(limit="displays", value=DISPLAYS_MAX + 1, bound=DISPLAYS_MAX)
            values = {"id": made.display_id, "name": made.name, "place": made.place}
            connection.execute(display.insert().values(**values, registered_by=by, registered_at=made.registered_at))
            append(connection, _told("display registered", made.display_id, by, address, made.registered_at))

        self._db.write(write)
        return made

    def record(self, display_id: str, check: Check, *, by: str, address: str) -> Recorded:
        """Put a check on file.

        Raises
        ------
        InvalidRequest
            It was not made yet, or the next one is not due after it within INTERVAL_DAYS_MAX.
        NotFound
            There is no such display, or it is retired.
        LimitExceeded
            It has CHECKS_MAX.
        """
        at = self._clock.now()
        kept = _kept(check, at)

        def write(connection: Connection) -> None:
            _require(connection, display_id)
            of = select(func.count()).select_from(display_check).where(display_check.c.display == display_id)
            if (connection.scalar(of) or 0) >= CHECKS_MAX:
                raise LimitExceeded(limit="checks of a display", value=CHECKS_MAX + 1, bound=CHECKS_MAX)
            connection.execute(
                display_check.insert().values(
                    display=display_id,
                    checked_by=kept.by,
                    checked_on=kept.on.isoformat(),
                    result=kept.result,
                    next_due=kept.next_due.isoformat(),
                    note=kept.note,
                    recorded_by=by,
                    recorded_at=at,
                )
            )
            append(connection, _told("display checked", display_id, by, address, at, result=kept.result))

        self._db.write(write)
        return Recorded(kept, by, at)

    def retire(self, display_id: str, *, by: str, address: str) -> None:
        """Take a display off the list; what was filed stays. Raises NotFound."""
        at = self._clock.now()

        def write(connection: Connection) -> None:
            _require(connection, display_id)
            connection.execute(update(display).where(display.c.id == display_id).values(retired_at=at))
            append(connection, _told("display retired", display_id, by, address, at))

        self._db.write(write)


def _require(connection: Connection, display_id: str) -> None:
    standing = (display.c.id == display_id) & display.c.retired_at.is_(None)
    if connection.scalar(select(display.c.id).where(standing)) is None:
        raise NotFound(what="display")


def _kept(check: Check, at: datetime) -> Check:
    if (check.on - at.date()).days > 1:  # it may be tomorrow already where the reader is
        raise InvalidRequest(reason="a check is put on file after it was made")
    if not 0 < (check.next_due - check.on).days <= INTERVAL_DAYS_MAX:
        raise InvalidRequest(reason=f"the next check is due within {INTERVAL_DAYS_MAX} days after this one")
    by, note = _line("by", check.by, 1, NAME_CHARACTERS_MAX), _line("note", check.note, 0, NOTE_CHARACTERS_MAX)
    return Check(by, check.on, check.result, check.next_due, note)


def _line(what: str, text: str, least: int, most: int) -> str:
    kept = text.strip()
    if not least <= len(kept) <= most or not kept.isprintable():
        raise InvalidRequest(reason=f"{what} is one line of {least} to {most} characters")
    return kept


def _recorded(row: Row[Any]) -> Recorded:
    on, due = date.fromisoformat(row.checked_on), date.fromisoformat(row.next_due)
    return Recorded(Check(row.checked_by, on, row.result, due, row.note), row.recorded_by, row.recorded_at)


def _told(what: str, display_id: str, by: str, address: str, at: datetime, **more: str) -> Line:
    return Line(
        at, Action.APPLICATION_ACTIVITY, by, address=address, detail={"what": what, "display": display_id, **more}
    )
