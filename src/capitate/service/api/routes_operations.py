"""Routes for whoever runs the service: health, readiness, figures, and pages that explain problems."""

from __future__ import annotations

import html

from fastapi import APIRouter
from fastapi.responses import HTMLResponse, JSONResponse, Response
from prometheus_client import CONTENT_TYPE_LATEST

from capitate import __version__
from capitate.service.api.paths import described, with_media
from capitate.service.api.schemas import HealthAnswer, ReadyAnswer
from capitate.service.api.service import Here
from capitate.service.problems import PROBLEMS, Problem, ProblemCode

__all__ = ["router"]

router = APIRouter(tags=["operations"])
_HEALTHY = {"status": "ok", "version": __version__}


@router.get("/health", response_model=HealthAnswer)
async def health() -> Response:
    """Say that the process answers; it asks neither database nor workers."""
    return JSONResponse(_HEALTHY)


@router.get("/ready", response_model=ReadyAnswer, responses=described(503))
def ready(service: Here) -> Response:
    """Say whether films can be assessed: the database answers and the models are loaded."""
    service.store.ready()
    told = service.jobs.warm
    if told is not None:
        raise Problem(ProblemCode.NOT_READY, told, headers={"Retry-After": "1"})
    workers = {"workers": service.settings.workers, "busy": service.jobs.busy, "waiting": service.jobs.waiting}
    return JSONResponse({"status": "ready", **workers})


@router.get("/metrics", response_class=Response, responses=with_media("text/plain"))
def metrics(service: Here) -> Response:
    """Give figures for Prometheus."""
    return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)


@router.get("/problems/{code}", response_class=HTMLResponse, responses=described(404))
def problem(code: str) -> Response:
    """Explain a kind of problem."""
    try:
        kind = PROBLEMS[ProblemCode(code)]
    except ValueError:
        raise Problem(ProblemCode.NOT_FOUND, "there is no problem of this code; docs/service.md lists them") from None
    title, told = html.escape(kind.title), html.escape(kind.help)
    page = (
        f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
        f"<h1>{title}</h1>\n<p>{told}</p>\n<p>HTTP {kind.status}, <code>{code}</code></p>\n</html>\n"
    )
    return HTMLResponse(page)
