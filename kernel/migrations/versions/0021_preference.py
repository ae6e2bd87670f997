"""What people like: kept with their accounts."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"


def upgrade() -> None:
    op.create_table(
        "preference",
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("settings", sa.Text(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),  # microseconds since 1970 UTC
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_preference_account_account"),
        sa.PrimaryKeyConstraint("account", name="pk_preference"),
    )
