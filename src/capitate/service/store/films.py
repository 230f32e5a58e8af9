"""Films: bytes in a folder under their sha256, each once, however many assessments there are of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ColumnElement, delete, exists, or_, select
from sqlalchemy.orm import Session

from capitate.errors import RecordNotFoundError, StoreDamagedError, StoreError, UsageError
from capitate.service.store.columns import now
from capitate.service.store.content import digest_of, replace_durably, staged
from capitate.service.store.database import Database
from capitate.service.store.faults import disk_faults
from capitate.service.store.identifiers import new_identifier
from capitate.service.store.records import FilmRef
from capitate.service.store.tables import AssessmentRow, FilmRow, HoldRow

__all__ = ["Films"]

_SHA256 = re.compile(r"[0-9a-f]{64}")
_UPLOAD_HOLD, _WHOLE_HOLD = timedelta(hours=1), timedelta(days=1)


class Films:
    """The folder of films.

    Bytes come in before their assessment and go after it. An upload therefore holds its film: the row of the hold is
    there before the file moves to its place, and `remove_unused` looks for assessments and holds while it has the
    film's row locked. Whichever of the two comes first, no assessment is ever without its film.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        """Take the database and the store's folder."""
        self._database, self.folder = database, folder / "films"
        self._incoming = folder / "incoming"

    def put(self, source: bytes | BinaryIO | Iterable[bytes], *, limit: int) -> FilmRef:
        """Store a film; it is held for an hour, until an assessment is made of it or `release` is called.

        Args:
            source: its bytes, a stream, or pieces as they arrive.
            limit: bytes at most.

        Raises:
            FilmTooLargeError: beyond the limit.
            StoreError: if it cannot be stored; nothing is left then.
        """
        with staged(self._incoming, source, limit=limit) as part:
            film = FilmRef(part.sha256, part.size, self._hold(part.sha256, part.size))
            try:
                replace_durably(part.path, self.path(part.sha256))
            except StoreError:
                with suppress(StoreError):
                    self.release(film)
                raise
        return film

    def ref(self, sha256: str) -> FilmRef:
        """Return a film that is stored, to assess it again.

        Raises:
            RecordNotFoundError: if it is not.
        """
        with self._database.reading() as session:
            film = session.get(FilmRow, sha256)
            if film is None:
                raise RecordNotFoundError(f"no film {sha256[:64]!r} is stored; upload it")
            return FilmRef(film.sha256, film.size)

    def release(self, film: FilmRef) -> None:
        """Let go of an upload of which no assessment is made after all; its bytes go unless something else uses them.

        Raises:
            StoreError: if the database cannot be used.
        """
        if film.hold is None:
            return
        with self._database.writing() as session:
            session.execute(delete(HoldRow).where(HoldRow.id == film.hold))
        self.remove_unused(film.sha256)

    def path(self, sha256: str) -> Path:
        """Return where a film's bytes lie, `films/ab/cdef...`.

        Raises:
            UsageError: if it is no sha256.
        """
        if not _SHA256.fullmatch(sha256):
            raise UsageError(f"a film is named by its sha256, 64 digits of 0-9a-f, got {sha256[:80]!r}")
        return self.folder / sha256[:2] / sha256[2:]

    def read(self, sha256: str) -> bytes:
        """Return a film's bytes, checked.

        Raises:
            StoreDamagedError: if the file is missing or its bytes are others.
        """
        path = self.path(sha256)
        try:
            found, _ = digest_of(path)
            content = path.read_bytes()
        except FileNotFoundError:
            raise StoreDamagedError(
                f"the file of film {sha256} is missing; run `capitate store check`, and restore a backup"
            ) from None
        except OSError as error:
            with disk_faults(path.parent):
                raise error
        if found != sha256:
            raise StoreDamagedError(
                f"the bytes of film {sha256} were changed, got sha256 {found}; restore the file from a backup"
            )
        return content

    def remove_unused(self, sha256: str) -> int | None:
        """Remove a film's bytes and row, unless an assessment has it or something holds it.

        Returns:
            How many bytes were removed; None if the film stays.

        Raises:
            StoreError: if the database or the folder cannot be used.
        """
        with self._database.writing() as session:
            film = session.get(FilmRow, sha256, with_for_update=True)
            if film is None or _used(session, sha256):
                return None
            # before the row goes: should the machine fail in between, a later call finds the row and ends the work
            with disk_faults(self.folder):
                self.path(sha256).unlink(missing_ok=True)
            session.delete(film)
        with suppress(OSError):
            self.path(sha256).parent.rmdir()
        return film.size

    def unused(self) -> list[str]:
        """List films that no assessment has; those of uploads under way are among them."""
        with self._database.reading() as session:
            free = ~exists().where(AssessmentRow.film_sha256 == FilmRow.sha256)
            return list(session.scalars(select(FilmRow.sha256).where(free)))

    def drop_old_holds(self) -> None:
        """Forget holds of uploads and backups that were broken off."""
        with self._database.writing() as session:
            session.execute(delete(HoldRow).where(HoldRow.expires_at <= now()))

    def all_held(self) -> bool:
        """Say whether a backup is reading files, so that none may go."""
        with self._database.reading() as session:
            return bool(session.scalar(select(exists().where(HoldRow.film_sha256.is_(None), _alive()))))

    @contextmanager
    def holding_all(self) -> Iterator[None]:
        """Keep every file while the context lasts; what became free meanwhile is for the caller to remove."""
        with self._database.writing() as session:
            hold = HoldRow(id=new_identifier(), film_sha256=None, expires_at=now() + _WHOLE_HOLD)
            session.add(hold)
        try:
            yield
        finally:
            with self._database.writing() as session:
                session.execute(delete(HoldRow).where(HoldRow.id == hold.id))

    def _hold(self, sha256: str, size: int) -> str:
        """Note the film and the upload's hold."""
        row = self._database.insert(FilmRow).values(sha256=sha256, size=size, created_at=now())
        # an update that changes nothing locks the row, so that nobody removes it before the hold is there
        row = row.on_conflict_do_update(index_elements=[FilmRow.sha256], set_={"size": row.excluded.size})
        hold = HoldRow(id=new_identifier(), film_sha256=sha256, expires_at=now() + _UPLOAD_HOLD)
        with self._database.writing() as session:
            session.execute(row)
            session.add(hold)
        return hold.id


def _alive() -> ColumnElement[bool]:
    """Say of a hold that it has not expired."""
    return HoldRow.expires_at > now()


def _used(session: Session, sha256: str) -> bool:
    """Say whether an assessment or a hold needs a film."""
    assessed = exists().where(AssessmentRow.film_sha256 == sha256)
    held = exists().where(or_(HoldRow.film_sha256 == sha256, HoldRow.film_sha256.is_(None)), _alive())
    return bool(session.scalar(select(or_(assessed, held))))
