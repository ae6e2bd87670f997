"""What was made of a study by de-identification, and what of it is held: for the report of a study. Reads only."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, select

from kernel.archive.tables import instance, series, study
from routing.destinations import NO_PROFILE
from routing.jobs import JobState
from routing.tables import derived, job


@dataclass(frozen=True, slots=True)
class Copy:
    """One derived instance: whose record, and where its bytes are."""

    variant: str
    study_instance_uid: str  # the new one
    series_instance_uid: str
    sop_instance_uid: str
    blob_key: str
    record: Mapping[str, Any]  # as `anonymizer.engine.result.ActionRecord`


@dataclass(frozen=True, slots=True)
class HeldInstance:
    """One instance, as received, that waits for a person."""

    sop_instance_uid: str
    because: str
    in_tag: str


def copies_of(connection: Connection, site: str, study_instance_uid: str) -> list[Copy]:
    """Return the derived instances of a study, by its UID as received, in a fixed order."""
    columns = (
        derived.c.variant,
        derived.c.new_study_instance_uid,
        derived.c.new_series_instance_uid,
        derived.c.new_sop_instance_uid,
        derived.c.blob_key,
        derived.c.record,
    )
    rows = connection.execute(
        select(*columns)
        .join(
            instance,
            (instance.c.sop_instance_uid == derived.c.sop_instance_uid) & (instance.c.site == derived.c.site),
        )
        .join(series, series.c.pk == instance.c.series_pk)
        .join(study, study.c.pk == series.c.study_pk)
        .where(study.c.site == site, study.c.study_instance_uid == study_instance_uid)
        .order_by(derived.c.variant, derived.c.new_series_instance_uid, derived.c.new_sop_instance_uid)
    )
    return [Copy(*row[:-1], json.loads(row[-1])) for row in rows]


def held_of(connection: Connection, site: str, study_instance_uid: str) -> list[HeldInstance]:
    """Return what is held of a study, and why: tags and words, never values."""
    rows = connection.execute(
        select(job.c.sop_instance_uid, job.c.cause, job.c.detail)
        .where(job.c.site == site, job.c.study_instance_uid == study_instance_uid)
        .where(job.c.state == JobState.HELD.value)
        .order_by(job.c.sop_instance_uid, job.c.pk)
    )
    return [HeldInstance(*row) for row in rows]


def labels_kept(connection: Connection, site: str, study_instance_uid: str) -> int:
    """Count the labels and overviews of slides in a study that no de-identification makes copies of, or is to."""
    copied = select(derived.c.site).where(
        derived.c.site == instance.c.site, derived.c.sop_instance_uid == instance.c.sop_instance_uid
    )
    awaited = select(job.c.pk).where(
        job.c.site == instance.c.site, job.c.study_instance_uid == study.c.study_instance_uid,
        job.c.sop_instance_uid == instance.c.sop_instance_uid, job.c.profile != NO_PROFILE,
    )  # fmt: skip
    labels = (
        select(func.count())
        .select_from(instance.join(series, series.c.pk == instance.c.series_pk))
        .join(study, study.c.pk == series.c.study_pk)
        .where(study.c.site == site, study.c.study_instance_uid == study_instance_uid, instance.c.shows_label)
    )
    return connection.scalar(labels.where(~copied.exists(), ~awaited.exists())) or 0
