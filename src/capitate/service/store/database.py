"""Connections: SQLite that survives a crash of the machine, PostgreSQL that may be stopped and started."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, exc, make_url
from sqlalchemy.orm import Session

from capitate.errors import StoreSchemaError, UsageError
from capitate.service.store.faults import database_faults, disk_faults

if TYPE_CHECKING:
    from sqlalchemy.dialects import postgresql, sqlite

__all__ = ["Database"]

_WAIT_SECONDS = 10
_PRAGMAS = (
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    "PRAGMA foreign_keys = ON",
    "PRAGMA secure_delete = ON",  # what is deleted is overwritten: it is about children
)
_BEGIN = "sqlite_begin"
_POSTGRESQL = {"postgresql", "postgresql+psycopg", "postgres"}
_OPTIONS = f"-c synchronous_commit=on -c timezone=utc -c lock_timeout={_WAIT_SECONDS}s"


class Database:
    """A database and how to read and write it.

    Attributes:
        engine: SQLAlchemy's.
        shown: the address without a password.
        file: SQLite's file; None for PostgreSQL.
    """

    def __init__(self, url: str, *, make: bool = True) -> None:
        """Prepare; a server is not yet asked.

        Args:
            url: `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST/NAME`.
            make: make SQLite's file where it is missing.

        Raises:
            UsageError: if the address is neither.
            StoreSchemaError: if the file is missing and not to be made.
            StoreError: if it cannot be made.
        """
        parsed = _parsed(url)
        self.shown = parsed.render_as_string(hide_password=True)
        self.file = Path(str(parsed.database)).absolute() if parsed.get_backend_name() == "sqlite" else None
        if self.file is not None:
            if make:
                _make_file(self.file)
            elif not self.file.exists():
                raise StoreSchemaError(
                    f"no database lies at {str(self.file)!r}; give the right one, or make it: run "
                    "`capitate store migrate`"
                )
            self.engine = create_engine(parsed, hide_parameters=True, pool_timeout=_WAIT_SECONDS)
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            self.engine = create_engine(
                parsed,
                hide_parameters=True,
                pool_pre_ping=True,
                pool_timeout=_WAIT_SECONDS,
                connect_args={
                    "connect_timeout": 5,
                    "client_encoding": "utf8",
                    "options": f"{_OPTIONS} {parsed.query.get('options', '')}",
                },
            )

    @property
    def is_sqlite(self) -> bool:
        """Whether it is SQLite."""
        return self.file is not None

    def insert(self, table: type[Any]) -> sqlite.Insert | postgresql.Insert:
        """Begin a statement that can say what happens where its row is there already; only this kind's is loaded."""
        if self.is_sqlite:
            from sqlalchemy.dialects import sqlite

            return sqlite.insert(table)
        from sqlalchemy.dialects import postgresql

        return postgresql.insert(table)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Give a session that reads.

        Raises:
            StoreError: if the database cannot be used.
        """
        with database_faults(), Session(self.engine) as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Give a session whose changes are on the disk once the context ends, and forgotten where it raises.

        Raises:
            StoreError: if the database cannot be used.
        """
        with database_faults(), Session(self._writer(), expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def altering(self) -> Iterator[Connection]:
        """Give a connection in a transaction of its own that changes tables.

        Raises:
            StoreError: if the database cannot be used.
        """
        with database_faults(), self._writer().begin() as connection:
            yield connection

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Give a connection that sees everything as it is at one moment, whatever is written meanwhile.

        Raises:
            StoreError: if the database cannot be used.
        """
        with database_faults(), self.engine.connect() as connection:
            if not self.is_sqlite:
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            with connection.begin():
                yield connection

    def close(self) -> None:
        """Close the connections."""
        self.engine.dispose()

    def _writer(self) -> Engine:
        """Return the engine for writing: SQLite takes its lock at once, so that no later step can find it taken."""
        return self.engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) if self.is_sqlite else self.engine


def _parsed(url: str) -> URL:
    """Read an address; what is wrong is said without it, since it may hold a password."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        scheme = url.partition(":")[0] if "://" in url else "no scheme"
        raise UsageError(
            f"the database's address cannot be read, got {scheme}; give sqlite:///PATH or postgresql://USER@HOST/NAME"
        ) from None
    if parsed.drivername in {"sqlite", "sqlite+pysqlite"} and parsed.database not in {None, "", ":memory:"}:
        return parsed
    if parsed.drivername in _POSTGRESQL:
        return parsed.set(drivername="postgresql+psycopg")
    raise UsageError(
        f"the store is kept in a file of SQLite or in PostgreSQL, got {parsed.render_as_string(hide_password=True)!r}; "
        "give sqlite:///PATH or postgresql://USER@HOST/NAME"
    )


def _make_file(file: Path) -> None:
    """Make SQLite's file for its owner alone."""
    with disk_faults(file.parent):
        file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with suppress(FileExistsError):
            os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))


def _prepare_sqlite(connection: sqlite3.Connection, _: object) -> None:
    """Set a new connection up."""
    connection.isolation_level = None  # transactions are begun below, not by the driver's guess
    connection.execute(f"PRAGMA busy_timeout = {_WAIT_SECONDS * 1000}")
    deadline = time.monotonic() + _WAIT_SECONDS
    for pragma in _PRAGMAS:
        while True:
            try:
                connection.execute(pragma)
                break
            except sqlite3.OperationalError as error:
                # two processes that both turn a new file to WAL: SQLite does not wait for this lock by itself
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                    raise
                time.sleep(0.01)


def _begin_sqlite(connection: Connection) -> None:
    """Begin a transaction."""
    connection.exec_driver_sql(str(connection.get_execution_options().get(_BEGIN, "BEGIN")))
