"""The tables of a node: events, audit, access, archive."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
MOMENT = sa.BigInteger()  # microseconds since 1970 UTC
PLAIN = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
UID = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    create_events_and_audit()
    forbid_change("audit")
    create_access()
    create_archive()


def create_events_and_audit() -> None:
    op.create_table(
        "event",
        sa.Column("seq", KEY, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("trace_id", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_event"),
    )
    op.create_index("ix_event_study_uid_seq", "event", ["study_uid", "seq"])
    op.create_table(
        "audit",
        sa.Column("seq", KEY, autoincrement=False, nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("study_uid", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name="pk_audit"),
    )
    op.create_index("ix_audit_study_uid_seq", "audit", ["study_uid", "seq"])


def forbid_change(table: str) -> None:
    """Make the table append-only: an UPDATE or DELETE fails whoever asks for it."""
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER {table}_no_{verb.lower()} BEFORE {verb} ON {table} "
                f"BEGIN SELECT RAISE(ABORT, '{table} is append-only'); END"
            )
        return
    op.execute(
        f"CREATE FUNCTION {table}_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{table} is append-only'; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON {table} "
        f"FOR EACH STATEMENT EXECUTE FUNCTION {table}_append_only()"
    )


def create_access() -> None:
    op.create_table(
        "account",
        sa.Column("name", sa.String(length=64), nullable=False),
        sa.Column("display", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("roles", sa.Text(), nullable=False),
        sa.Column("sites", sa.Text(), nullable=True),
        sa.Column("disabled", sa.Boolean(), nullable=False),
        sa.Column("must_change", sa.Boolean(), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_account"),
    )
    op.create_table(
        "token",
        sa.Column("id", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret_sha256", sa.String(length=64), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("site", sa.String(length=32), nullable=True),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=True),
        sa.Column("revoked_at", MOMENT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_token"),
    )
    op.create_table(
        "session",
        sa.Column("id_sha256", sa.String(length=64), nullable=False),
        sa.Column("account", sa.String(length=64), nullable=False),
        sa.Column("created_at", MOMENT, nullable=False),
        sa.Column("last_seen", MOMENT, nullable=False),
        sa.Column("expires_at", MOMENT, nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["account"], ["account.name"], name="fk_session_account_account"),
        sa.PrimaryKeyConstraint("id_sha256", name="pk_session"),
    )
    op.create_index("ix_session_account", "session", ["account"])
    op.create_index("ix_session_expires_at", "session", ["expires_at"])


def create_archive() -> None:
    op.create_table(
        "patient",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("issuer", PLAIN, nullable=False),
        sa.Column("patient_id", PLAIN, nullable=False),
        sa.Column("only_in_study", PLAIN, nullable=False),
        sa.Column("patient_name", PLAIN, nullable=False),
        sa.Column("name_fold", PLAIN, nullable=False),
        sa.Column("patient_birth_date", PLAIN, nullable=False),
        sa.Column("patient_sex", PLAIN, nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_patient"),
        sa.UniqueConstraint(
            "site", "issuer", "patient_id", "only_in_study", name="uq_patient_site_issuer_patient_id_only_in_study"
        ),
    )
    op.create_table(
        "study",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("patient_pk", KEY, nullable=False),
        sa.Column("study_date", PLAIN, nullable=False),
        sa.Column("study_time", PLAIN, nullable=False),
        sa.Column("accession_number", PLAIN, nullable=False),
        sa.Column("study_id", PLAIN, nullable=False),
        sa.Column("study_description", PLAIN, nullable=False),
        sa.Column("referring_physician_name", PLAIN, nullable=False),
        sa.Column("patient_name", PLAIN, nullable=False),
        sa.Column("name_fold", PLAIN, nullable=False),
        sa.Column("patient_id", PLAIN, nullable=False),
        sa.Column("issuer", PLAIN, nullable=False),
        sa.Column("patient_birth_date", PLAIN, nullable=False),
        sa.Column("patient_sex", PLAIN, nullable=False),
        sa.Column("patient_disputed", sa.Boolean(), nullable=False),
        sa.Column("modalities", PLAIN, nullable=False),
        sa.Column("body_part", PLAIN, nullable=False),
        sa.Column("number_of_series", sa.Integer(), nullable=False),
        sa.Column("number_of_instances", sa.Integer(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("first_received_at", MOMENT, nullable=False),
        sa.Column("last_received_at", MOMENT, nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("evidence", PLAIN, nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("worklist_rank", sa.BigInteger(), nullable=False),
        sa.Column("expected_instances", sa.Integer(), nullable=True),
        sa.Column("trace_id", sa.String(length=64), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["patient_pk"], ["patient.pk"], name="fk_study_patient_pk_patient"),
        sa.PrimaryKeyConstraint("pk", name="pk_study"),
        sa.UniqueConstraint("site", "study_instance_uid", name="uq_study_site_study_instance_uid"),
    )
    op.create_index("ix_study_accession_number", "study", ["accession_number"])
    op.create_index("ix_study_name_fold_pk", "study", ["name_fold", "pk"])
    op.create_index("ix_study_patient_id", "study", ["patient_id"])
    op.create_index("ix_study_patient_pk", "study", ["patient_pk"])
    receiving = sa.text("state = 'receiving'")
    op.create_index("ix_study_receiving", "study", ["pk"], sqlite_where=receiving, postgresql_where=receiving)
    op.create_index("ix_study_study_date_pk_name_fold", "study", ["study_date", "pk", "name_fold"])
    op.create_index("ix_study_study_instance_uid", "study", ["study_instance_uid"])
    op.create_index("ix_study_worklist_rank_pk", "study", ["worklist_rank", "pk"])
    op.create_table(
        "study_modality",
        sa.Column("modality", PLAIN, nullable=False),
        sa.Column("study_date", PLAIN, nullable=False),
        sa.Column("study_pk", KEY, autoincrement=False, nullable=False),
        sa.ForeignKeyConstraint(["study_pk"], ["study.pk"], name="fk_study_modality_study_pk_study"),
        sa.PrimaryKeyConstraint("modality", "study_date", "study_pk", name="pk_study_modality"),
    )
    op.create_index("ix_study_modality_study_pk", "study_modality", ["study_pk"])
    op.create_table(
        "series",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("study_pk", KEY, nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("modality", PLAIN, nullable=False),
        sa.Column("series_number", sa.Integer(), nullable=True),
        sa.Column("series_description", PLAIN, nullable=False),
        sa.Column("body_part_examined", PLAIN, nullable=False),
        sa.Column("series_date", PLAIN, nullable=False),
        sa.Column("series_time", PLAIN, nullable=False),
        sa.Column("number_of_instances", sa.Integer(), nullable=False),
        sa.Column("number_of_frames", sa.Integer(), nullable=False),
        sa.Column("last_received_at", MOMENT, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["study_pk"], ["study.pk"], name="fk_series_study_pk_study"),
        sa.PrimaryKeyConstraint("pk", name="pk_series"),
        sa.UniqueConstraint("study_pk", "series_instance_uid", name="uq_series_study_pk_series_instance_uid"),
    )
    op.create_index("ix_series_series_instance_uid", "series", ["series_instance_uid"])
    op.create_table(
        "instance",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("series_pk", KEY, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("instance_number", sa.Integer(), nullable=True),
        sa.Column("number_of_frames", sa.Integer(), nullable=False),
        sa.Column("rows", sa.Integer(), nullable=True),
        sa.Column("columns", sa.Integer(), nullable=True),
        sa.Column("bits_allocated", sa.Integer(), nullable=True),
        sa.Column("photometric_interpretation", PLAIN, nullable=True),
        sa.Column("has_pixels", sa.Boolean(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blob_key", sa.String(length=160), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("metadata", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["series_pk"], ["series.pk"], name="fk_instance_series_pk_series"),
        sa.PrimaryKeyConstraint("pk", name="pk_instance"),
        sa.UniqueConstraint("sop_instance_uid", "site", name="uq_instance_sop_instance_uid_site"),
    )
    op.create_index("ix_instance_series_pk", "instance", ["series_pk"])
    op.create_table(
        "series_metadata",
        sa.Column("series_pk", KEY, autoincrement=False, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("folded", sa.LargeBinary(), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("etag", sa.String(length=64), nullable=False),
        sa.ForeignKeyConstraint(["series_pk"], ["series.pk"], name="fk_series_metadata_series_pk_series"),
        sa.PrimaryKeyConstraint("series_pk", name="pk_series_metadata"),
    )
    op.create_table(
        "conflict",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("sop_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("series_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("sop_class_uid", sa.String(length=64), nullable=False),
        sa.Column("transfer_syntax_uid", sa.String(length=64), nullable=False),
        sa.Column("first_instance_pk", KEY, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blob_key", sa.String(length=160), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        sa.Column("received_at", MOMENT, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("peer", PLAIN, nullable=False),
        sa.Column("address", PLAIN, nullable=False),
        sa.ForeignKeyConstraint(["first_instance_pk"], ["instance.pk"], name="fk_conflict_first_instance_pk_instance"),
        sa.PrimaryKeyConstraint("pk", name="pk_conflict"),
        sa.UniqueConstraint("site", "sop_instance_uid", "blob_key", name="uq_conflict_site_sop_instance_uid_blob_key"),
    )
    op.create_index("ix_conflict_blob_key", "conflict", ["blob_key"])
    op.create_index("ix_conflict_first_instance_pk", "conflict", ["first_instance_pk"])
    op.create_table(
        "quarantine",
        sa.Column("pk", KEY, nullable=False),
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.Column("code", sa.String(length=64), nullable=False),
        sa.Column("reason", PLAIN, nullable=False),
        sa.Column("declared_sop_class_uid", PLAIN, nullable=False),
        sa.Column("declared_sop_instance_uid", PLAIN, nullable=False),
        sa.Column("channel", sa.String(length=16), nullable=False),
        sa.Column("peer", PLAIN, nullable=False),
        sa.Column("called", PLAIN, nullable=False),
        sa.Column("address", PLAIN, nullable=False),
        sa.Column("session", PLAIN, nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("blob_key", sa.String(length=160), nullable=False),
        sa.Column("size_bytes", sa.BigInteger(), nullable=False),
        sa.Column("dataset_offset", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("pk", name="pk_quarantine"),
        sa.UniqueConstraint("site", "blob_key", "code", name="uq_quarantine_site_blob_key_code"),
    )
    op.create_index("ix_quarantine_at", "quarantine", ["at"])
    op.create_table(
        "manifest",
        sa.Column("site", sa.String(length=32), nullable=False),
        sa.Column("study_instance_uid", sa.String(length=64), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("instances_expected", sa.Integer(), nullable=False),
        sa.Column("complete", sa.Boolean(), nullable=False),
        sa.Column("evidence", PLAIN, nullable=False),
        sa.Column("priority", sa.SmallInteger(), nullable=False),
        sa.Column("at", MOMENT, nullable=False),
        sa.PrimaryKeyConstraint("site", "study_instance_uid", name="pk_manifest"),
    )
