"""Search by the referring physician's name without regard to case and accents, as by the patient's."""

import sqlalchemy as sa
from alembic import op

from kernel.dicom.vocabulary.names import fold

revision = "0003"
down_revision = "0002"

PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
BATCH = 1000


def upgrade() -> None:
    op.add_column("study", sa.Column("referring_fold", PLAIN, nullable=False, server_default=sa.text("''")))
    study = sa.table("study", sa.column("pk"), sa.column("referring_physician_name"), sa.column("referring_fold"))
    connection, last = op.get_bind(), 0
    while rows := connection.execute(
        sa.select(study.c.pk, study.c.referring_physician_name)
        .where(study.c.pk > last, study.c.referring_physician_name != "")
        .order_by(study.c.pk)
        .limit(BATCH)
    ).all():
        last = rows[-1].pk
        connection.execute(
            sa.update(study).where(study.c.pk == sa.bindparam("key")).values(referring_fold=sa.bindparam("folded")),
            [{"key": row.pk, "folded": fold(row.referring_physician_name)} for row in rows],
        )
