"""An evaluation of a screen on disk: `metrics.json`, `predictions.csv` and `report.html`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation import plots
from capitate.evaluation.abnormality.figures import FIGURES, ScreenEvaluation
from capitate.evaluation.abnormality.studies import JudgedStudy
from capitate.evaluation.bootstrap import Estimate
from capitate.evaluation.page import RunDetails, page, table_text, write_whole
from capitate.evaluation.roc_plot import roc_plot

__all__ = ["write_screen"]

_LABELS = {
    "auc": "Area under the ROC curve",
    "sensitivity": "Sensitivity",
    "specificity": "Specificity",
    "precision": "Precision",
    "called": "Share called",
    "calibration_error": "Calibration error",
    "brier": "Brier score",
}
_AS_NUMBERS = frozenset({"auc", "brier"})
_SHOWN = 50
_COLUMNS = (
    "id", "region", "group", "films", "abnormal", "probability", "threshold", "above", "familiar", "in_training",
    "findings", "refusal", "refusal_message",
)  # fmt: skip


def write_screen(
    evaluation: ScreenEvaluation,
    folder: str | Path,
    *,
    details: RunDetails,
    models: Sequence[ModelReference],
    meaning: str,
) -> None:
    """Write the three files into a folder, each whole or not at all.

    Args:
        evaluation: what was found.
        folder: where to.
        details: of the run.
        models: that answered.
        meaning: what a label of 1 says, as the bundle's card has it.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / "predictions.csv", table_text([_row(one) for one in evaluation.judged], columns=_COLUMNS))
    write_whole(target / "metrics.json", _metrics(evaluation, details, models, meaning))
    write_whole(target / "report.html", _html(evaluation, details, models, meaning))


def _row(one: JudgedStudy) -> dict[str, object]:
    """Give a study's row."""
    known, screened = one.known, one.screened
    return {
        "id": known.study.id,
        "region": known.region,
        "group": known.group,
        "films": screened.films,
        "abnormal": "" if known.label is None else int(known.label),
        "probability": "" if screened.probability is None else round(screened.probability, 6),
        "threshold": round(screened.threshold, 6),
        "above": "" if screened.above is None else str(screened.above).lower(),
        "familiar": "" if screened.familiar is None else str(screened.familiar).lower(),
        "in_training": str(one.in_training).lower(),
        "findings": "; ".join(dict.fromkeys(finding.code for finding in screened.findings)),
        "refusal": "" if screened.error is None else screened.error.code,
        "refusal_message": "" if screened.error is None else screened.error.message,
    }


def _metrics(evaluation: ScreenEvaluation, details: RunDetails, models: Sequence[ModelReference], meaning: str) -> str:
    told = asdict(details) | {
        "a label of 1 says": meaning,
        "seen_in_training": evaluation.seen,
        "unlabelled": evaluation.unlabelled,
        "refused": {one.known.study.id: one.screened.error.code for one in evaluation.refused if one.screened.error},
        **evaluation.predictions.curves(),
        "models": [asdict(model) for model in models],
        "notice": NOTICE,
    }
    return json.dumps(evaluation.to_json() | {"task": "abnormality", "run": told}, indent=2, allow_nan=False) + "\n"


def _html(evaluation: ScreenEvaluation, details: RunDetails, models: Sequence[ModelReference], meaning: str) -> str:
    found, curves = evaluation.predictions, evaluation.predictions.curves()
    at = [_estimate(evaluation.overall, name).value for name in ("sensitivity", "specificity")]
    calibration = plots.reliability(
        curves["calibration"], across="probability", up="share of studies with a label of 1"
    )
    return page(
        "abnormality.html.j2",
        details=details,
        number=_number,
        evaluation=evaluation,
        meaning=meaning,
        models=models,
        labels=_LABELS,
        headline={name: _estimate(evaluation.overall, name) for name in FIGURES},
        positives=int(found.labels.sum()),
        rows=[_group("all studies", evaluation.overall), *(_group(*one) for one in evaluation.groups.items())],
        roc=roc_plot(curves["roc"], at=(at[0], at[1])) if curves["roc"] else "",
        reliability=calibration,
        shown=_SHOWN,
    )


def _group(name: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """Put a group's row of the table."""
    own = values.get("own_negatives", {}).get("value")
    return {
        "name": "seen in training" if name == "in_training" else name.replace("=", " "),
        "n": values["n"]["value"],
        "positives": values["positives"]["value"],
        "against_all": own == 0,
        "figures": {figure: _estimate(values, figure) for figure in FIGURES},
    }


def _estimate(values: Mapping[str, Any], name: str) -> Estimate:
    """Read a figure back; NaN where it is not defined."""
    told = values.get(name, {})
    value, low, high = (told.get(key) for key in ("value", "low", "high"))
    return Estimate(*(math.nan if one is None else float(one) for one in (value, low, high)))


def _number(value: float, name: str) -> str:
    return f"{value:.3f}" if name in _AS_NUMBERS else f"{100 * value:.1f} %"
