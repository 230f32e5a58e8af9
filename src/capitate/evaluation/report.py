"""An evaluation on disk: `metrics.json`, `predictions.csv` and a page that opens without a network."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation import plots
from capitate.evaluation.bone_age import BANDS, Evaluation, Group, Pair, band
from capitate.evaluation.page import RunDetails, page, write_whole
from capitate.evaluation.probability import LEAST_PROBABILITY

__all__ = ["RunDetails", "html", "metrics_json", "predictions_csv", "write"]

_WORST = 10
_COLUMNS = ("path", "sex", "bone_age_months", "predicted_months", "low", "high", "refusal", "id", "in_training")
_LABELS = {
    "mae": "MAE (months)",
    "rmse": "RMSE (months)",
    "bias": "Bias (months)",
    "sd": "SD of error (months)",
    "r": "Pearson r",
    "within_6": "Within 6 months",
    "within_12": "Within 12 months",
    "within_24": "Within 24 months",
    "coverage": "Interval coverage",
    "interval_width": "Mean interval width (months)",
    "crps": "CRPS (months)",
    "log_score": "Log score (nats)",
}
_SHARES = frozenset({"within_6", "within_12", "within_24", "coverage"})
_IN_TABLE = ("mae", "rmse", "bias", "r", "within_12", "within_24", "coverage")
_SEXES = ("female", "male", "unknown", "hidden")


def write(evaluation: Evaluation, folder: str | Path, *, details: RunDetails) -> None:
    """Write `metrics.json`, `predictions.csv` and `report.html` into a folder, each whole or not at all."""
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / "predictions.csv", predictions_csv(evaluation))
    write_whole(target / "metrics.json", metrics_json(evaluation, details=details))
    write_whole(target / "report.html", html(evaluation, details=details))


def metrics_json(evaluation: Evaluation, *, details: RunDetails) -> str:
    """Return the figures as JSON: flat names with value, low and high; groups under `groups`, the run under `run`."""
    about = asdict(details) | {
        "out_of_fold": evaluation.out_of_fold,
        "seen_in_training": len(evaluation.in_training),
        "unlabelled": len(evaluation.unlabelled),
        "models": [asdict(model) for model in _models(evaluation)],
        "notice": NOTICE,
    }
    return json.dumps(evaluation.to_json() | {"task": "bone-age", "run": about}, indent=2, allow_nan=False) + "\n"


def predictions_csv(evaluation: Evaluation) -> str:
    """Return one row a film: the headline's films, then those seen in training, then those without a reference."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for pair in (*evaluation.pairs, *evaluation.in_training, *evaluation.unlabelled):
        study, prediction = pair.study, pair.prediction
        numbers = (study.bone_age_months, prediction.months, prediction.low, prediction.high)
        cells = ["" if number is None else f"{number:.2f}".rstrip("0").rstrip(".") for number in numbers]
        name = study.listed or study.path.as_posix()
        seen = "true" if prediction.in_training else "false"
        writer.writerow([name, study.sex.value, *cells, prediction.refusal or "", study.id, seen])
    return text.getvalue()


def html(evaluation: Evaluation, *, details: RunDetails) -> str:
    """Return the report as one self-contained page."""
    answered = [pair for pair in evaluation.pairs if not np.isnan(pair.error)]
    return page(
        "bone_age.html.j2",
        details=details,
        number=_number,
        evaluation=evaluation,
        labels=_LABELS,
        in_table=_IN_TABLE,
        models=_models(evaluation),
        headline_is_empty=evaluation.overall.n == 0,
        figures_of="out of fold" if evaluation.out_of_fold else "not seen in training",
        pictures=_pictures(answered),
        groups=_rows(evaluation),
        by_predicted=_cells(evaluation, axis="predicted"),
        by_truth=_cells(evaluation, axis="age"),
        bands=[band(low) for low, _ in BANDS],
        level=next((pair.prediction.level for pair in answered if pair.prediction.level is not None), None),
        worst=sorted(answered, key=lambda pair: -abs(pair.error))[:_WORST],
        refusals=[pair for pair in evaluation.pairs if pair.prediction.refusal],
        least_probability=LEAST_PROBABILITY,
    )


def _pictures(pairs: Sequence[Pair]) -> dict[str, str]:
    truth, predicted = _column(pair.truth for pair in pairs), _column(pair.predicted for pair in pairs)
    sex = [pair.sex for pair in pairs]
    places = _column(pair.pit for pair in pairs)
    places = places[np.isfinite(places)]
    pictures = {
        "scatter": plots.scatter(truth, predicted, sex=sex),
        "bland_altman": plots.bland_altman(truth, predicted, sex=sex),
    }
    if len(places):
        pictures |= {"pit": plots.pit_histogram(places), "calibration": plots.calibration(places)}
    return dict(pictures)


def _column(values: object) -> NDArray[np.float64]:
    return np.array(list(values), dtype=np.float64)  # type: ignore[call-overload]


def _rows(evaluation: Evaluation) -> list[tuple[str, Group]]:
    """Return the groups of the table of figures, the headline first; the coverage cells have tables of their own."""
    rows = [("all films", evaluation.overall)]
    rows += [(name.replace("=", " "), group) for name, group in evaluation.groups.items() if "," not in name]
    return [(_worded(name), group) for name, group in rows]


def _worded(name: str) -> str:
    special = {"sex hidden": "sex hidden", "in_training": "seen in training"}
    return special.get(name, f"{name} months" if name.startswith("age ") else name)


def _cells(evaluation: Evaluation, *, axis: str) -> list[tuple[str, list[Group | None]]]:
    """Return a line a sex, with a group or None a band, of the coverage table by `predicted` or true `age`."""
    lines = []
    for sex in _SEXES:
        line = [evaluation.groups.get(f"sex={sex},{axis}={band(low)}") for low, _ in BANDS]
        if any(line):
            lines.append((sex, line))
    return lines


def _models(evaluation: Evaluation) -> list[ModelReference]:
    everything = (*evaluation.pairs, *evaluation.in_training, *evaluation.unlabelled)
    return list(dict.fromkeys(model for pair in everything for model in pair.prediction.models))


def _number(value: float, name: str) -> str:
    if name in _SHARES:
        return f"{100 * value:.1f} %"
    return f"{value:.3f}" if name == "r" else f"{value:.2f}"
