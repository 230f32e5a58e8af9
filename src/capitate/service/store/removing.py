"""Deleting assessments, at request or when their time is over, and what nothing refers to any more."""

from __future__ import annotations

import time
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from sqlalchemy import select

from capitate.errors import RecordNotFoundError
from capitate.service.store.artifacts import Artifacts
from capitate.service.store.audit import audit_row
from capitate.service.store.database import Database
from capitate.service.store.films import Films
from capitate.service.store.idempotency import forget_answers
from capitate.service.store.records import AuditAction, Pruned, Status
from capitate.service.store.rows import row_of
from capitate.service.store.tables import AssessmentRow

__all__ = ["RETENTION", "delete_assessment", "prune", "sweep"]

RETENTION = "retention"
"""Who deletes what is older than it may become."""
_LEFT_OVER_SECONDS = 24 * 3600


def delete_assessment(
    database: Database, films: Films, artifacts: Artifacts, assessment_id: str, *, by: str
) -> int | None:
    """Delete an assessment, then the files that nothing uses any more; see `Assessments.delete`.

    The rows go first, in one transaction. Should the machine fail after it, files are left over that no row names,
    which `sweep` removes; never is a row left without its file.

    Returns:
        Bytes of the film that were removed; None if it stays.
    """
    with database.writing() as session:
        row = row_of(session, assessment_id, lock=True)
        film = row.film_sha256
        session.add(audit_row(by, AuditAction.DELETE, assessment_id=row.id))
        forget_answers(session, row.id)
        session.delete(row)
    if not films.all_held():
        artifacts.remove_all(assessment_id)
    return films.remove_unused(film)


def prune(database: Database, films: Films, artifacts: Artifacts, *, older_than: datetime | None) -> Pruned:
    """Delete assessments made before a time, those not over yet excepted, and sweep; see `Store.prune`."""
    removed, counted = 0, []
    for assessment_id in _old(database, older_than) if older_than is not None else ():
        with suppress(RecordNotFoundError):  # deleted by somebody else meanwhile
            counted.append(delete_assessment(database, films, artifacts, assessment_id, by=RETENTION))
            removed += 1
    counted += sweep(database, films, artifacts)
    gone = [size for size in counted if size is not None]
    return Pruned(assessments=removed, films=len(gone), film_bytes=sum(gone))


def sweep(database: Database, films: Films, artifacts: Artifacts) -> list[int | None]:
    """Remove what uploads and deletions that were broken off have left; returns the bytes of each film."""
    films.drop_old_holds()
    if films.all_held():
        return []
    for owner in artifacts.owners():
        with database.reading() as session:
            gone = session.get(AssessmentRow, owner) is None
        if gone:
            artifacts.remove_all(owner)
    _remove_parts(films.folder.parent / "incoming")
    return [films.remove_unused(sha256) for sha256 in films.unused()]


def _old(database: Database, older_than: datetime) -> list[str]:
    """List what was made before a time and is over."""
    over = [status for status in Status if status.over]
    with database.reading() as session:
        old = select(AssessmentRow.id).where(AssessmentRow.created_at < older_than, AssessmentRow.status.in_(over))
        return list(session.scalars(old.order_by(AssessmentRow.id)))


def _remove_parts(incoming: Path) -> None:
    """Remove files of uploads that were killed; those of today may be of uploads under way."""
    for part in incoming.glob("*.part"):
        with suppress(OSError):
            if time.time() - part.stat().st_mtime > _LEFT_OVER_SECONDS:
                part.unlink()
