"""The store as one object."""

from __future__ import annotations

import logging
import os
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import text

from capitate.errors import StoreReadOnlyError
from capitate.service.store.artifacts import Artifacts
from capitate.service.store.assessments import Assessments
from capitate.service.store.audit import Audit
from capitate.service.store.backup import write_backup
from capitate.service.store.checking import check
from capitate.service.store.content import make_folder
from capitate.service.store.database import Database
from capitate.service.store.faults import disk_faults
from capitate.service.store.films import Films
from capitate.service.store.idempotency import Idempotency
from capitate.service.store.migrating import migrate as bring_up_to_date
from capitate.service.store.migrating import require_current
from capitate.service.store.records import BackedUp, Pruned, StoreProblem
from capitate.service.store.removing import prune, sweep
from capitate.service.store.restore import restore_backup

__all__ = ["Store"]

logger = logging.getLogger(__name__)


class Store:
    """A database and a folder of files. May be used by several threads, and opened by several processes at once.

    Attributes:
        films: bytes of films.
        artifacts: files that belong to an assessment.
        assessments: the assessments.
        idempotency: keys of requests.
        audit: who did what.
        folder: where the files lie.
    """

    def __init__(self, database: Database, folder: Path) -> None:
        """Take a database whose tables are there; `Store.open` is for everybody else."""
        self._database, self.folder = database, folder
        self.films = Films(database, folder)
        self.artifacts = Artifacts(database, folder)
        self.assessments = Assessments(database, self.films, self.artifacts)
        self.idempotency = Idempotency(database)
        self.audit = Audit(database)

    @classmethod
    def open(cls, url: str, *, folder: Path, migrate: bool = True) -> Self:
        """Open a store.

        Args:
            url: `sqlite:///PATH`, or `postgresql://USER:PASSWORD@HOST/NAME`.
            folder: for films and artifacts; one folder to one database.
            migrate: make what is missing, and bring the tables to this program's version; where not, they have to be.

        Raises:
            UsageError: if the address is none.
            StoreError: if database or folder cannot be used, or the tables are of another version.
        """
        place = folder.absolute()
        database = Database(url, make=migrate)
        try:
            if migrate:
                with disk_faults(place):
                    make_folder(place)
                bring_up_to_date(database)
            else:
                require_current(database)
        except BaseException:
            database.close()
            raise
        return cls(database, place)

    def __enter__(self) -> Self:
        """Give the store; it is closed when the context ends."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    @property
    def shown_address(self) -> str:
        """The database's address without a password."""
        return self._database.shown

    def ready(self) -> None:
        """Check quickly that the database answers and the folder may be written.

        Raises:
            StoreError: if not.
        """
        with self._database.reading() as session:
            session.execute(text("SELECT 1"))
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise StoreReadOnlyError(f"{str(self.folder)!r} may not be written; check the rights of the folder")

    def check(self, *, contents: bool = True) -> tuple[StoreProblem, ...]:
        """Look for files that are missing, damaged or too many, and for damage of the database.

        Args:
            contents: read every file and compare its sha256; otherwise sizes only.

        Raises:
            StoreError: if the database cannot be used.
        """
        return check(self._database, self.films, self.artifacts, contents=contents)

    def prune(self, *, older_than: datetime | None = None) -> Pruned:
        """Delete assessments that are over and were made before a time, and what broken uploads have left.

        Raises:
            StoreError: if database or folder cannot be used.
        """
        pruned = prune(self._database, self.films, self.artifacts, older_than=older_than)
        self.idempotency.drop_old()
        logger.info("pruned %d assessments, %d films", pruned.assessments, pruned.films)
        return pruned

    def backup(self, target: Path) -> BackedUp:
        """Write everything, as it is at one moment, into one archive; the service may go on meanwhile.

        Args:
            target: file that is not there yet.

        Raises:
            BackupError: if it is there.
            StoreError: if database or folder cannot be used, or there is no room.
        """
        with self.films.holding_all():
            done = write_backup(self._database, self.films, self.artifacts, target)
        sweep(self._database, self.films, self.artifacts)
        return done

    def restore(self, source: Path) -> BackedUp:
        """Read an archive that `backup` wrote into this store, which has to be empty; every sum is checked.

        Raises:
            BackupError: if the archive is damaged or none, or the store not empty; it is left as it was.
            StoreError: if database or folder cannot be used, or there is no room.
        """
        return restore_backup(self._database, self.films, self.artifacts, source)

    def close(self) -> None:
        """Close the connections."""
        self._database.close()
