"""Which instances of slides show the label: looked for once in what is stored, afterwards as instances arrive."""

import json

import sqlalchemy as sa
import zstandard
from alembic import op

revision = "0017"
down_revision = "0016"

WHOLE_SLIDE = "1.2.840.10008.5.1.4.1.1.77.1.6"
AT_ONCE = 500


def upgrade() -> None:
    with op.batch_alter_table("instance") as table:
        table.add_column(sa.Column("shows_label", sa.Boolean(), nullable=False, server_default=sa.false()))
    instance = sa.table(
        "instance", sa.column("pk"), sa.column("sop_class_uid"), sa.column("metadata"), sa.column("shows_label")
    )
    connection = op.get_bind()
    wanted = sa.select(instance.c.pk).where(instance.c.sop_class_uid == WHOLE_SLIDE)
    pks = list(connection.execute(wanted).scalars())
    for start in range(0, len(pks), AT_ONCE):
        some = instance.c.pk.in_(pks[start : start + AT_ONCE])
        rows = connection.execute(sa.select(instance.c.pk, instance.c.metadata).where(some)).all()
        showing = [row.pk for row in rows if _shows_label(row.metadata)]
        if showing:
            connection.execute(sa.update(instance).where(instance.c.pk.in_(showing)).values(shows_label=sa.true()))


def _shows_label(metadata: bytes) -> bool:
    """Tell as `kernel.dicom.scanning.slide_flavour` did when this was written."""
    model = json.loads(zstandard.ZstdDecompressor().decompress(metadata))
    words = [str(word).strip().upper() for word in model.get("00080008", {}).get("Value", [])]
    said = [str(word).strip().upper() for word in model.get("00480010", {}).get("Value", [])]
    return (words[2] if len(words) > 2 else "") not in ("VOLUME", "THUMBNAIL") or "YES" in said
