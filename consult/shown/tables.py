"""The table of what was shown: a row for a reader and a series, however many images that has."""

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table

from consult.tables import Site, Uid
from kernel.database import UtcDateTime, metadata

shown_series = Table(
    "shown_series",
    metadata,
    Column("account", String(64), ForeignKey("account.name"), primary_key=True),
    Column("site", Site, primary_key=True),
    Column("study_instance_uid", Uid, primary_key=True),
    Column("series_instance_uid", Uid, primary_key=True),
    Column("frames", LargeBinary, nullable=False),  # zlib of JSON: frame numbers by SOP Instance UID, as spans.py says
    Column("shown", Integer, nullable=False),  # how many frames these are
    Column("at", UtcDateTime, nullable=False),  # of the last that was added
    Index(None, "site", "study_instance_uid"),
)
