"""Looking a store over: files that are missing, damaged or unknown, and the database's own check."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import exists, select, text

from capitate.service.store.artifacts import Artifacts
from capitate.service.store.content import digest_of
from capitate.service.store.database import Database
from capitate.service.store.films import Films
from capitate.service.store.records import Status, StoreProblem
from capitate.service.store.tables import ArtifactRow, AssessmentRow, FilmRow, RevisionRow

__all__ = ["check"]

_UPLOAD_SECONDS = 3600


def check(database: Database, films: Films, artifacts: Artifacts, *, contents: bool) -> tuple[StoreProblem, ...]:
    """Look a store over; see `Store.check`."""
    return (
        *_database(database),
        *_films(database, films, contents=contents),
        *_artifacts(database, artifacts, contents=contents),
        *_unknown(database, films),
    )


def _database(database: Database) -> Iterator[StoreProblem]:
    """Ask the database for damage, and for results without their revision."""
    with database.reading() as session:
        if database.is_sqlite:
            told = session.scalars(text("PRAGMA integrity_check(5)")).all()
            if list(told) != ["ok"]:
                yield StoreProblem("database_damaged", f"SQLite says: {told[0]}; restore a backup into a new store")
        there = exists().where(
            RevisionRow.assessment_id == AssessmentRow.id, RevisionRow.number == AssessmentRow.revision
        )
        finished = AssessmentRow.status.in_([Status.DONE, Status.REFUSED])
        for one in session.scalars(select(AssessmentRow.id).where(finished, ~there)):
            yield StoreProblem("revision_missing", f"assessment {one} has no result; assess its film again", (one,))


def _films(database: Database, films: Films, *, contents: bool) -> Iterator[StoreProblem]:
    """Look at the file of every film that an assessment has."""
    with database.reading() as session:
        rows = select(FilmRow.sha256, FilmRow.size, AssessmentRow.id).join(AssessmentRow)
        users: dict[tuple[str, int], list[str]] = {}
        for sha256, size, owner in session.execute(rows.order_by(AssessmentRow.id)):
            users.setdefault((sha256, size), []).append(owner)
    for (sha256, size), owners in users.items():
        wrong = _wrong(films.path(sha256), sha256=sha256, size=size, contents=contents)
        if wrong is not None:
            told = f"film {sha256} {wrong[1]}; put its file back from a backup"
            yield StoreProblem(f"film_{wrong[0]}", told, tuple(owners))


def _artifacts(database: Database, artifacts: Artifacts, *, contents: bool) -> Iterator[StoreProblem]:
    """Look at every artifact's file."""
    with database.reading() as session:
        rows = session.scalars(select(ArtifactRow).order_by(ArtifactRow.assessment_id, ArtifactRow.name)).all()
    for row in rows:
        path = artifacts.path(row.assessment_id, row.sha256)
        wrong = _wrong(path, sha256=row.sha256, size=row.size, contents=contents)
        if wrong is not None:
            told = f"{row.name} of assessment {row.assessment_id} {wrong[1]}; assess the film again"
            yield StoreProblem(f"artifact_{wrong[0]}", told, (row.assessment_id,))


def _unknown(database: Database, films: Films) -> Iterator[StoreProblem]:
    """Look for files of no film; those of the last hour may be of uploads under way."""
    with database.reading() as session:
        known = {films.path(sha256) for sha256 in session.scalars(select(FilmRow.sha256))}
    for path in sorted(films.folder.glob("*/*")):
        if path not in known and time.time() - path.stat().st_mtime > _UPLOAD_SECONDS:
            name = path.relative_to(films.folder.parent).as_posix()
            yield StoreProblem("unknown_file", f"{name} belongs to no film of this database; is the folder its own?")


def _wrong(path: Path, *, sha256: str, size: int, contents: bool) -> tuple[str, str] | None:
    """Say what is wrong with a file, as a word and in words; None if nothing is."""
    try:
        found_size = path.stat().st_size
        found = digest_of(path)[0] if contents and found_size == size else sha256
    except FileNotFoundError:
        return "missing", "has lost its file"
    except OSError as error:
        return "unreadable", f"has a file that cannot be read ({error.strerror})"
    if found_size != size:
        return "damaged", f"has {found_size} bytes, not {size}"
    return None if found == sha256 else ("damaged", "has other bytes than were stored")
