"""Whether a reader has shown to read slides on a screen as under the microscope, by cases that were read both ways.

The figures are those of the College of American Pathologists (Arch Pathol Lab Med 2022;146(4):440): at least 60 cases, two
weeks between the readings, 95 % concordance. A hospital's rule may be stricter; nobody is locked out by this, it is told.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError

from consult.pathology.tables import slide_validation
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import CaseKnown, LimitExceeded

CASES_WANTED: Final = 60
CONCORDANCE_WANTED: Final = 0.95
WASHOUT_DAYS: Final = 14
CASES_MAX: Final = 5_000  # of one reader


class Standing(StrEnum):
    """What a reader's record comes to."""

    NONE = "none"
    BEGUN = "begun"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True)
class Case:
    """One case, read both ways; nothing of a patient's but the laboratory's number."""

    number: str
    glass_diagnosis: str
    digital_diagnosis: str
    glass_on: date
    digital_on: date
    is_concordant: bool

    @property
    def counts(self) -> bool:
        """Whether the first reading was long enough ago to be forgotten."""
        return abs((self.digital_on - self.glass_on).days) >= WASHOUT_DAYS


@dataclass(frozen=True, slots=True)
class Summary:
    """A reader's record in figures."""

    cases: int
    counted: int
    concordant: int  # of those that count
    standing: Standing

    @property
    def concordance(self) -> float | None:
        """The share of concordant cases; None without any."""
        return self.concordant / self.counted if self.counted else None


def summary(cases: Sequence[Case]) -> Summary:
    """Return what cases come to."""
    counted = [one for one in cases if one.counts]
    concordant = sum(one.is_concordant for one in counted)
    complete = len(counted) >= CASES_WANTED and concordant >= CONCORDANCE_WANTED * len(counted)
    standing = Standing.COMPLETE if complete else Standing.BEGUN if cases else Standing.NONE
    return Summary(len(cases), len(counted), concordant, standing)


class Validations:
    """The records of readers; safe in threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def of(self, account: str) -> list[Case]:
        """Return a reader's cases, oldest record first."""
        query = select(slide_validation).where(slide_validation.c.account == account).order_by(slide_validation.c.pk)
        with self._db.read() as connection:
            rows = connection.execute(query).all()
        return [
            Case(
                row.number,
                row.glass_diagnosis,
                row.digital_diagnosis,
                date.fromisoformat(row.glass_on),
                date.fromisoformat(row.digital_on),
                row.is_concordant,
            )
            for row in rows
        ]

    def record(self, account: str, case: Case, *, by: str, address: str) -> None:
        """Put a case on file.

        Raises
        ------
        CaseKnown
            It is on file.
        LimitExceeded
            The reader has too many.
        """
        if len(self.of(account)) >= CASES_MAX:
            raise LimitExceeded(limit="cases of a validation", value=CASES_MAX + 1, bound=CASES_MAX)
        at = self._clock.now()
        try:
            self._db.write(lambda connection: _write(connection, account, case, by=by, at=at, address=address))
        except IntegrityError:
            raise CaseKnown from None


def _write(connection: Connection, account: str, case: Case, *, by: str, at: datetime, address: str) -> None:
    connection.execute(
        insert(slide_validation).values(
            account=account,
            number=case.number,
            glass_diagnosis=case.glass_diagnosis,
            digital_diagnosis=case.digital_diagnosis,
            glass_on=case.glass_on.isoformat(),
            digital_on=case.digital_on.isoformat(),
            is_concordant=case.is_concordant,
            recorded_by=by,
            recorded_at=at,
        )
    )
    detail = {"what": "validation case", "account": account}
    append(connection, Line(at, Action.APPLICATION_ACTIVITY, by, address=address, detail=detail))
