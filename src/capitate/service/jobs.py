"""Assessments on their way: from the store to the workers, and what came of them back into the store."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from typing import Any

from capitate.errors import (
    CapitateError,
    RecordNotFoundError,
    StatusConflictError,
    StoreError,
    StoreFullError,
    StoreUnavailableError,
)
from capitate.service.settings import ServiceSettings
from capitate.service.store import Found, Record, Store
from capitate.service.work import (
    Call,
    CancelledWorkError,
    FilmTask,
    FilmWork,
    Pool,
    Task,
    TimedOutError,
    WorkerDiedError,
    WorkFailedError,
)
from capitate.service.work.films import assess_film, load_models

__all__ = ["Jobs"]

_log = logging.getLogger(__name__)
_WARM_SECONDS = 300.0
_PATIENCE_SECONDS = 600.0
"""How long the result of a film is kept in memory while the database does not answer, or the disk is full."""


class Jobs:
    """Runs what is queued; safe to share between threads."""

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        """Take up what an earlier service left queued or running, and load the models.

        Args:
            store: of the assessments.
            settings: of the service.

        Raises:
            StoreError: if the store cannot be used.
        """
        self._store, self._settings = store, settings
        self._pool = Pool(name="capitate-film", workers=settings.workers)
        self._tasks: dict[str, Task] = {}
        self._steps: dict[str, str] = {}
        self._waiters: dict[str, list[Callable[[], None]]] = {}
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self.listeners: list[Callable[[str, float], None]] = []
        """Called with status and seconds of every film that a worker is done with."""
        self._warm = self._pool.warm_up(load_models, settings.model, timeout=_WARM_SECONDS)
        store.assessments.requeue_interrupted()
        for assessment_id in store.assessments.queued():
            self.submit(store.assessments.get(assessment_id))

    @property
    def warm(self) -> str | None:
        """None once the models are loaded; otherwise a sentence that says what is waited for or wrong."""
        ended = [task.future for task in self._warm if task.future.done()]
        errors = [error for future in ended if (error := future.exception()) is not None]
        if errors:
            return f"the models cannot be loaded: {errors[0]}"
        return None if ended else "the models are being loaded; ask again in a second"

    @property
    def full(self) -> bool:
        """Whether no further film is to be taken."""
        return len(self._tasks) >= self._settings.queue + self._settings.workers

    @property
    def waiting(self) -> int:
        """Films that no worker has begun."""
        return max(0, len(self._tasks) - self.busy)

    @property
    def busy(self) -> int:
        """Workers that work."""
        return self._pool.busy

    @property
    def worker_pids(self) -> list[int]:
        """Numbers of the worker processes."""
        return self._pool.pids

    def step(self, assessment_id: str) -> str | None:
        """Give the step that the work on an assessment is at; None if nothing works on it."""
        return self._steps.get(assessment_id)

    def submit(self, record: Record) -> None:
        """Have a queued assessment made."""
        began = time.monotonic()
        task = Task(
            Call(assess_film, (self._film(record),)),
            self._settings.film_seconds,
            begin=lambda: self._begin(record.id),
            tell=lambda step: self._tell(record.id, step),
            end=lambda future: self._end(record.id, future, began=began),
        )
        with self._lock:
            self._tasks[record.id] = task
        self._pool.submit(task)

    def cancel(self, assessment_id: str) -> Record:
        """Cancel an assessment that waits or runs.

        Raises:
            RecordNotFoundError: if there is none.
            StatusConflictError: if it is over.
        """
        record = self._store.assessments.cancel(assessment_id)
        task = self._tasks.get(assessment_id)
        if task is not None:
            task.cancel()
        return record

    async def wait(self, assessment_id: str, *, seconds: float) -> None:
        """Wait until nothing works on an assessment any more, or the time is over."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop is closed when the service stops
                loop.call_soon_threadsafe(over.set)

        with self._lock:
            if assessment_id not in self._tasks:
                return
            self._waiters.setdefault(assessment_id, []).append(wake)
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), seconds)
        with self._lock, suppress(KeyError, ValueError):
            self._waiters[assessment_id].remove(wake)

    def wake(self) -> None:
        """Let everybody who waits go on without a result; safe in a signal handler, which takes no lock."""
        for waiters in list(self._waiters.values()):
            for wake in list(waiters):
                wake()

    def stop(self) -> None:
        """End the workers; what they were at is queued again, for the next start."""
        self._stopping.set()
        self._pool.stop()
        with suppress(StoreError):
            self._store.assessments.requeue_interrupted()

    def _film(self, record: Record) -> FilmTask:
        return FilmTask(
            self._store.films.path(record.film_sha256),
            record.film_name,
            sex=record.sex,
            birth_date=record.birth_date,
            study_date=record.study_date,
            age_months=record.age_months,
            maps=record.maps,
            screen=record.screen,
            model=self._settings.model,
        )

    def _begin(self, assessment_id: str) -> bool:
        """Note that a worker begins; False if the assessment is not wanted any more."""
        try:
            self._patiently(lambda: self._store.assessments.start(assessment_id))
        except (RecordNotFoundError, StatusConflictError):
            return False
        return True

    def _tell(self, assessment_id: str, step: str) -> None:
        self._steps[assessment_id] = step

    def _end(self, assessment_id: str, future: Future[Any], *, began: float) -> None:
        """Store what came of the work, and wake who waits for it."""
        status = "cancelled"
        try:
            if not self._stopping.is_set():
                status = self._patiently(lambda: self._stored(assessment_id, future))
        except (RecordNotFoundError, StatusConflictError):
            pass  # it was deleted or cancelled while it ran
        except Exception as error:
            status = "failed"
            _log.error("the result of %s could not be stored: %s", assessment_id, type(error).__name__)
            with suppress(StoreError):
                self._store.assessments.fail(assessment_id, code="store", message=_sentence(error))
        with self._lock:
            self._tasks.pop(assessment_id, None)
            self._steps.pop(assessment_id, None)
            waiters = self._waiters.pop(assessment_id, [])
        for wake in waiters:
            wake()
        for listener in self.listeners:
            listener(status, time.monotonic() - began)

    def _stored(self, assessment_id: str, future: Future[Any]) -> str:
        """Store a result or an error; gives the status."""
        error = future.exception()
        if isinstance(error, CancelledWorkError):
            return "cancelled"
        if error is not None:
            code = error.error_code if isinstance(error, WorkFailedError) else _code(error)
            return self._store.assessments.fail(assessment_id, code=code, message=_sentence(error)).status.value
        work: FilmWork = future.result()
        for name, content in work.artifacts.items():
            self._store.artifacts.put(assessment_id, name, content)
        found = Found(work.child, work.birth_date, work.study_date)
        return self._store.assessments.finish(assessment_id, work.assessment, found=found).status.value

    def _patiently(self, action: Callable[[], Any]) -> Any:  # noqa: ANN401
        """Do something with the store, again and again while its database does not answer or nothing can be written."""
        until, pause = time.monotonic() + _PATIENCE_SECONDS, 0.1
        while True:
            try:
                return action()
            except (StoreUnavailableError, StoreFullError):
                if time.monotonic() > until or self._stopping.wait(pause):
                    raise
                pause = min(5.0, 2 * pause)


def _code(error: BaseException) -> str:
    """Give the stable code of an error."""
    if isinstance(error, TimedOutError | WorkerDiedError):
        return error.code
    return error.code if isinstance(error, CapitateError) else "fault"


def _sentence(error: BaseException) -> str:
    """Say an error; of unexpected ones only the kind, since they may quote a film."""
    return str(error) if isinstance(error, CapitateError) else f"a fault in Capitate itself ({type(error).__name__})"
