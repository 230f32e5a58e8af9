"""`capitate evaluate --task joints`: found and named joints against labelled boxes and key points."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from capitate.cli.evaluate_options import run_details, sampled, single_model
from capitate.cli.writing import make_folder, writing
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.evaluation.joints import BundleReader, FilmResult, JointEvaluation, JointTruth
    from capitate.evaluation.joints.figures import JointGroup
    from capitate.evaluation.joints.listing import Unjudged
    from capitate.evaluation.joints.moves import Move
    from capitate.evaluation.joints.truth import TrueHand
    from capitate.training.manifest import Study

__all__ = ["DETECTOR", "JointOptions", "evaluate_task_joints"]

DETECTOR = "joint-detector"
_SHOWN = ("map50", "map50_95", "centre_error", "found", "side_accuracy", "naming_accuracy", "same_joints", "same_side")
_FEW = 5


@dataclass(frozen=True)
class JointOptions:
    """Options of this task, as the command line has them."""

    boxes: Path | None = None
    keypoints: Path | None = None
    audit: Path | None = None
    leave_out_wrong: bool = False
    turn: str = ""
    mirror: bool = False
    tilt: float = 0.0
    out_of_fold: bool = False
    group_by: list[str] | None = None
    sample: int | None = None
    models: list[str] | None = None
    threads: int | None = None
    quiet: bool = False


def evaluate_task_joints(manifest: Path, out: Path, options: JointOptions) -> None:
    """Find and name the joints of films, compare, write and print; exit code 1 where a film was refused."""
    from capitate.cli import REFUSED
    from capitate.evaluation.joints import (
        BundleReader,
        evaluate_joints,
        read_truth,
        unjudged,
        with_labels,
        write_joints,
    )
    from capitate.evaluation.joints.listing import list_films

    moves = _moves(options)
    if options.boxes is None and options.keypoints is None:
        raise UsageError("--task joints compares with labels, got none; give --boxes CSV, --keypoints CSV or both")
    truth = read_truth(options.boxes, keypoints=options.keypoints, audit=options.audit)
    studies = list_films(manifest)
    labelled = with_labels(studies, truth)
    rest = unjudged(studies, truth, labelled)
    chosen = sampled([(study, labelled[study.id]) for study in studies if study.id in labelled], options.sample)
    name = single_model(options.models, default=DETECTOR)
    reader = BundleReader(name, out_of_fold=options.out_of_fold, threads=options.threads)
    make_folder(out)
    results, left_out = _read(chosen, reader, moves, options)
    evaluation = evaluate_joints(
        results,
        by_name=truth.by_name,
        threshold=reader.threshold,
        out_of_fold=options.out_of_fold,
        left_out=left_out,
        group_by=tuple(options.group_by or ()),
    )
    with writing(out):
        write_joints(evaluation, rest, out, details=run_details(manifest), models=reader.models)
    _print(evaluation)
    _tell(evaluation, rest, truth)
    print(f"\nWritten to {out}")
    if evaluation.overall.refused:
        raise typer.Exit(REFUSED)


def _moves(options: JointOptions) -> list[Move]:
    """Read the angles.

    Raises:
        UsageError: if one is no number.
    """
    from capitate.evaluation.joints import make_moves

    try:
        turns = [float(one) for one in options.turn.split(",") if one.strip()]
    except ValueError as error:
        raise UsageError(f"--turn takes degrees, got {options.turn!r}; write them as 0,90,180,270") from error
    return make_moves(turns=turns, mirror=options.mirror, tilt=options.tilt)


def _read(
    chosen: list[tuple[Study, TrueHand]], reader: BundleReader, moves: list[Move], options: JointOptions
) -> tuple[list[FilmResult], list[FilmResult]]:
    """Read the films, and set those with wrong labels apart where that is asked for."""
    from capitate.cli.output import counted
    from capitate.evaluation.joints import FilmResult, read_films

    out = [one for one in chosen if options.leave_out_wrong and one[1].wrong is not None]
    kept = [one for one in chosen if one not in out]
    with counted(total=len(kept), quiet=options.quiet) as step:
        results = read_films(kept, reader, moves=moves, progress=step)
    return results, [FilmResult(study, truth) for study, truth in out]


def _print(evaluation: JointEvaluation) -> None:
    """Print the headline and one line a group; classes and joints are in the report."""
    print(_line("all films", evaluation.overall))
    for name, group in evaluation.groups.items():
        if not name.startswith(("class=", "joint=")):
            print(_line(name, group))


def _line(name: str, group: JointGroup) -> str:
    """Put a group's figures in one line; those that no label tells are left out."""
    words = [f"{name:28} n {group.n:5d}"]
    if group.refused:
        words.append(f"refused {group.refused}")
    for figure in _SHOWN:
        found = group.figures.get(figure)
        if found is not None and not math.isnan(found.value):
            value = f"{found.value:.2f}" if figure == "centre_error" else f"{100 * found.value:.1f} %"
            words.append(f"{figure} {value}")
    return "  ".join(words)


def _tell(evaluation: JointEvaluation, rest: Unjudged, truth: JointTruth) -> None:
    """Say what was left out, what has no counterpart and what no label tells."""
    films = (*evaluation.results, *evaluation.in_training, *evaluation.left_out)
    wrong = [one.study.id for one in films if one.truth.wrong is not None]
    if wrong:
        what = "were left out" if evaluation.left_out else "count as they are (--leave-out-wrong leaves them out)"
        print(f"wrong labels: {len(wrong)} films, {_some(wrong)}; they {what}")
    if not any(one.truth.named for one in films):
        print("names were not judged: the boxes have classes alone; give --keypoints, or boxes with the 21 names")
    if rest.films:
        print(f"without labels: {len(rest.films)} films, {_some([one.id for one in rest.films])}")
    if rest.hands:
        print(f"without a film: {len(rest.hands)} labelled hands, {_some([one.film for one in rest.hands])}")
    if truth.unused:
        told = sorted({one.joint or "unreadable" for one in truth.unused})
        print(f"not used: {len(truth.unused)} rows of boxes, {_some(told)}")


def _some(names: list[str]) -> str:
    return ", ".join(names[:_FEW]) + (", ..." if len(names) > _FEW else "")
