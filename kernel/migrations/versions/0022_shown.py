"""Which images were shown to whom as they are stored: a row for a reader and a series."""

import sqlalchemy as sa
from alembic import op

revision = "0022"
down_revision = "0021"


def upgrade() -> None:
    op.create_table(
        "shown_series",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("frames", sa.LargeBinary(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),  # microseconds since 1970 UTC
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_shown_series_account_account"),
        sa.PrimaryKeyConstraint("account", "site", "study_instance_uid", "series_instance_uid", name="pk_shown_series"),
    )
    op.create_index("ix_shown_series_site_study_instance_uid", "shown_series", ["site", "study_instance_uid"])
