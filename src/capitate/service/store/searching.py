"""Finding assessments, a page at a time; a page goes on where the last one ended, whatever came or went meanwhile."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import Session

from capitate.errors import UsageError
from capitate.service.store.identifiers import is_identifier
from capitate.service.store.records import Order, Page, Search
from capitate.service.store.rows import record_of
from capitate.service.store.tables import AssessmentRow, FilmRow
from capitate.service.store.texts import searchable, storable

__all__ = ["MOST", "search"]

MOST = 200


def search(session: Session, wanted: Search) -> Page:
    """Find a page of assessments; see `Assessments.search`."""
    if not 1 <= wanted.limit <= MOST:
        raise UsageError(f"a page has 1 to {MOST} assessments, got {wanted.limit}")
    newest = wanted.order is Order.NEWEST
    found = (
        select(AssessmentRow, FilmRow.size)
        .join(FilmRow, FilmRow.sha256 == AssessmentRow.film_sha256)
        .where(*_conditions(wanted))
        .order_by(AssessmentRow.id.desc() if newest else AssessmentRow.id.asc())
        .limit(wanted.limit + 1)
    )
    records = [record_of(row, film_size=size) for row, size in session.execute(found)]
    page = tuple(records[: wanted.limit])
    return Page(page, page[-1].id if len(records) > wanted.limit else None)


def _conditions(wanted: Search) -> Iterator[ColumnElement[bool]]:
    """Yield what has to hold of a row."""
    row = AssessmentRow
    if wanted.cursor is not None:
        if not is_identifier(wanted.cursor):
            raise UsageError(f"the cursor is none, got {wanted.cursor[:40]!r}; give next_cursor of the page before")
        yield row.id < wanted.cursor if wanted.order is Order.NEWEST else row.id > wanted.cursor
    for word in searchable(wanted.text).split():
        yield or_(row.search_text.contains(word, autoescape=True), row.id.startswith(word.upper(), autoescape=True))
    if wanted.status:
        yield row.status.in_(sorted(wanted.status))
    if wanted.sex is not None:
        yield row.sex == wanted.sex
    if wanted.child is not None:
        yield row.child == storable(wanted.child.strip())
    if wanted.since is not None:
        yield row.created_at >= wanted.since
    if wanted.until is not None:
        yield row.created_at < wanted.until
