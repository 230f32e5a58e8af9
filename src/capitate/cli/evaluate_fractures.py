"""`capitate evaluate --task fractures`: the marks of a localiser against labelled boxes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from capitate.cli.evaluate_options import run_details, sampled, single_model
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from capitate.evaluation.fractures.report import FractureEvaluation

__all__ = ["LOCALISER", "FractureOptions", "evaluate_task_fractures"]

LOCALISER = "fracture-localiser"
_SHOWN = ("map50", "sensitivity_at 0.5", "sensitivity", "false_marks", "films_with_false_marks")


@dataclass(frozen=True)
class FractureOptions:
    """Options of this task, as the command line has them."""

    boxes: Path | None = None
    out_of_fold: bool = False
    sample: int | None = None
    models: list[str] | None = None
    threads: int | None = None
    quiet: bool = False


def evaluate_task_fractures(manifest: Path, out: Path, options: FractureOptions) -> None:
    """Mark the fractures of films, compare, write and print; exit code 1 where a film could not be read."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.evaluation.fractures.films import BundleLocaliser, mark_films, read_labels
    from capitate.evaluation.fractures.report import evaluate_fractures, write_fractures
    from capitate.evaluation.joints.listing import list_films

    if options.boxes is None:
        raise UsageError("--task fractures compares with labelled boxes, got none; give --boxes CSV")
    studies = list_films(manifest)
    labels = read_labels(options.boxes, studies)
    chosen = sampled(studies, options.sample)
    name = single_model(options.models, default=LOCALISER)
    localiser = BundleLocaliser(name, out_of_fold=options.out_of_fold, threads=options.threads)
    make_folder(out)
    with counted(total=len(chosen), quiet=options.quiet) as step:
        found = mark_films(chosen, labels, localiser, progress=step)
    evaluation = evaluate_fractures(found, out_of_fold=options.out_of_fold)
    with writing(out):
        write_fractures(evaluation, out, details=run_details(manifest), models=localiser.models)
    _print(evaluation)
    absent = sorted(labels.keys() - {study.id for study in studies})
    if absent:
        print(f"without a film: {len(absent)} films of {options.boxes.name}, such as {', '.join(absent[:5])}")
    print(f"\nWritten to {out}")
    if evaluation.refused:
        raise typer.Exit(REFUSED)


def _print(evaluation: FractureEvaluation) -> None:
    """Print the headline and one line a group."""
    print(_line("all films", len(evaluation.films), evaluation.figures))
    for name, figures in evaluation.figures.get("kinds", {}).items():
        print(_line(f"kind={name}", len(evaluation.films), figures))
    if evaluation.in_training:
        print(_line("seen in training", len(evaluation.in_training), evaluation.in_training_figures))
    for one in evaluation.refused:
        print(f"refused: {one.study.id} ({one.refusal})")


def _line(name: str, films: int, figures: Mapping[str, Any]) -> str:
    """Put a group's figures in one line."""
    words = [f"{name:20} films {films:5d}  fractures {figures['fractures']:5d}"]
    for figure in _SHOWN:
        value = (figures.get(figure) or {}).get("value")
        if value is not None:
            words.append(f"{figure} {value:.2f}" if figure == "false_marks" else f"{figure} {100 * value:.1f} %")
    return "  ".join(words)
