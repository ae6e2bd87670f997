"""The tables of orders, performed procedure steps and HL7 messages. UPS work items are in workitem_tables.

As in the archive, identity is (site, id), text is never NULL, and dates and times are DICOM's own text (DA, TM).
"""

from dataclasses import fields
from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text, UniqueConstraint

from consult.steps import Step
from kernel.database import BigKey, BinaryText, UtcDateTime, metadata

Uid: Final = String(64)
Site: Final = String(32)


def _text(name: str) -> Column[str]:
    return Column(name, BinaryText, nullable=False, default="")


scheduled_step = Table(
    "scheduled_step",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    *(_text(item.name) for item in fields(Step)),
    _text("name_fold"),
    Column("status", String(16), nullable=False),
    _text("origin"),  # who ordered it: hl7, api, command line
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("site", "accession_number", "step_id"),
    Index(None, "site", "start_date", "start_time"),
    Index(None, "site", "study_instance_uid"),
    Index(None, "site", "filler_order_number"),
    Index(None, "site", "placer_order_number"),
    Index(None, "site", "patient_id"),
)

performed_step = Table(
    "performed_step",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("sop_instance_uid", Uid, nullable=False),
    Column("status", String(16), nullable=False),
    Column("study_instance_uid", Uid, nullable=False),  # of its first scheduled step, which the images will have
    _text("station_ae_title"),
    _text("modality"),
    Column("model", Text, nullable=False),  # all that the modality said, as DICOM JSON
    Column("instances", Integer, nullable=False),  # that it refers to once it is completed
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("site", "sop_instance_uid"),
    Index(None, "site", "study_instance_uid"),
)

performed_instance = Table(
    "performed_instance",
    metadata,
    Column("step_pk", BigKey, ForeignKey("performed_step.pk"), primary_key=True, autoincrement=False),
    Column("sop_instance_uid", Uid, primary_key=True),
    Column("series_instance_uid", Uid, nullable=False),
)

hl7_message = Table(
    "hl7_message",
    metadata,
    Column("pk", BigKey, primary_key=True),
    _text("sender"),  # MSH-3 and MSH-4
    _text("control_id"),  # MSH-10
    Column("digest", LargeBinary(32), nullable=False),
    _text("kind"),  # MSH-9
    Column("acknowledgement", String(2), nullable=False),
    _text("reason"),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("sender", "control_id"),
    Index(None, "at"),
)
