"""Count the transactions of storage commitment that one address has."""

from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    op.create_index("ix_commitment_address", "commitment", ["address"])
