"""The tables of accounts, tokens, sessions and links to studies. No secret is in them: only hashes."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, String, Table, Text

from kernel.database import UtcDateTime, metadata

account = Table(
    "account",
    metadata,
    Column("name", String(64), primary_key=True),
    Column("display", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters
    Column("roles", Text, nullable=False),  # words, in order
    Column("sites", Text),  # words, in order; NULL: every site
    Column("disabled", Boolean, nullable=False),
    Column("must_change", Boolean, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
)

token = Table(
    "token",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("name", Text, nullable=False),  # what it is for, on screen and in the audit
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", Text, nullable=False),  # words, in order
    Column("site", String(32)),  # stores for this site and sees only its studies; NULL: sees every site
    Column("created_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime),
    Column("revoked_at", UtcDateTime),
)

session = Table(
    "session",
    metadata,
    Column("id_sha256", String(64), primary_key=True),
    Column("account", String(64), ForeignKey("account.name"), nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("last_seen", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("address", Text, nullable=False),
    Index(None, "account"),
    Index(None, "expires_at"),
)

study_link = Table(
    "study_link",
    metadata,
    Column("id", String(16), primary_key=True),
    Column("secret_sha256", String(64), nullable=False),
    Column("code_sha256", String(64), nullable=False),  # of secret and code, so that nobody can try codes on this row
    Column("site", String(32), nullable=False),
    Column("study_uid", String(64), nullable=False),
    Column("made_by", String(64), ForeignKey("account.name"), nullable=False),
    Column("made_at", UtcDateTime, nullable=False),
    Column("expires_at", UtcDateTime, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("opened_at", UtcDateTime),
    Column("session_sha256", String(64)),  # of the one session that the code opened
    Column("revoked_at", UtcDateTime),
    Index(None, "site", "study_uid"),
    Index(None, "session_sha256"),
)

preference = Table(
    "preference",
    metadata,
    Column("account", String(64), ForeignKey("account.name"), primary_key=True),
    Column("settings", Text, nullable=False),  # the screens' own words, never read by the node
    Column("kept_at", UtcDateTime, nullable=False),
)
