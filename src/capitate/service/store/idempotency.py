"""Idempotency keys: a request that a client repeats is answered again, not done again."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from capitate.errors import UsageError
from capitate.service.store.columns import now
from capitate.service.store.database import Database
from capitate.service.store.records import Claim, ClaimState
from capitate.service.store.tables import IdempotencyRow
from capitate.service.store.texts import identifying

__all__ = ["KEPT", "Idempotency", "forget_answers"]

KEPT = timedelta(hours=24)
"""How long an answer is kept."""
_ABANDONED = timedelta(minutes=15)
"""After this a request without an answer counts as broken off: the service was killed while it worked."""


class Idempotency:
    """The keys of a store. A client's keys are its own."""

    def __init__(self, database: Database) -> None:
        """Take the database."""
        self._database = database

    def claim(self, client: str, key: str, digest: str) -> Claim:
        """Claim a key for a request. Of two at once one gets it.

        Args:
            client: whose key it is.
            key: what the client chose, 1 to 255 characters.
            digest: of the request, so that a key that is used for another one is noticed.

        Raises:
            UsageError: if the key is none.
        """
        name = _key(key)
        fresh = {"digest": digest, "claimed_at": now(), "status": None, "assessment_ids": ""}
        row = self._database.insert(IdempotencyRow).values(client=client, key=name, **fresh).on_conflict_do_nothing()
        with self._database.writing() as session:
            if session.execute(row.returning(IdempotencyRow.key)).scalar() is not None:
                return Claim(ClaimState.NEW)
            known = session.get(IdempotencyRow, (client, name), with_for_update=True)
            if known is None:
                return Claim(ClaimState.IN_PROGRESS)  # released by another request between the two statements
            age = now() - known.claimed_at
            if age > KEPT or (known.status is None and age > _ABANDONED):
                known.digest, known.claimed_at, known.status, known.assessment_ids = digest, now(), None, ""
                known.headers = known.body = None
                return Claim(ClaimState.NEW)
            return _answer(known, digest)

    def complete(
        self,
        client: str,
        key: str,
        *,
        status: int,
        headers: Mapping[str, str],
        body: bytes,
        assessment_ids: Collection[str] = (),
    ) -> None:
        """Keep the answer to a claimed request for 24 hours.

        Args:
            client: as claimed.
            key: as claimed.
            status: HTTP status.
            headers: to give again.
            body: to give again.
            assessment_ids: assessments that the answer tells of; it is forgotten when one of them is deleted.
        """
        with self._database.writing() as session:
            row = session.get(IdempotencyRow, (client, _key(key)), with_for_update=True)
            if row is not None:
                row.status, row.headers, row.body = status, dict(headers), body
                row.assessment_ids = " ".join(assessment_ids)

    def release(self, client: str, key: str) -> None:
        """Give a key back whose request came to no answer worth keeping, so that it may be tried again."""
        with self._database.writing() as session:
            same = (IdempotencyRow.client == client, IdempotencyRow.key == _key(key))
            session.execute(delete(IdempotencyRow).where(*same, IdempotencyRow.status.is_(None)))

    def drop_old(self) -> None:
        """Forget answers that are kept no longer."""
        with self._database.writing() as session:
            session.execute(delete(IdempotencyRow).where(IdempotencyRow.claimed_at < now() - KEPT))


def forget_answers(session: Session, assessment_id: str) -> None:
    """Forget answers that tell of an assessment which is deleted."""
    told = IdempotencyRow.assessment_ids.contains(assessment_id, autoescape=True)
    session.execute(delete(IdempotencyRow).where(told))


def _key(key: str) -> str:
    """Check a key."""
    name = identifying(key, what="the idempotency key", length=255)
    if name is None:
        raise UsageError("the idempotency key is empty; give one that is new for every request, such as a UUID")
    return name


def _answer(known: IdempotencyRow, digest: str) -> Claim:
    """Answer to a key that is known."""
    if known.digest != digest:
        return Claim(ClaimState.MISMATCH)
    if known.status is None:
        return Claim(ClaimState.IN_PROGRESS)
    return Claim(ClaimState.REPLAY, known.status, known.headers or {}, known.body or b"")
