"""Performed steps in the database: what modalities say they do, and what it says of studies.

A completed step names every instance that it made. When all of them are here and no other step of the study goes on, the
study is complete; until then its row says how many are expected. Steps come before, while or after their images do, so
arriving instances are looked at as well: only those of studies that are awaited, which are kept in memory.
"""

import threading
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import Connection, delete, distinct, exists, func, select, update

from consult import orders, performed
from consult.order_rows import OrderNumbers
from consult.performed import Belongs, Model, Progress
from consult.steps import Status
from consult.tables import performed_instance, performed_step, scheduled_step
from kernel.archive.ingest.complete import MPPS_COMPLETED
from kernel.archive.records import Completed, Stored
from kernel.archive.tables import instance, manifest, study
from kernel.clock import Clock
from kernel.database import Database, insert, tx_after_commit, upsert
from kernel.errors import NotFound, StepExists
from kernel.events import Event, EventName, record

Complete = Callable[[Connection, Sequence[int], str], list[Completed]]
AWAITED_MAX: Final = 10_000  # studies whose instances are awaited; the oldest are left to the quiet time
AWAITED: Final = timedelta(days=30)  # how long after its step's last word

_STEP_STATUS: Final = {
    Progress.IN_PROGRESS: Status.STARTED,
    Progress.COMPLETED: Status.COMPLETED,
    Progress.DISCONTINUED: Status.DISCONTINUED,
}


