"""Indexes that have all that lists are narrowed by, in place of those that had the name alone."""

from alembic import op

revision = "0006"
down_revision = "0005"

NARROWING = ["site", "patient_sex", "modalities"]


def upgrade() -> None:
    op.drop_index("ix_study_study_date_pk_name_fold", "study")
    op.drop_index("ix_study_name_fold_pk", "study")
    op.drop_index("ix_study_worklist_rank_pk", "study")
    op.create_index("ix_study_by_date", "study", ["study_date", "pk", *NARROWING, "name_fold"])
    op.create_index("ix_study_by_name", "study", ["name_fold", "study_date", "pk", *NARROWING])
    op.create_index("ix_study_by_rank", "study", ["worklist_rank", "pk", *NARROWING, "name_fold"])
    op.create_index("ix_study_patient_birth_date", "study", ["patient_birth_date"])
