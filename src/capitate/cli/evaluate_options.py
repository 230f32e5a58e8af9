"""What the tasks of `capitate evaluate` share: which options each takes, the sample, the run's details."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from capitate.errors import UsageError

if TYPE_CHECKING:
    import typer

    from capitate.evaluation import RunDetails

__all__ = ["Task", "refuse_others", "run_details", "sampled", "single_model"]

Kept = TypeVar("Kept")


class Task(StrEnum):
    """What is evaluated."""

    BONE_AGE = "bone-age"
    JOINTS = "joints"
    GRADES = "grades"
    ABNORMALITY = "abnormality"
    FRACTURES = "fractures"
    MAPS = "maps"


_AGED = frozenset({Task.BONE_AGE, Task.JOINTS})
_FILMS = frozenset({*_AGED, Task.FRACTURES, Task.MAPS})
_BOXED = frozenset({Task.JOINTS, Task.FRACTURES, Task.MAPS})
_AGES, _JOINTS, _MAPS = frozenset({Task.BONE_AGE}), frozenset({Task.JOINTS}), frozenset({Task.MAPS})
_TAKEN_BY = {
    "out_of_fold": _FILMS | {Task.ABNORMALITY},
    "group_by": _AGED,
    "sample": _FILMS | {Task.ABNORMALITY},
    "hidden_sex": _AGES,
    "storage": _AGES,
    "against": _AGES,
    "boxes": _BOXED,
    "keypoints": _JOINTS,
    "audit": _JOINTS,
    "leave_out_wrong": _JOINTS,
    "turn": _JOINTS,
    "mirror": _JOINTS,
    "tilt": _JOINTS,
    "surroundings": _MAPS,
    "randomise": _MAPS,
}
"""Options that some tasks alone take."""


def refuse_others(context: typer.Context, task: Task) -> None:
    """Refuse options that were given and that the task does not take.

    Raises:
        UsageError: naming the first of them.
    """
    for name, tasks in _TAKEN_BY.items():
        source = context.get_parameter_source(name)
        if source is not None and source.name != "DEFAULT" and task not in tasks:
            option = f"--{name.replace('_', '-')}"
            raise UsageError(f"{option} has no meaning for --task {task}; it belongs to {_words(sorted(tasks))}")


def _words(tasks: Sequence[Task]) -> str:
    return "--task " + " or ".join([", ".join(tasks[:-1]), tasks[-1]] if len(tasks) > 1 else tasks)


def single_model(models: list[str] | None, *, default: str) -> str:
    """Return the bundle that was asked for.

    Raises:
        UsageError: if several were, or a run that was not exported.
    """
    if models and len(models) > 1:
        raise UsageError(f"this task takes one --model, got {', '.join(models)}; give one bundle")
    name = models[0] if models else default
    if (Path(name) / "config.json").is_file():
        raise UsageError(
            f"this task takes a bundle, got the run {name!r}; capitate export {name} --out FOLDER makes one"
        )
    return name


def sampled(rows: list[Kept], count: int | None) -> list[Kept]:
    """Draw without replacement, in the order of the table, always the same."""
    if count is None or count >= len(rows):
        return rows
    import numpy as np

    chosen = np.random.default_rng(0).choice(len(rows), size=count, replace=False)
    return [rows[position] for position in sorted(chosen)]


def run_details(table: Path) -> RunDetails:
    """Say how the figures come about."""
    from capitate import __version__
    from capitate.evaluation import RunDetails

    return RunDetails(
        command=shlex.join(["capitate", *sys.argv[1:]]),
        table=table.resolve().name,
        version=__version__,
        date=date.today().isoformat(),
    )
