"""The table of drafts: what was drawn and not saved, one row an account, study and part of it."""

from typing import Final

from sqlalchemy import Column, ForeignKey, Index, Integer, String, Table, Text

from consult.tables import Site, Uid
from kernel.database import UtcDateTime, metadata

PART_CHARACTERS_MAX: Final = 80

draft = Table(
    "draft",
    metadata,
    Column("account", String(64), ForeignKey("account.name"), primary_key=True),
    Column("site", Site, primary_key=True),
    Column("study_instance_uid", Uid, primary_key=True),
    Column("part", String(PART_CHARACTERS_MAX), primary_key=True),  # of the study, in the reading room's words
    Column("version", Integer, nullable=False),  # from 1
    Column("content", Text, nullable=False),  # empty: it was saved or dropped
    Column("kept_at", UtcDateTime, nullable=False),
    Index(None, "kept_at"),
)
