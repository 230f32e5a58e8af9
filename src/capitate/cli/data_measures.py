"""`capitate data measures`: what a reader measures by eye, over many films, and how it runs with bone age."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from capitate.cli.options import QuietOption, ThreadsOption
from capitate.errors import UsageError

if TYPE_CHECKING:
    from capitate.evaluation.measured_films import MeasuredHand, Outlining
    from capitate.training.data.boxes import LabelledBox
    from capitate.training.manifest import Study

__all__ = ["measures"]

_JOINTS = (
    "id", "sex", "bone_age_months", "joint", "status", "present", "width_ratio", "gap", "gap_depth", "fused",
)  # fmt: skip
_CARPALS = ("id", "sex", "bone_age_months", "count", "area_of_hand", "named")


def measures(
    *,
    films: Annotated[Path, typer.Argument(metavar="FILMS", help="Manifest CSV, a published table, or its folder.")],
    boxes: Annotated[
        Path, typer.Option("--boxes", metavar="CSV", help="Boxes of the joints: the seven classes or the 21 names.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="DIR", file_okay=False, help="Folder for tables and plots.")],
    masks: Annotated[
        Path | None,
        typer.Option("--masks", metavar="DIR", help="Outlines drawn by hand, named after the films; no network then."),
    ] = None,
    compare: Annotated[
        bool,
        typer.Option("--compare", help="With --masks: also the network's Dice with them, on films it has not seen."),
    ] = False,
    model: Annotated[str, typer.Option("--model", metavar="NAME", help="Bundle that outlines.")] = "outlines",
    aspects: Annotated[
        Path | None,
        typer.Option("--aspects", metavar="CSV", help="Width and height of films that were stored squashed, by id."),
    ] = None,
    threads: ThreadsOption = None,
    quiet: QuietOption = False,
) -> None:
    """Measure epiphyses, growth plates and carpal bones on many films, and plot them against bone age."""
    from capitate.cli import REFUSED
    from capitate.cli.output import counted, note
    from capitate.cli.writing import make_folder, writing
    from capitate.evaluation.measured_films import MeasuredHand, measure_films
    from capitate.training.hand_plan import read_aspects
    from capitate.training.layouts import read_any

    if compare and masks is None:
        raise UsageError(
            "--compare compares a network's outlines with those drawn by hand; name their folder as --masks"
        )
    outlining = _outlining(masks, model, threads)
    labelled = _labelled(boxes)
    studies = _both(read_any(films), labelled, masks)
    squashed = None if aspects is None else read_aspects(aspects)
    make_folder(out)
    hands: list[MeasuredHand] = []
    refused = 0
    with counted(total=len(studies), quiet=quiet) as step:
        for one in measure_films(studies, labelled, outlining, aspects=squashed):
            if isinstance(one, MeasuredHand):
                hands.append(one)
            else:
                refused += 1
                note(f"{one[0]}: {one[1]}", quiet=quiet)
            step()
    with writing(out):
        _write(hands, out)
    if compare and masks is not None:
        _compare(studies, labelled, masks, squashed, model=model, threads=threads, out=out)
    print(f"{len(hands)} films measured, {refused} refused: {out / 'measures.csv'}, {out / 'measures.json'}")
    if refused:
        raise typer.Exit(REFUSED)


def _outlining(masks: Path | None, model: str, threads: int | None) -> Outlining:
    from capitate.evaluation.measured_films import by_masks, by_network
    from capitate.runtime.bundle import load_bundle
    from capitate.runtime.outlines import Outliner

    if masks is not None:
        return by_masks(masks)
    return by_network(Outliner(load_bundle(model), threads=threads))


def _compare(
    studies: Sequence[Study],
    labelled: dict[str, list[LabelledBox]],
    masks: Path,
    aspects: dict[str, float] | None,
    *,
    model: str,
    threads: int | None,
    out: Path,
) -> None:
    """Compare a network's outlines with masks: `outlines.csv` by joint and film, `outlines.json` with the figures."""
    from capitate.cli.writing import writing
    from capitate.evaluation.measured_films import by_masks, by_network
    from capitate.evaluation.outline_agreement import agreement_figures, compare_films
    from capitate.runtime.bundle import load_bundle
    from capitate.runtime.outlines import Outliner

    bundle = load_bundle(model)
    unseen = [study for study in studies if study.id not in bundle.training_ids]
    if not unseen:
        raise UsageError(f"{model} was trained on all {len(studies)} films; compare it on others, or a fold's bundle")
    network = by_network(Outliner(bundle, threads=threads))
    found = compare_films(unseen, labelled, drawn=by_masks(masks), network=network, aspects=aspects)
    areas = [area for one in found if isinstance(one, list) for area in one]
    rows = [
        {"id": a.id, "part": a.part, "shared": a.shared, "both": a.both, "dice": 2 * a.shared / a.both} for a in areas
    ]
    figures = {name: one.to_json() for name, one in agreement_figures(areas).items()}
    with writing(out):
        _table(out / "outlines.csv", ("id", "part", "shared", "both", "dice"), rows)
        told = {"films": len({area.id for area in areas}), "seen_in_training": len(studies) - len(unseen)}
        (out / "outlines.json").write_text(json.dumps({**told, "figures": figures}, indent=1) + "\n", encoding="utf-8")


