"""Plans, jobs, lanes, consignments, deliveries, derived instances and the vault."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def site(*, primary_key: bool = False) -> sa.Column:
    return sa.Column("site", sa.String(32), primary_key=primary_key, nullable=False)


def uid(name: str, *, primary_key: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(64), primary_key=primary_key, nullable=False)


def text(name: str, length: int) -> sa.Column:
    return sa.Column(name, sa.String(length), nullable=False)


def upgrade() -> None:
    op.create_table(
        "study_plan",
        site(primary_key=True),
        uid("study_instance_uid", primary_key=True),
        sa.Column("rules_version", sa.String(32), primary_key=True),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    create_job()
    op.create_table(
        "lane",
        sa.Column("name", sa.String(120), primary_key=True),
        text("owner", 80),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT),
        sa.Column("failures", sa.Integer(), nullable=False),
        text("cause", 32),
        sa.Column("until", MOMENT),
        text("status", 32),
        text("detail", 500),
        sa.Column("batch_limit", sa.Integer(), nullable=False),
        sa.Column("delivered_at", MOMENT),
    )
    create_deliveries()
    create_derived()


def create_job() -> None:
    op.create_table(
        "job",
        sa.Column("pk", BIG_KEY, primary_key=True),
        text("kind", 16),
        text("lane", 80),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        text("state", 16),
        sa.Column("run_at", MOMENT, nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        text("owner", 80),
        sa.Column("epoch", sa.Integer(), nullable=False),
        sa.Column("lease_until", MOMENT),
        text("key", 320),
        site(),
        uid("study_instance_uid"),
        uid("sop_instance_uid"),
        text("profile", 32),
        text("variant", 96),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("targets", sa.Text(), nullable=False),
        text("fallback_charset", 16),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        text("trace_id", 64),
        text("cause", 32),
        text("detail", 500),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("key"),
    )
    ready, running = sa.text("state = 'ready'"), sa.text("state = 'running'")
    op.create_index("ix_job_ready", "job", ["lane", "priority", "pk"], sqlite_where=ready, postgresql_where=ready)
    op.create_index("ix_job_running", "job", ["lease_until"], sqlite_where=running, postgresql_where=running)
    op.create_index("ix_job_study", "job", ["site", "study_instance_uid", "kind"])


def create_deliveries() -> None:
    op.create_table(
        "consignment",
        sa.Column("destination", sa.String(64), primary_key=True),
        site(primary_key=True),
        uid("study_instance_uid", primary_key=True),
        sa.Column("profile", sa.String(32), primary_key=True),
        uid("sent_study_instance_uid"),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("instances", sa.Integer(), nullable=False),
        sa.Column("delivered", sa.Integer(), nullable=False),
        text("evidence", 64),
        sa.Column("announced_version", sa.Integer(), nullable=False),
        sa.Column("delivered_at", MOMENT),
        text("trace_id", 64),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_consignment_study", "consignment", ["site", "study_instance_uid"])
    op.create_table(
        "delivery",
        sa.Column("destination", sa.String(64), primary_key=True),
        site(primary_key=True),
        uid("sop_instance_uid", primary_key=True),
        sa.Column("profile", sa.String(32), primary_key=True),
        uid("study_instance_uid"),
        text("state", 16),
        text("cause", 32),
        text("status", 32),
        text("detail", 500),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_delivery_study", "delivery", ["site", "study_instance_uid"])


def create_derived() -> None:
    op.create_table(
        "derived",
        site(primary_key=True),
        uid("sop_instance_uid", primary_key=True),
        sa.Column("variant", sa.String(96), primary_key=True),
        uid("new_study_instance_uid"),
        uid("new_series_instance_uid"),
        uid("new_sop_instance_uid"),
        uid("sop_class_uid"),
        uid("transfer_syntax_uid"),
        text("blob_key", 96),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        text("sha256", 64),
        sa.Column("record", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_derived_new_study_instance_uid", "derived", ["new_study_instance_uid"])
    op.create_index("ix_derived_blob_key", "derived", ["blob_key"])
    op.create_table(
        "vault_entry",
        site(primary_key=True),
        sa.Column("kind", sa.String(16), primary_key=True),
        sa.Column("blind_index", sa.LargeBinary(32), primary_key=True),
        text("key_id", 32),
        sa.Column("nonce", sa.LargeBinary(12), nullable=False),
        sa.Column("ciphertext", sa.LargeBinary(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
