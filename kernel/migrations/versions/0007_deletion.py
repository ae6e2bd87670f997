"""Blobs to be removed after a deletion, and legal holds."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def upgrade() -> None:
    op.create_table(
        "reclaim",
        sa.Column("blob_key", sa.String(160), nullable=False),
        sa.Column("sop_instance_uid", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("blob_key", name="pk_reclaim"),
    )
    op.create_index("ix_reclaim_at", "reclaim", ["at"])
    op.create_table(
        "legal_hold",
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("who", sa.String(128), nullable=False),
        sa.Column("reason", sa.String(64), nullable=False),
        sa.PrimaryKeyConstraint("site", "study_instance_uid", name="pk_legal_hold"),
    )
