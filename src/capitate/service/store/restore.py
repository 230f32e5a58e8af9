"""Reading a backup into an empty store, of either database; either all of it or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from sqlalchemy import Connection, exc, exists, select

from capitate.errors import BackupError
from capitate.service.store.archive import ArchiveReader, reading_archive
from capitate.service.store.artifacts import Artifacts
from capitate.service.store.content import replace_durably, staged
from capitate.service.store.database import Database
from capitate.service.store.films import Films
from capitate.service.store.portable import TABLES, insert_lines
from capitate.service.store.records import BackedUp
from capitate.service.store.tables import AssessmentRow, FilmRow

__all__ = ["restore_backup"]


def restore_backup(database: Database, films: Films, artifacts: Artifacts, source: Path) -> BackedUp:
    """Read a backup; see `Store.restore`.

    Files go before rows, so that no row is ever without its file; the rows are committed last, all at once.
    """
    with reading_archive(source) as archive:
        wanted = {
            name: _place(name, films, artifacts) for name in (*archive.names("films"), *archive.names("artifacts"))
        }
        with _removed_on_failure(wanted), database.altering() as connection:
            _require_empty(connection)
            for name, place in wanted.items():
                _put(archive, name, place)
            counts = {table.name: _insert(archive, connection, table.name) for table in TABLES}
    lacking = tuple(str(name) for name in archive.about.get("lacking", ()))
    return BackedUp(counts["assessments"], len(archive.names("films")), len(archive.names("artifacts")), lacking)


def _place(name: str, films: Films, artifacts: Artifacts) -> Path:
    """Say where a member's bytes go."""
    kind, _, rest = name.partition("/")
    return films.path(rest) if kind == "films" else artifacts.path(*rest.split("/"))


def _put(archive: ArchiveReader, name: str, place: Path) -> None:
    """Write a member's bytes to their place; their name is their sum."""
    with staged(place.parent, archive.chunks(name)) as part:
        if part.sha256 != _sum_of(name):
            raise BackupError(f"{name} in the backup holds other bytes; nothing was restored, take another backup")
        replace_durably(part.path, place)


def _sum_of(name: str) -> str:
    """Return the sha256 that a member's name states."""
    return name.rpartition("/")[2]


def _insert(archive: ArchiveReader, connection: Connection, name: str) -> int:
    """Insert a table's rows."""
    table = next(one for one in TABLES if one.name == name)
    member = f"tables/{name}.jsonl"
    if member not in archive.names("tables"):
        raise BackupError(f"the backup has no {member}; nothing was restored, take another backup")
    try:
        return insert_lines(connection, table, archive.lines(member))
    except exc.IntegrityError as error:
        raise BackupError(
            f"rows of {name} in the backup contradict each other; nothing was restored, take another backup"
        ) from error


def _require_empty(connection: Connection) -> None:
    """Refuse to restore over something."""
    if connection.scalar(select(exists(select(AssessmentRow.id)) | exists(select(FilmRow.sha256)))):
        raise BackupError("the store is not empty, nothing was restored; give a database and a folder that are new")


@contextmanager
def _removed_on_failure(wanted: dict[str, Path]) -> Iterator[None]:
    """Take written files away again where the restoring fails."""
    before = {place for place in wanted.values() if place.exists()}
    try:
        yield
    except BaseException:
        for place in set(wanted.values()) - before:
            with suppress(OSError):
                place.unlink(missing_ok=True)
                place.parent.rmdir()
        raise
