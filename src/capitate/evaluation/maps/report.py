"""An evaluation of maps on disk: `metrics.json`, `predictions.csv` and `report.html`."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation.maps.figures import MapEvaluation, MapGroup
from capitate.evaluation.maps.likeness import MEASURES
from capitate.evaluation.maps.randomised import PARTS
from capitate.evaluation.maps.rows import MapRow
from capitate.evaluation.page import RunDetails, page, table_text, write_whole

__all__ = ["SECTIONS", "number", "write_maps"]

_MEASURES = ("answer", "area", "tissue", "hand_energy", "hand_area", "joints_energy", "joints_area", "before", "after")
_COLUMNS = (
    "id", "group", "answer", "peak_x", "peak_y", "boxes", "hit", *_MEASURES[1:], "same_side",
    *(f"{measure}_{part}" for measure in MEASURES for part in PARTS), "in_training", "refusal",
)  # fmt: skip
_PARTS = {
    "head": "the layers behind the last map",
    "last_quarter": "and the last quarter of the convolutions",
    "last_half": "and the last half",
    "last_three_quarters": "and the last three quarters",
    "all": "all layers",
}
SECTIONS: Mapping[str, Mapping[str, str]] = {
    "The peak and the annotated boxes": {
        "pointing": "The map's peak lies in a box",
        "by_area": "A random point of the film does",
        "by_tissue": "A random point of the film's tissue does",
        "by_centre": "The film's centre does",
        "by_mean_box": "The mean middle of other films' boxes does",
        "by_best_point": "The point that is in most boxes of other films does",
        "over_area": "Map less a random point",
        "over_tissue": "Map less a random point of the tissue",
        "over_centre": "Map less the centre",
        "over_mean_box": "Map less the mean middle",
        "over_best_point": "Map less the best point",
    },
    "What the map lies on": {
        "hand_energy": "Energy on the hand",
        "hand_area": "Film that is hand",
        "hand_over_area": "Energy less area",
        "joints_energy": "Energy in the boxes of joints",
        "joints_area": "Film in these boxes",
        "joints_over_area": "Energy less area",
    },
    "Everything outside the dilated hand replaced": {
        "same_side": "The answer stays on its side of the threshold",
        "change": "Mean change of the answer",
        "change_p95": "95 % of the answers change by at most",
        "change_largest": "Largest change",
    },
    "Weights randomised: rank correlation with the map": {f"spearman_{part}": text for part, text in _PARTS.items()},
    "Weights randomised: rank correlation of sizes, without signs": {
        f"spearman_abs_{part}": text for part, text in _PARTS.items()
    },
    "Weights randomised: structural similarity to the map": {f"ssim_{part}": text for part, text in _PARTS.items()},
}
_PLAIN = ("spearman", "ssim")
_WORST = 20


def write_maps(
    evaluation: MapEvaluation,
    folder: str | Path,
    *,
    details: RunDetails,
    models: Sequence[ModelReference],
    unit: str,
) -> None:
    """Write the three files into a folder, each whole or not at all.

    Args:
        evaluation: what was found.
        folder: where to.
        details: of the run.
        models: that answered.
        unit: of the answer whose change is told: `months`, or `probability`.
    """
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    write_whole(target / "predictions.csv", table_text([_row(row) for row in evaluation.rows], columns=_COLUMNS))
    write_whole(target / "metrics.json", _metrics(evaluation, details, models, unit))
    write_whole(target / "report.html", _html(evaluation, details, models, unit))


def _row(row: MapRow) -> dict[str, object]:
    """Give the cells of a film; what was not measured is empty."""
    from capitate.evaluation.maps.pointing import inside

    cells: dict[str, object] = {"id": row.id, "group": row.group, "boxes": len(row.boxes)}
    cells |= {name: _cell(getattr(row, name)) for name in _MEASURES}
    if row.peak is not None:
        cells |= {"peak_x": round(row.peak[0], 4), "peak_y": round(row.peak[1], 4)}
    if row.boxes and row.refusal is None:
        cells["hit"] = int(row.peak is not None and inside(row.peak, row.boxes))
    for part, alike in row.alike.items():
        cells |= {f"{measure}_{part}": _cell(value) for measure, value in zip(MEASURES, alike, strict=True)}
    same = "" if row.same_side is None else str(row.same_side).lower()
    return cells | {"same_side": same, "in_training": str(row.in_training).lower(), "refusal": row.refusal or ""}


def _cell(value: float) -> object:
    return round(value, 6) if math.isfinite(value) else ""


def _group(group: MapGroup) -> dict[str, object]:
    counts = {"n": group.n, "refused": group.refused} | {f"n_{name}": count for name, count in group.counts.items()}
    flat = {name: {"value": count, "low": None, "high": None} for name, count in counts.items()}
    found: dict[str, object] = {name: figure.to_json() for name, figure in group.figures.items()}
    return found | flat


def _metrics(evaluation: MapEvaluation, details: RunDetails, models: Sequence[ModelReference], unit: str) -> str:
    about = asdict(details) | {
        "unit_of_change": unit,
        "changed_most": evaluation.overall.moved_most,
        "refused": {row.id: row.refusal for row in evaluation.rows if row.refusal is not None},
        "models": [asdict(model) for model in models],
        "notice": NOTICE,
    }
    groups = {name: _group(group) for name, group in evaluation.groups.items()}
    found = _group(evaluation.overall) | {"groups": groups, "task": "maps", "run": about}
    return json.dumps(found, indent=2, allow_nan=False) + "\n"


def _html(evaluation: MapEvaluation, details: RunDetails, models: Sequence[ModelReference], unit: str) -> str:
    groups = [("", evaluation.overall), *evaluation.groups.items()]
    there = {name for _, group in groups for name in group.figures}
    sections = {
        title: {name: text for name, text in named.items() if name in there} for title, named in SECTIONS.items()
    }
    moved = [row for row in evaluation.rows if math.isfinite(row.after) and row.refusal is None]
    return page(
        "maps.html.j2",
        details=details,
        number=lambda value, name: number(value, name, unit=unit),
        evaluation=evaluation,
        models=models,
        groups=[(name.replace("_", " "), group) for name, group in groups],
        sections={title: named for title, named in sections.items() if named},
        moved=sorted(moved, key=lambda row: -abs(row.after - row.before))[:_WORST],
        refused=[row for row in evaluation.rows if row.refusal is not None],
        unit=unit,
    )


def number(value: float, name: str, *, unit: str) -> str:
    """Write a figure by its name: shares as percentages, correlations plainly, changes in their unit."""
    if name.startswith("change"):
        return f"{value:.2f} {unit}" if unit in ("months", "grades") else f"{value:.3f}"
    return f"{round(value, 2) + 0.0:.2f}" if name.startswith(_PLAIN) else f"{100 * value:.1f} %"
