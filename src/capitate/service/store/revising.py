"""Revisions: a change is a new state beside the old ones, made only from the state that its author saw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from capitate.errors import RevisionConflictError, StatusConflictError, UsageError
from capitate.service.store.columns import now
from capitate.service.store.records import Revision, Status
from capitate.service.store.rows import require_status, whole_record
from capitate.service.store.summary import Summary
from capitate.service.store.tables import AssessmentRow, RevisionRow
from capitate.service.store.texts import identifying

__all__ = ["MACHINE", "first_revision", "history", "revise", "undo"]

MACHINE = "machine"


def first_revision(row: AssessmentRow, assessment: Mapping[str, Any]) -> RevisionRow:
    """Make the revision that a worker's answer is."""
    row.revision = 1
    return RevisionRow(
        assessment_id=row.id,
        number=1,
        parent=None,
        restores=None,
        created_at=now(),
        by=MACHINE,
        change={},
        assessment=dict(assessment),
    )


def revise(
    session: Session,
    row: AssessmentRow,
    *,
    expected: int,
    assessment: Mapping[str, Any],
    by: str,
    change: Mapping[str, Any],
) -> None:
    """Add a changed assessment to a locked row; see `Assessments.revise`."""
    _require(session, row, expected=expected, to="be changed")
    summary = Summary.of(assessment)
    if summary.error is not None:
        raise UsageError(f"a change cannot refuse the film, got the error {summary.error.get('code')!r}; leave it out")
    _add(session, row, parent=row.revision, restores=None, assessment=assessment, by=by, change=change)


def undo(session: Session, row: AssessmentRow, *, expected: int, by: str) -> None:
    """Add the state before to a locked row. The new one's parent is that of the state: a further undo goes further."""
    _require(session, row, expected=expected, to="be undone")
    current = session.get_one(RevisionRow, (row.id, row.revision))
    if current.parent is None:
        raise StatusConflictError(
            f"assessment {row.id} is as the machine made it, so that nothing can be undone",
            current=whole_record(session, row),
        )
    before = session.get_one(RevisionRow, (row.id, current.parent))
    _add(session, row, parent=before.parent, restores=before.number, assessment=before.assessment, by=by, change={})


def history(session: Session, row: AssessmentRow) -> list[Revision]:
    """List the revisions of a row, first to last."""
    rows = select(RevisionRow).where(RevisionRow.assessment_id == row.id).order_by(RevisionRow.number)
    return [Revision(one.number, one.created_at, one.by, one.change, one.restores) for one in session.scalars(rows)]


def _require(session: Session, row: AssessmentRow, *, expected: int, to: str) -> None:
    """Check that a row may be changed from the revision that somebody saw."""
    require_status(session, row, Status.DONE, to=to)
    if row.revision != expected:
        raise RevisionConflictError(
            f"assessment {row.id} was changed meanwhile: the change was made from revision {expected}, it is now at "
            f"{row.revision}; look at it again and repeat the change",
            current=whole_record(session, row),
        )


def _add(
    session: Session,
    row: AssessmentRow,
    *,
    parent: int | None,
    restores: int | None,
    assessment: Mapping[str, Any],
    by: str,
    change: Mapping[str, Any],
) -> None:
    """Add a revision and show it in the row."""
    author = identifying(by, what="the name of who changed it")
    if author is None:
        raise UsageError(f"a change says who made it, got {by!r}; give a name such as reader")
    Summary.of(assessment).write(row)
    row.revision += 1
    row.updated_at = now()
    session.add(
        RevisionRow(
            assessment_id=row.id,
            number=row.revision,
            parent=parent,
            restores=restores,
            created_at=row.updated_at,
            by=author,
            change=dict(change),
            assessment=dict(assessment),
        )
    )
    session.flush()
