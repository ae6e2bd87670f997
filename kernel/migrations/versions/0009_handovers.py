"""What destinations are still to be asked or told about a study: commitment, availability."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def upgrade() -> None:
    op.create_table(
        "handover",
        sa.Column("pk", BIG_KEY, nullable=False),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("destination", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("trace_id", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("transaction_uid", sa.String(length=64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_at", MOMENT, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("detail", sa.String(length=500), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_handover"),
    )
    op.create_index("ix_handover_state_next_at", "handover", ["state", "next_at"])
    op.create_index("ix_handover_transaction_uid", "handover", ["transaction_uid"])
    op.create_index("ix_handover_site_study_instance_uid", "handover", ["site", "study_instance_uid"])
    op.create_table(
        "follower",
        sa.Column("name", sa.String(length=32), nullable=False),
        sa.Column("seq", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_follower"),
    )
