"""Completeness as evidence: why a study counts as complete, and what another exchange says of it.

    association-released   the sender ended its association properly; nothing of the study came since
    send-now               a person said so
    mpps-completed         the modality said what it made, and every instance of it is here (PS3.4 F.7)
    manifest               every instance that the sending exchange promised is here
    quiet                  nothing came for a while: the last resort, and recorded as such

An association that was released says nothing while a modality has named more instances than are here.
A study that a manifest describes is complete when it has what was promised, and by nothing else. An instance that
comes later makes it `receiving` again, and its revision, the version of this node's manifest, has grown.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Protocol

from sqlalchemy import ColumnElement, Connection, and_, exists, func, literal_column, not_, select, update

from kernel.archive import rows
from kernel.archive.records import Completed
from kernel.archive.tables import (
    PRIORITY_ROUTINE,
    PRIORITY_STAT,
    PRIORITY_URGENT,
    STATE_COMPLETE,
    STATE_RECEIVING,
    manifest,
    study,
)
from kernel.database import upsert
from kernel.events import Event, EventName, record, record_many

ASSOCIATION_RELEASED: Final = "association-released"
MPPS_COMPLETED: Final = "mpps-completed"
SEND_NOW: Final = "send-now"
MANIFEST: Final = "manifest"
QUIET: Final = "quiet"
QUIET_STUDIES_MAX: Final = 500  # settled by one look; the next look takes the rest
PRIORITIES: Final = {"stat": PRIORITY_STAT, "urgent": PRIORITY_URGENT, "routine": PRIORITY_ROUTINE}


class Manifest(Protocol):
    """What another exchange says of a study; `routing.transport.Manifest` is one."""

    @property
    def study_instance_uid(self) -> str:
        """Which study of the site."""
        ...

    @property
    def version(self) -> int:
        """Grows with every change; an older one says nothing any more."""
        ...

    @property
    def instances(self) -> int:
        """How many instances the study has, as far as the sender knows."""
        ...

    @property
    def complete(self) -> str | None:
        """The sender's evidence that no more will come, or None while the study is open."""
        ...

    @property
    def priority(self) -> str:
        """One of `PRIORITIES`."""
        ...

    @property
    def trace_id(self) -> str:
        """The study's trace at the sender."""
        ...


def mark(connection: Connection, study_pks: Sequence[int], evidence: str, at: datetime) -> list[Completed]:
    """Mark studies complete and record `StudyComplete`; return those that changed.

    Those already complete, and those that lack instances which a manifest promised, stay as they are.
    """
    if not study_pks:
        return []
    found = connection.execute(
        update(study)
        .where(
            study.c.pk.in_(study_pks),
            study.c.state == STATE_RECEIVING,
            not_(_promised_more()),
            *_not_lacking(evidence),
        )
        .values(state=STATE_COMPLETE, evidence=evidence)
        .returning(
            study.c.pk,
            study.c.site,
            study.c.study_instance_uid,
            study.c.number_of_instances,
            study.c.revision,
            study.c.trace_id,
        )
    ).all()
    completed = [
        Completed(
            study_pk=row.pk,
            site=row.site,
            study_instance_uid=row.study_instance_uid,
            evidence=evidence,
            number_of_instances=row.number_of_instances,
            revision=row.revision,
            trace_id=row.trace_id,
        )
        for row in sorted(found, key=lambda row: row.pk)
    ]
    record_many(
        connection,
        [
            Event(
                EventName.STUDY_COMPLETE,
                at=at,
                site=one.site,
                study_instance_uid=one.study_instance_uid,
                trace_id=one.trace_id,
                detail={"evidence": evidence, "instances": one.number_of_instances, "version": one.revision},
            )
            for one in completed
        ],
    )
    return completed


def _not_lacking(evidence: str) -> tuple[ColumnElement[bool], ...]:
    """Return the condition that a study has what its modality named; only a person or time may overrule it."""
    if evidence != ASSOCIATION_RELEASED:
        return ()
    return (study.c.number_of_instances >= func.coalesce(study.c.expected_instances, 0),)


def is_ahead(connection: Connection, of: datetime) -> bool:
    """Return whether a study still receiving got something later than a moment to come: the clock was put back since."""
    return connection.execute(select(study.c.pk).where(*_ahead(of)).limit(1)).first() is not None


