"""How many studies each day has: where a page far down the list begins is found without walking there."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0018"
down_revision = "0017"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "study_day",
        sa.Column("study_date", TEXT, nullable=False),
        sa.Column("studies", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("study_date", name="pk_study_day"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO study_day (study_date, studies) SELECT study_date, count(*) FROM study GROUP BY study_date")
