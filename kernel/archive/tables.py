"""The tables of the archive: patients, studies, series, instances, and what is kept apart from them.

Identity is (site, issuer, id) everywhere: two sites never share a row. Text is kept as decoded, never NULL (absent is
the empty string, so that order and ranges need no special case); `name_fold` is `kernel.dicom.vocabulary.names.fold` of the name,
`referring_fold` that of the referring physician's.
Dates and times are DICOM's own text (DA, TM).
"""

from datetime import UTC, datetime, timedelta
from typing import Final

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    false,
    text,
)

from kernel.database import BigKey, BinaryText, UtcDateTime, metadata

PRIORITY_STAT: Final = 0
PRIORITY_URGENT: Final = 1
PRIORITY_ROUTINE: Final = 2
STATE_RECEIVING: Final = "receiving"
STATE_COMPLETE: Final = "complete"

_RECEIVING: Final = text(f"state = '{STATE_RECEIVING}'")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
RANKS_OF_A_PRIORITY: Final = 10**16

_NARROWING: Final = ("site", "patient_sex", "modalities")

Uid: Final = String(64)
Site: Final = String(32)


def _text(name: str) -> Column[str]:
    return Column(name, BinaryText, nullable=False, default="")


def _count(name: str) -> Column[int]:
    return Column(name, Integer, nullable=False, default=0)


patient = Table(
    "patient",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    _text("issuer"),
    _text("patient_id"),
    # Without a Patient ID nothing says that two studies are one person's: each study then has a patient of its own.
    _text("only_in_study"),
    _text("patient_name"),
    _text("name_fold"),
    _text("patient_birth_date"),
    _text("patient_sex"),
    UniqueConstraint("site", "issuer", "patient_id", "only_in_study"),
)

study = Table(
    "study",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("study_instance_uid", Uid, nullable=False),
    Column("patient_pk", BigKey, ForeignKey("patient.pk"), nullable=False),
    _text("study_date"),
    _text("study_time"),
    _text("accession_number"),
    _text("study_id"),
    _text("study_description"),
    _text("referring_physician_name"),
    Column("referring_fold", BinaryText, nullable=False, default="", server_default=text("''")),
    # The patient as this study says it, so that a list of studies is read from one table.
    _text("patient_name"),
    _text("name_fold"),
    _text("patient_id"),
    _text("issuer"),
    _text("patient_birth_date"),
    _text("patient_sex"),
    # An instance of this study named another patient; the first one stands, a person must look.
    Column("patient_disputed", Boolean, nullable=False, default=False),
    _text("modalities"),  # in order, joined by a backslash
    _text("body_part"),
    _count("number_of_series"),
    _count("number_of_instances"),
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("first_received_at", UtcDateTime, nullable=False),
    Column("last_received_at", UtcDateTime, nullable=False),
    Column("state", String(16), nullable=False, default=STATE_RECEIVING),
    _text("evidence"),  # why it counts as complete; empty while receiving
    Column("priority", SmallInteger, nullable=False, default=PRIORITY_ROUTINE),
    # Descending, this is the worklist's order: STAT first, then newest (see `worklist_rank`).
    Column("worklist_rank", BigInteger, nullable=False),
    Column("expected_instances", Integer),  # as the sender's manifest says; NULL when nobody said
    Column("trace_id", String(64), nullable=False),
    _count("revision"),  # grows with every instance; the version of this node's own manifest
    UniqueConstraint("site", "study_instance_uid"),
    Index(None, "study_instance_uid"),
    Index(None, "patient_pk"),
    Index(None, "patient_id"),
    Index(None, "accession_number"),
    Index(None, "patient_birth_date"),
    # By what lists are ordered or led (see plan.py), with all that lists are usually narrowed by: walked backwards,
    # newest first, without a look at the rows.
    Index("ix_study_by_date", "study_date", "pk", *_NARROWING, "name_fold"),
    Index("ix_study_by_name", "name_fold", "study_date", "pk", *_NARROWING),
    Index("ix_study_by_rank", "worklist_rank", "pk", *_NARROWING, "name_fold"),
    # The few that are being received: nothing in it changes while their instances come.
    Index("ix_study_receiving", "pk", sqlite_where=_RECEIVING, postgresql_where=_RECEIVING),
)

# Every folded name that a study has, once: where parts of names are looked for, so that few texts are compared.
distinct_name = Table(
    "distinct_name",
    metadata,
    Column("name_fold", BinaryText, primary_key=True),
    sqlite_with_rowid=False,
)

# How many studies each day has, so that a page far down the list is begun near its place.
study_day = Table(
    "study_day",
    metadata,
    Column("study_date", BinaryText, primary_key=True),
    Column("studies", Integer, nullable=False),
    sqlite_with_rowid=False,
)

study_modality = Table(
    "study_modality",
    metadata,
    Column("modality", BinaryText, primary_key=True),
    Column("study_date", BinaryText, primary_key=True),
    Column("study_pk", BigKey, ForeignKey("study.pk"), primary_key=True, autoincrement=False),
    Index(None, "study_pk"),
)

