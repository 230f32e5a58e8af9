"""The store as one object. (Signatures first; the parts behind them follow in the next commits.)"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, BinaryIO, Self

from capitate.service.store.records import (
    AuditAction,
    AuditEntry,
    Claim,
    FilmRef,
    Found,
    NewAssessment,
    Page,
    Pruned,
    Record,
    Revision,
    Search,
    StoreProblem,
)

__all__ = ["Store"]


class Films:
    def put(self, source: bytes | BinaryIO | Iterable[bytes], *, limit: int) -> FilmRef: ...  # FilmTooLargeError beyond `limit` bytes
    def ref(self, sha256: str) -> FilmRef: ...  # of a film that is there (for a reassessment)
    def release(self, film: FilmRef) -> None: ...  # an upload of which no assessment is made after all
    def path(self, sha256: str) -> Path: ...
    def read(self, sha256: str) -> bytes: ...  # verified; StoreDamagedError


class Artifacts:
    def put(self, assessment_id: str, name: str, content: bytes) -> None: ...
    def get(self, assessment_id: str, name: str) -> bytes: ...
    def names(self, assessment_id: str) -> tuple[str, ...]: ...


class Assessments:
    def create(self, new: NewAssessment) -> Record: ...
    def get(self, assessment_id: str) -> Record: ...
    def start(self, assessment_id: str) -> Record: ...
    def progress(self, assessment_id: str, step: str) -> Record: ...  # without effect unless it runs
    def finish(self, assessment_id: str, assessment: Mapping[str, Any], *, found: Found | None = None) -> Record: ...
    def fail(self, assessment_id: str, *, code: str, message: str) -> Record: ...
    def cancel(self, assessment_id: str) -> Record: ...
    def requeue_interrupted(self) -> list[str]: ...  # running -> queued
    def queued(self) -> list[str]: ...  # oldest first
    def revise(self, assessment_id: str, *, expected_revision: int, assessment: Mapping[str, Any], by: str, change: Mapping[str, Any]) -> Record: ...
    def undo(self, assessment_id: str, *, expected_revision: int, by: str) -> Record: ...
    def history(self, assessment_id: str) -> list[Revision]: ...
    def search(self, search: Search) -> Page: ...
    def delete(self, assessment_id: str, *, by: str) -> None: ...  # writes its audit entry itself


class Idempotency:
    def claim(self, client: str, key: str, digest: str) -> Claim: ...
    def complete(self, client: str, key: str, *, status: int, headers: Mapping[str, str], body: bytes, assessment_ids: Collection[str] = ()) -> None: ...
    def release(self, client: str, key: str) -> None: ...  # not answered: the key may be used again


class Audit:
    def write(self, who: str, what: AuditAction, *, assessment_id: str | None = None, detail: Mapping[str, str | int | float | bool | None] | None = None) -> None: ...
    def list(self, *, assessment_id: str | None = None, limit: int = 100, before: str | None = None) -> list[AuditEntry]: ...


class Store:
    films: Films
    artifacts: Artifacts
    assessments: Assessments
    idempotency: Idempotency
    audit: Audit

    @classmethod
    def open(cls, url: str, *, folder: Path, migrate: bool = True) -> Self: ...
    def ready(self) -> None: ...  # readiness, quick: raises a StoreError
    def check(self, *, contents: bool = True) -> tuple[StoreProblem, ...]: ...  # every film file
    def prune(self, *, older_than: datetime | None = None) -> Pruned: ...
    def backup(self, target: Path) -> None: ...
    def restore(self, source: Path) -> None: ...
    def close(self) -> None: ...
