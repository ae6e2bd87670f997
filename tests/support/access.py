"""Access to a pretend node, and what its audit says."""

from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select

from kernel.access import Access, AccessKeys
from kernel.audit import Action, audit, verify
from kernel.clock import ManualClock
from kernel.config import AccessConfig
from kernel.database import Database

PASSWORD = "correct horse battery"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
HOME = "10.0.0.7"


def opened(database: Database, clock: ManualClock, **settings: Any) -> Access:
    return Access(database, clock, AccessConfig(**settings), keys=AccessKeys(b"k" * 32, None, CHEAP), site="HN-01")


def audited(database: Database, action: Action | None = None) -> list[tuple[str, str, str]]:
    """Who, outcome and detail of every audit line, in order, of a chain that is whole."""
    with database.read() as connection:
        verify(connection)
        rows = connection.execute(select(audit).order_by(audit.c.seq)).all()
    return [(row.who, row.outcome, row.detail) for row in rows if action in (None, row.action)]
