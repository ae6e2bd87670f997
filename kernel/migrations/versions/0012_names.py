"""The distinct names of studies, in place of the trigrams of every study's name."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0012"
down_revision = "0011"

TEXT = sa.Text().with_variant(postgresql.TEXT(collation="C"), "postgresql")


def upgrade() -> None:
    op.create_table(
        "distinct_name",
        sa.Column("name_fold", TEXT, nullable=False),
        sa.PrimaryKeyConstraint("name_fold", name="pk_distinct_name"),
        sqlite_with_rowid=False,
    )
    op.execute("INSERT INTO distinct_name (name_fold) SELECT DISTINCT name_fold FROM study")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE IF EXISTS study_name")
    else:
        op.execute("DROP INDEX IF EXISTS ix_study_name_fold_trigram")
