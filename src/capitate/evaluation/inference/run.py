"""Measuring all combinations of a plan, one after the other; none ends the run."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from capitate.errors import UsageError
from capitate.evaluation.inference.films import draw_films
from capitate.evaluation.inference.plan import Combination, Plan, Runtime, reason_against
from capitate.evaluation.inference.processes import PREPARE, module_of, result_of
from capitate.evaluation.inference.row import Row, State, largest_change, measured, without_figures
from capitate.runtime.laps import Task
from capitate.runtime.precision import InferencePrecision
from capitate.training.inference.order import COMPARED, Order
from capitate.training.inference.subject import Form, Subject

__all__ = ["measure"]

Progress = Callable[[Row], None]
_CALIBRATED = 8
"""Films by which the 8-bit files find the range of every activation."""


def measure(plan: Plan, *, progress: Progress | None = None) -> list[Row]:
    """Measure a plan.

    Args:
        plan: what to measure.
        progress: called with every line as soon as it is there.

    Returns:
        One line a combination, in the plan's order, whether there are figures or a reason why not.

    Raises:
        UsageError: if the system lets no process be started here.
    """
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="capitate-inference-") as place:
        films = Path(place) / "films.npz"
        draw_films(COMPARED + _CALIBRATED, seed=plan.seed).save(films)
        for number, name in enumerate(plan.names):
            folder = Path(place) / str(number)
            folder.mkdir()
            subject, reason = _subject(name, plan, films, folder)
            for one in plan.combinations(name):
                rows.append(_row(one, subject, reason, plan=plan, folder=folder))
                if progress is not None:
                    progress(rows[-1])
    return rows


def _subject(name: str, plan: Plan, films: Path, folder: Path) -> tuple[Subject | None, str]:
    """Make a name ready in a process of its own; give it, or the reason why there is nothing to measure."""
    order = Order(
        name=name,
        size=plan.size,
        films=str(films),
        folder=str(folder),
        int8=InferencePrecision.INT8 in plan.precisions,
        torch=Runtime.TORCH in plan.runtimes,
    )
    order.save(folder / "order.json")
    place = folder / "subject.json"
    made = _started(PREPARE, folder / "order.json", place, threads=1, patience=plan.patience)
    if "failed" in made:
        return None, str(made["failed"])
    return Subject.load(place), ""


def _row(one: Combination, subject: Subject | None, reason: str, *, plan: Plan, folder: Path) -> Row:
    """Measure one combination, or say why it cannot be measured."""
    against = reason_against(one.runtime, one.precision)
    if against:
        return without_figures(one, subject, state=State.IMPOSSIBLE, reason=against)
    if subject is None:
        return without_figures(one, None, state=State.FAILED, reason=reason)
    form = _form(one, subject)
    if form.impossible or form.failed:
        state = State.IMPOSSIBLE if form.impossible else State.FAILED
        return without_figures(one, subject, state=state, reason=form.impossible or form.failed)
    task = _task(one, subject, form, plan=plan, folder=folder)
    task.save(folder / "task.json")
    place = Path(task.result)
    result = _started(module_of(one.runtime), folder / "task.json", place, threads=one.threads, patience=plan.patience)
    if "laps_ms" not in result:
        state = State.IMPOSSIBLE if "impossible" in result else State.FAILED
        return without_figures(one, subject, state=state, reason=str(result.get("impossible") or result["failed"]))
    with np.load(task.answers) as answers, np.load(subject.reference) as reference:
        change = largest_change(answers["answers"], reference["answers"], unit=subject.unit)
    return measured(one, subject, result, change=change)


def _started(module: str, order: Path, result: Path, *, threads: int, patience: float) -> dict[str, Any]:
    """Run a module in a new process.

    Raises:
        UsageError: if the system starts none.
    """
    try:
        return result_of(module, order, result, threads=threads, patience=patience)
    except OSError as error:
        raise UsageError(f"cannot start a process to measure in: {error}") from error


def _form(one: Combination, subject: Subject) -> Form:
    """Choose the files that a combination runs."""
    if one.runtime is Runtime.TORCH:
        return subject.torch
    return subject.int8 if one.precision is InferencePrecision.INT8 else subject.plain


def _task(one: Combination, subject: Subject, form: Form, *, plan: Plan, folder: Path) -> Task:
    """Say what the process is to do."""
    return Task(
        networks=form.networks,
        precision=one.precision,
        threads=one.threads,
        batch=one.batch,
        runs=plan.runs,
        seconds=plan.seconds,
        inputs=subject.inputs,
        result=str(folder / "result.json"),
        answers=str(folder / "answers.npz"),
        network=form.description,
    )
