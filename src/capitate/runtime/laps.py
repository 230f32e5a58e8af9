"""One figure of the inference-speed tool, taken in a process that does nothing else; asked and answered by files.

The process is young when it measures, so that loading, the first answer and the memory are those of a cold start, and
nothing that another runtime left behind is in them. It imports numpy and one runtime, and no more of Capitate than it
needs.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.memory import peak_memory, present_memory
from capitate.runtime.precision import InferencePrecision

__all__ = ["LEAST_RUNS", "Inputs", "Lap", "Opener", "Runnable", "Task", "answer", "perform", "repeated", "timed_laps"]

Inputs = Mapping[str, NDArray[Any]]
LEAST_RUNS = 3
"""Runs that are made however long they take."""
_WARM_UP = 2


class Runnable(Protocol):
    """A network that is loaded, in whichever runtime."""

    def run(self, inputs: Inputs) -> list[NDArray[np.float32]]:
        """Run it; inputs by name, outputs in the order of the file."""


@dataclass(frozen=True)
class Task:
    """What one process is to measure.

    Attributes:
        networks: files; the answers of several are averaged, and their times add up.
        precision: to compute in.
        threads: for one network.
        batch: rows of one run.
        runs: most runs.
        seconds: after which no further run begins, once `LEAST_RUNS` are made.
        inputs: npz file of some films' inputs by name.
        result: JSON file for what was measured.
        answers: npz file for the answers to the films of `inputs`.
        network: what torch builds its network from; files are enough for the others.
    """

    networks: tuple[str, ...]
    precision: InferencePrecision
    threads: int
    batch: int
    runs: int
    seconds: float
    inputs: str
    result: str
    answers: str
    network: str = ""

    def save(self, path: Path) -> None:
        """Write the task for the process."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote."""
        values = json.loads(path.read_text(encoding="utf-8"))
        precision = InferencePrecision(values.pop("precision"))
        return cls(networks=tuple(values.pop("networks")), precision=precision, **values)


Opener = Callable[[Task, Path], Runnable]


@dataclass(frozen=True)
class Lap:
    """One run of something.

    Attributes:
        wall_ms: by the clock on the wall.
        cpu_ms: that the process computed, all threads together; other programs on the computer change it little.
    """

    wall_ms: float
    cpu_ms: float


def perform(path: Path, library: Callable[[], Opener]) -> int:
    """Carry a task out and write its result, or why there is none.

    Args:
        path: of the task.
        library: imports a runtime and gives what opens a network.

    Returns:
        Exit code: 0, or 1 without figures.
    """
    task = Task.load(path)
    try:
        result = _measure(task, library)
    except UsageError as error:
        result = {"impossible": str(error)}
    except Exception as error:  # of a foreign library, which may raise anything: the tool lists it and goes on
        result = {"failed": f"{type(error).__name__}: {error}"}
    Path(task.result).write_text(json.dumps(result), encoding="utf-8")
    return 0 if "laps_ms" in result else 1


def _measure(task: Task, library: Callable[[], Opener]) -> dict[str, Any]:
    """Import, load, answer first, answer again and again; then the films by which answers are compared."""
    with np.load(task.inputs) as kept:
        films = {name: kept[name] for name in kept.files}
    inputs = repeated(films, task.batch)
    marks = [time.perf_counter()]
    opener = library()
    marks.append(time.perf_counter())
    imported = present_memory()
    networks = [opener(task, Path(one)) for one in task.networks]
    marks.append(time.perf_counter())
    answer(networks, inputs)
    marks.append(time.perf_counter())
    laps = timed_laps(lambda: answer(networks, inputs), runs=task.runs, seconds=task.seconds)
    peak = peak_memory()
    np.savez(task.answers, answers=answer(networks, films))
    spans = {f"{name}_ms": span * 1000 for name, span in zip(("import", "load", "first"), np.diff(marks), strict=True)}
    times = {"laps_ms": [one.wall_ms for one in laps], "cpu_ms": [one.cpu_ms for one in laps]}
    return {**times, **spans, "import_memory_bytes": imported, "peak_memory_bytes": peak}


def timed_laps(step: Callable[[], object], *, runs: int, seconds: float) -> list[Lap]:
    """Time a step again and again, after two that are not counted.

    Args:
        step: to time.
        runs: most laps.
        seconds: after which no further lap begins, once there are `LEAST_RUNS`; half of them warm up at most.
    """
    warm = time.perf_counter() + seconds / 2
    for _ in range(_WARM_UP):
        if time.perf_counter() < warm:
            step()
    end = time.perf_counter() + seconds
    laps: list[Lap] = []
    while len(laps) < runs and (len(laps) < LEAST_RUNS or time.perf_counter() < end):
        began, busy = time.perf_counter(), time.process_time()
        step()
        laps.append(Lap((time.perf_counter() - began) * 1000, (time.process_time() - busy) * 1000))
    return laps


def answer(networks: Sequence[Runnable], inputs: Inputs) -> NDArray[np.float32]:
    """Give the mean answer of networks, all outputs of a film in one row, (n, numbers)."""
    rows = len(next(iter(inputs.values())))
    each = [np.concatenate([out.reshape(rows, -1) for out in one.run(inputs)], axis=1) for one in networks]
    return np.asarray(np.mean(each, axis=0), dtype=np.float32)


def repeated(films: Inputs, batch: int) -> dict[str, NDArray[Any]]:
    """Give a batch of any size by going through some films again and again."""
    return {name: np.ascontiguousarray(values[np.arange(batch) % len(values)]) for name, values in films.items()}
