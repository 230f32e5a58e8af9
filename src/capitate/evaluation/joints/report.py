"""An evaluation of joints on disk: `metrics.json`, `predictions.csv` and `report.html`."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation.detection import RESAMPLES
from capitate.evaluation.joints.figures import JointEvaluation, JointGroup
from capitate.evaluation.joints.films import CLASSES, NAMES, FilmResult
from capitate.evaluation.joints.listing import Unjudged
from capitate.evaluation.joints.naming import NamingOutcome, naming_outcomes
from capitate.evaluation.joints.pictures import centre_curve, centre_errors, precision_curves
from capitate.evaluation.joints.rows import COLUMNS, prediction_rows
from capitate.evaluation.page import RunDetails, page, table_text, write_whole

__all__ = ["write_joints"]

_LABELS = {
    "map50": "mAP at 50 %",
    "map50_95": "mAP at 50 to 95 %",
    "ap50": "AP at 50 %",
    "ap50_95": "AP at 50 to 95 %",
    "centre_error": "Centre error (% of hand)",
    "found": "Found",
    "counts_right": "Counts right",
    "side_accuracy": "Side right",
    "naming_accuracy": "Names right",
    "naming_wrong": "Names wrong",
    "naming_missing": "Not named",
    "hands_named": "Hands with all names right",
    "same_joints": "Hands with the same joints",
    "same_joint": "Same joints",
    "same_side": "Same side",
}
_TILES = ("map50", "map50_95", "centre_error", "found", "side_accuracy", "naming_accuracy")
_IN_TABLE = ("map50", "map50_95", "centre_error", "found", "side_accuracy", "naming_accuracy", "hands_named")
_BY_CLASS = ("ap50", "ap50_95", "centre_error", "found")
_BY_JOINT = (*_BY_CLASS, "naming_accuracy")
_BY_MOVE = ("same_joints", "same_joint", "same_side", "side_accuracy", "naming_accuracy")
_SHOWN = 50


def write_joints(
    evaluation: JointEvaluation,
    rest: Unjudged,
    folder: str | Path,
    *,
    details: RunDetails,
    models: Sequence[ModelReference],
) -> None:
    """Write the three files into a folder, each whole or not at all.

    Args:
        evaluation: what was found.
        rest: what could not be judged.
        folder: where to.
        details: of the run.
        models: that answered.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    rows = list(prediction_rows(evaluation, rest))
    write_whole(target / "predictions.csv", table_text(rows, columns=COLUMNS))
    write_whole(target / "metrics.json", _metrics(evaluation, rest, details, models))
    write_whole(target / "report.html", _html(evaluation, rest, details, models))


def _metrics(evaluation: JointEvaluation, rest: Unjudged, details: RunDetails, models: Sequence[ModelReference]) -> str:
    """Give the figures as JSON: flat names with value, low and high; groups under `groups`, the run under `run`."""
    wrong = {one.study.id: one.truth.wrong for one in _wrong(evaluation)}
    about = asdict(details) | {
        "resamples_of_precision": RESAMPLES,
        "threshold": evaluation.threshold,
        "out_of_fold": evaluation.out_of_fold,
        "seen_in_training": len(evaluation.in_training),
        "wrong_labels": {"films": len(wrong), "left_out": len(evaluation.left_out), "reasons": wrong},
        "refused": {one.study.id: one.refusal for one in evaluation.results if one.refusal is not None},
        "films_without_labels": _counted([study.id for study in rest.films]),
        "labels_without_film": _counted([hand.film for hand in rest.hands]),
        "unused_boxes": dict(Counter(one.joint or "unreadable row" for one in rest.boxes)),
        "models": [asdict(model) for model in models],
        "notice": NOTICE,
    }
    return json.dumps(evaluation.to_json() | {"task": "joints", "run": about}, indent=2, allow_nan=False) + "\n"


def _counted(ids: list[str]) -> dict[str, object]:
    """Count ids and give the first of them; all stand in `predictions.csv`."""
    return {"n": len(ids), "first": ids[:_SHOWN]}


def _wrong(evaluation: JointEvaluation) -> list[FilmResult]:
    """List the films whose labels are wrong by the audit, in the figures or not."""
    everything = (*evaluation.results, *evaluation.in_training, *evaluation.left_out)
    return [one for one in everything if one.truth.wrong is not None]


def _html(evaluation: JointEvaluation, rest: Unjudged, details: RunDetails, models: Sequence[ModelReference]) -> str:
    """Give the report as one self-contained page."""
    read = [one for one in evaluation.results if one.reading is not None]
    joints = _groups(evaluation, "joint=", NAMES)
    classes = _groups(evaluation, "class=", CLASSES)
    pictures = {
        "curve": centre_curve(read, threshold=evaluation.threshold),
        "precision": precision_curves(read),
        "joints": centre_errors({name: group.figures["centre_error"] for name, group in (joints or classes).items()}),
    }
    return page(
        "joints.html.j2",
        details=details,
        number=_number,
        evaluation=evaluation,
        models=models,
        labels=_LABELS,
        tiles=_TILES,
        in_table=_IN_TABLE,
        by_class=_BY_CLASS,
        by_joint=_BY_JOINT,
        by_move=_BY_MOVE,
        shown=_SHOWN,
        pictures=pictures,
        rows=_rows(evaluation),
        classes=classes,
        joints=joints,
        moves=_groups(evaluation, "moved="),
        misnamed=[(one, told) for one in read if (told := _misnamed(one))],
        wrong=_wrong(evaluation),
        refusals=[one for one in evaluation.results if one.refusal],
        rest=rest,
        strange=Counter(one.joint or "unreadable row" for one in rest.boxes),
        precision_resamples=RESAMPLES,
    )


def _groups(evaluation: JointEvaluation, prefix: str, order: Sequence[str] = ()) -> dict[str, JointGroup]:
    """Give the groups of a kind without their prefix, in an order if there is one."""
    found = {name.removeprefix(prefix): one for name, one in evaluation.groups.items() if name.startswith(prefix)}
    return {name: found[name] for name in (order or found) if name in found}


def _rows(evaluation: JointEvaluation) -> list[tuple[str, JointGroup]]:
    """Give the lines of the table of groups, the headline first."""
    kinds = ("class=", "joint=", "moved=")
    rows = [(name, group) for name, group in evaluation.groups.items() if not name.startswith(kinds)]
    return [("all films", evaluation.overall), *((_worded(name), group) for name, group in rows)]


def _worded(name: str) -> str:
    if name == "in_training":
        return "seen in training"
    return f"{name.replace('=', ' ')} months" if name.startswith("age=") else name.replace("=", " ")


def _misnamed(result: FilmResult) -> str:
    """Say which joints of a hand were not named rightly; empty where all were."""
    outcomes = naming_outcomes(result.true_places, result.places)
    told = []
    for outcome in (NamingOutcome.WRONG, NamingOutcome.MISSING):
        joints = [joint.value for joint, one in outcomes.items() if one is outcome]
        if joints:
            told.append(f"{outcome}: {', '.join(joints) if len(joints) < len(outcomes) else 'all'}")
    return "; ".join(told)


def _number(value: float, name: str) -> str:
    return f"{value:.2f}" if name == "centre_error" else f"{100 * value:.1f} %"
