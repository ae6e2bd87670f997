"""Drafts: what somebody drew and has not saved yet, kept with their account until they save it or drop it.

A draft is the reading room's own text, which nothing here reads. Each keeping names the version that it goes on from
and is refused when another window was faster, so two windows of one person lose nothing to each other. One that was
saved or dropped stays as an empty one for as long as any: else its versions would be counted from one again.
"""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Connection, delete, func, select

from consult.draft_tables import draft
from kernel.access import StudyGrant
from kernel.clock import Clock
from kernel.database import Database, upsert
from kernel.errors import DraftChanged, LimitExceeded

CHARACTERS_MAX: Final = 1_048_576  # of one draft
DRAFTS_MAX: Final = 64  # of one account that are not empty
_KEY: Final = ("account", "site", "study_instance_uid", "part")


@dataclass(frozen=True, slots=True)
class Draft:
    """A state of a draft; version 0 while none was kept."""

    version: int
    content: str = field(repr=False)  # empty: there is nothing that was not saved
    at: datetime | None


NOTHING: Final = Draft(0, "", None)


class Drafts:
    """Reads and keeps drafts; safe in threads. They are forgotten `days` after they were kept last."""

    def __init__(self, db: Database, clock: Clock, days: float) -> None:
        self._db = db
        self._clock = clock
        self._life = timedelta(days=days)

    def of(self, grant: StudyGrant, account: str, part: str) -> Draft:
        """Return what an account keeps of a part of a study."""
        with self._db.read() as connection:
            return self._present(connection, grant, account, part)

    def keep(self, grant: StudyGrant, account: str, part: str, *, version: int, content: str) -> Draft:
        """Keep another state, durable when this returns.

        Raises
        ------
        DraftChanged
            `version` is not that of the present state.
        LimitExceeded
            It is longer than CHARACTERS_MAX, or the account has DRAFTS_MAX others.
        """
        if len(content) > CHARACTERS_MAX:
            raise LimitExceeded(limit="CHARACTERS_MAX of a draft", value=len(content), bound=CHARACTERS_MAX)
        at = self._clock.now()
        made = Draft(version + 1, content, at)
        row = {**_named(grant, account, part), "version": made.version, "content": content, "kept_at": at}

        def write(connection: Connection) -> None:
            connection.execute(delete(draft).where(draft.c.kept_at <= at - self._life))
            present = self._present(connection, grant, account, part)
            if present.version != version:
                raise DraftChanged(version=present.version)
            if content and not present.content:
                _check_count(connection, account)
            upsert(connection, draft, [row], key=_KEY, update=("version", "content", "kept_at"))

        self._db.write(write)
        return made

    def _present(self, connection: Connection, grant: StudyGrant, account: str, part: str) -> Draft:
        alive = draft.c.kept_at > self._clock.now() - self._life
        mine = (draft.c[name] == value for name, value in _named(grant, account, part).items())
        row = connection.execute(select(draft).where(alive, *mine)).first()
        return NOTHING if row is None else Draft(row.version, row.content, row.kept_at)


def _named(grant: StudyGrant, account: str, part: str) -> dict[str, str]:
    return dict(zip(_KEY, (account, grant.site, grant.study_instance_uid, part), strict=True))


def _check_count(connection: Connection, account: str) -> None:
    others = select(func.count()).select_from(draft).where(draft.c.account == account, draft.c.content != "")
    count = connection.scalar(others) or 0
    if count >= DRAFTS_MAX:
        raise LimitExceeded(limit="DRAFTS_MAX of an account", value=count + 1, bound=DRAFTS_MAX)
