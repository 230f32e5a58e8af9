"""Rows in a form that either database takes: JSON Lines, a table a file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

from sqlalchemy import Column, Connection, Date, Table, insert, select

from capitate.errors import BackupError
from capitate.service.store.columns import UtcDateTime
from capitate.service.store.tables import (
    ArtifactRow,
    AssessmentRow,
    AuditRow,
    Base,
    FilmRow,
    RevisionRow,
)

__all__ = ["TABLES", "insert_lines", "lines_of"]

_KEPT = {row.__tablename__ for row in (FilmRow, AssessmentRow, RevisionRow, ArtifactRow, AuditRow)}
TABLES: tuple[Table, ...] = tuple(one for one in Base.metadata.sorted_tables if one.name in _KEPT)
"""What a backup holds, referred-to before referring. Holds and idempotency keys last hours only and are left out."""
_BATCH = 500


def lines_of(connection: Connection, table: Table) -> Iterator[bytes]:
    """Yield the rows of a table as lines; films of which there is no assessment are left out."""
    rows = select(table)
    if table is FilmRow.__table__:
        rows = rows.where(FilmRow.sha256.in_(select(AssessmentRow.film_sha256)))
    rows = rows.order_by(*table.primary_key.columns).execution_options(yield_per=_BATCH)
    for row in connection.execute(rows).mappings():
        yield (json.dumps(dict(row), default=_written, allow_nan=False, separators=(",", ":")) + "\n").encode("ascii")


def insert_lines(connection: Connection, table: Table, lines: Iterable[bytes]) -> int:
    """Insert the rows of a table; returns how many.

    Raises:
        BackupError: if a line is none of this table's rows.
    """
    count, batch = 0, []
    for line in lines:
        batch.append(_row(table, line))
        if len(batch) == _BATCH:
            connection.execute(insert(table), batch)
            count, batch = count + len(batch), []
    if batch:
        connection.execute(insert(table), batch)
    return count + len(batch)


def _written(value: object) -> str:
    """Write what JSON has no form for."""
    if isinstance(value, datetime | date):
        return value.isoformat()
    raise TypeError(f"a row holds {type(value).__name__}, which has no portable form")


def _row(table: Table, line: bytes) -> dict[str, Any]:
    """Read a line."""
    try:
        values: Mapping[str, Any] = json.loads(line)
        if values.keys() - table.columns.keys():
            raise KeyError(min(values.keys() - table.columns.keys()))
        return {name: _read(table.columns[name], value) for name, value in values.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BackupError(
            f"a line of the table {table.name} cannot be read ({type(error).__name__}); take another backup"
        ) from error


def _read(column: Column[Any], value: object) -> object:
    """Read a value as its column wants it."""
    if value is None:
        return None
    if isinstance(column.type, UtcDateTime):
        return datetime.fromisoformat(str(value))
    return date.fromisoformat(str(value)) if isinstance(column.type, Date) else value
