"""The first tables."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_ID = sa.String(26).with_variant(sa.String(26, collation="C"), "postgresql")
_TIME = sa.DateTime(timezone=True)


def upgrade() -> None:
    """Make them."""
    op.create_table(
        "films",
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("sha256", name="pk_films"),
    )
    op.create_table(
        "holds",
        sa.Column("id", _ID, nullable=False),
        sa.Column("film_sha256", sa.String(64)),
        sa.Column("expires_at", _TIME, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_holds"),
        sa.ForeignKeyConstraint(["film_sha256"], ["films.sha256"], name="fk_holds_film_sha256", ondelete="CASCADE"),
    )
    op.create_index("ix_holds_film_sha256", "holds", ["film_sha256"])
    _assessments()
    _parts_of_assessments()
    _beside_assessments()


def _assessments() -> None:
    op.create_table(
        "assessments",
        sa.Column("id", _ID, nullable=False),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("updated_at", _TIME, nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("progress", sa.String(64)),
        sa.Column("film_sha256", sa.String(64), nullable=False),
        sa.Column("film_name", sa.String(255), nullable=False),
        sa.Column("child", sa.String(64)),
        sa.Column("search_text", sa.Text, nullable=False),
        sa.Column("sex", sa.String(8)),
        sa.Column("birth_date", sa.Date),
        sa.Column("study_date", sa.Date),
        sa.Column("age_months", sa.Float),
        sa.Column("maps", sa.Boolean, nullable=False),
        sa.Column("screen", sa.Boolean, nullable=False),
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("bone_age_months", sa.Float),
        sa.Column("bone_age_text", sa.String(255)),
        sa.Column("interval_low", sa.Float),
        sa.Column("interval_high", sa.Float),
        sa.Column("interval_level", sa.Float),
        sa.Column("corrected", sa.Boolean, nullable=False),
        sa.Column("error_code", sa.String(64)),
        sa.Column("error_message", sa.Text),
        sa.PrimaryKeyConstraint("id", name="pk_assessments"),
        sa.ForeignKeyConstraint(["film_sha256"], ["films.sha256"], name="fk_assessments_film_sha256"),
    )
    for column in ("film_sha256", "status", "child", "created_at"):
        op.create_index(f"ix_assessments_{column}", "assessments", [column])


def _parts_of_assessments() -> None:
    op.create_table(
        "revisions",
        sa.Column("assessment_id", _ID, nullable=False),
        sa.Column("number", sa.Integer, nullable=False, autoincrement=False),
        sa.Column("parent", sa.Integer),
        sa.Column("restores", sa.Integer),
        sa.Column("created_at", _TIME, nullable=False),
        sa.Column("by", sa.String(64), nullable=False),
        sa.Column("change", sa.Text, nullable=False),
        sa.Column("assessment", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("assessment_id", "number", name="pk_revisions"),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name="fk_revisions_assessment_id", ondelete="CASCADE"
        ),
    )
    op.create_table(
        "artifacts",
        sa.Column("assessment_id", _ID, nullable=False),
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("size", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("assessment_id", "name", name="pk_artifacts"),
        sa.ForeignKeyConstraint(
            ["assessment_id"], ["assessments.id"], name="fk_artifacts_assessment_id", ondelete="CASCADE"
        ),
    )


def _beside_assessments() -> None:
    op.create_table(
        "idempotency",
        sa.Column("client", sa.String(64), nullable=False),
        sa.Column("key", sa.String(255), nullable=False),
        sa.Column("digest", sa.String(128), nullable=False),
        sa.Column("claimed_at", _TIME, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("headers", sa.Text),
        sa.Column("body", sa.LargeBinary),
        sa.Column("assessment_ids", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("client", "key", name="pk_idempotency"),
    )
    op.create_table(
        "audit",
        sa.Column("id", _ID, nullable=False),
        sa.Column("at", _TIME, nullable=False),
        sa.Column("who", sa.String(64), nullable=False),
        sa.Column("what", sa.String(16), nullable=False),
        sa.Column("assessment_id", _ID),
        sa.Column("detail", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_audit"),
    )
    op.create_index("ix_audit_assessment_id", "audit", ["assessment_id"])


def downgrade() -> None:
    """Take them away, with everything in them."""
    for table in ("audit", "idempotency", "artifacts", "revisions", "assessments", "holds", "films"):
        op.drop_table(table)
