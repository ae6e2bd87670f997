"""Forms of pathology, each state of them, and readers' validations of reading slides on a screen."""

import sqlalchemy as sa
from alembic import op

revision = "0020"
down_revision = "0019"

BIG_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC


def upgrade() -> None:
    op.create_table(
        "pathology_form",
        sa.Column("pk", BIG_KEY, primary_key=True),
        sa.Column("site", sa.String(32), nullable=False),
        sa.Column("study_instance_uid", sa.String(64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("purpose", sa.String(16), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.Column("author", sa.String(128), nullable=False),
        sa.Column("display", sa.String(128), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.UniqueConstraint("site", "study_instance_uid", "revision"),
    )
    op.create_table(
        "slide_validation",
        sa.Column("pk", BIG_KEY, primary_key=True),
        sa.Column("account", sa.String(128), nullable=False),
        sa.Column("number", sa.String(64), nullable=False),
        sa.Column("glass_diagnosis", sa.Text(), nullable=False),
        sa.Column("digital_diagnosis", sa.Text(), nullable=False),
        sa.Column("glass_on", sa.String(10), nullable=False),
        sa.Column("digital_on", sa.String(10), nullable=False),
        sa.Column("is_concordant", sa.Boolean(), nullable=False),
        sa.Column("recorded_by", sa.String(128), nullable=False),
        sa.Column("recorded_at", MOMENT, nullable=False),
        sa.UniqueConstraint("account", "number"),
    )
