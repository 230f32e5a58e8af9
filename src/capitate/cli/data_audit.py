"""`capitate data audit`: which labelled hands are wrong and why, and how often joints are named rightly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from capitate.cli.options import QuietOption

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from capitate.training.naming_trials import Trial

__all__ = ["audit"]


def audit(
    *,
    boxes: Annotated[Path, typer.Argument(metavar="BOXES", help="Table of boxes of the seven classes.")],
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for audit.json and naming.json.")
    ],
    keypoints: Annotated[
        Path | None,
        typer.Option(
            "--keypoints", metavar="CSV", help="Key points: whose finger a box is, and naming is tried on them."
        ),
    ] = None,
    films: Annotated[
        Path | None,
        typer.Option("--films", metavar="MANIFEST", help="Table of films, to see whether boxes lie on the hand."),
    ] = None,
    aspects: Annotated[
        Path | None,
        typer.Option(
            "--aspects",
            metavar="CSV",
            help="Films with width and height in their proportions: naming is then tried with plans measured on other "
            "hands than those tried.",
        ),
    ] = None,
    workers: Annotated[int, typer.Option("--workers", min=1, metavar="N", help="Processes that read films.")] = 1,
    quiet: QuietOption = False,
) -> None:
    """Compare labelled joints with anatomy, key points and films, and try naming on the sound hands."""
    from capitate.cli.writing import make_folder, writing
    from capitate.training.joints_audit import audit_hands

    make_folder(out)
    pixels = _pixels(boxes, films, workers=workers, quiet=quiet) if films is not None else None
    found = audit_hands(boxes, keypoints=keypoints, films=pixels)
    with writing(out):
        (out / "audit.json").write_text(json.dumps(found.to_json(), indent=1) + "\n", encoding="utf-8")
    for fault in found.faults:
        print(f"{fault.film:8}{fault.kind.value:16}{fault.message}")
    print(
        f"{len(found.unusable)} of {found.hands} hands are not to be learned from: {out / 'audit.json'}\n"
        f"{found.with_points} were compared with key points, {found.with_film} with their film"
    )
    if keypoints is not None:
        trials = _trials(boxes, keypoints, aspects, without=found.unusable)
        with writing(out):
            rows = [trial.to_json() for trial in trials]
            (out / "naming.json").write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
        _tell(trials)


def _pixels(boxes: Path, films: Path, *, workers: int, quiet: bool) -> dict[str, NDArray[np.uint8]]:
    """Read the films that have boxes, squashed to small squares."""
    from capitate.cli.output import counted
    from capitate.training.data.boxes import read_boxes_as_far_as_possible
    from capitate.training.layouts import read_any
    from capitate.training.prepare import squashed_films

    labelled = {box.film for box in read_boxes_as_far_as_possible(boxes)[0]}
    studies = [study for study in read_any(films) if study.id in labelled]
    if not studies:
        return {}
    with counted(total=len(studies), quiet=quiet) as step:
        read, _ = squashed_films(studies, workers=workers, progress=lambda _done, _all: step())
    return dict(zip(read.ids, read.pixels, strict=True))


def _trials(boxes: Path, keypoints: Path, aspects: Path | None, *, without: frozenset[str]) -> list[Trial]:
    """Try naming on the hands that have sound boxes and key points."""
    from capitate.training.data.boxes import by_film, read_sound_boxes
    from capitate.training.hand_plan import read_aspects
    from capitate.training.hand_points import read_hand_points
    from capitate.training.naming_conditions import CONDITIONS, trial_hands
    from capitate.training.naming_trials import plans_without, try_naming

    rows = [box for box in read_sound_boxes(boxes)[0] if box.film not in without]
    hands, points = by_film(rows), read_hand_points(keypoints)
    plans = {} if aspects is None else plans_without(hands, points, aspects=read_aspects(aspects))
    return try_naming(trial_hands(hands, points), CONDITIONS, plans=plans)


def _tell(trials: list[Trial]) -> None:
    """Print one line a condition."""
    print(f"{'condition':42}{'hands':>6}{'right':>6}{'side':>6}{'by x':>6}{'uncertain':>10}{'wrong':>6}{'missed':>7}")
    for one in trials:
        uncertain, wrong = one.uncertain_right + one.uncertain_wrong, one.found_wrong + one.invented
        print(
            f"{one.condition:42}{one.hands:6}{one.hands_right:6}{one.sides_right:6}{one.by_x:6}{uncertain:10}{wrong:6}"
            f"{one.missed:7}"
        )
