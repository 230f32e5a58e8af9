"""From an experiment of any task to its run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from capitate.errors import UsageError
from capitate.training.abnormality.run import run_abnormality
from capitate.training.abnormality.task import open_abnormality
from capitate.training.bone_age_run import run_bone_age
from capitate.training.config import BoneAgeConfig
from capitate.training.fractures.task import FracturesTask
from capitate.training.joint_grades.task import open_joint_grades
from capitate.training.joints.task import JointTask
from capitate.training.locator_run import run_locator
from capitate.training.outlines.task import OutlineTask
from capitate.training.settings.abnormality import AbnormalityConfig
from capitate.training.settings.experiment import Experiment
from capitate.training.settings.fractures import FracturesConfig
from capitate.training.settings.joint_grades import JointGradesConfig
from capitate.training.settings.joints import JointDetectorConfig
from capitate.training.settings.locator import LocatorConfig
from capitate.training.settings.outlines import OutlinesConfig
from capitate.training.task import Task
from capitate.training.task_run import run_task

__all__ = ["OPENERS", "RunOptions", "run_experiment"]

OPENERS: Mapping[type[Experiment], Callable[[Any, Path], Task[Any, Any]]] = {
    JointDetectorConfig: JointTask.open,
    OutlinesConfig: OutlineTask.open,
    JointGradesConfig: open_joint_grades,
    AbnormalityConfig: open_abnormality,
    FracturesConfig: FracturesTask.open,
}
"""What brings the experiments of a task together with its data, by the kind of their configuration."""


@dataclass(frozen=True)
class RunOptions:
    """What a command says beside the experiment.

    Attributes:
        fold: held out, or None.
        start: run or bundle whose weights the run begins with.
        teachers: runs to learn from.
        teacher_data: their store.
        resume: insist on a run that was begun.
        workers: processes that read films for the hand locator.
    """

    fold: int | None = None
    start: Path | None = None
    teachers: tuple[Path, ...] = ()
    teacher_data: Path | None = None
    resume: bool = False
    workers: int = 1


def run_experiment(
    experiment: Experiment | LocatorConfig, data: Path, out: Path, options: RunOptions
) -> dict[str, Any]:
    """Train, and give the figures.

    Args:
        experiment: of any task.
        data: what the task learns from.
        out: run folder.
        options: of the command.

    Raises:
        UsageError: if an option does not belong to the task, or anything else does not fit.
    """
    if isinstance(experiment, LocatorConfig):
        _refuse(experiment, fold=options.fold, start=options.start, teacher=options.teachers, resume=options.resume)
        return run_locator(experiment, data, out, workers=options.workers)
    if isinstance(experiment, BoneAgeConfig):
        return dict(
            run_bone_age(
                experiment,
                data,
                out,
                fold=options.fold,
                start=options.start,
                teachers=options.teachers,
                teacher_data=options.teacher_data,
                resume=options.resume,
            )
        )
    _refuse(experiment, start=options.start, teacher_data=options.teacher_data)
    if isinstance(experiment, AbnormalityConfig):
        return run_abnormality(
            experiment, data, out, fold=options.fold, teachers=options.teachers, resume=options.resume
        )
    _refuse(experiment, teacher=options.teachers)
    seeded = replace(experiment, seed=experiment.seed + (options.fold or 0))
    return dict(run_task(OPENERS[type(experiment)](seeded, data), out, fold=options.fold, resume=options.resume))


def _refuse(experiment: Experiment | LocatorConfig, **options: object) -> None:
    """Refuse options that the task has no use for."""
    given = [name for name, value in options.items() if value not in (None, (), False)]
    if given:
        raise UsageError(
            f"--{given[0].replace('_', '-')} has no meaning for the experiment {experiment.name!r}; leave it out"
        )
