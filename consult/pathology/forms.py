"""Forms of pathology in the database: the present state of a study's, and each one before it. Nothing is overwritten."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import msgspec
from sqlalchemy import Connection, insert, select

from consult.documents import Author
from consult.pathology.form import Purpose, checked
from consult.pathology.tables import pathology_form
from kernel.access import StudyGrant
from kernel.audit import Action, Line, append
from kernel.clock import Clock
from kernel.database import Database
from kernel.errors import FormChanged


@dataclass(frozen=True, slots=True)
class Filled:
    """A state of a study's form; revision 0 while nobody filled it in."""

    revision: int
    purpose: Purpose
    fields: Mapping[str, str] = field(repr=False)
    author: str
    at: datetime | None


NOTHING = Filled(0, Purpose.FORMAL, {}, "", None)


class Forms:
    """Reads and saves forms; safe in threads."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock

    def of(self, grant: StudyGrant) -> Filled:
        """Return the present state."""
        with self._db.read() as connection:
            return _present(connection, grant)

    def save(self, grant: StudyGrant, base: int, purpose: Purpose, values: Mapping[str, str], author: Author) -> Filled:
        """Save another state.

        Raises
        ------
        InvalidRequest
            A value is not of its field.
        FormChanged
            `base` is not the revision of the present state.
        """
        fields, at = checked(values), self._clock.now()
        made = Filled(base + 1, purpose, fields, author.display or author.account, at)

        def write(connection: Connection) -> None:
            present = _present(connection, grant).revision
            if present != base:
                raise FormChanged(revision=present)
            connection.execute(
                insert(pathology_form).values(
                    site=grant.site,
                    study_instance_uid=grant.study_instance_uid,
                    revision=made.revision,
                    purpose=purpose.value,
                    fields=msgspec.json.encode(fields).decode(),
                    author=author.account,
                    display=made.author,
                    at=at,
                )
            )
            append(
                connection,
                Line(
                    at,
                    Action.PROCEDURE_RECORD,
                    author.account,
                    site=grant.site,
                    study_instance_uid=grant.study_instance_uid,
                    address=author.address,
                    detail={"what": "pathology form", "revision": made.revision},
                ),
            )

        self._db.write(write)
        return made


def _present(connection: Connection, grant: StudyGrant) -> Filled:
    query = select(pathology_form).where(
        pathology_form.c.site == grant.site, pathology_form.c.study_instance_uid == grant.study_instance_uid
    )
    row = connection.execute(query.order_by(pathology_form.c.revision.desc()).limit(1)).first()
    if row is None:
        return NOTHING
    fields = msgspec.json.decode(row.fields, type=dict[str, str])
    return Filled(row.revision, Purpose(row.purpose), fields, row.display, row.at)
