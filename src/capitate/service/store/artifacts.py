"""Files that belong to one assessment, such as pictures of maps; they go with it."""

from __future__ import annotations

import re
import shutil
from contextlib import suppress
from pathlib import Path

from sqlalchemy import exc, select

from capitate.errors import RecordNotFoundError, StoreDamagedError, UsageError
from capitate.service.store.content import digest_of, replace_durably, staged
from capitate.service.store.database import Database
from capitate.service.store.faults import disk_faults
from capitate.service.store.identifiers import is_identifier
from capitate.service.store.tables import ArtifactRow, AssessmentRow

__all__ = ["Artifacts"]

_NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}")


class Artifacts:
    """The folder of artifacts, `artifacts/ID/SHA256`."""

    def __init__(self, database: Database, folder: Path) -> None:
        """Take the database and the store's folder."""
        self._database, self.folder = database, folder / "artifacts"
        self._incoming = folder / "incoming"

    def put(self, assessment_id: str, name: str, content: bytes) -> None:
        """Store an artifact, in place of one of the same name.

        Args:
            assessment_id: whose it is.
            name: letters, digits, `._-`, 100 characters at most, such as `bone-age.png`.
            content: its bytes.

        Raises:
            UsageError: if the name is none.
            RecordNotFoundError: if there is no such assessment.
            StoreError: if it cannot be stored.
        """
        _require_name(name)
        with staged(self._incoming, content) as part:
            path = self.path(assessment_id, part.sha256)
            with self._database.reading() as session:
                if session.get(AssessmentRow, assessment_id) is None:
                    raise _unknown(assessment_id)
            replace_durably(part.path, path)
            row = ArtifactRow(assessment_id=assessment_id, name=name, sha256=part.sha256, size=part.size)
            try:
                with self._database.writing() as session:
                    session.merge(row)
            except exc.IntegrityError:
                self.remove_all(assessment_id)  # the assessment was deleted since it was looked for
                raise _unknown(assessment_id) from None

    def get(self, assessment_id: str, name: str) -> bytes:
        """Return an artifact's bytes, checked.

        Raises:
            RecordNotFoundError: if there is none of this name.
            StoreDamagedError: if its file is missing or changed.
        """
        _require_name(name)
        if not is_identifier(assessment_id):
            raise _unknown(assessment_id)
        with self._database.reading() as session:
            row = session.get(ArtifactRow, (assessment_id, name))
        if row is None:
            known = ", ".join(self.names(assessment_id)) or "none"
            raise RecordNotFoundError(f"assessment {assessment_id} has no file {name!r}; it has {known}")
        path = self.path(assessment_id, row.sha256)
        try:
            content = path.read_bytes()
            found, _ = digest_of(path)
        except FileNotFoundError:
            raise StoreDamagedError(
                f"the file {name!r} of assessment {assessment_id} is missing; assess the film again"
            ) from None
        if found != row.sha256:
            raise StoreDamagedError(
                f"the bytes of {name!r} of assessment {assessment_id} were changed; assess the film again"
            )
        return content

    def names(self, assessment_id: str) -> tuple[str, ...]:
        """List the names of an assessment's artifacts, sorted; none where there is no such assessment."""
        with self._database.reading() as session:
            rows = select(ArtifactRow.name).where(ArtifactRow.assessment_id == assessment_id)
            return tuple(sorted(session.scalars(rows)))

    def path(self, assessment_id: str, sha256: str) -> Path:
        """Return where an artifact's bytes lie; a name's new bytes lie beside its old ones until its row is changed.

        Raises:
            RecordNotFoundError: if the assessment's identifier is none.
        """
        if not is_identifier(assessment_id):
            raise _unknown(assessment_id)
        return self.folder / assessment_id / sha256

    def remove_all(self, assessment_id: str) -> None:
        """Remove the files of an assessment that is deleted.

        Raises:
            StoreError: if the folder may not be written.
        """
        if not is_identifier(assessment_id):
            raise _unknown(assessment_id)
        with disk_faults(self.folder), suppress(FileNotFoundError):
            shutil.rmtree(self.folder / assessment_id)

    def owners(self) -> list[str]:
        """List the assessments of which there are files, those included that are deleted."""
        with suppress(FileNotFoundError):
            return [one.name for one in self.folder.iterdir() if is_identifier(one.name)]
        return []


def _unknown(assessment_id: str) -> RecordNotFoundError:
    return RecordNotFoundError(f"there is no assessment {assessment_id[:40]!r}; look it up in the list")


def _require_name(name: str) -> None:
    if not _NAME.fullmatch(name):
        raise UsageError(f"an artifact is named by at most 100 letters, digits and ._-, got {name[:80]!r}")
