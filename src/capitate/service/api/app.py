"""The application: routes, layers around them, and the page."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from capitate import __version__
from capitate.service.api import (
    routes_assessments,
    routes_corrections,
    routes_create,
    routes_films,
    routes_operations,
    routes_reports,
    routes_session,
)
from capitate.service.api.answers import handle_errors
from capitate.service.api.bodies import BodyLimit
from capitate.service.api.gate import Gate
from capitate.service.api.schemas import ProblemDocument
from capitate.service.api.service import Service
from capitate.service.api.watch import Watch
from capitate.service.settings import ServiceSettings

__all__ = ["PAGE", "create_app"]

PAGE = Path(__file__).resolve().parents[1] / "page"
"""The page's files."""
_ROUTES = (
    routes_operations,
    routes_session,
    routes_create,
    routes_assessments,
    routes_corrections,
    routes_films,
    routes_reports,
)


def create_app(settings: ServiceSettings) -> FastAPI:
    """Make the application; its workers and store start with it.

    Args:
        settings: of the service.

    Raises:
        UsageError: if the tokens cannot be used.
    """
    service = Service(settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        await run_in_threadpool(service.start)
        retention = asyncio.create_task(service.keep_retention())
        try:
            yield
        finally:
            retention.cancel()
            with suppress(asyncio.CancelledError):
                await retention
            await run_in_threadpool(service.stop)

    app = FastAPI(
        title="Capitate",
        version=__version__,
        summary="Bone age from paediatric hand radiographs. Research software, not a medical device.",
        openapi_url="/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        redirect_slashes=False,
    )
    app.state.service = service
    handle_errors(app)
    for module in _ROUTES:
        app.include_router(module.router)
    if PAGE.is_dir():
        app.mount("/", _Page(directory=PAGE, html=True), name="page")
    _describe(app)
    app.add_middleware(BodyLimit, settings=settings)
    app.add_middleware(Gate, service=service)
    app.add_middleware(Watch, metrics=service.metrics)
    return app


class _Page(StaticFiles):
    """The page's files; browsers ask each time whether they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Any:  # noqa: ANN401 - as the base class has it
        """Answer with a file."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "no-cache"
        return answer


def _describe(app: FastAPI) -> None:
    """Let the OpenAPI document hold the form of problems, which routes refer to."""
    make = app.openapi

    def openapi() -> dict[str, Any]:
        document = make()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        schemas.setdefault("ProblemDocument", ProblemDocument.model_json_schema())
        return document

    app.openapi = openapi  # type: ignore[method-assign]
