"""`capitate evaluate --task abnormality`: a screen against studies with a reading."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from capitate.cli.evaluate_options import run_details, sampled, single_model
from capitate.cli.writing import make_folder, writing

if TYPE_CHECKING:
    from capitate.evaluation.abnormality import ScreenEvaluation

__all__ = ["ScreenOptions", "evaluate_task_abnormality"]


@dataclass(frozen=True)
class ScreenOptions:
    """Options of this task, as the command line has them."""

    out_of_fold: bool = False
    sample: int | None = None
    models: list[str] | None = None
    threads: int | None = None
    quiet: bool = False


def evaluate_task_abnormality(manifest: Path, out: Path, options: ScreenOptions) -> None:
    """Screen studies, compare, write and print; exit code 1 where a study could not be judged."""
    from capitate.assessor.screening import SCREEN, Screener
    from capitate.cli import REFUSED
    from capitate.cli.output import counted
    from capitate.evaluation.abnormality import evaluate_screen, screen_studies, write_screen
    from capitate.training.data.labelled_studies import labelled_studies

    studies = sampled(labelled_studies([manifest]), options.sample)
    screener = Screener([single_model(options.models, default=SCREEN)], threads=options.threads, strict=False)
    make_folder(out)
    with counted(total=len(studies), quiet=options.quiet) as step:
        judged = screen_studies(studies, screener, out_of_fold=options.out_of_fold, progress=step)
    evaluation = evaluate_screen(judged)
    meaning = str(screener.screens[0].bundle.card["training"].get("a label of 1 says", "not stated"))
    with writing(out):
        write_screen(evaluation, out, details=run_details(manifest), models=screener.models, meaning=meaning)
    _print(evaluation)
    print(f"\nWritten to {out}")
    if evaluation.refused:
        raise typer.Exit(REFUSED)


def _print(evaluation: ScreenEvaluation) -> None:
    """Print the headline and one line a group."""
    print(_line("all studies", evaluation.overall))
    for name, values in evaluation.groups.items():
        print(_line(name, values))
    if evaluation.refused:
        print(f"not judged: {len(evaluation.refused)} studies; predictions.csv says why")
    if evaluation.unlabelled:
        print(f"without a reading: {evaluation.unlabelled} studies; they are in predictions.csv and in no figure")


def _line(name: str, values: dict[str, Any]) -> str:
    """Put a group's figures in one line."""
    words = [f"{name:20} n {values['n']['value']:5d}", f"positive {values['positives']['value']}"]
    for figure in ("auc", "sensitivity", "specificity", "precision", "calibration_error"):
        told = values.get(figure, {})
        if told.get("value") is not None:
            ends = "" if told["low"] is None else f" ({told['low']:.3f} to {told['high']:.3f})"
            words.append(f"{figure} {told['value']:.3f}{ends}")
    return "  ".join(words)