def begin_anew(connection: Connection, of: datetime, at: datetime) -> None:
    """Let the quiet of such studies begin now, not when the clock has come so far again."""
    connection.execute(update(study).where(*_ahead(of)).values(last_received_at=at))


def _ahead(of: datetime) -> tuple[ColumnElement[bool], ...]:
    return (study.c.state == literal_column(f"'{STATE_RECEIVING}'"), study.c.last_received_at > of)


def quiet_studies(connection: Connection, since: datetime) -> list[int]:
    """Return studies still receiving of which nothing came after `since`, at most `QUIET_STUDIES_MAX`, oldest first."""
    return list(
        connection.execute(
            select(study.c.pk)
            .where(
                study.c.state == literal_column(f"'{STATE_RECEIVING}'"),  # literal: or its partial index is not used
                study.c.last_received_at <= since,
                not_(_promised_more()),
            )
            .order_by(study.c.last_received_at)
            .limit(QUIET_STUDIES_MAX)
        ).scalars()
    )


def promised(connection: Connection, study_pk: int) -> list[int]:
    """Return the study if a manifest describes it and all that it promised is here."""
    described = exists().where(_same_study())
    query = select(study.c.pk).where(study.c.pk == study_pk, described, not_(_promised_more()))
    return list(connection.execute(query).scalars())


def _same_study() -> ColumnElement[bool]:
    return and_(manifest.c.site == study.c.site, manifest.c.study_instance_uid == study.c.study_instance_uid)


def _promised_more() -> ColumnElement[bool]:
    """Whether a manifest is still open, or names more instances than are here."""
    lacks = study.c.number_of_instances < manifest.c.instances_expected
    return exists().where(_same_study(), not_(manifest.c.complete) | lacks)


def write_manifest(connection: Connection, site: str, said: Manifest, at: datetime) -> list[int]:
    """Keep what another exchange says of a study; return the study if that makes it complete.

    It may come before the first instance. An older version than the known one is ignored, the same one again has no
    effect.
    """
    known = (
        connection.execute(
            select(manifest).where(manifest.c.site == site, manifest.c.study_instance_uid == said.study_instance_uid)
        )
        .mappings()
        .first()
    )
    values = {
        "site": site,
        "study_instance_uid": said.study_instance_uid,
        "version": said.version,
        "instances_expected": said.instances,
        "complete": said.complete is not None,
        "evidence": said.complete or "",
        "priority": PRIORITIES[said.priority],
    }
    if known is not None and (
        said.version < known["version"] or all(known[name] == value for name, value in values.items())
    ):
        return []
    upsert(
        connection,
        manifest,
        [values | {"at": at}],
        key=("site", "study_instance_uid"),
        update=("version", "instances_expected", "complete", "evidence", "priority", "at"),
    )
    record(
        connection,
        Event(
            EventName.MANIFEST_RECEIVED,
            at=at,
            site=site,
            study_instance_uid=said.study_instance_uid,
            trace_id=said.trace_id,
            detail={"version": said.version, "instances": said.instances, "complete": said.complete},
        ),
    )
    return _apply(connection, site, said)


def _apply(connection: Connection, site: str, said: Manifest) -> list[int]:
    """Let the study's row say what the manifest says; return the study if it has all that was promised."""
    here = connection.execute(
        select(study.c.pk, study.c.first_received_at, study.c.number_of_instances).where(
            study.c.site == site, study.c.study_instance_uid == said.study_instance_uid
        )
    ).first()
    if here is None:
        return []
    values = {
        "expected_instances": said.instances,
        **rows.urgency(PRIORITIES[said.priority], here.first_received_at),
    }
    if here.number_of_instances < said.instances or said.complete is None:
        values |= {"state": STATE_RECEIVING, "evidence": ""}
    connection.execute(update(study).where(study.c.pk == here.pk).values(values))
    return promised(connection, here.pk)


def set_priority(connection: Connection, study_pk: int, priority: int) -> None:
    """Make a study more urgent; one that is already as urgent stays."""
    first = connection.scalar(
        select(study.c.first_received_at).where(study.c.pk == study_pk, study.c.priority > priority)
    )
    if first is not None:
        connection.execute(update(study).where(study.c.pk == study_pk).values(rows.urgency(priority, first)))
