"""Routes that read, find, cancel and delete assessments."""

from __future__ import annotations

from contextlib import suppress
from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse, Response

from capitate.errors import StatusConflictError, UsageError
from capitate.service.api.paths import AssessmentId, described
from capitate.service.api.schemas import (
    HistoryAnswer,
    ItemsAnswer,
    RecordAnswer,
    RevisionAnswer,
    record_json,
    summary_json,
)
from capitate.service.api.service import Caller, Here, Service
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction, Record, Search, Status
from capitate.types import Sex

__all__ = ["record_answer", "router"]

router = APIRouter(tags=["assessments"])
Moment = Annotated[str | None, Query(max_length=40, description="Date, or date and time with zone (ISO 8601).")]


def record_answer(service: Service, record: Record, *, status: int = 200) -> Response:
    """Answer with a record."""
    content = record_json(record, progress=service.jobs.step(record.id))
    return JSONResponse(content, status, headers={"ETag": f'"{record.revision}"'})


@router.get("/v1/assessments", response_model=ItemsAnswer, responses=described())
def search(  # noqa: PLR0917 - FastAPI takes parameters of a route by name
    service: Here,
    text: Annotated[str, Query(max_length=200, description="Part of film name or child, or beginning of the id.")] = "",
    status: Annotated[list[Status] | None, Query(description="One of these.")] = None,
    sex: Sex | None = None,
    child: Annotated[str | None, Query(max_length=200)] = None,
    since: Moment = None,
    until: Moment = None,
    cursor: Annotated[str | None, Query(max_length=200, description="`next` of the page before.")] = None,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> Response:
    """List assessments, the newest first."""
    wanted = Search(
        text=text,
        status=frozenset(status or ()),
        sex=sex,
        child=child,
        since=_moment(since, name="since"),
        until=_moment(until, name="until"),
        cursor=cursor,
        limit=limit,
    )
    page = service.store.assessments.search(wanted)
    items = [summary_json(record, progress=service.jobs.step(record.id)) for record in page.records]
    return JSONResponse({"items": items, "next": page.next_cursor})


@router.get("/v1/assessments/{assessment_id}", response_model=RecordAnswer, responses=described(404))
def read(assessment_id: AssessmentId, service: Here) -> Response:
    """Read an assessment."""
    return record_answer(service, service.store.assessments.get(assessment_id))


@router.get("/v1/assessments/{assessment_id}/history", response_model=HistoryAnswer, responses=described(404))
def history(assessment_id: AssessmentId, service: Here) -> Response:
    """List the revisions of an assessment."""
    revisions = service.store.assessments.history(assessment_id)
    items = [RevisionAnswer.model_validate(one).model_dump(mode="json") for one in revisions]
    return JSONResponse({"items": items})


@router.post("/v1/assessments/{assessment_id}/cancel", response_model=RecordAnswer, responses=described(404, 409))
def cancel(assessment_id: AssessmentId, service: Here, client: Caller) -> Response:
    """Cancel an assessment that waits or runs."""
    try:
        record = service.jobs.cancel(assessment_id)
    except StatusConflictError as error:
        raise Problem(ProblemCode.NOT_RUNNING, str(error)) from error
    service.told(client, AuditAction.CANCEL, record=record)
    return record_answer(service, record)


@router.delete("/v1/assessments/{assessment_id}", status_code=204, responses=described(404))
def delete(assessment_id: AssessmentId, service: Here, client: Caller) -> Response:
    """Delete an assessment, and its film unless another assessment has the same."""
    if not service.store.assessments.get(assessment_id).status.over:
        with suppress(StatusConflictError):  # it may be done in this moment
            service.jobs.cancel(assessment_id)
    service.store.assessments.delete(assessment_id, by=client.name)
    return Response(status_code=204)


def _moment(text: str | None, *, name: str) -> datetime | None:
    """Read a date, or date and time; without a zone it is UTC."""
    if not text:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{name} is a date such as 2026-05-31, or date and time; got another text") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
