"""UPS work items, subscriptions and the reports that wait for subscribers."""

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
BINARY_TEXT = sa.Text().with_variant(sa.dialects.postgresql.TEXT(collation="C"), "postgresql")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def site(*, primary_key: bool = False) -> sa.Column:
    return sa.Column("site", sa.String(32), primary_key=primary_key, nullable=False)


def uid(name: str = "uid", *, primary_key: bool = False) -> sa.Column:
    return sa.Column(name, sa.String(64), primary_key=primary_key, nullable=False)


def upgrade() -> None:
    op.create_table(
        "workitem",
        sa.Column("pk", BIG_KEY, primary_key=True),
        site(),
        uid(),
        sa.Column("state", sa.String(16), nullable=False),
        uid("transaction_uid"),
        sa.Column("scheduled_start", BINARY_TEXT, nullable=False),
        sa.Column("patient_id", BINARY_TEXT, nullable=False),
        uid("study_instance_uid"),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("updated_at", MOMENT, nullable=False),
        sa.UniqueConstraint("site", "uid"),
    )
    op.create_index("ix_workitem_site_state_scheduled_start", "workitem", ["site", "state", "scheduled_start"])
    for name in ("patient_id", "study_instance_uid"):
        op.create_index(f"ix_workitem_site_{name}", "workitem", ["site", name])
    op.create_table(
        "subscription",
        site(primary_key=True),
        uid(primary_key=True),
        sa.Column("ae_title", sa.String(16), primary_key=True),
        sa.Column("holder", sa.String(128), nullable=False),
        sa.Column("deletion_lock", sa.Boolean(), nullable=False),
        sa.Column("filter", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_subscription_site_ae_title", "subscription", ["site", "ae_title"])
    op.create_table(
        "workitem_report",
        sa.Column("seq", BIG_KEY, primary_key=True),
        site(),
        sa.Column("ae_title", sa.String(16), nullable=False),
        uid(),
        sa.Column("model", sa.Text(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
    )
    op.create_index("ix_workitem_report_site_ae_title_seq", "workitem_report", ["site", "ae_title", "seq"])
