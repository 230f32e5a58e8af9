"""`capitate evaluate --task bone-age`: predicted against reference bone ages."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.evaluate_options import run_details, sampled
from capitate.cli.extras import training_parts
from capitate.cli.options import DEFAULT_MODEL
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.evaluation import Evaluation, Prediction
    from capitate.evaluation.bone_age import Group
    from capitate.evaluation.predictor import BoneAgePredictor
    from capitate.training.manifest import Study

__all__ = ["BoneAgeOptions", "evaluate_bone_age"]

ENSEMBLE = "bone-age-ensemble"


@dataclass(frozen=True)
class BoneAgeOptions:
    """Options of this task, as the command line has them."""

    out_of_fold: bool = False
    group_by: list[str] | None = None
    hidden_sex: bool = True
    storage: bool = False
    against: Path | None = None
    sample: int | None = None
    models: list[str] | None = None
    threads: int | None = None
    quiet: bool = False


def evaluate_bone_age(manifest: Path, out: Path, options: BoneAgeOptions) -> None:
    """Assess films, compare, write and print; exit code 1 where a film was refused."""
    from capitate.cli import REFUSED
    from capitate.cli.output import note
    from capitate.evaluation.paired import read_predictions
    from capitate.training.layouts import read_any

    other = None if options.against is None else read_predictions(options.against)
    studies = sampled(read_any(manifest), options.sample)
    predictor = _predictor(options.models or [], out_of_fold=options.out_of_fold, threads=options.threads)
    if not predictor.weights.calibrated:
        note(
            "these weights have no out-of-fold predictions to calibrate on; ages have no intervals", quiet=options.quiet
        )
    make_folder(out)
    evaluation, predictions = _evaluate(
        studies,
        predictor,
        out_of_fold=options.out_of_fold,
        group_by=options.group_by,
        hidden=options.hidden_sex,
        quiet=options.quiet,
    )
    _write(evaluation, out, manifest=manifest)
    _print(evaluation)
    if other is not None:
        _compare(studies, predictions, other, out)
    if options.storage:
        _storage(studies, predictor, out, quiet=options.quiet)
    print(f"\nWritten to {out}")
    if evaluation.overall.refused:
        raise typer.Exit(REFUSED)


def _predictor(models: list[str], *, out_of_fold: bool, threads: int | None) -> BoneAgePredictor:
    """Load what the names mean: one bundle, or runs in training.

    Raises:
        UsageError: if several names are given and one is no run.
    """
    from capitate.evaluation.predictor import BoneAgePredictor
    from capitate.runtime.bundle import is_bundle

    if models and not any(is_bundle(name) for name in models) and all(_is_run(Path(name)) for name in models):
        with training_parts("Evaluating a run"):
            from capitate.training.checkpoint_weights import CheckpointWeights
            from capitate.training.threads import use_threads

            use_threads(threads or 1)
            weights = CheckpointWeights([Path(name) for name in models], out_of_fold=out_of_fold)
        return BoneAgePredictor(model=weights, threads=threads)
    if len(models) > 1:
        odd = next((name for name in models if is_bundle(name) or not _is_run(Path(name))), models[0])
        raise UsageError(
            f"several --model must be runs of `capitate train`, got {odd!r}; give one bundle, or runs alone"
        )
    name = models[0] if models else ENSEMBLE if out_of_fold else DEFAULT_MODEL
    return BoneAgePredictor(model=name, out_of_fold=out_of_fold, threads=threads)


def _is_run(path: Path) -> bool:
    """Say whether a path is a run folder, or names a file of weights; nothing of torch is needed to tell."""
    return (path / "config.json").is_file() or path.suffix == ".safetensors"


def _evaluate(
    studies: list[Study],
    predictor: BoneAgePredictor,
    *,
    out_of_fold: bool,
    group_by: list[str] | None,
    hidden: bool,
    quiet: bool,
) -> tuple[Evaluation, list[Prediction]]:
    """Predict every film, with and without its sex, and compare."""
    from capitate import evaluation
    from capitate.cli.output import counted

    calibrated = predictor.weights.calibrated
    blind: list[Prediction] | None = None
    with counted(total=len(studies), quiet=quiet) as step:
        if hidden:
            predictions, blind = evaluation.run_both(
                studies, predictor, intervals=calibrated, progress=lambda _done, _all: step()
            )
        else:
            predictions = evaluation.run(studies, predictor, intervals=calibrated, progress=lambda _done, _all: step())
    figures = evaluation.evaluate(
        studies, predictions, hidden=blind, out_of_fold=out_of_fold, group_by=tuple(group_by or ())
    )
    return figures, predictions


def _write(evaluation: Evaluation, folder: Path, *, manifest: Path) -> None:
    """Write figures, predictions and page."""
    from capitate.evaluation import write

    with writing(folder):
        write(evaluation, folder, details=run_details(manifest))


def _compare(studies: list[Study], predictions: list[Prediction], other: dict[str, float], folder: Path) -> None:
    """Say how much this run errs more than another on the same films, and keep it."""
    from capitate.evaluation.paired import compare

    paired = compare(studies, predictions, other)
    gap = paired.difference
    text = (
        f"{paired.n} films in both runs: MAE {paired.here:.2f} here, {paired.there:.2f} there, difference "
        f"{gap.value:+.2f} ({gap.low:+.2f} to {gap.high:+.2f}); the two predictions of a film differ by "
        f"{paired.moved:.2f} months in the median"
    )
    with writing(folder / "against.txt"):
        (folder / "against.txt").write_text(text + "\n", encoding="utf-8")
    print(f"\n{text}")


def _print(evaluation: Evaluation) -> None:
    """Print the headline and one line a group; the cells of sex and age are in the report."""
    print(_line("all films", evaluation.overall))
    for name, group in evaluation.groups.items():
        if "," not in name:
            print(_line(name, group))


def _line(name: str, group: Group) -> str:
    """Put a group's error and coverage in one line."""
    mae, bias, coverage = (group.figures.get(figure) for figure in ("mae", "bias", "coverage"))
    words = [f"{name:34} n {group.n:6d}"]
    if group.refused:
        words.append(f"refused {group.refused}")
    if mae is not None and bias is not None and group.n:
        words.append(f"MAE {mae.value:6.2f} ({mae.low:.2f} to {mae.high:.2f})  bias {bias.value:+6.2f}")
    if coverage is not None and not math.isnan(coverage.value):
        words.append(f"coverage {100 * coverage.value:5.1f} %")
    return "  ".join(words)


def _storage(studies: list[Study], predictor: BoneAgePredictor, folder: Path, *, quiet: bool) -> None:
    """Measure how far ages move with storage, print the table and keep it."""
    from capitate.cli.output import counted
    from capitate.evaluation.robustness import measure, summarise, to_markdown

    with counted(total=len(studies), quiet=quiet) as step:
        shifts = measure(studies, predictor.assess, progress=lambda _done, _all: step())
    text = to_markdown(summarise(shifts))
    with writing(folder / "storage.md"):
        (folder / "storage.md").write_text(text, encoding="utf-8")
    print(f"\n{text}", end="")
