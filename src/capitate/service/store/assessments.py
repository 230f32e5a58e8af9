"""Assessments: made, worked on, changed, found and deleted."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from capitate.errors import RecordNotFoundError
from capitate.service.store.artifacts import Artifacts
from capitate.service.store.columns import now
from capitate.service.store.database import Database
from capitate.service.store.films import Films
from capitate.service.store.identifiers import new_identifier
from capitate.service.store.records import Found, NewAssessment, Page, Record, Revision, Search, Status
from capitate.service.store.removing import delete_assessment
from capitate.service.store.revising import first_revision, history, revise, undo
from capitate.service.store.rows import require_status, row_of, whole_record
from capitate.service.store.searching import search
from capitate.service.store.summary import Summary
from capitate.service.store.tables import AssessmentRow, FilmRow, HoldRow
from capitate.service.store.texts import identifying, searchable, shown_name, storable

__all__ = ["Assessments"]


class Assessments:
    """The assessments of a store. Every change is on the disk when its call returns."""

    def __init__(self, database: Database, films: Films, artifacts: Artifacts) -> None:
        """Take the database and the folders."""
        self._database, self._films, self._artifacts = database, films, artifacts

    def create(self, new: NewAssessment) -> Record:
        """Note an assessment to be made; it is queued, and the upload's hold on the film ends.

        Raises:
            UsageError: if the child's identifier or the client's name is none.
            RecordNotFoundError: if the film is not stored, or its upload was longer than an hour ago.
            StoreError: if it cannot be stored.
        """
        row = _row(new)
        with self._database.writing() as session:
            film = session.get(FilmRow, new.film.sha256, with_for_update={"read": True, "key_share": True})
            if film is None:
                raise RecordNotFoundError(f"no film {new.film.sha256[:64]!r} is stored; upload it again")
            session.add(row)
            session.flush()
            session.execute(delete(HoldRow).where(HoldRow.id == new.film.hold))
            return whole_record(session, row)

    def get(self, assessment_id: str) -> Record:
        """Return an assessment.

        Raises:
            RecordNotFoundError: if there is none.
        """
        with self._database.reading() as session:
            return whole_record(session, row_of(session, assessment_id))

    def start(self, assessment_id: str) -> Record:
        """Note that a worker has it.

        Raises:
            StatusConflictError: if it is not queued.
        """
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            require_status(session, row, Status.QUEUED, to="be started")
            return _moved(session, row, Status.RUNNING)

    def progress(self, assessment_id: str, step: str) -> Record:
        """Note the step that the worker is at; without effect on one that does not run, a cancelled one say."""
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            if row.status == Status.RUNNING:
                row.progress, row.updated_at = storable(step, length=64), now()
            return whole_record(session, row)

    def finish(self, assessment_id: str, assessment: Mapping[str, Any], *, found: Found | None = None) -> Record:
        """Keep what a worker made: revision 1, `done`, or `refused` where it says so.

        Args:
            assessment_id: that runs.
            assessment: `capitate.assessment/1`.
            found: what the film says of the child; fills what nobody typed.

        Raises:
            UsageError: if it is no assessment.
            StatusConflictError: if it does not run; it was cancelled, say.
        """
        summary = Summary.of(assessment)
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            require_status(session, row, Status.RUNNING, to="be finished")
            _fill(row, found or Found())
            summary.write(row)
            session.add(first_revision(row, assessment))
            return _moved(session, row, summary.status)

    def fail(self, assessment_id: str, *, code: str, message: str) -> Record:
        """Note that it could not be made.

        Args:
            assessment_id: that is queued or runs.
            code: stable, in snake_case.
            message: one sentence; no name of a child.

        Raises:
            StatusConflictError: if it is over.
        """
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            require_status(session, row, Status.QUEUED, Status.RUNNING, to="fail")
            row.error_code, row.error_message = storable(code, length=64), storable(message, length=2000)
            return _moved(session, row, Status.FAILED)

    def cancel(self, assessment_id: str) -> Record:
        """Give it up; one that is cancelled already stays so.

        Raises:
            StatusConflictError: if it is over otherwise.
        """
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            allowed = (Status.QUEUED, Status.RUNNING, Status.CANCELLED)
            require_status(session, row, *allowed, to="be cancelled")
            return _moved(session, row, Status.CANCELLED)

    def requeue_interrupted(self) -> list[str]:
        """Queue again what ran when the service ended; returns the identifiers, oldest first."""
        with self._database.writing() as session:
            running = select(AssessmentRow).where(AssessmentRow.status == Status.RUNNING).order_by(AssessmentRow.id)
            rows = list(session.scalars(running.with_for_update()))
            for row in rows:
                row.status, row.progress, row.updated_at = Status.QUEUED, None, now()
            return [row.id for row in rows]

    def queued(self) -> list[str]:
        """List the identifiers of what waits, oldest first."""
        with self._database.reading() as session:
            waiting = select(AssessmentRow.id).where(AssessmentRow.status == Status.QUEUED)
            return list(session.scalars(waiting.order_by(AssessmentRow.id)))

    def revise(
        self,
        assessment_id: str,
        *,
        expected_revision: int,
        assessment: Mapping[str, Any],
        by: str,
        change: Mapping[str, Any],
    ) -> Record:
        """Keep a changed assessment as a new revision.

        Args:
            assessment_id: that is done.
            expected_revision: the one that the change was made from.
            assessment: as it is after the change.
            by: who changed it.
            change: what was changed, plain JSON values, for the history.

        Raises:
            RevisionConflictError: if somebody else changed it meanwhile.
            StatusConflictError: if it is not done.
            UsageError: if it is no assessment, or `by` no name.
        """
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            revise(session, row, expected=expected_revision, assessment=assessment, by=by, change=change)
            return whole_record(session, row)

    def undo(self, assessment_id: str, *, expected_revision: int, by: str) -> Record:
        """Go back to the revision before, as a new one; again and again, back to the machine's.

        Raises:
            RevisionConflictError: if somebody else changed it meanwhile.
            StatusConflictError: if there is nothing to undo.
        """
        with self._database.writing() as session:
            row = row_of(session, assessment_id, lock=True)
            undo(session, row, expected=expected_revision, by=by)
            return whole_record(session, row)

    def history(self, assessment_id: str) -> list[Revision]:
        """List the revisions of an assessment, first to last.

        Raises:
            RecordNotFoundError: if there is no such assessment.
        """
        with self._database.reading() as session:
            return history(session, row_of(session, assessment_id))

    def search(self, wanted: Search) -> Page:
        """Find assessments; the records of a page come without their `assessment`.

        Raises:
            UsageError: if the limit or the cursor is none.
        """
        with self._database.reading() as session:
            return search(session, wanted)

    def delete(self, assessment_id: str, *, by: str) -> None:
        """Delete an assessment with its revisions and artifacts, and its film unless another one has it.

        That it was deleted, and by whom, is written to the audit in the same transaction.

        Raises:
            RecordNotFoundError: if there is no such assessment.
        """
        delete_assessment(self._database, self._films, self._artifacts, assessment_id, by=by)


def _row(new: NewAssessment) -> AssessmentRow:
    """Make the row of a new assessment."""
    child = identifying(new.child, what="the child's identifier")
    name, at = shown_name(new.film_name), now()
    return AssessmentRow(
        id=new_identifier(),
        created_at=at,
        updated_at=at,
        status=Status.QUEUED,
        revision=0,
        film_sha256=new.film.sha256,
        film_name=name,
        child=child,
        search_text=searchable(name, child),
        sex=new.sex,
        birth_date=new.birth_date,
        study_date=new.study_date,
        age_months=new.age_months,
        maps=new.maps,
        screen=new.screen,
        client=identifying(new.client, what="the client's name") or "",
        corrected=False,
    )


def _fill(row: AssessmentRow, found: Found) -> None:
    """Fill what nobody typed; an identifier that cannot be stored as it is counts as none, lest two become one."""
    child = (found.child or "").strip()
    if row.child is None and child and len(child) <= 64 and storable(child) == child:
        row.child = child
        row.search_text = searchable(row.film_name, child)
    row.birth_date = row.birth_date or found.birth_date
    row.study_date = row.study_date or found.study_date


def _moved(session: Session, row: AssessmentRow, status: Status) -> Record:
    """Put an assessment into a status."""
    row.status, row.progress, row.updated_at = status, None, now()
    session.flush()
    return whole_record(session, row)
