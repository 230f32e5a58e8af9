"""The tables. A change here needs a migration in `migrations/versions`; a test compares the two."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from capitate.service.store.columns import IDENTIFIER, JsonText, UtcDateTime

__all__ = ["ArtifactRow", "AssessmentRow", "AuditRow", "Base", "FilmRow", "HoldRow", "IdempotencyRow", "RevisionRow"]

_SHA256 = String(64)


class Base(DeclarativeBase):
    """Root of the tables; constraints have names, so that migrations can reach them on either database."""

    metadata = MetaData(
        naming_convention={
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_name)s",
            "ix": "ix_%(table_name)s_%(column_0_name)s",
            "uq": "uq_%(table_name)s_%(column_0_name)s",
        }
    )


class FilmRow(Base):
    """A film, whose bytes lie in the folder under their sha256."""

    __tablename__ = "films"

    sha256: Mapped[str] = mapped_column(_SHA256, primary_key=True)
    size: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)


class HoldRow(Base):
    """Keeps bytes from being removed: an upload's until its assessment is made, all of them during a backup."""

    __tablename__ = "holds"

    id: Mapped[str] = mapped_column(IDENTIFIER, primary_key=True)
    film_sha256: Mapped[str | None] = mapped_column(_SHA256, ForeignKey(FilmRow.sha256, ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(UtcDateTime)


class AssessmentRow(Base):
    """An assessment; what lists show of the current revision stands here too."""

    __tablename__ = "assessments"
    __table_args__ = (
        Index("ix_assessments_status", "status"),
        Index("ix_assessments_child", "child"),
        Index("ix_assessments_created_at", "created_at"),
    )

    id: Mapped[str] = mapped_column(IDENTIFIER, primary_key=True)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    updated_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[str] = mapped_column(String(16))
    revision: Mapped[int] = mapped_column(Integer)
    progress: Mapped[str | None] = mapped_column(String(64))
    film_sha256: Mapped[str] = mapped_column(_SHA256, ForeignKey(FilmRow.sha256), index=True)
    film_name: Mapped[str] = mapped_column(String(255))
    child: Mapped[str | None] = mapped_column(String(64))
    search_text: Mapped[str] = mapped_column(Text)
    sex: Mapped[str | None] = mapped_column(String(8))
    birth_date: Mapped[date | None] = mapped_column(Date)
    study_date: Mapped[date | None] = mapped_column(Date)
    age_months: Mapped[float | None] = mapped_column(Float)
    maps: Mapped[bool] = mapped_column(Boolean)
    screen: Mapped[bool] = mapped_column(Boolean)
    client: Mapped[str] = mapped_column(String(64))
    bone_age_months: Mapped[float | None] = mapped_column(Float)
    bone_age_text: Mapped[str | None] = mapped_column(String(255))
    interval_low: Mapped[float | None] = mapped_column(Float)
    interval_high: Mapped[float | None] = mapped_column(Float)
    interval_level: Mapped[float | None] = mapped_column(Float)
    corrected: Mapped[bool] = mapped_column(Boolean)
    error_code: Mapped[str | None] = mapped_column(String(64))
    error_message: Mapped[str | None] = mapped_column(Text)


class RevisionRow(Base):
    """One state of an assessment; `parent` is the revision that an undo goes back to."""

    __tablename__ = "revisions"

    assessment_id: Mapped[str] = mapped_column(
        IDENTIFIER, ForeignKey(AssessmentRow.id, ondelete="CASCADE"), primary_key=True
    )
    number: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=False)
    parent: Mapped[int | None] = mapped_column(Integer)
    restores: Mapped[int | None] = mapped_column(Integer)
    created_at: Mapped[datetime] = mapped_column(UtcDateTime)
    by: Mapped[str] = mapped_column(String(64))
    change: Mapped[Any] = mapped_column(JsonText)
    assessment: Mapped[Any] = mapped_column(JsonText)


class ArtifactRow(Base):
    """A file that belongs to an assessment, such as a map's picture; its bytes lie in the folder."""

    __tablename__ = "artifacts"

    assessment_id: Mapped[str] = mapped_column(
        IDENTIFIER, ForeignKey(AssessmentRow.id, ondelete="CASCADE"), primary_key=True
    )
    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    sha256: Mapped[str] = mapped_column(_SHA256)
    size: Mapped[int] = mapped_column(BigInteger)


class IdempotencyRow(Base):
    """A key that a client gave, and the answer; `status` is empty until there is one."""

    __tablename__ = "idempotency"

    client: Mapped[str] = mapped_column(String(64), primary_key=True)
    key: Mapped[str] = mapped_column(String(255), primary_key=True)
    digest: Mapped[str] = mapped_column(String(128))
    claimed_at: Mapped[datetime] = mapped_column(UtcDateTime)
    status: Mapped[int | None] = mapped_column(SmallInteger)
    headers: Mapped[Any | None] = mapped_column(JsonText)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    assessment_ids: Mapped[str] = mapped_column(Text)


class AuditRow(Base):
    """Who did what; stays when the assessment is deleted."""

    __tablename__ = "audit"

    id: Mapped[str] = mapped_column(IDENTIFIER, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    who: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(16))
    assessment_id: Mapped[str | None] = mapped_column(IDENTIFIER, index=True)
    detail: Mapped[Any] = mapped_column(JsonText)
