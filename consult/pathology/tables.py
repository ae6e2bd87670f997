"""The tables of pathology: forms, each state of them, and readers' validations."""

from sqlalchemy import Boolean, Column, Integer, String, Table, Text, UniqueConstraint

from consult.tables import Site, Uid
from kernel.database import BigKey, UtcDateTime, metadata

pathology_form = Table(
    "pathology_form",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("study_instance_uid", Uid, nullable=False),
    Column("revision", Integer, nullable=False),  # from 1; the greatest is the present state
    Column("purpose", String(16), nullable=False),
    Column("fields", Text, nullable=False),  # JSON: text by name
    Column("author", String(128), nullable=False),
    Column("display", String(128), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("site", "study_instance_uid", "revision"),
)

slide_validation = Table(
    "slide_validation",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("account", String(128), nullable=False),
    Column("number", String(64), nullable=False),  # the laboratory's own of a case
    Column("glass_diagnosis", Text, nullable=False),
    Column("digital_diagnosis", Text, nullable=False),
    Column("glass_on", String(10), nullable=False),  # YYYY-MM-DD
    Column("digital_on", String(10), nullable=False),
    Column("is_concordant", Boolean, nullable=False),
    Column("recorded_by", String(128), nullable=False),
    Column("recorded_at", UtcDateTime, nullable=False),
    UniqueConstraint("account", "number"),
)
