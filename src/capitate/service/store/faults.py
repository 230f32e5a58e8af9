"""Faults of the database and of the disk, told as errors of the store: what is wrong and what to do."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import exc

from capitate.errors import (
    StoreDamagedError,
    StoreError,
    StoreFullError,
    StoreReadOnlyError,
    StoreSchemaError,
    StoreUnavailableError,
    UsageError,
)

__all__ = ["database_faults", "disk_faults"]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_READ_ONLY = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})

_KINDS_BY_SQLITE: dict[int, type[StoreError]] = {
    sqlite3.SQLITE_FULL: StoreFullError,
    sqlite3.SQLITE_READONLY: StoreReadOnlyError,
    sqlite3.SQLITE_PERM: StoreReadOnlyError,
    sqlite3.SQLITE_BUSY: StoreUnavailableError,
    sqlite3.SQLITE_LOCKED: StoreUnavailableError,
    sqlite3.SQLITE_CANTOPEN: StoreUnavailableError,
    sqlite3.SQLITE_IOERR: StoreUnavailableError,
    sqlite3.SQLITE_CORRUPT: StoreDamagedError,
    sqlite3.SQLITE_NOTADB: StoreDamagedError,
}
_KINDS_BY_SQLSTATE: tuple[tuple[str, type[StoreError]], ...] = (
    ("53100", StoreFullError),
    ("25006", StoreReadOnlyError),
    ("42501", StoreReadOnlyError),
    ("42P01", StoreSchemaError),
    ("08", StoreUnavailableError),
    ("28", StoreUnavailableError),
    ("3D000", StoreUnavailableError),
    ("40", StoreUnavailableError),
    ("53", StoreUnavailableError),
    ("55P03", StoreUnavailableError),
    ("57", StoreUnavailableError),
    ("58", StoreUnavailableError),
    ("XX", StoreDamagedError),
)
"""Beginnings of PostgreSQL's codes (https://www.postgresql.org/docs/15/errcodes-appendix.html)."""
_TOLD: dict[type[StoreError], str] = {
    StoreFullError: "the database has no room left; nothing was stored, free space on its disk and try again",
    StoreReadOnlyError: "the database may not be written; nothing was stored, check the rights of its file or user",
    StoreUnavailableError: "the database cannot be reached or is busy; nothing was stored, try again shortly",
    StoreDamagedError: "the database is damaged; stop the service and restore a backup with `capitate store restore`",
    StoreSchemaError: "the database lacks tables of this version; run `capitate store migrate`",
}


@contextmanager
def database_faults() -> Iterator[None]:
    """Turn what a database says of itself into errors of the store; faults of the program pass.

    Raises:
        StoreError: one of its kinds.
        UsageError: if a value cannot be stored on any database.
    """
    try:
        yield
    except exc.TimeoutError as error:
        raise StoreUnavailableError(_TOLD[StoreUnavailableError]) from error
    except exc.DBAPIError as error:
        kind = _kind(error)
        if kind is None:
            raise
        raise kind(f"{_TOLD[kind]} ({_reason(error)})") from error
    except exc.StatementError as error:
        # raised by a column's own kind before anything was sent: a number that is not finite, a time without a zone
        if not isinstance(error.orig, ValueError):
            raise
        raise UsageError(f"a value cannot be stored: {error.orig}; give another one") from error


def _kind(error: exc.DBAPIError) -> type[StoreError] | None:
    """Say what kind of fault it is; None for one of the program."""
    original = error.orig
    if isinstance(original, sqlite3.Error):
        if str(original).startswith("no such table"):
            return StoreSchemaError
        return _KINDS_BY_SQLITE.get(getattr(original, "sqlite_errorcode", 0) & 0xFF)
    state = getattr(original, "sqlstate", None)
    if state is None:
        # psycopg gives no code where there is no server to give one
        return StoreUnavailableError if isinstance(error, exc.OperationalError | exc.InterfaceError) else None
    return next((kind for beginning, kind in _KINDS_BY_SQLSTATE if state.startswith(beginning)), None)


def _reason(error: exc.DBAPIError) -> str:
    """Name the fault by its code: what a server says may hold addresses and values."""
    original = error.orig
    name = getattr(original, "sqlite_errorname", None) or getattr(original, "sqlstate", None)
    return str(name or type(original).__name__)


@contextmanager
def disk_faults(folder: Path) -> Iterator[None]:
    """Turn what the system says of a folder into errors of the store.

    Raises:
        StoreError: one of its kinds.
    """
    try:
        yield
    except OSError as error:
        told = f"{error.strerror or type(error).__name__}"
        if error.errno in _FULL:
            raise StoreFullError(
                f"{str(folder)!r} has no room left ({told}); nothing was stored, free space there and try again"
            ) from error
        if error.errno in _READ_ONLY:
            raise StoreReadOnlyError(
                f"{str(folder)!r} may not be written ({told}); nothing was stored, check the rights of the folder"
            ) from error
        raise StoreUnavailableError(
            f"{str(folder)!r} cannot be used ({told}); check the folder and its disk"
        ) from error
