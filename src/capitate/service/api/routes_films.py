"""Routes that show films: bytes, pixels, previews, crops of joints, drawings of grades, maps."""

from __future__ import annotations

import zlib
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request
from fastapi.responses import FileResponse, JSONResponse, Response
from starlette.concurrency import run_in_threadpool

from capitate.errors import GradeError, RecordNotFoundError
from capitate.service.api.paths import AssessmentId, described, with_media
from capitate.service.api.schemas import JointsAnswer, MapsAnswer
from capitate.service.api.service import Caller, Here, Service
from capitate.service.problems import Problem, ProblemCode
from capitate.service.store import AuditAction, Record
from capitate.service.work import drawings

__all__ = ["assessed", "router"]

router = APIRouter(tags=["films"])
Size = Annotated[int, Query(ge=16, le=1024, description="Longer side, pixels.")]
JointName = Annotated[str, Path(max_length=40, description="Joint, such as Radius.")]
_PNG = "image/png"
_DAY = "private, max-age=86400"


@router.get(
    "/v1/assessments/{assessment_id}/film",
    response_class=Response,
    responses=with_media("application/octet-stream", problems=(404,)),
)
def film(assessment_id: AssessmentId, service: Here, client: Caller) -> Response:
    """Give the film's bytes as they were uploaded."""
    record = service.store.assessments.get(assessment_id)
    path = service.store.films.path(record.film_sha256)
    service.told(client, AuditAction.FILM, record=record)
    return FileResponse(path, media_type="application/octet-stream", filename=record.film_name)


@router.get(
    "/v1/assessments/{assessment_id}/film/pixels",
    response_class=Response,
    responses=with_media("application/octet-stream", problems=(404, 422)),
)
async def film_pixels(assessment_id: AssessmentId, request: Request, service: Here) -> Response:
    """Give the film's pixels: uint16 little-endian, row after row, bone bright; the headers say the size."""
    record = await run_in_threadpool(service.store.assessments.get, assessment_id)
    path = service.store.films.path(record.film_sha256)
    found: drawings.Pixels = await service.draw(drawings.pixels, path, negated=_negated(record))
    headers = {"X-Film-Width": str(found.width), "X-Film-Height": str(found.height), "Vary": "Accept-Encoding"}
    rows = found.rows
    if "gzip" in request.headers.get("accept-encoding", ""):
        rows = await run_in_threadpool(_gzipped, rows)
        headers["Content-Encoding"] = "gzip"
    return Response(rows, headers=headers, media_type="application/octet-stream")


@router.get(
    "/v1/assessments/{assessment_id}/film/preview",
    response_class=Response,
    responses=with_media(_PNG, problems=(404, 422)),
)
async def film_preview(assessment_id: AssessmentId, service: Here, size: Size = 256) -> Response:
    """Draw the film small."""
    record = await run_in_threadpool(service.store.assessments.get, assessment_id)
    path, negated = service.store.films.path(record.film_sha256), _negated(record)

    async def make() -> bytes:
        made: bytes = await service.draw(drawings.preview, path, negated=negated, size=size)
        return made

    return Response(await service.preview((record.film_sha256, negated, size), make), media_type=_PNG)


@router.get(
    "/v1/assessments/{assessment_id}/joints/{joint}/crop",
    response_class=Response,
    responses=with_media(_PNG, problems=(404, 409, 422)),
)
async def crop(assessment_id: AssessmentId, joint: JointName, service: Here, size: Size = 256) -> Response:
    """Cut a joint out of the film, as the grader saw it."""
    record = await run_in_threadpool(service.store.assessments.get, assessment_id)
    made = await service.draw(drawings.crop, assessed(service, record), joint, size=size)
    if made is None:
        raise Problem(
            ProblemCode.NOT_FOUND, f"the film has no joint {joint!r} with a box; the assessment lists the joints"
        )
    return Response(made, media_type=_PNG)


