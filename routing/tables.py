"""The tables of routing: plans, jobs, lanes, what was derived, what was delivered, and the vault.

A done job has no row. Its history is `delivery`, `derived` and the events. Instances are named by (site, SOP Instance
UID) as received; `profile` says as what they leave: `none` is as received. `derived.variant` is finer: profile, edition,
digest and key, so that a changed profile or key makes another derived instance and never changes an old one.
"""

from typing import Final

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from kernel.database import BigKey, UtcDateTime, metadata

VARIANT_CHARACTERS: Final = 96
DETAIL_CHARACTERS: Final = 500  # of an error's text that is kept


def _uid(name: str, *, primary_key: bool = False) -> Column[str]:
    return Column(name, String(64), primary_key=primary_key, nullable=False)


def _site(*, primary_key: bool = False) -> Column[str]:
    return Column("site", String(32), primary_key=primary_key, nullable=False)


def _profile(*, primary_key: bool = False) -> Column[str]:
    return Column("profile", String(32), primary_key=primary_key, nullable=False)


# What was decided for a study by one version of the rules; grows when a later instance adds a destination.
study_plan = Table(
    "study_plan",
    metadata,
    _site(primary_key=True),
    _uid("study_instance_uid", primary_key=True),
    Column("rules_version", String(32), primary_key=True),
    Column("plan", Text, nullable=False),  # JSON: priority, rules, destinations with profile and hold
    Column("at", UtcDateTime, nullable=False),
)