def _labelled(boxes: Path) -> dict[str, list[LabelledBox]]:
    """Read the boxes; a row that cannot be understood costs its own box alone."""
    from capitate.training.data.boxes import by_film, read_boxes_as_far_as_possible

    return dict(by_film(read_boxes_as_far_as_possible(boxes)[0]))


def _both(studies: Sequence[Study], labelled: dict[str, list[LabelledBox]], masks: Path | None) -> list[Study]:
    """Keep the films that have boxes and, where outlines were drawn by hand, a mask."""
    kept = [study for study in studies if study.id in labelled]
    if masks is not None:
        kept = [study for study in kept if (masks / f"{study.id}.png").is_file()]
    if not kept:
        raise UsageError(
            f"none of {len(studies)} films has both boxes and outlines; boxes and masks are found by the film's id, "
            "which is its file's stem"
        )
    return kept


def _write(hands: Sequence[MeasuredHand], out: Path) -> None:
    """Write a row a joint, a row a carpus, the figures and the plots."""
    from capitate.evaluation.measure_figures import BAND_MONTHS, figures, series
    from capitate.evaluation.measure_plots import plots

    _table(out / "measures.csv", _JOINTS, [row for hand in hands for row in _joint_rows(hand)])
    _table(out / "carpals.csv", _CARPALS, [_carpal_row(hand) for hand in hands if hand.carpals is not None])
    gathered = series(hands)
    taken = figures(gathered)
    told = {"films": len(hands), "band_months": BAND_MONTHS, "figures": taken}
    (out / "measures.json").write_text(json.dumps(told, indent=1) + "\n", encoding="utf-8")
    for name, drawn in plots(gathered, taken):
        (out / f"{name}.svg").write_text(drawn + "\n", encoding="utf-8")


def _joint_rows(hand: MeasuredHand) -> list[dict[str, Any]]:
    rows = []
    for joint, status in hand.status.items():
        row = {"id": hand.id, "sex": hand.sex, "bone_age_months": hand.months, "joint": joint, "status": status}
        found = hand.joints.get(joint)
        if found is not None:
            row |= {name: getattr(found, name) for name in ("present", "width_ratio", "gap", "gap_depth", "fused")}
        rows.append(row)
    return rows


def _carpal_row(hand: MeasuredHand) -> dict[str, Any]:
    found = hand.carpals
    assert found is not None  # noqa: S101 (chosen by the caller)
    return {
        "id": hand.id,
        "sex": hand.sex,
        "bone_age_months": hand.months,
        "count": found.count,
        "area_of_hand": found.area_of_hand,
        "named": " ".join(bone.name for bone in found.bones if bone.name),
    }


def _table(path: Path, columns: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows({name: _written(value) for name, value in row.items()} for row in rows)


def _written(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.4g}" if isinstance(value, float) else str(value)