@router.get("/v1/joints", response_model=JointsAnswer, tags=["joints"], responses=described())
def joints() -> Response:
    """List the joints that have grades."""
    from capitate.methods import GRADE_COUNT, STAGES, stage_of_grade

    items = [
        {
            "name": joint.value,
            "last_grade": last,
            "stages": [STAGES[stage_of_grade(joint, grade)] for grade in range(last + 1)],
        }
        for joint, last in GRADE_COUNT.items()
    ]
    return JSONResponse({"items": items}, headers={"Cache-Control": _DAY})


@router.get(
    "/v1/joints/{joint}/stages/{grade}",
    response_class=Response,
    tags=["joints"],
    responses=with_media(_PNG, problems=(422,)),
)
async def stage(
    joint: JointName, grade: Annotated[int, Path(ge=0, le=20)], service: Here, size: Size = 256
) -> Response:
    """Draw a grade of a joint, to hold a crop against."""
    await run_in_threadpool(_check_grade, joint, grade)
    made = await service.draw(drawings.stage, joint, grade, size=size)
    return Response(made, media_type=_PNG, headers={"Cache-Control": _DAY})


@router.get("/v1/assessments/{assessment_id}/maps", response_model=MapsAnswer, responses=described(404))
def maps(assessment_id: AssessmentId, service: Here) -> Response:
    """List the maps of what the answers rest on."""
    service.store.assessments.get(assessment_id)
    kinds = [
        name.removesuffix(".npz") for name in service.store.artifacts.names(assessment_id) if name.endswith(".npz")
    ]
    parts = ("picture", ".png"), ("layer", ".layer.png"), ("array", ".npz")
    items = [{"kind": kind, **{part: f"{kind}{ending}" for part, ending in parts}} for kind in sorted(kinds)]
    return JSONResponse({"items": items})


@router.get(
    "/v1/assessments/{assessment_id}/maps/{name}",
    response_class=Response,
    responses=with_media(_PNG, "application/octet-stream", problems=(404,)),
)
def one_map(
    assessment_id: AssessmentId, name: Annotated[str, Path(max_length=60)], service: Here, client: Caller
) -> Response:
    """Give a file of a map."""
    record = service.store.assessments.get(assessment_id)
    if name not in service.store.artifacts.names(assessment_id):
        raise RecordNotFoundError("the assessment has no map of this name; its address /maps lists them")
    content = service.store.artifacts.get(assessment_id, name)
    service.told(client, AuditAction.MAP, record=record)
    return Response(content, media_type=_PNG if name.endswith(".png") else "application/octet-stream")


def assessed(service: Service, record: Record, *, maps: tuple[tuple[str, bytes], ...] = ()) -> drawings.Assessed:
    """Give what drawings need of an assessment.

    Raises:
        Problem: if it is not there yet.
    """
    if record.assessment is None:
        raise Problem(
            ProblemCode.NOT_THERE_YET,
            f"the assessment is {record.status} and holds nothing to show; wait until it is done",
        )
    return drawings.Assessed(
        service.store.films.path(record.film_sha256), record.film_name, dict(record.assessment), maps
    )


def _negated(record: Record) -> bool:
    """Whether the film was found to show dark bone."""
    findings = ((record.assessment or {}).get("quality") or {}).get("findings") or ()
    return any(one.get("code") == "negated" for one in findings)


def _gzipped(rows: bytes) -> bytes:
    pack = zlib.compressobj(level=1, wbits=31)
    return pack.compress(rows) + pack.flush()


def _check_grade(joint: str, grade: int) -> None:
    """Refuse joints and grades that do not exist."""
    from capitate.methods import GRADE_COUNT, joint_named

    last = GRADE_COUNT[joint_named(joint)]
    if grade > last:
        raise GradeError(f"{joint} has the grades 0 to {last}, got {grade}; GET /v1/joints lists them")
