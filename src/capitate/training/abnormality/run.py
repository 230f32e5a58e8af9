"""One run of the screen: films, a fold held out, perhaps teachers; resumed where it stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.abnormality.task import AbnormalityTask, open_abnormality
from capitate.training.abnormality.teachers import Teachers
from capitate.training.related_runs import check_validation, honest_teachers, known_films
from capitate.training.runs import Run
from capitate.training.settings.abnormality import AbnormalityConfig, TeacherSees
from capitate.training.task_run import Foundation, check_fold, rows_of, run_task
from capitate.training.validation import kept_back

__all__ = ["run_abnormality"]


def run_abnormality(
    config: AbnormalityConfig,
    data: Path,
    out: Path,
    *,
    fold: int | None = None,
    teachers: Sequence[Path] = (),
    resume: bool = False,
) -> dict[str, Any]:
    """Train a screen, or go on with a run that was interrupted.

    Args:
        config: the experiment; the fold's number is added to its seed.
        data: what `read_screen_films` takes.
        out: run folder.
        fold: held out, and predicted at the end; None learns from every film.
        teachers: runs whose answers are learnt from as well, by `distillation.share`. With a fold held out, teachers
            that have seen one of its films are left out.
        resume: insist that `out` holds a run that was begun.

    Returns:
        As of `run_task`.

    Raises:
        UsageError: naming what does not fit.
        TableError: if the data cannot be understood.
    """
    check_fold(fold, config.folds)
    if bool(teachers) != (config.distillation.share > 0):
        raise UsageError(
            f"distillation.share is {config.distillation.share:g} and {len(teachers)} teachers are given; "
            "distillation needs both a share above 0 and --teacher"
        )
    task = open_abnormality(replace(config, seed=config.seed + (fold or 0)), data)
    if not teachers:
        return run_task(task, out, fold=fold, resume=resume)
    runs = _known(task, [Run.load(folder) for folder in teachers], fold=fold)
    _, rows = rows_of(task, fold=fold)
    ids = task.ids[rows].tolist()
    foundation = Foundation(
        split={"teachers": [run.reference for run in runs]},
        training_ids=tuple(known_films(ids, runs)[len(ids) :]),
    )
    return run_task(_taught(task, runs), out, fold=fold, resume=resume, foundation=foundation)


def _known(task: AbnormalityTask, runs: Sequence[Run], *, fold: int | None) -> list[Run]:
    """Leave out teachers that know held-out films, and refuse those that learnt from films kept back."""
    held_out, rows = rows_of(task, fold=fold)
    honest = honest_teachers(runs, frozenset(task.ids[held_out].tolist()))
    kept = rows[kept_back(task.groups(rows), share=task.config.validation.share)]
    check_validation(honest, frozenset(task.ids[kept].tolist()))
    return honest


def _taught(task: AbnormalityTask, runs: Sequence[Run]) -> AbnormalityTask:
    """Give the task with its teachers."""
    teachers = Teachers(runs, temperature=task.config.distillation.temperature)
    if task.config.distillation.sees is TeacherSees.PICTURE:
        teachers.check_rule(task.source.rule)
    return AbnormalityTask(task.films, task.config, teachers=teachers)
