"""What the store takes and gives: frozen values, free of the database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Any

from capitate.types import Interval, Sex

__all__ = [
    "AuditAction",
    "AuditEntry",
    "BackedUp",
    "Claim",
    "ClaimState",
    "FilmRef",
    "Found",
    "NewAssessment",
    "Order",
    "Page",
    "Pruned",
    "Record",
    "Revision",
    "Search",
    "Status",
    "StoreProblem",
]


class Status(StrEnum):
    """Where an assessment stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def over(self) -> bool:
        """Whether nothing further will happen to it by itself."""
        return self not in {Status.QUEUED, Status.RUNNING}


class Order(StrEnum):
    """Order of a search, by the time of creation."""

    NEWEST = "newest"
    OLDEST = "oldest"


@dataclass(frozen=True)
class FilmRef:
    """A film that is stored.

    Attributes:
        sha256: of its bytes, 64 hexadecimal digits.
        size: bytes.
        hold: keeps the bytes of an upload until an assessment is made of it (`Assessments.create` ends it), however
            many assessments of the same film are deleted meanwhile; None for a film that was there before.
    """

    sha256: str
    size: int
    hold: str | None = None


@dataclass(frozen=True)
class NewAssessment:
    """An assessment to be made.

    Attributes:
        film: what `Films.put` or `Films.ref` gave.
        film_name: as the file was called; folders are left out, what no database can hold is replaced.
        sex: as it was typed; None if nothing was.
        birth_date: as it was typed.
        study_date: as it was typed.
        age_months: chronological age as it was typed, months.
        child: identifier of the child, so that its films can be shown beside each other.
        maps: whether maps are wanted.
        screen: whether the abnormality screen is wanted.
        client: name of the token that asked; empty without tokens.
    """

    film: FilmRef
    film_name: str
    sex: Sex | None = None
    birth_date: date | None = None
    study_date: date | None = None
    age_months: float | None = None
    child: str | None = None
    maps: bool = True
    screen: bool = False
    client: str = ""


@dataclass(frozen=True)
class Found:
    """What the film itself said of the child; fills only what nobody typed."""

    child: str | None = None
    birth_date: date | None = None
    study_date: date | None = None


@dataclass(frozen=True)
class Record:
    """An assessment as it is stored.

    Attributes:
        id: 26 characters, sorted as the times of creation are.
        created_at: UTC.
        updated_at: UTC.
        status: see `Status`.
        revision: 0 until the assessment is there, then 1, and one more with every change.
        progress: step that the worker is at, while it runs.
        film_sha256: of the film's bytes.
        film_name: as the file was called.
        film_size: bytes.
        child: identifier that was typed, or that the film names.
        sex: as it was typed; once assessed, the one that the assessment rests on.
        birth_date: as it was typed, or the film says.
        study_date: as it was typed, or the film says.
        age_months: chronological age as it was typed; once assessed, the one that the assessment states. Months.
        maps: whether maps were asked for.
        screen: whether the screen was asked for.
        client: name of the token that asked.
        bone_age_months: of the current revision.
        bone_age_text: of the current revision, `10 years 6 months (126.5 months)`.
        interval: of the bone age.
        corrected: whether a person set any grade of the current revision.
        error_code: why it was refused or failed.
        error_message: the same as a sentence.
        assessment: `capitate.assessment/1` of the current revision; None before it is there, and in pages of a search.
    """

    id: str
    created_at: datetime
    updated_at: datetime
    status: Status
    revision: int
    progress: str | None
    film_sha256: str
    film_name: str
    film_size: int
    child: str | None
    sex: Sex | None
    birth_date: date | None
    study_date: date | None
    age_months: float | None
    maps: bool
    screen: bool
    client: str
    bone_age_months: float | None
    bone_age_text: str | None
    interval: Interval | None
    corrected: bool
    error_code: str | None
    error_message: str | None
    assessment: dict[str, Any] | None = None


@dataclass(frozen=True)
class Revision:
    """One state of an assessment.

    Attributes:
        number: 1 is the machine's.
        created_at: UTC.
        by: who changed it; `machine` for the first.
        change: what was changed, as `Assessments.revise` was told.
        restores: number of the revision that an undo went back to; None where it is no undo.
    """

    number: int
    created_at: datetime
    by: str
    change: Mapping[str, Any]
    restores: int | None = None


@dataclass(frozen=True)
class Search:
    """What to look for; everything given has to fit.

    Attributes:
        text: part of the film's name, of the child's identifier, or the beginning of the id, whatever the case.
        status: one of these; any if empty.
        sex: of the child.
        child: exact identifier.
        since: created at or after, with a time zone.
        until: created before, with a time zone.
        cursor: `Page.next_cursor` of the page before.
        limit: records a page, 1 to 200.
        order: by time of creation.
    """

    text: str = ""
    status: frozenset[Status] = frozenset()
    sex: Sex | None = None
    child: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    cursor: str | None = None
    limit: int = 50
    order: Order = Order.NEWEST


@dataclass(frozen=True)
class Page:
    """A page of a search; `next_cursor` is None on the last one."""

    records: tuple[Record, ...]
    next_cursor: str | None


class ClaimState(StrEnum):
    """What is known of an idempotency key."""

    NEW = "new"
    REPLAY = "replay"
    IN_PROGRESS = "in_progress"
    MISMATCH = "mismatch"


@dataclass(frozen=True)
class Claim:
    """Answer to an idempotency key.

    Attributes:
        state: `new`: go on, then `complete` or `release`; `replay`: give the answer again; `in_progress`: the first
            request is not answered yet; `mismatch`: the key was used for another request.
        status: HTTP status to give again.
        headers: headers to give again.
        body: bytes to give again.
    """

    state: ClaimState
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class AuditAction(StrEnum):
    """What can be done to an assessment or to the store."""

    CREATE = "create"
    READ = "read"
    FILM = "film"
    REPORT = "report"
    MAP = "map"
    SEARCH = "search"
    CORRECT = "correct"
    UNDO = "undo"
    REASSESS = "reassess"
    CANCEL = "cancel"
    DELETE = "delete"
    PRUNE = "prune"
    BACKUP = "backup"
    RESTORE = "restore"
    SIGN_IN = "sign_in"
    SIGN_OUT = "sign_out"
    DENIED = "denied"


@dataclass(frozen=True)
class AuditEntry:
    """Who did what, when (UTC); never a name of a child or of a film."""

    id: str
    at: datetime
    who: str
    what: AuditAction
    assessment_id: str | None
    detail: Mapping[str, str | int | float | bool | None]


@dataclass(frozen=True)
class Pruned:
    """What `Store.prune` removed: assessments, films, and bytes of films."""

    assessments: int
    films: int
    film_bytes: int


@dataclass(frozen=True)
class BackedUp:
    """What a backup holds.

    Attributes:
        assessments: how many.
        films: how many, with their bytes.
        artifacts: how many.
        lacking: files that were missing or damaged when it was written, `films/SHA256` or `artifacts/ID/SHA256`.
    """

    assessments: int
    films: int
    artifacts: int
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True)
class StoreProblem:
    """Something that `Store.check` found: a stable code, a sentence without names, and the assessments it touches."""

    code: str
    message: str
    assessment_ids: tuple[str, ...] = ()
