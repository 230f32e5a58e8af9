"""What the API takes and gives, as its OpenAPI document says it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from capitate.service.store import Record, Status
from capitate.types import Sex

__all__ = [
    "ArchiveAnswer",
    "ByBody",
    "GradesBody",
    "HealthAnswer",
    "HistoryAnswer",
    "ItemsAnswer",
    "JointsAnswer",
    "MapsAnswer",
    "ProblemDocument",
    "ReadyAnswer",
    "ReassessBody",
    "RecordAnswer",
    "SessionAnswer",
    "SessionBody",
    "SummaryAnswer",
    "record_json",
    "summary_json",
]

Years = Annotated[float, Field(ge=0, le=30)]
Reader = Annotated[str, Field(min_length=1, max_length=100, pattern=r"\S")]


class _Answer(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class IntervalAnswer(_Answer):
    """Prediction interval, months, and its nominal coverage."""

    low: float
    high: float
    level: float


class SummaryAnswer(_Answer):
    """An assessment as a list shows it."""

    id: str
    created_at: datetime
    updated_at: datetime
    status: Status
    revision: int = Field(description="0 until it is assessed, then 1, and one more with every change.")
    progress: str | None = Field(description="Step that the work is at, while it runs.")
    film_name: str
    film_size: int
    film_sha256: str
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
    interval: IntervalAnswer | None
    has_corrections: bool = Field(validation_alias="corrected")
    error_code: str | None
    error_message: str | None


class RecordAnswer(SummaryAnswer):
    """An assessment."""

    assessment: dict[str, Any] | None = Field(description="capitate.assessment/1; null before it is there.")


class ItemsAnswer(_Answer):
    """A page of a search."""

    items: list[SummaryAnswer]
    next: str | None = Field(description="`cursor` of the next page; null on the last.")


class RefusedFilm(_Answer):
    """A film of an archive that was not taken."""

    name: str
    code: str
    message: str


class ArchiveAnswer(_Answer):
    """What was taken of an archive."""

    assessments: list[SummaryAnswer]
    refused: list[RefusedFilm]


class RevisionAnswer(_Answer):
    """One state of an assessment."""

    number: int
    created_at: datetime
    by: str
    change: dict[str, Any]
    restores: int | None


class HistoryAnswer(_Answer):
    """All states of an assessment, the oldest first."""

    items: list[RevisionAnswer]


class MapAnswer(_Answer):
    """Files of a map: over the film, alone (with transparency, of the film's shape), and its numbers."""

    kind: str
    picture: str
    layer: str
    array: str


class MapsAnswer(_Answer):
    """The maps of an assessment."""

    items: list[MapAnswer]


class JointAnswer(_Answer):
    """A joint of RUS-CHN: its last grade, and the stage of Tanner and Whitehouse of every grade from 0."""

    name: str
    last_grade: int
    stages: list[str]


class JointsAnswer(_Answer):
    """The joints that have grades."""

    items: list[JointAnswer]


class HealthAnswer(_Answer):
    """The process answers."""

    status: Literal["ok"]
    version: str


class ReadyAnswer(_Answer):
    """Films can be assessed."""

    status: Literal["ready"]
    workers: int
    busy: int
    waiting: int


class SessionAnswer(_Answer):
    """Who is signed in."""

    name: str
    role: Literal["read", "write"]
    tokens: bool = Field(description="Whether the service asks for tokens.")
    csrf: str | None = Field(description="To be repeated in X-CSRF-Token with every change.")


class SessionBody(_Body):
    """A token to sign in with."""

    token: str = Field(min_length=1, max_length=500)


class GradesBody(_Body):
    """Corrections of an assessment."""

    grades: dict[str, StrictInt | None] = Field(default_factory=dict, description="Grade by joint; null: not seen.")
    clear: list[str] = Field(default_factory=list, max_length=50, description="Joints whose correction is withdrawn.")
    sex: Sex | None = None
    by: Reader = "reader"


class ByBody(_Body):
    """Who changes an assessment."""

    by: Reader = "reader"


class ReassessBody(_Body):
    """What is known of the child now."""

    sex: Sex | None = None
    birth_date: date | None = None
    study_date: date | None = None
    age_years: Years | None = None


class ProblemDocument(BaseModel):
    """What went wrong (RFC 9457)."""

    model_config = ConfigDict(extra="allow")

    type: str
    title: str
    status: int
    detail: str
    code: str
    instance: str


def record_json(record: Record, *, progress: str | None = None) -> dict[str, Any]:
    """Write a record.

    Args:
        record: as the store has it.
        progress: what a worker said last, if one is at it.
    """
    return _with(RecordAnswer.model_validate(record).model_dump(mode="json"), progress)


def summary_json(record: Record, *, progress: str | None = None) -> dict[str, Any]:
    """Write a record without its assessment; see `record_json`."""
    return _with(SummaryAnswer.model_validate(record).model_dump(mode="json"), progress)


def _with(written: dict[str, Any], progress: str | None) -> dict[str, Any]:
    return written if progress is None else {**written, "progress": progress}
