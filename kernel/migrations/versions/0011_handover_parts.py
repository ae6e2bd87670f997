"""Ask for the commitment of a large study in several transactions."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"


def upgrade() -> None:
    with op.batch_alter_table("handover") as table:
        table.add_column(sa.Column("part", sa.Integer(), nullable=False, server_default="0"))