series = Table(
    "series",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("study_pk", BigKey, ForeignKey("study.pk"), nullable=False),
    Column("series_instance_uid", Uid, nullable=False),
    _text("modality"),
    Column("series_number", Integer),
    _text("series_description"),
    _text("body_part_examined"),
    _text("series_date"),
    _text("series_time"),
    _count("number_of_instances"),
    _count("number_of_frames"),
    Column("last_received_at", UtcDateTime, nullable=False),
    _count("revision"),
    UniqueConstraint("study_pk", "series_instance_uid"),
    Index(None, "series_instance_uid"),
)

instance = Table(
    "instance",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("series_pk", BigKey, ForeignKey("series.pk"), nullable=False),
    Column("site", Site, nullable=False),
    Column("sop_instance_uid", Uid, nullable=False),
    Column("sop_class_uid", Uid, nullable=False),
    Column("transfer_syntax_uid", Uid, nullable=False),
    Column("instance_number", Integer),
    Column("number_of_frames", Integer, nullable=False),
    Column("rows", Integer),
    Column("columns", Integer),
    Column("bits_allocated", Integer),
    Column("photometric_interpretation", BinaryText),
    Column("has_pixels", Boolean, nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blob_key", String(160), nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("metadata", LargeBinary, nullable=False),  # DICOM JSON (PS3.18 F.2), zstd
    Column("shows_label", Boolean, nullable=False, server_default=false()),  # for who has the right alone
    # The UID first: the one index for both. Every index more is a page more that each instance flushes.
    UniqueConstraint("sop_instance_uid", "site"),
    Index(None, "series_pk"),
)

# The whole series' DICOM JSON, folded once; right only while `revision` is the series' own.
series_metadata = Table(
    "series_metadata",
    metadata,
    Column("series_pk", BigKey, ForeignKey("series.pk"), primary_key=True, autoincrement=False),
    Column("revision", Integer, nullable=False),
    Column("folded", LargeBinary, nullable=False),  # gzip of one JSON array; served with its encoding untouched
    Column("size_bytes", BigInteger, nullable=False),  # of the JSON, before compression
    Column("etag", String(64), nullable=False),  # SHA-256 of `folded`
)

# Different bytes under a SOP Instance UID that was here first. Never served as the instance.
conflict = Table(
    "conflict",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("sop_instance_uid", Uid, nullable=False),
    Column("study_instance_uid", Uid, nullable=False),  # as the later instance says
    Column("series_instance_uid", Uid, nullable=False),
    Column("sop_class_uid", Uid, nullable=False),
    Column("transfer_syntax_uid", Uid, nullable=False),
    Column("first_instance_pk", BigKey, ForeignKey("instance.pk"), nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("blob_key", String(160), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    Column("received_at", UtcDateTime, nullable=False),
    Column("channel", String(16), nullable=False),
    _text("peer"),
    _text("address"),
    UniqueConstraint("site", "sop_instance_uid", "blob_key"),
    Index(None, "first_instance_pk"),
    Index(None, "blob_key"),
)

# Refused instances, kept for a person to look at.
quarantine = Table(
    "quarantine",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("site", Site, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("code", String(64), nullable=False),  # class of the refusal, such as MissingIdentifier
    _text("reason"),
    _text("declared_sop_class_uid"),  # as the sender named them; may be anything, bounded
    _text("declared_sop_instance_uid"),
    Column("channel", String(16), nullable=False),
    _text("peer"),
    _text("called"),
    _text("address"),
    _text("session"),
    Column("sha256", String(64), nullable=False),
    Column("blob_key", String(160), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    UniqueConstraint("site", "blob_key", "code"),
    Index(None, "at"),
)

# What another exchange says a study consists of; may come before, between or after the instances.
manifest = Table(
    "manifest",
    metadata,
    Column("site", Site, primary_key=True),
    Column("study_instance_uid", Uid, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("instances_expected", Integer, nullable=False),
    Column("complete", Boolean, nullable=False),
    _text("evidence"),
    Column("priority", SmallInteger, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)


# Blobs whose rows were deleted, until they are removed or found to be named by others (reclaim.py).
reclaim = Table(
    "reclaim",
    metadata,
    Column("blob_key", String(160), primary_key=True),
    Column("sop_instance_uid", Uid, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index(None, "at"),
)

# Studies that nobody may delete.
legal_hold = Table(
    "legal_hold",
    metadata,
    Column("site", Site, primary_key=True),
    Column("study_instance_uid", Uid, primary_key=True),
    Column("at", UtcDateTime, nullable=False),
    Column("who", String(128), nullable=False),
    Column("reason", String(64), nullable=False),
)


def worklist_rank(priority: int, first_received_at: datetime) -> int:
    """Return the number by which the worklist descends: urgency first, then arrival.

    One plain column and index instead of a mixed-direction order. Microseconds since 1970 stay below 10**16 until 2286.
    """
    return (PRIORITY_ROUTINE - priority) * RANKS_OF_A_PRIORITY + arrival(first_received_at)


def arrival(moment: datetime) -> int:
    """Return a moment as `ARRIVAL` has it."""
    return (moment - _EPOCH) // _MICROSECOND


ARRIVAL: Final = study.c.worklist_rank % RANKS_OF_A_PRIORITY
"""When a study first arrived, read from its rank: for who walks the index of ranks and would look at no row."""
