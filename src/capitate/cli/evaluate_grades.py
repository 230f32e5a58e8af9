"""`capitate evaluate --task grades`: a grader against graded crops."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.evaluate_options import run_details, single_model
from capitate.cli.writing import make_folder, writing

if TYPE_CHECKING:
    from capitate.evaluation.grades import GradeEvaluation
    from capitate.evaluation.grades.figures import GradeGroup

__all__ = ["GRADER", "evaluate_task_grades"]

GRADER = "joint-grades"


def evaluate_task_grades(
    folder: Path, out: Path, *, models: list[str] | None, threads: int | None, quiet: bool
) -> None:
    """Grade crops, compare, write and print; exit code 1 where a crop could not be read.

    Args:
        folder: with `JOINT/GRADE/` folders, or crops named after joint and grade.
        out: where to.
        models: one bundle at most.
        threads: for one network.
        quiet: no progress bar.
    """
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.evaluation.grades import evaluate_grades, grade_crops, write_grades
    from capitate.runtime.bundle import load_bundle
    from capitate.runtime.joint_grades import JointGrader
    from capitate.training.joint_grades.crops import read_graded

    crops = read_graded(folder)
    grader = JointGrader(load_bundle(single_model(models, default=GRADER)), threads=threads)
    make_folder(out)
    with counted(total=len(crops.items), quiet=quiet) as step:
        run = grade_crops(crops, grader, progress=step)
    evaluation = evaluate_grades(run)
    with writing(out):
        write_grades(evaluation, out, details=run_details(folder), models=[grader.bundle.reference])
    _print(evaluation)
    print(f"\nWritten to {out}")
    if evaluation.refused:
        raise typer.Exit(REFUSED)


def _print(evaluation: GradeEvaluation) -> None:
    """Print the headline and one line a group."""
    print(_line("all crops", evaluation.overall))
    for name, group in evaluation.groups.items():
        print(_line(name, group))
    if len(evaluation.ungraded.ids):
        print(f"without a grade: {len(evaluation.ungraded.ids)} crops; they are in predictions.csv and in no figure")


def _line(name: str, group: GradeGroup) -> str:
    """Put a group's figures in one line."""
    words = [f"{name:20} n {group.n:5d}"]
    if group.refused:
        words.append(f"refused {group.refused}")
    for figure in ("exact", "within_one", "mean_absolute", "bias", "kappa", "calibration_error"):
        value = group.figures[figure].value
        if not math.isnan(value):
            shares = figure in ("exact", "within_one", "calibration_error")
            words.append(f"{figure} {100 * value:.1f} %" if shares else f"{figure} {round(value, 2) + 0.0:.2f}")
    return "  ".join(words)
