"""Writing a backup: everything as it is at one moment, while the service goes on."""

from __future__ import annotations

import logging
import os
import secrets
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, func, select

from capitate import __version__
from capitate.errors import BackupError, StoreDamagedError
from capitate.service.store.archive import ArchiveWriter
from capitate.service.store.artifacts import Artifacts
from capitate.service.store.columns import now
from capitate.service.store.content import chunks_of, sync_folder
from capitate.service.store.database import Database
from capitate.service.store.faults import disk_faults
from capitate.service.store.films import Films
from capitate.service.store.migrating import current_schema
from capitate.service.store.portable import TABLES, lines_of
from capitate.service.store.records import BackedUp
from capitate.service.store.tables import ArtifactRow, AssessmentRow

__all__ = ["write_backup"]

logger = logging.getLogger(__name__)


def write_backup(database: Database, films: Films, artifacts: Artifacts, target: Path) -> BackedUp:
    """Write a backup; see `Store.backup`. The caller holds all files."""
    if target.exists():
        raise BackupError(f"{str(target)!r} is there already; give a name that is not")
    part = target.with_name(f".{target.name[:100]}.{secrets.token_hex(8)}.part")
    try:
        with disk_faults(target.parent):
            handle = os.open(part, os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o600)
            with os.fdopen(handle, "w+b") as stream, _moment(database, target.parent) as connection:
                with zipfile.ZipFile(stream, "w", allowZip64=True) as archive:
                    done = _write(ArchiveWriter(archive), connection, films, artifacts)
                stream.flush()
                os.fsync(stream.fileno())
            part.rename(target)
            sync_folder(target.parent)
    finally:
        with suppress(OSError):
            part.unlink(missing_ok=True)
    return done


@contextmanager
def _moment(database: Database, folder: Path) -> Iterator[Connection]:
    """Give a connection to everything as it is now: of SQLite a checked copy, of PostgreSQL a repeatable read."""
    if database.file is None:
        with database.snapshot() as connection:
            yield connection
        return
    with tempfile.TemporaryDirectory(prefix=".capitate-backup-", dir=folder) as place:
        copy = Path(place) / "copy.db"
        _copy_sqlite(database.file, copy)
        beside = Database(f"sqlite:///{copy}")
        try:
            with beside.snapshot() as connection:
                yield connection
        finally:
            beside.close()


def _copy_sqlite(source: Path, target: Path) -> None:
    """Copy a database with SQLite's own means (https://www.sqlite.org/backup.html), and check the copy.

    Raises:
        StoreDamagedError: if the database is damaged.
    """
    live, copy = sqlite3.connect(source, timeout=60), sqlite3.connect(target)
    try:
        live.backup(copy)
        told = [row[0] for row in copy.execute("PRAGMA integrity_check(5)")]
    except sqlite3.DatabaseError as error:
        raise StoreDamagedError(
            f"the database cannot be copied ({error.sqlite_errorname}); restore the last backup into a new store"
        ) from error
    finally:
        copy.close()
        live.close()
    if told != ["ok"]:
        raise StoreDamagedError("the database is damaged, says SQLite; restore the last backup into a new store")


def _write(archive: ArchiveWriter, connection: Connection, films: Films, artifacts: Artifacts) -> BackedUp:
    """Write tables, then the files that they name."""
    for table in TABLES:
        archive.add(f"tables/{table.name}.jsonl", lines_of(connection, table), packed=False)
    wanted = _files(connection, films, artifacts)
    lacking = tuple(name for name, (path, sha) in wanted.items() if not _added(archive, name, path, sha256=sha))
    archive.end(
        {
            "written": now().isoformat(timespec="seconds"),
            "capitate": __version__,
            "tables_version": current_schema(connection),
            "lacking": list(lacking),
        }
    )
    count = connection.scalar(select(func.count()).select_from(AssessmentRow)) or 0
    film_count = sum(name.startswith("films/") and name not in lacking for name in wanted)
    return BackedUp(count, film_count, len(wanted) - len(lacking) - film_count, lacking)


def _added(archive: ArchiveWriter, name: str, path: Path, *, sha256: str) -> bool:
    """Add a file; says whether it was there and as it should be. The rest of a damaged store is worth keeping."""
    try:
        with path.open("rb") as stream:
            found = archive.add(name, chunks_of(stream), packed=True)
    except FileNotFoundError:
        logger.warning("%s is missing and not in the backup", name)
        return False
    if found != sha256:
        logger.warning("%s is damaged and not in the backup", name)
        archive.drop(name)
    return found == sha256


def _files(connection: Connection, films: Films, artifacts: Artifacts) -> dict[str, tuple[Path, str]]:
    """List the members for files that the tables name, with the place of each and its sha256."""
    films_used = select(AssessmentRow.film_sha256).distinct().order_by(AssessmentRow.film_sha256)
    artifacts_there = select(ArtifactRow.assessment_id, ArtifactRow.sha256).distinct()
    artifacts_there = artifacts_there.order_by(ArtifactRow.assessment_id, ArtifactRow.sha256)
    found = {f"films/{sha256}": (films.path(sha256), sha256) for sha256 in connection.scalars(films_used)}
    for owner, sha256 in connection.execute(artifacts_there):
        found[f"artifacts/{owner}/{sha256}"] = (artifacts.path(owner, sha256), sha256)
    return found
