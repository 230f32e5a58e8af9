"""Reports of an assessment, in every form."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from capitate.service.api.paths import AssessmentId, with_media
from capitate.service.api.routes_films import assessed
from capitate.service.api.service import Caller, Here, Service
from capitate.service.store import AuditAction, Record
from capitate.service.work import drawings
from capitate.service.work.drawings import ReportForm

__all__ = ["router"]

router = APIRouter(tags=["reports"])
_TYPES = {
    ReportForm.HTML: "text/html; charset=utf-8",
    ReportForm.PDF: "application/pdf",
    ReportForm.TEXT: "text/plain; charset=utf-8",
    ReportForm.JSON: "application/json",
    ReportForm.CSV: "text/csv; charset=utf-8",
}
_ENDINGS = {ReportForm.TEXT: "txt"}
_PAGE_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; frame-ancestors 'self'; "
    "sandbox allow-same-origin allow-modals"
)
"""The page of a report has its style in it and no script; it may be printed."""
_FILE_POLICY = "frame-ancestors 'self'"
"""Browsers show a PDF by a page of their own, which a stricter policy would keep from its style."""
_PICTURED = frozenset({ReportForm.HTML, ReportForm.PDF})


@router.get(
    "/v1/assessments/{assessment_id}/report",
    response_class=Response,
    responses=with_media(*(kind.partition(";")[0] for kind in _TYPES.values()), problems=(404, 409, 422)),
)
async def report(
    assessment_id: AssessmentId,
    service: Here,
    client: Caller,
    form: Annotated[ReportForm, Query(alias="format")] = ReportForm.HTML,
    lang: Annotated[drawings.ReportLanguage, Query(description="English or Chinese.")] = drawings.ReportLanguage.EN,
) -> Response:
    """Write the report of an assessment."""
    record = await run_in_threadpool(service.store.assessments.get, assessment_id)
    maps = await run_in_threadpool(_maps, service, record) if form in _PICTURED else ()
    made = await service.draw(drawings.report, assessed(service, record, maps=maps), form=form, lang=lang.value)
    await run_in_threadpool(service.told, client, AuditAction.REPORT, record=record, format=form.value)
    headers = {
        "Content-Disposition": f'inline; filename="capitate-{record.id}.{_ENDINGS.get(form, form.value)}"',
        "Content-Security-Policy": _PAGE_POLICY if form is ReportForm.HTML else _FILE_POLICY,
        "ETag": f'"{record.revision}"',
    }
    return Response(made, headers=headers, media_type=_TYPES[form])


def _maps(service: Service, record: Record) -> tuple[tuple[str, bytes], ...]:
    """Give the numbers of the maps by kind."""
    names = [name for name in service.store.artifacts.names(record.id) if name.endswith(".npz")]
    return tuple((name.removesuffix(".npz"), service.store.artifacts.get(record.id, name)) for name in names)
