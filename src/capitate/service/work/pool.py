"""Several worker processes behind one queue, each with a thread of the service that feeds it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from capitate.service.work.process import Call, CancelledWorkError, WorkerDiedError, WorkerProcess

__all__ = ["Pool", "Task"]

_TRIES = 2
"""A process that died is tried once more: memory may have been short for a moment."""


def _always() -> bool:
    return True


def _unheard(_step: str) -> None:
    """Take a step that nobody wants to hear of."""


@dataclass(eq=False)
class Task:
    """One piece of work.

    Attributes:
        call: what a worker runs.
        timeout: seconds, from when a worker begins.
        begin: called before, in the thread that feeds the worker; False leaves the work out.
        tell: called with every step.
        end: called after, in the same thread, with the future that is done; the next task waits for it.
        future: of what the function returns.
    """

    call: Call
    timeout: float
    begin: Callable[[], bool] = _always
    tell: Callable[[str], None] = _unheard
    end: Callable[[Future[Any]], None] | None = None
    future: Future[Any] = field(default_factory=Future)
    _worker: WorkerProcess | None = None
    _cancelled: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def cancel(self) -> None:
        """Take it out of the queue, or end the process that works on it."""
        with self._lock:
            self._cancelled = True
            if self._worker is not None:
                self._worker.cancel()

    def run(self, worker: WorkerProcess) -> None:
        """Do it in a worker, and set the future."""
        try:
            value = self._answered(worker)
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(value)
        finally:
            with self._lock:
                self._worker = None
        if self.end is not None:
            self.end(self.future)

    def _answered(self, worker: WorkerProcess) -> Any:  # noqa: ANN401
        """Do it, once more if the worker died."""
        if not self.begin():
            raise CancelledWorkError("the work was cancelled before it began")
        for left in reversed(range(_TRIES)):
            with self._lock:
                if self._cancelled:
                    raise CancelledWorkError("the work was cancelled")
                self._worker = worker
            with suppress(*((WorkerDiedError,) if left else ())):
                return worker.run(
                    self.call,
                    timeout=self.timeout,
                    tell=self.tell,
                    cancelled=lambda: self._cancelled,
                )
        raise AssertionError("the last try returns or raises")


class Pool:
    """Worker processes; they are started at the first work, and end with the pool or with the service's process."""

    def __init__(self, *, name: str, workers: int) -> None:
        """Start the threads that feed the workers.

        Args:
            name: of threads and processes.
            workers: how many.
        """
        self._tasks: queue.SimpleQueue[Task | None] = queue.SimpleQueue()
        self._workers = [WorkerProcess(name=f"{name}-{number}") for number in range(workers)]
        self._busy = [False] * workers
        self._stopping = False
        self._threads = [
            threading.Thread(target=self._feed, args=(number,), name=f"{name}-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Tasks that no worker has begun."""
        return self._tasks.qsize()

    @property
    def busy(self) -> int:
        """Workers that work."""
        return sum(self._busy)

    @property
    def size(self) -> int:
        """How many workers there are."""
        return len(self._workers)

    @property
    def pids(self) -> list[int]:
        """Numbers of the processes that there are."""
        return [pid for worker in self._workers if (pid := worker.pid) is not None]

    def submit(self, task: Task) -> Task:
        """Put a task into the queue."""
        self._tasks.put(task)
        return task

    def call(self, function: Callable[..., Any], *arguments: Any, timeout: float, **keywords: Any) -> Any:  # noqa: ANN401
        """Do something in a worker, and wait for it.

        Args:
            function: as of `Call`, and so the arguments.
            *arguments: further ones.
            timeout: seconds.
            **keywords: arguments by name.

        Raises:
            CapitateError: as of `WorkerProcess.run`.
        """
        return self.submit(Task(Call(function, arguments, keywords), timeout)).future.result()

    def warm_up(self, function: Callable[..., Any], *arguments: Any, timeout: float) -> list[Task]:  # noqa: ANN401
        """Give every worker a task of the same function, one that takes as long as the worker's first."""
        return [self.submit(Task(Call(function, arguments), timeout)) for _ in self._workers]

    def stop(self) -> None:
        """End all work at once, and the processes."""
        self._stopping = True
        for _ in self._threads:
            self._tasks.put(None)
        for worker in self._workers:
            worker.cancel()
        for thread in self._threads:
            thread.join(5.0)
        for worker in self._workers:
            worker.end()

    def _feed(self, number: int) -> None:
        """Feed one worker until the pool stops."""
        worker = self._workers[number]
        while (task := self._tasks.get()) is not None:
            if self._stopping:
                task.future.set_exception(CancelledWorkError("the service is stopping"))
                continue
            self._busy[number] = True
            try:
                task.run(worker)
            finally:
                self._busy[number] = False
