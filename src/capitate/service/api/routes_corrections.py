"""Routes by which readers correct grades, and take corrections back."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from capitate.errors import RevisionConflictError, StatusConflictError
from capitate.service.api.paths import AssessmentId, IfMatch, described, revision_of
from capitate.service.api.routes_assessments import record_answer
from capitate.service.api.schemas import ByBody, GradesBody, RecordAnswer
from capitate.service.api.service import Caller, Here
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction, Record, Status
from capitate.service.work import drawings

__all__ = ["router"]

router = APIRouter(tags=["corrections"])


@router.patch(
    "/v1/assessments/{assessment_id}/grades",
    response_model=RecordAnswer,
    responses=described(404, 409, 412, 422, 428),
)
async def correct(
    assessment_id: AssessmentId, body: GradesBody, service: Here, client: Caller, if_match: IfMatch = None
) -> Response:
    """Correct grades: scores, ages and intervals follow."""
    revision = revision_of(if_match)
    if not (body.grades or body.clear or body.sex):
        detail = 'nothing is to be changed; send grades such as {"grades": {"Radius": 9}}, clear or sex'
        raise Problem(ProblemCode.INVALID_REQUEST, detail)
    record = await run_in_threadpool(service.store.assessments.get, assessment_id)
    _check(record, revision)
    wanted = drawings.Wanted(body.grades, tuple(body.clear), body.sex, body.by)
    rescored = await service.draw(drawings.rescore, record.assessment, wanted)

    def stored() -> Response:
        revised = service.store.assessments.revise(
            assessment_id,
            expected_revision=revision,
            assessment=rescored,
            by=body.by,
            change=body.model_dump(mode="json", exclude={"by"}, exclude_defaults=True),
        )
        service.told(client, AuditAction.CORRECT, record=revised, revision=revised.revision)
        return record_answer(service, revised)

    return await run_in_threadpool(stored)


@router.post(
    "/v1/assessments/{assessment_id}/undo", response_model=RecordAnswer, responses=described(404, 409, 412, 428)
)
def undo(
    assessment_id: AssessmentId,
    service: Here,
    client: Caller,
    body: ByBody | None = None,
    if_match: IfMatch = None,
) -> Response:
    """Take the last correction back, as a new revision."""
    revision = revision_of(if_match)
    _check(service.store.assessments.get(assessment_id), revision)
    by = (body or ByBody()).by
    record = service.store.assessments.undo(assessment_id, expected_revision=revision, by=by)
    service.told(client, AuditAction.UNDO, record=record, revision=record.revision)
    return record_answer(service, record)


def _check(record: Record, revision: int) -> None:
    """Refuse changes of what is not done, or was changed meanwhile."""
    if record.status is not Status.DONE:
        raise StatusConflictError(
            f"the assessment is {record.status} and has no grades; correct one that is done", current=record
        )
    if record.revision != revision:
        raise RevisionConflictError(
            f"the change is of revision {revision}, the assessment is at {record.revision} now; look at it and send "
            f'the change again with If-Match: "{record.revision}"',
            current=record,
        )
