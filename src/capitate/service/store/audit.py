"""The audit: who did what to which assessment, and when. It outlives what it is about and never names a child."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import select

from capitate.errors import UsageError
from capitate.service.store.columns import now
from capitate.service.store.database import Database
from capitate.service.store.identifiers import is_identifier, new_identifier
from capitate.service.store.records import AuditAction, AuditEntry
from capitate.service.store.tables import AuditRow
from capitate.service.store.texts import storable

__all__ = ["Audit", "Detail", "audit_row"]

Detail = Mapping[str, str | int | float | bool | None]
_IDENTIFYING = frozenset({"child", "film_name", "name", "patient", "patient_id", "birth_date", "filename", "text"})
_MOST = 1000


class Audit:
    """The audit of a store."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def write(
        self, who: str, what: AuditAction, *, assessment_id: str | None = None, detail: Detail | None = None
    ) -> None:
        """Write an entry.

        Args:
            who: name of the token, or how else the client is known.
            what: was done.
            assessment_id: to which.
            detail: more of it, such as a report's format; nothing that names a child or a film.

        Raises:
            UsageError: if the detail has a key that stands for such a name.
            StoreError: if it cannot be stored.
        """
        with self._database.writing() as session:
            session.add(audit_row(who, what, assessment_id=assessment_id, detail=detail))

    def list(
        self, *, assessment_id: str | None = None, limit: int = 100, before: str | None = None
    ) -> list[AuditEntry]:
        """List entries, newest first.

        Args:
            assessment_id: those of one assessment only.
            limit: 1 to 1000.
            before: identifier of an entry; those older than it.

        Raises:
            UsageError: if the limit is none.
        """
        if not 1 <= limit <= _MOST:
            raise UsageError(f"a list of the audit has 1 to {_MOST} entries, got {limit}")
        rows = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
        if assessment_id is not None:
            rows = rows.where(AuditRow.assessment_id == storable(assessment_id))
        if before is not None:
            rows = rows.where(AuditRow.id < storable(before))
        with self._database.reading() as session:
            return [
                AuditEntry(row.id, row.at, row.who, AuditAction(row.what), row.assessment_id, row.detail)
                for row in session.scalars(rows)
            ]


def audit_row(
    who: str, what: AuditAction, *, assessment_id: str | None = None, detail: Detail | None = None
) -> AuditRow:
    """Make an entry, for a transaction that does what it tells."""
    named = sorted(_IDENTIFYING.intersection(detail or {}))
    if named:
        raise UsageError(f"the audit names no child and no film, got {named[0]!r}; leave it out")
    # an identifier that was asked for may be anything; only one that can exist is kept
    known = assessment_id if assessment_id is not None and is_identifier(assessment_id) else None
    shown = storable(who, length=64)
    return AuditRow(id=new_identifier(), at=now(), who=shown, what=what, assessment_id=known, detail=dict(detail or {}))
