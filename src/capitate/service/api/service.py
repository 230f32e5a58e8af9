"""What every route shares: settings, store, jobs, the worker that draws, and who may come in."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from capitate.errors import CapitateError, StoreError
from capitate.service.api.metrics import Metrics
from capitate.service.api.rates import Rates
from capitate.service.api.sessions import Sessions
from capitate.service.api.tokens import LOCAL, Client, Tokens, read_tokens
from capitate.service.jobs import Jobs
from capitate.service.problems import Problem, ProblemCode
from capitate.service.settings import ServiceSettings
from capitate.service.store import AuditAction, Record, Store
from capitate.service.work import Call, Pool, Task, WorkFailedError
from capitate.service.work.drawings import load_reports

__all__ = ["Caller", "Here", "Service"]

_log = logging.getLogger(__name__)
_DRAWING_SECONDS = 120.0
_DRAWINGS_WAITING = 100
_KEPT_PREVIEWS = 256
_DRAWERS = 2
"""One may be at a long report while a reader corrects a grade."""
_BY_CODE = {"grade": ProblemCode.INVALID_GRADE, "usage": ProblemCode.INVALID_REQUEST, "fault": ProblemCode.FAULT}
_PRUNE_SECONDS = 3600.0


class Service:
    """The parts of a running service."""

    def __init__(self, settings: ServiceSettings) -> None:
        """Read the tokens; nothing is started.

        Raises:
            UsageError: if the tokens cannot be used.
        """
        self.settings = settings
        self.tokens: Tokens | None = None if settings.tokens is None else read_tokens(settings.tokens)
        self.sessions = Sessions(seconds=settings.session_hours * 3600)
        self.rates, self.metrics = Rates(settings.rate_per_minute), Metrics()
        self.store: Store
        self.jobs: Jobs
        self.drawings: Pool
        self._previews: OrderedDict[tuple[Any, ...], bytes] = OrderedDict()

    def open_store(self) -> None:
        """Open the store, unless it is open.

        Raises:
            StoreError: if the store cannot be used.
        """
        if not hasattr(self, "store"):
            self.store = Store.open(self.settings.database_url, folder=self.settings.folder)

    def start(self) -> None:
        """Open the store, and start the workers.

        Raises:
            StoreError: if the store cannot be used.
        """
        self.open_store()
        self.jobs = Jobs(self.store, self.settings)
        self.metrics.watch(self.jobs)
        self.drawings = Pool(name="capitate-draw", workers=_DRAWERS)
        self.drawings.warm_up(load_reports, timeout=_DRAWING_SECONDS)

    def begin_to_stop(self) -> None:
        """Let nobody wait for a film any more."""
        if hasattr(self, "jobs"):
            self.jobs.wake()

    def stop(self) -> None:
        """End the workers, and close the store."""
        self.drawings.stop()
        self.jobs.stop()
        self.store.close()

    async def keep_retention(self) -> None:
        """Delete what is older than the retention period, every hour until it is cancelled."""
        while True:
            try:
                await run_in_threadpool(self.prune)
            except StoreError as error:
                _log.warning("what is too old could not be deleted: %s", error.code)
            await asyncio.sleep(_PRUNE_SECONDS)

    def prune(self) -> None:
        """Delete what is older than the retention period, and what no assessment needs."""
        days = self.settings.retention_days
        removed = self.store.prune(older_than=datetime.now(UTC) - timedelta(days=days) if days else None)
        if removed.assessments:
            _log.info("retention: %d assessments and %d films deleted", removed.assessments, removed.films)

    async def draw(self, function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:  # noqa: ANN401
        """Do something in the worker that draws.

        Raises:
            Problem: if it cannot be done.
        """
        if self.drawings.waiting >= _DRAWINGS_WAITING:
            detail = f"{self.drawings.waiting} pictures and reports are being made; ask again in a few seconds"
            raise Problem(ProblemCode.QUEUE_FULL, detail, headers={"Retry-After": "5"})
        task = self.drawings.submit(Task(Call(function, arguments, keywords), _DRAWING_SECONDS))
        try:
            return await asyncio.wrap_future(task.future)
        except WorkFailedError as error:
            raise Problem(_BY_CODE.get(error.error_code, ProblemCode.DRAWING_FAILED), str(error)) from error
        except CapitateError as error:
            raise Problem(ProblemCode.DRAWING_FAILED, str(error)) from error

    async def preview(self, key: tuple[Any, ...], make: Callable[[], Any]) -> bytes:
        """Give a small picture that may be kept in memory."""
        if key not in self._previews:
            self._previews[key] = await make()
            if len(self._previews) > _KEPT_PREVIEWS:
                self._previews.popitem(last=False)
        self._previews.move_to_end(key)
        return self._previews[key]

    def told(self, client: Client, what: AuditAction, *, record: Record | None = None, **detail: str | int) -> None:
        """Write to the audit log."""
        self.store.audit.write(client.name, what, assessment_id=None if record is None else record.id, detail=detail)


def _service(request: Request) -> Service:
    found: Service = request.app.state.service
    return found


def _caller(request: Request) -> Client:
    client: Client = request.scope.get("capitate_client", LOCAL)
    return client


Here = Annotated[Service, Depends(_service)]
"""The service, as a parameter of a route."""
Caller = Annotated[Client, Depends(_caller)]
"""Who asks, as a parameter of a route."""
