"""One worker process and its pipe: work in, steps and one answer out.

Each process has a pipe of its own instead of the shared one of pebble or `concurrent.futures`: progress comes the same
way as the answer, a process that is killed in the middle of a message leaves no lock behind, and the death of an idle
process is no matter (it breaks both of those pools).
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from time import monotonic
from typing import Any

from capitate.errors import CapitateError

__all__ = ["Call", "CancelledWorkError", "TimedOutError", "WorkFailedError", "WorkerDiedError", "WorkerProcess"]

_SPAWN = multiprocessing.get_context("spawn")
_STOP_SECONDS = 2.0


class WorkFailedError(CapitateError):
    """Work ended with an error in its process."""

    code = "work_failed"

    def __init__(self, code: str, message: str) -> None:
        """Keep what the error was.

        Args:
            code: stable identifier.
            message: a sentence; of unexpected errors only their kind and place, since they may quote a film.
        """
        super().__init__(message)
        self.error_code = code


class WorkerDiedError(CapitateError):
    """The process ended in the middle of its work, such as by running out of memory."""

    code = "worker_died"


class TimedOutError(CapitateError):
    """The work took too long and its process was ended."""

    code = "timed_out"


class CancelledWorkError(CapitateError):
    """The work was cancelled and its process ended."""

    code = "cancelled"


@dataclass(frozen=True)
class Call:
    """A function to call in a worker.

    Attributes:
        function: of a module; its first argument is what it may call to say a step.
        arguments: further ones, which can be pickled.
        keywords: arguments by name.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...] = ()
    keywords: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Answer:
    """What a process sends back: a step, a value, or an error."""

    step: str | None = None
    value: Any = None
    error: tuple[str, str] | None = None


class WorkerProcess:
    """A process that is started when it is needed, and anew after it died; used by one thread at a time."""

    def __init__(self, *, name: str) -> None:
        """Keep the name; nothing is started.

        Args:
            name: of the process.
        """
        self._name = name
        self._process: BaseProcess | None = None
        self._pipe: Connection | None = None

    @property
    def pid(self) -> int | None:
        """Number of the process, None while there is none."""
        return None if self._process is None else self._process.pid

    def run(
        self,
        call: Call,
        *,
        timeout: float,
        tell: Callable[[str], None],
        cancelled: Callable[[], bool],
    ) -> Any:  # noqa: ANN401
        """Call a function in the process and give what it returns.

        Args:
            call: the function and its arguments.
            timeout: seconds after which the process is ended.
            tell: called with every step.
            cancelled: whether the work is not wanted any more.

        Raises:
            WorkFailedError: if the function raised.
            WorkerDiedError: if the process ended.
            TimedOutError: if it took too long.
            CancelledWorkError: if it is not wanted any more.
        """
        pipe, process = self._started()
        deadline = monotonic() + timeout
        try:
            if cancelled():
                raise CancelledWorkError("the work was cancelled")
            pipe.send(call)
            while True:
                ready = wait([pipe, process.sentinel], max(0.0, deadline - monotonic()))
                if not ready:
                    raise TimedOutError(f"the film took more than {timeout:g} s, and the work on it was ended")
                answer = pipe.recv()
                if answer.step is None:
                    break
                tell(answer.step)
        except (EOFError, OSError) as error:
            raise self._ended(cancelled=cancelled()) from error
        except TimedOutError:
            self.end()
            raise
        if answer.error is not None:
            raise WorkFailedError(*answer.error)
        return answer.value

    def cancel(self) -> None:
        """End the process in the middle of its work; from any thread, after `cancelled` has become true."""
        process = self._process
        if process is not None:
            process.kill()

    def end(self) -> None:
        """End the process, if there is one."""
        process, pipe = self._process, self._pipe
        self._process = self._pipe = None
        if pipe is not None:
            pipe.close()
        if process is not None:
            process.kill()
            process.join(_STOP_SECONDS)

    def _started(self) -> tuple[Connection, BaseProcess]:
        """Give the pipe to a process that lives."""
        if self._process is not None and self._process.is_alive() and self._pipe is not None:
            return self._pipe, self._process
        self.end()
        self._pipe, other = _SPAWN.Pipe()
        self._process = _SPAWN.Process(target=_serve, args=(other,), name=self._name, daemon=True)
        self._process.start()
        other.close()
        return self._pipe, self._process

    def _ended(self, *, cancelled: bool) -> CapitateError:
        """Say why a process is no more."""
        process = self._process
        if process is not None:
            process.join(_STOP_SECONDS)
        code = None if process is None else process.exitcode
        self.end()
        if cancelled:
            return CancelledWorkError("the work was cancelled")
        return WorkerDiedError(
            f"the process that worked on the film ended (exit code {code}), as it does when memory runs out; "
            "free memory, or give the service fewer workers"
        )


def _serve(pipe: Connection) -> None:
    """Run in the process: do what comes through the pipe until it is closed, or the service is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(OSError, AttributeError):
        os.nice(1)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    while True:
        try:
            call: Call = pipe.recv()
        except (EOFError, OSError):
            return
        pipe.send(_done(call, pipe))


def _done(call: Call, pipe: Connection) -> _Answer:
    """Do one piece of work."""
    try:
        value = call.function(lambda step: pipe.send(_Answer(step=step)), *call.arguments, **call.keywords)
        return _Answer(value=value)
    except CapitateError as error:
        return _Answer(error=(error.code, str(error)))
    except MemoryError:
        return _Answer(error=("out_of_memory", "there is not enough memory for this film; free memory or resample it"))
    except Exception as error:
        return _Answer(error=("fault", f"a fault in Capitate itself ({type(error).__name__} at {_place(error)})"))


def _place(error: BaseException) -> str:
    """Say where an error was raised, without what it says."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    if trace is None:
        return "an unknown place"
    return f"{os.path.basename(trace.tb_frame.f_code.co_filename)}:{trace.tb_lineno}"


def _end_with_parent() -> None:
    """End this process as soon as the one that started it has ended, however it did."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
    sys.stderr = None
    os._exit(1)
