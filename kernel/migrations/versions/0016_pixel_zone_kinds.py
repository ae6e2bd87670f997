"""Zones are learnt of more kinds of devices, each by its serial number: what was learnt before is learnt again."""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"


def upgrade() -> None:
    op.execute("DELETE FROM pixel_zone")
    with op.batch_alter_table("pixel_zone") as table:
        table.add_column(sa.Column("serial", sa.String(length=64), nullable=False))
        table.add_column(sa.Column("kind", sa.String(length=16), nullable=False))
