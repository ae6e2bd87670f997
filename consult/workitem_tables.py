"""The tables of UPS work items (PS3.4 CC), of who subscribes to them, and of the reports that wait for their subscribers."""

from sqlalchemy import Boolean, Column, Index, Integer, String, Table, Text, UniqueConstraint

from consult.tables import Site, Uid
from kernel.database import BigKey, BinaryText, UtcDateTime, metadata

workitem = Table(
    "workitem",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("uid", Uid, nullable=False),
    Column("state", String(16), nullable=False),
    Column("transaction_uid", Uid, nullable=False, default=""),  # whose lock it is; never shown
    Column("scheduled_start", BinaryText, nullable=False, default=""),  # DT
    Column("patient_id", BinaryText, nullable=False, default=""),
    Column("study_instance_uid", Uid, nullable=False, default=""),
    Column("model", Text, nullable=False),  # DICOM JSON
    Column("revision", Integer, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("site", "uid"),
    Index(None, "site", "state", "scheduled_start"),
    Index(None, "site", "patient_id"),
    Index(None, "site", "study_instance_uid"),
)

subscription = Table(
    "subscription",
    metadata,
    Column("site", Site, primary_key=True),
    Column("uid", Uid, primary_key=True),  # of a work item, or of the global or the filtered worklist
    Column("ae_title", String(16), primary_key=True),
    Column("holder", String(128), nullable=False),  # the account or token that subscribed
    Column("deletion_lock", Boolean, nullable=False),
    Column("filter", Text, nullable=False, default=""),  # of the filtered worklist: its query string
    Column("at", UtcDateTime, nullable=False),
    Index(None, "site", "ae_title"),
)

workitem_report = Table(
    "workitem_report",
    metadata,
    Column("seq", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("ae_title", String(16), nullable=False),
    Column("uid", Uid, nullable=False),
    Column("model", Text, nullable=False),  # DICOM JSON of the N-EVENT-REPORT
    Column("at", UtcDateTime, nullable=False),
    Index(None, "site", "ae_title", "seq"),
)
