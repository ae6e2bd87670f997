"""What was drawn and not saved: drafts, kept with accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"


def upgrade() -> None:
    op.create_table(
        "draft",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("part", sa.String(length=80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),  # microseconds since 1970 UTC
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_draft_account_account"),
        sa.PrimaryKeyConstraint("account", "site", "study_instance_uid", "part", name="pk_draft"),
    )
    op.create_index("ix_draft_kept_at", "draft", ["kept_at"])