job = Table(
    "job",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("kind", String(16), nullable=False),  # deidentify, reidentify, deliver, announce
    Column("lane", String(80), nullable=False),  # `local`, or a destination
    Column("priority", SmallInteger, nullable=False),
    Column("state", String(16), nullable=False),
    Column("run_at", UtcDateTime, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("owner", String(80), nullable=False, default=""),
    Column("epoch", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("key", String(320), nullable=False),  # names the promise; a second enqueue of it does nothing
    _site(),
    _uid("study_instance_uid"),
    Column("sop_instance_uid", String(64), nullable=False, default=""),  # as received; empty for announce
    _profile(),
    Column(
        "variant", String(VARIANT_CHARACTERS), nullable=False, default=""
    ),  # which derived instance to deliver; of reidentify: the peer
    Column("version", Integer, nullable=False, default=0),  # which manifest to announce
    Column("targets", Text, nullable=False, default=""),  # of deidentify: JSON, [[destination, hold], ...]
    # Of deidentify: what the source writes when it declares no character set (kernel.dicom.vocabulary.charset).
    Column("fallback_charset", String(16), nullable=False, default=""),
    Column("size_bytes", BigInteger, nullable=False, default=0),
    Column("trace_id", String(64), nullable=False),
    Column("cause", String(32), nullable=False, default=""),
    Column("detail", String(DETAIL_CHARACTERS), nullable=False, default=""),
    Column("at", UtcDateTime, nullable=False),
    UniqueConstraint("key"),
    Index(
        "ix_job_ready",
        "lane",
        "priority",
        "pk",
        sqlite_where=text("state = 'ready'"),
        postgresql_where=text("state = 'ready'"),
    ),
    Index(
        "ix_job_running",
        "lease_until",
        sqlite_where=text("state = 'running'"),
        postgresql_where=text("state = 'running'"),
    ),
    Index("ix_job_study", "site", "study_instance_uid", "kind"),
)

# One row per destination, and one per process for its local work: who serves it, and whether it may send.
lane = Table(
    "lane",
    metadata,
    Column("name", String(120), primary_key=True),
    Column("owner", String(80), nullable=False, default=""),
    Column("epoch", Integer, nullable=False, default=0),
    Column("lease_until", UtcDateTime),
    Column("failures", Integer, nullable=False, default=0),  # in a row; zero while it flows
    Column("cause", String(32), nullable=False, default=""),
    Column("until", UtcDateTime),  # of the pause
    Column("status", String(32), nullable=False, default=""),
    Column("detail", String(DETAIL_CHARACTERS), nullable=False, default=""),
    Column("batch_limit", Integer, nullable=False, default=0),  # zero: as configured
    Column("delivered_at", UtcDateTime),  # last time that something arrived
)

# One study on its way to one destination; the version of its manifest only grows.
consignment = Table(
    "consignment",
    metadata,
    Column("destination", String(64), primary_key=True),
    _site(primary_key=True),
    _uid("study_instance_uid", primary_key=True),
    _profile(primary_key=True),
    Column("sent_study_instance_uid", String(64), nullable=False, default=""),  # known with the first derived instance
    Column("priority", SmallInteger, nullable=False),
    Column("version", Integer, nullable=False),
    Column("instances", Integer, nullable=False),
    Column("delivered", Integer, nullable=False, default=0),
    Column("evidence", String(64), nullable=False, default=""),  # that the study is complete; empty while it is open
    Column("announced_version", Integer, nullable=False, default=0),
    Column("delivered_at", UtcDateTime),  # everything, of a complete study
    Column("trace_id", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_consignment_study", "site", "study_instance_uid"),
)

# The peer's word about one instance: the receipt.
delivery = Table(
    "delivery",
    metadata,
    Column("destination", String(64), primary_key=True),
    _site(primary_key=True),
    _uid("sop_instance_uid", primary_key=True),  # as received
    _profile(primary_key=True),
    _uid("study_instance_uid"),
    Column("state", String(16), nullable=False),  # delivered, duplicate, refused
    Column("cause", String(32), nullable=False, default=""),
    Column("status", String(32), nullable=False, default=""),
    Column("detail", String(DETAIL_CHARACTERS), nullable=False, default=""),
    Column("attempts", Integer, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Index("ix_delivery_study", "site", "study_instance_uid"),
)

# A de-identified instance: made once per variant, shared by every destination that wants it.
derived = Table(
    "derived",
    metadata,
    _site(primary_key=True),
    _uid("sop_instance_uid", primary_key=True),  # as received
    Column("variant", String(VARIANT_CHARACTERS), primary_key=True),
    _uid("new_study_instance_uid"),
    _uid("new_series_instance_uid"),
    _uid("new_sop_instance_uid"),
    _uid("sop_class_uid"),
    _uid("transfer_syntax_uid"),
    Column("blob_key", String(96), nullable=False),
    Column("size_bytes", BigInteger, nullable=False),
    Column("dataset_offset", Integer, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("record", Text, nullable=False),  # JSON: what was done, in numbers and codes; never a value
    Column("at", UtcDateTime, nullable=False),
    Index("ix_derived_new_study_instance_uid", "new_study_instance_uid"),
    Index("ix_derived_blob_key", "blob_key"),
)

# An instance whose pixels want a person, and what the person decided; boxes only, nothing of what is written in them.
pixel_review = Table(
    "pixel_review",
    metadata,
    _site(primary_key=True),
    _uid("sop_instance_uid", primary_key=True),  # as received
    _profile(primary_key=True),
    _uid("study_instance_uid"),
    Column("reason", String(DETAIL_CHARACTERS), nullable=False),
    Column("proposed", Text, nullable=False),  # JSON: [[top, left, bottom, right], ...] in pixels of every frame
    Column("state", String(16), nullable=False),  # waiting, accepted, rejected, released
    Column("drawn", Text, nullable=False, default=""),  # of accepted: JSON, the boxes to mask
    Column("decided_by", String(64), nullable=False, default=""),
    Column("fallback_charset", String(16), nullable=False, default=""),
    Column("at", UtcDateTime, nullable=False),
    Column("decided_at", UtcDateTime),
    Index("ix_pixel_review_state", "state", "at"),
)

# Where devices of a site write, as far as that was learnt (anonymizer.pixels.learning); nothing of what they write.
pixel_zone = Table(
    "pixel_zone",
    metadata,
    _site(primary_key=True),
    Column("layout", String(32), primary_key=True),  # a digest of all that decides where text is
    Column("manufacturer", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("serial", String(64), nullable=False),  # or empty
    Column("kind", String(16), nullable=False),  # ultrasound, projection, capture
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("sop_class_uid", String(64), nullable=False),
    Column("photometric_interpretation", String(16), nullable=False),
    Column("lines", Text, nullable=False),  # JSON: [[top, left, bottom, right], ...]
    Column("exams", Text, nullable=False),  # JSON: digests of the studies that agreed, a few
    Column("looked_at", String(16), nullable=False),  # such a digest
    Column("unseen", Integer, nullable=False),  # instances masked since somebody looked
    Column("at", UtcDateTime, nullable=False),
    Index("ix_pixel_zone_site", "site", "at"),
)

# Zones of devices that a person drew (routing.drawn_zones).
drawn_zone = Table(
    "drawn_zone",
    metadata,
    _site(primary_key=True),
    Column("device", String(32), primary_key=True),  # a digest of the next four
    Column("manufacturer", String(64), nullable=False),
    Column("model", String(64), nullable=False),
    Column("rows", Integer, nullable=False),
    Column("columns", Integer, nullable=False),
    Column("boxes", Text, nullable=False),  # JSON: [[top, left, bottom, right], ...]
    Column("drawn_by", String(64), nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("used_at", UtcDateTime),
)

# Sealed ways back from a pseudonym; readable only with the site's key, through `routing.vault`.
vault_entry = Table(
    "vault_entry",
    metadata,
    _site(primary_key=True),
    Column("kind", String(16), primary_key=True),
    Column("blind_index", LargeBinary(32), primary_key=True),
    Column("key_id", String(32), nullable=False),
    Column("nonce", LargeBinary(12), nullable=False),
    Column("ciphertext", LargeBinary, nullable=False),
    Column("at", UtcDateTime, nullable=False),
)

# A person's wish to know whose a pseudonym is, which another person must approve (routing.break_glass).
vault_request = Table(
    "vault_request",
    metadata,
    Column("id", String(32), primary_key=True),
    _site(),
    Column("kind", String(16), nullable=False),
    Column("token", String(64), nullable=False),
    Column("reason", String(32), nullable=False),
    Column("asked_by", String(64), nullable=False),
    Column("asked_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("approved_by", String(64), nullable=False),
    Column("opened_at", UtcDateTime),
    Index(None, "expires_at"),
)

# What a destination is still to be asked or told about a study that it got or may fetch: commitment, availability.
handover = Table(
    "handover",
    metadata,
    Column("pk", BigKey, primary_key=True),
    Column("kind", String(16), nullable=False),  # commit, availability
    Column("part", Integer, nullable=False, default=0, server_default="0"),  # which so many instances of the study
    Column("destination", String(64), nullable=False),
    _site(),
    _uid("study_instance_uid"),
    Column("trace_id", String(64), nullable=False),
    Column("state", String(16), nullable=False),  # due, asked, done, failed, abandoned
    Column("transaction_uid", String(64), nullable=False, default=""),  # of the last N-ACTION
    Column("attempts", Integer, nullable=False, default=0),
    Column("next_at", UtcDateTime, nullable=False),
    Column("at", UtcDateTime, nullable=False),
    Column("detail", String(DETAIL_CHARACTERS), nullable=False, default=""),
    Index(None, "state", "next_at"),
    Index(None, "transaction_uid"),
    Index(None, "site", "study_instance_uid"),
)

# How far the events were followed by whoever makes handovers of them.
follower = Table(
    "follower",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("seq", BigInteger, nullable=False),
)
