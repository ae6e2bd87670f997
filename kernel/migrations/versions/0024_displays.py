"""The displays that people read on, and their checks."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def upgrade() -> None:
    op.create_table(
        "display",
        sa.Column("id", sa.String(16), nullable=False),
        sa.Column("name", sa.String(64), nullable=False),
        sa.Column("place", sa.String(128), nullable=False),
        sa.Column("registered_by", sa.String(128), nullable=False),
        sa.Column("registered_at", MOMENT, nullable=False),
        sa.Column("retired_at", MOMENT),
        sa.PrimaryKeyConstraint("id", name="pk_display"),
    )
    op.create_table(
        "display_check",
        sa.Column("pk", BIG_KEY, nullable=False),
        sa.Column("display", sa.String(16), nullable=False),
        sa.Column("checked_by", sa.String(128), nullable=False),
        sa.Column("checked_on", sa.String(10), nullable=False),
        sa.Column("result", sa.String(8), nullable=False),
        sa.Column("next_due", sa.String(10), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.ForeignKeyConstraint(["display"], ["display.id"], name="fk_display_check_display_display"),
        sa.PrimaryKeyConstraint("pk", name="pk_display_check"),
    )
    op.create_index("ix_display_check_display_pk", "display_check", ["display", "pk"])
