"""Scheduled and performed procedure steps, and the HL7 messages that were taken."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BINARY_TEXT = sa.Text().with_variant(sa.dialects.postgresql.TEXT(collation="C"), "postgresql")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC

STEP = (
    "accession_number", "step_id", "patient_id", "issuer", "patient_name", "patient_birth_date", "patient_sex",
    "placer_order_number", "filler_order_number", "study_instance_uid", "requested_procedure_id", "procedure_code",
    "procedure_code_scheme", "procedure_description", "step_description", "modality", "station_ae_title",
    "station_name", "start_date", "start_time", "priority", "performing_physician_name",
    "referring_physician_name", "requesting_physician_name", "reason",
)  # fmt: skip


def text(name: str) -> sa.Column:
    return sa.Column(name, BINARY_TEXT, nullable=False)


def pk() -> sa.Column:
    return sa.Column("pk", BIG_KEY, primary_key=True)


def site() -> sa.Column:
    return sa.Column("site", sa.String(32), nullable=False)


def uid(name: str, *, primary_key: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(64), primary_key=primary_key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "scheduled_step",
        pk(),
        site(),
        *(text(name) for name in (*STEP, "name_fold")),
        sa.Column("status", sa.String(16), nullable=False),
        text("origin"),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.UniqueConstraint("site", "accession_number", "step_id"),
    )
    op.create_index(
        "ix_scheduled_step_site_start_date_start_time", "scheduled_step", ["site", "start_date", "start_time"]
    )
    for name in ("study_instance_uid", "filler_order_number", "placer_order_number", "patient_id"):
        op.create_index(f"ix_scheduled_step_site_{name}", "scheduled_step", ["site", name])
    create_performed()
    op.create_table(
        "hl7_message",
        pk(),
        text("sender"),
        text("control_id"),
        sa.Column("digest", sa.LargeBinary(32), nullable=False),
        text("kind"),
        sa.Column("acknowledgement", sa.String(2), nullable=False),
        text("reason"),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("sender", "control_id"),
    )
    op.create_index("ix_hl7_message_at", "hl7_message", ["at"])


def create_performed() -> None:
    op.create_table(
        "performed_step",
        pk(),
        site(),
        uid("sop_instance_uid"),
        sa.Column("status", sa.String(16), nullable=False),
        uid("study_instance_uid"),
        text("station_ae_title"),
        text("modality"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.UniqueConstraint("site", "sop_instance_uid"),
    )
    op.create_index("ix_performed_step_site_study_instance_uid", "performed_step", ["site", "study_instance_uid"])
    op.create_table(
        "performed_instance",
        sa.Column(
            "step_pk",
            BIG_KEY,
            sa.ForeignKey("performed_step.pk"),
            primary_key=True,
            autoincrement=False,
        ),
        uid("sop_instance_uid", primary_key=True),
        uid("series_instance_uid"),
    )
