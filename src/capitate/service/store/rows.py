"""Rows of assessments, found, locked and turned into records."""

from __future__ import annotations

from typing import Any

from sqlalchemy.orm import Session

from capitate.errors import RecordNotFoundError, StatusConflictError
from capitate.service.store.records import Record, Status
from capitate.service.store.tables import AssessmentRow, FilmRow, RevisionRow
from capitate.types import Interval, Sex

__all__ = ["record_of", "require_status", "row_of", "whole_record"]


def row_of(session: Session, assessment_id: str, *, lock: bool = False) -> AssessmentRow:
    """Find an assessment.

    Args:
        session: of the database.
        assessment_id: its identifier, whatever was typed.
        lock: nobody else changes it before the transaction ends.

    Raises:
        RecordNotFoundError: if there is none.
    """
    known = assessment_id if assessment_id.isascii() and assessment_id.isalnum() else ""
    row = session.get(AssessmentRow, known, with_for_update=True if lock else None)
    if row is None:
        raise RecordNotFoundError(f"there is no assessment {assessment_id[:40]!r}; look it up in the list")
    return row


def require_status(session: Session, row: AssessmentRow, *allowed: Status, to: str) -> None:
    """Check that an assessment stands where something may be done to it.

    Args:
        session: of the database.
        row: of the assessment.
        allowed: statuses in which it may.
        to: what is to be done, `be cancelled`.

    Raises:
        StatusConflictError: if it stands elsewhere.
    """
    if row.status not in allowed:
        raise StatusConflictError(
            f"assessment {row.id} is {row.status}, so that it cannot {to}; only one that is {' or '.join(allowed)} can",
            current=whole_record(session, row),
        )


def whole_record(session: Session, row: AssessmentRow) -> Record:
    """Turn a row into a record with its assessment."""
    film = session.get_one(FilmRow, row.film_sha256)
    revision = session.get(RevisionRow, (row.id, row.revision)) if row.revision else None
    return record_of(row, film_size=film.size, assessment=None if revision is None else revision.assessment)


def record_of(row: AssessmentRow, *, film_size: int, assessment: dict[str, Any] | None = None) -> Record:
    """Turn a row into a record."""
    interval = None
    if row.interval_low is not None and row.interval_high is not None and row.interval_level is not None:
        interval = Interval(row.interval_low, row.interval_high, row.interval_level)
    return Record(
        id=row.id,
        created_at=row.created_at,
        updated_at=row.updated_at,
        status=Status(row.status),
        revision=row.revision,
        progress=row.progress,
        film_sha256=row.film_sha256,
        film_name=row.film_name,
        film_size=film_size,
        child=row.child,
        sex=None if row.sex is None else Sex(row.sex),
        birth_date=row.birth_date,
        study_date=row.study_date,
        age_months=row.age_months,
        maps=row.maps,
        screen=row.screen,
        client=row.client,
        bone_age_months=row.bone_age_months,
        bone_age_text=row.bone_age_text,
        interval=interval,
        corrected=row.corrected,
        error_code=row.error_code,
        error_message=row.error_message,
        assessment=assessment,
    )
