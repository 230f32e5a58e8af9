"""Routes that take films: one, an archive of them, and one that is stored once more."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from capitate.service.api.forms import ChildFields, Upload, form_schema, uploaded
from capitate.service.api.intake import check_room, take_archive, take_film, take_stored
from capitate.service.api.paths import AssessmentId, described
from capitate.service.api.schemas import ArchiveAnswer, ReassessBody, RecordAnswer, record_json, summary_json
from capitate.service.api.service import Caller, Here, Service
from capitate.service.api.tokens import Client
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction, ClaimState, Record

__all__ = ["router"]

router = APIRouter(tags=["assessments"])
Prefer = Annotated[str, Header(description="respond-async answers 202 at once; otherwise the film is waited for.")]
Key = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key", min_length=1, max_length=200, description="The same key gets the same answer again."
    ),
]


@router.post(
    "/v1/assessments",
    status_code=201,
    response_model=RecordAnswer,
    openapi_extra=form_schema("film"),
    responses=described(400, 409, 413, 415, 422, 503, 507, also={202: RecordAnswer}),
)
async def create(request: Request, service: Here, client: Caller, prefer: Prefer = "", key: Key = None) -> Response:
    """Assess a film."""
    await run_in_threadpool(check_room, service)
    async with uploaded(request, field="film") as upload:

        async def answer() -> tuple[Response, list[str]]:
            record = await run_in_threadpool(
                take_film, service, client, upload.stream, name=upload.name, child=upload.child
            )
            return await _waited(service, record, prefer=prefer), [record.id]

        return await _once(service, client, key, upload, path=request.url.path, answer=answer)


@router.post(
    "/v1/archives",
    status_code=202,
    response_model=ArchiveAnswer,
    openapi_extra=form_schema("archive"),
    responses=described(400, 409, 413, 415, 422, 503, 507),
)
async def create_many(request: Request, service: Here, client: Caller, key: Key = None) -> Response:
    """Assess every film of a zip archive."""
    await run_in_threadpool(check_room, service)
    async with uploaded(request, field="archive") as upload:

        async def answer() -> tuple[Response, list[str]]:
            taken = await run_in_threadpool(take_archive, service, client, upload)
            refused = [{"name": name, "code": code, "message": message} for name, code, message in taken.refused]
            records = [summary_json(record) for record in taken.records]
            answered = JSONResponse({"assessments": records, "refused": refused}, 202)
            return answered, [record.id for record in taken.records]

        return await _once(service, client, key, upload, path=request.url.path, answer=answer)


@router.post(
    "/v1/assessments/{assessment_id}/reassess",
    status_code=201,
    response_model=RecordAnswer,
    responses=described(404, 422, 503, also={202: RecordAnswer}),
)
async def reassess(
    assessment_id: AssessmentId, body: ReassessBody, service: Here, client: Caller, prefer: Prefer = ""
) -> Response:
    """Assess a film once more, as a new assessment, with what is known of the child now."""
    record = await run_in_threadpool(_again, service, client, assessment_id, body)
    return await _waited(service, record, prefer=prefer)


def _again(service: Service, client: Client, assessment_id: str, body: ReassessBody) -> Record:
    """Queue the film of an assessment."""
    check_room(service)
    if body.birth_date and body.study_date and body.study_date < body.birth_date:
        raise Problem(ProblemCode.INVALID_REQUEST, "the study date is before the birth date; correct one of the two")
    old = service.store.assessments.get(assessment_id)
    child = ChildFields(**body.model_dump(), child=old.child, maps=old.maps, screen=old.screen)
    film = service.store.films.ref(old.film_sha256)
    return take_stored(service, client, film, name=old.film_name, child=child, action=AuditAction.REASSESS)


async def _waited(service: Service, record: Record, *, prefer: str) -> Response:
    """Answer with the finished record, or with 202 where it is not waited for or takes too long."""
    if "respond-async" not in prefer.casefold():
        await service.jobs.wait(record.id, seconds=service.settings.wait_seconds)
        record = await run_in_threadpool(service.store.assessments.get, record.id)
    headers = {"Location": f"/v1/assessments/{record.id}", "ETag": f'"{record.revision}"'}
    content = await run_in_threadpool(record_json, record, progress=service.jobs.step(record.id))
    return JSONResponse(content, 201 if record.status.over else 202, headers=headers)


async def _once(
    service: Service,
    client: Client,
    key: str | None,
    upload: Upload,
    *,
    path: str,
    answer: Callable[[], Awaitable[tuple[Response, list[str]]]],
) -> Response:
    """Answer a request with an idempotency key once, and afterwards with what was answered then."""
    if key is None:
        return (await answer())[0]
    digest = await run_in_threadpool(upload.digest, path=path)
    claim = await run_in_threadpool(service.store.idempotency.claim, client.name, key, digest)
    if claim.state is ClaimState.REPLAY:
        return Response(claim.body, claim.status or 200, headers=dict(claim.headers))
    if claim.state is ClaimState.MISMATCH:
        detail = "this Idempotency-Key came with another film or other fields before; take a new key"
        raise Problem(ProblemCode.KEY_REUSED, detail)
    if claim.state is ClaimState.IN_PROGRESS:
        detail = "the first request with this Idempotency-Key is not answered yet; send it again in a second"
        raise Problem(ProblemCode.IN_PROGRESS, detail, headers={"Retry-After": "1"})
    try:
        response, ids = await answer()
    except BaseException:
        await run_in_threadpool(service.store.idempotency.release, client.name, key)
        raise
    kept = {name: response.headers[name] for name in ("content-type", "location", "etag") if name in response.headers}
    await run_in_threadpool(
        service.store.idempotency.complete,
        client.name,
        key,
        status=response.status_code,
        headers=kept,
        body=bytes(response.body),
        assessment_ids=ids,
    )
    return response
