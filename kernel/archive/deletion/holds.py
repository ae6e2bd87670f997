"""Legal holds: studies that nobody may delete, an administrator neither, until the hold is lifted."""

import re
from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, Connection, delete, select

from kernel.archive.tables import legal_hold
from kernel.audit import Action, Line, append
from kernel.database import upsert
from kernel.errors import InvalidRequest, NotFound

_REASON: Final = re.compile(r"[A-Za-z0-9./_-]{1,64}")


def is_held(connection: Connection, site: str, study_instance_uid: str) -> bool:
    """Whether a study may not be deleted."""
    return connection.scalar(select(legal_hold.c.at).where(*_same(site, study_instance_uid))) is not None


def place(connection: Connection, site: str, study_instance_uid: str, *, reason: str, who: str, at: datetime) -> None:
    """Hold a study; one that is held already stays so. `reason` is a case number or a word, never a patient's name.

    Raises
    ------
    InvalidRequest
        The reason is anything else.
    """
    if not _REASON.fullmatch(reason):
        raise InvalidRequest(reason="the reason of a hold is a case number or a word, of letters, digits and . / _ -")
    row = {"site": site, "study_instance_uid": study_instance_uid, "at": at, "who": who, "reason": reason}
    upsert(connection, legal_hold, [row], key=("site", "study_instance_uid"))
    append(connection, _line(site, study_instance_uid, "legal hold placed", who, at, reason))


def lift(connection: Connection, site: str, study_instance_uid: str, *, who: str, at: datetime) -> None:
    """Lift a hold.

    Raises
    ------
    NotFound
        There is none.
    """
    if not connection.execute(delete(legal_hold).where(*_same(site, study_instance_uid))).rowcount:
        raise NotFound(what="legal hold")
    append(connection, _line(site, study_instance_uid, "legal hold lifted", who, at, ""))


def _same(site: str, study_instance_uid: str) -> tuple[ColumnElement[bool], ...]:
    return legal_hold.c.site == site, legal_hold.c.study_instance_uid == study_instance_uid


def _line(site: str, uid: str, what: str, who: str, at: datetime, reason: str) -> Line:  # noqa: PLR0917 (a line's fields)
    detail = {"what": what, "reason": reason}
    return Line(at, Action.SECURITY_ALERT, who, site=site, study_instance_uid=uid, detail=detail)
