"""An evaluation of grades on disk: `metrics.json`, `predictions.csv`, `confusion.csv` and `report.html`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation import plots
from capitate.evaluation.grades.figures import GradeEvaluation, GradeGroup
from capitate.evaluation.page import RunDetails, page, table_text, write_whole
from capitate.evaluation.reliability import calibration_curve
from capitate.runtime.grade_categories import MOST_GRADES

__all__ = ["write_grades"]

_LABELS = {
    "exact": "Exact",
    "within_one": "Within one grade",
    "mean_absolute": "Mean absolute error (grades)",
    "bias": "Bias (grades)",
    "kappa": "Kappa (quadratic)",
    "calibration_error": "Calibration error",
}
_SHARES = frozenset({"exact", "within_one", "calibration_error"})
_WORST = 20
_SHOWN = 50
_GRADES = tuple(range(MOST_GRADES + 1))
_COLUMNS = (
    "id", "joint", "category", "hand", "grade", "predicted", "expected", "confidence", *(f"p{k}" for k in _GRADES),
    "in_training", "refusal",
)  # fmt: skip


def write_grades(
    evaluation: GradeEvaluation, folder: str | Path, *, details: RunDetails, models: Sequence[ModelReference]
) -> None:
    """Write the four files into a folder, each whole or not at all.

    Args:
        evaluation: what was found.
        folder: where to.
        details: of the run.
        models: that answered.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / "predictions.csv", table_text(_rows(evaluation), columns=_COLUMNS))
    write_whole(target / "confusion.csv", _confusion_csv(evaluation))
    write_whole(target / "metrics.json", _metrics(evaluation, details, models))
    write_whole(target / "report.html", _html(evaluation, details, models))


def _rows(evaluation: GradeEvaluation) -> list[dict[str, object]]:
    """Give one row a crop: the headline's, those seen in training, those without a grade, those not read."""
    rows = [row | {"in_training": "false"} for row in evaluation.predictions.rows()]
    rows += [row | {"in_training": "true"} for row in evaluation.in_training.rows()]
    rows += [row | {"grade": ""} for row in evaluation.ungraded.rows()]
    lost = [
        {"id": one.id, "joint": one.joint, "hand": one.hand, "grade": one.grade, "refusal": one.code}
        for one in evaluation.refused
    ]
    return [*rows, *lost]


def _confusion_csv(evaluation: GradeEvaluation) -> str:
    """Give a row a category and true grade, a column a predicted grade; empty where a category has no such grade."""
    rows = [
        {"category": name, "grade": grade, **{f"predicted_{k}": int(count) for k, count in enumerate(line)}}
        for name, counts in evaluation.confusions().items()
        for grade, line in enumerate(counts)
    ]
    return table_text(rows, columns=("category", "grade", *(f"predicted_{k}" for k in _GRADES)))


def _metrics(evaluation: GradeEvaluation, details: RunDetails, models: Sequence[ModelReference]) -> str:
    about = asdict(details) | {
        "seen_in_training": int(evaluation.in_training.ids.size),
        "ungraded": int(evaluation.ungraded.ids.size),
        "refused": {one.id: one.code for one in evaluation.refused},
        "reliability": _curve(evaluation),
        "models": [asdict(model) for model in models],
        "notice": NOTICE,
    }
    return json.dumps(evaluation.to_json() | {"task": "grades", "run": about}, indent=2, allow_nan=False) + "\n"


def _curve(evaluation: GradeEvaluation) -> list[dict[str, float | int]]:
    found = evaluation.predictions
    return calibration_curve(found.confidence, found.predicted == found.grades)


def _html(evaluation: GradeEvaluation, details: RunDetails, models: Sequence[ModelReference]) -> str:
    found = evaluation.predictions
    off = np.abs(found.predicted - found.grades)
    worst = [k for k in np.argsort(-off, kind="stable")[:_WORST] if off[k] > 1]
    curve = plots.reliability(_curve(evaluation), across="confidence", up="share of crops with the exact grade")
    return page(
        "grades.html.j2",
        details=details,
        number=_number,
        evaluation=evaluation,
        models=models,
        labels=_LABELS,
        rows=_groups(evaluation),
        confusions={name: counts.tolist() for name, counts in evaluation.confusions().items()},
        reliability=curve,
        worst=[found.rows()[k] for k in worst],
        shown=_SHOWN,
    )


def _groups(evaluation: GradeEvaluation) -> list[tuple[str, GradeGroup]]:
    rows = [(name.replace("=", " "), group) for name, group in evaluation.groups.items()]
    worded = [("seen in training" if name == "in_training" else name, group) for name, group in rows]
    return [("all crops", evaluation.overall), *worded]


def _number(value: float, name: str) -> str:
    return f"{100 * value:.1f} %" if name in _SHARES else f"{round(value, 2) + 0.0:.2f}"