class PerformedSteps:
    """What modalities performed. One object in the process that owns the database."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db = db
        self._clock = clock
        self._complete: Complete | None = None
        self._lock = threading.Lock()
        self._awaited: dict[tuple[str, str], None] = {}

    def begin(self, complete: Complete) -> None:
        """Complete studies by `complete` from now on, and remember what was awaited when the node stopped."""
        self._complete = complete
        with self._db.read() as connection:
            for key in _awaited(connection, self._clock.now() - AWAITED):
                self._await(key)

    def create(self, site: str, sop_instance_uid: str, model: Model) -> None:
        """Keep a step that a modality began (N-CREATE); durable on return.

        Raises
        ------
        StepExists
            There is one of this UID.
        InvalidStep
            It is not what the standard wants.
        """
        begun = performed.begun(model)
        self._db.write(lambda connection: self._create(connection, site, sop_instance_uid, begun))

    def change(self, site: str, sop_instance_uid: str, change: Model) -> None:
        """Let a step go on or end (N-SET); durable on return.

        Raises
        ------
        NotFound
            There is none of this UID at this site.
        StepIsFinal, InvalidStep
            It may not be changed so.
        """
        self._db.write(lambda connection: self._change(connection, site, sop_instance_uid, change))

    def participant(self, connection: Connection, stored: Sequence[Stored]) -> None:
        """Look at new instances inside their transaction: they may be the last ones of a completed step."""
        if not self._awaited:
            return
        studies = {(one.received.origin.site, one.ingested.study_instance_uid) for one in stored}
        for site, study_instance_uid in studies & self._awaited.keys():
            self._settle(connection, site, study_instance_uid)

    def _create(self, connection: Connection, site: str, sop_instance_uid: str, model: Model) -> None:
        table = performed_step
        at = self._clock.now()
        belongs = performed.belongs(model)
        made = connection.execute(
            insert(connection, table)
            .values(
                site=site,
                sop_instance_uid=sop_instance_uid,
                status=Progress.IN_PROGRESS.value,
                study_instance_uid=belongs[0].study_instance_uid,
                station_ae_title=performed.text(model, "PerformedStationAETitle"),
                modality=performed.text(model, "Modality"),
                model=msgspec.json.encode(model).decode(),
                instances=0,
                created_at=at,
                updated_at=at,
            )
            .on_conflict_do_nothing(index_elements=["site", "sop_instance_uid"])
            .returning(table.c.pk)
        ).first()
        if made is None:
            raise StepExists(sop_instance_uid=sop_instance_uid)
        self._tell(connection, site, model, at)

    def _change(self, connection: Connection, site: str, sop_instance_uid: str, change: Model) -> None:
        table = performed_step
        row = connection.execute(
            select(table).where(table.c.site == site, table.c.sop_instance_uid == sop_instance_uid)
        ).first()
        if row is None:
            raise NotFound(what="performed procedure step")
        known: Model = msgspec.json.decode(row.model)
        model = performed.changed(known, change)
        if model == known:
            return
        at, after = self._clock.now(), performed.progress(model)
        named = {one.sop_instance_uid: one.series_instance_uid for one in performed.named(model)}
        values = {
            "status": after.value,
            "model": msgspec.json.encode(model).decode(),
            "instances": len(named),
            "updated_at": at,
        }
        connection.execute(update(table).where(table.c.pk == row.pk).values(values))
        connection.execute(delete(performed_instance).where(performed_instance.c.step_pk == row.pk))
        rows = [
            {"step_pk": row.pk, "sop_instance_uid": sop, "series_instance_uid": series} for sop, series in named.items()
        ]
        upsert(connection, performed_instance, rows, key=("step_pk", "sop_instance_uid"))
        if after is not Progress.IN_PROGRESS:
            self._tell(connection, site, model, at)
            self._settle(connection, site, row.study_instance_uid)

    def _tell(self, connection: Connection, site: str, model: Model, at: datetime) -> None:
        """Let the scheduled steps follow, and the study's events say so."""
        belongs, now = performed.belongs(model), performed.progress(model)
        for one in belongs:
            numbers = _numbers(connection, site, one)
            if numbers is not None:
                orders.set_status(connection, site, numbers, _STEP_STATUS[now], at=at)
        study_instance_uid = belongs[0].study_instance_uid
        trace = connection.scalar(
            select(study.c.trace_id).where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
        )
        detail = {"status": now.value, "instances": sum(1 for _ in performed.named(model))}
        record(
            connection,
            Event(EventName.STEP_PERFORMED, at, site, study_instance_uid, trace or "", detail),
        )

    def _settle(self, connection: Connection, site: str, study_instance_uid: str) -> None:
        """Say how many instances a study is to have; complete it when all that were named are here."""
        key = (site, study_instance_uid)
        pk = connection.scalar(
            select(study.c.pk).where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
        )
        going_on, expected, lacking = _counted(connection, site, study_instance_uid)
        if pk is not None and expected:
            described = exists().where(manifest.c.site == site, manifest.c.study_instance_uid == study_instance_uid)
            connection.execute(update(study).where(study.c.pk == pk, ~described).values(expected_instances=expected))
        if pk is None or lacking or going_on:
            tx_after_commit(connection, lambda: self._await(key))
            return
        tx_after_commit(connection, lambda: self._forget(key))
        if expected and self._complete is not None:
            self._complete(connection, [pk], MPPS_COMPLETED)

    def _await(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._awaited[key] = None
            while len(self._awaited) > AWAITED_MAX:
                del self._awaited[next(iter(self._awaited))]

    def _forget(self, key: tuple[str, str]) -> None:
        with self._lock:
            self._awaited.pop(key, None)


def said_of(connection: Connection, site: str, sop_instance_uid: str) -> Model | None:
    """Return all that a modality said of a step so far; None when there is none of this UID at this site."""
    table = performed_step
    query = select(table.c.model).where(table.c.site == site, table.c.sop_instance_uid == sop_instance_uid)
    model = connection.scalar(query)
    return None if model is None else msgspec.json.decode(model)


def _numbers(connection: Connection, site: str, one: Belongs) -> OrderNumbers | None:
    """Return how the scheduled step is called here, None when nobody ordered it."""
    table = scheduled_step
    where = [table.c.site == site, table.c.study_instance_uid == one.study_instance_uid]
    if one.step_id:
        where.append(table.c.step_id == one.step_id)
    rows = connection.execute(select(table.c.accession_number, table.c.step_id).where(*where).limit(2)).all()
    if len(rows) == 1:
        return OrderNumbers(accession_number=rows[0].accession_number, step_id=rows[0].step_id)
    if one.accession_number and one.step_id:
        return OrderNumbers(accession_number=one.accession_number, step_id=one.step_id)
    return None


def _counted(connection: Connection, site: str, study_instance_uid: str) -> tuple[int, int, int]:
    """Return how many steps of a study go on, how many instances its completed ones name, and how many of them lack."""
    steps, named = performed_step, performed_instance
    of_study = (steps.c.site == site, steps.c.study_instance_uid == study_instance_uid)
    going_on = connection.scalar(
        select(func.count()).select_from(steps).where(*of_study, steps.c.status == Progress.IN_PROGRESS.value)
    )
    here = exists().where(instance.c.sop_instance_uid == named.c.sop_instance_uid, instance.c.site == site)
    counts = select(func.count(distinct(named.c.sop_instance_uid))).where(
        *of_study, steps.c.status == Progress.COMPLETED.value, named.c.step_pk == steps.c.pk
    )
    return going_on or 0, connection.scalar(counts) or 0, connection.scalar(counts.where(~here)) or 0


def _awaited(connection: Connection, since: datetime) -> list[tuple[str, str]]:
    """Return the studies of which a completed step names instances that are not here, oldest first."""
    steps, named = performed_step, performed_instance
    here = exists().where(instance.c.sop_instance_uid == named.c.sop_instance_uid, instance.c.site == steps.c.site)
    lacks = exists().where(named.c.step_pk == steps.c.pk, ~here)
    query = (
        select(steps.c.site, steps.c.study_instance_uid)
        .where(steps.c.status == Progress.COMPLETED.value, steps.c.updated_at >= since, lacks)
        .order_by(steps.c.updated_at.desc())
        .limit(AWAITED_MAX)
    )
    return [(row.site, row.study_instance_uid) for row in reversed(connection.execute(query).all())]
