"""An evaluation of a localiser on disk: `metrics.json`, `predictions.csv`, `froc.svg` and `report.html`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from markupsafe import Markup

from capitate.assessment import NOTICE, ModelReference
from capitate.evaluation.bootstrap import Estimate
from capitate.evaluation.detection import RESAMPLES
from capitate.evaluation.detection_rows import box_cells
from capitate.evaluation.fractures.figures import fracture_figures, rate_name
from capitate.evaluation.fractures.films import MarkedFilm
from capitate.evaluation.froc import RATES, Hit, curve, marked
from capitate.evaluation.page import RunDetails, page, table_text, write_whole
from capitate.evaluation.plots import Axes, nice_ticks

__all__ = ["FractureEvaluation", "evaluate_fractures", "froc_picture", "write_fractures"]

_COLUMNS = ("id", "group", "row", "kind", "score", "shown", "x_center", "y_center", "width", "height", "in_training",
            "refusal")  # fmt: skip
_COLOURS = {"centre of the mark in the box": "#0072b2", "boxes overlap by half": "#d55e00"}
_SHOWN = 50


@dataclass(frozen=True, eq=False)
class FractureEvaluation:
    """What was found.

    Attributes:
        films: that count.
        in_training: that the localiser was trained on, reported apart.
        refused: that could not be read.
        figures: of `films`, see `fracture_figures`.
        in_training_figures: of `in_training`.
        out_of_fold: whether every film was run by a network that never saw it.
    """

    films: tuple[MarkedFilm, ...]
    in_training: tuple[MarkedFilm, ...]
    refused: tuple[MarkedFilm, ...]
    figures: dict[str, Any]
    in_training_figures: dict[str, Any]
    out_of_fold: bool


def evaluate_fractures(found: Sequence[MarkedFilm], *, out_of_fold: bool) -> FractureEvaluation:
    """Set apart what was refused or trained on, and take the figures.

    Args:
        found: every film.
        out_of_fold: whether films of the training were run by networks that never saw them.
    """
    read = [one for one in found if one.refusal is None]
    apart = [] if out_of_fold else [one for one in read if one.in_training]
    kept = [one for one in read if out_of_fold or not one.in_training]
    return FractureEvaluation(
        tuple(kept),
        tuple(apart),
        tuple(one for one in found if one.refusal is not None),
        _figures(kept),
        _figures(apart),
        out_of_fold,
    )


def write_fractures(
    evaluation: FractureEvaluation, folder: Path, *, details: RunDetails, models: Sequence[ModelReference]
) -> None:
    """Write the four files into a folder, each whole or not at all.

    Args:
        evaluation: what was found.
        folder: where to.
        details: of the run.
        models: that answered.
    """
    folder.mkdir(parents=True, exist_ok=True)
    picture = froc_picture(evaluation.films)
    write_whole(folder / "predictions.csv", table_text(list(_rows(evaluation)), columns=_COLUMNS))
    write_whole(folder / "metrics.json", _metrics(evaluation, details, models))
    write_whole(folder / "froc.svg", str(picture) + "\n")
    write_whole(folder / "report.html", _html(evaluation, details, models, picture))


def froc_picture(films: Sequence[MarkedFilm]) -> Markup:
    """Plot the share of fractures found against false marks a film, by both rules of what a hit is."""
    axes = Axes((0, RATES[-1]), (0, 1), "false marks a film", "share of fractures found", "Free-response curve")
    axes.grid(nice_ticks(0, RATES[-1], step=0.5), nice_ticks(0, 1, step=0.2))
    boxes = [film.boxes for film in films]
    for hit, (_, colour) in zip(Hit, _COLOURS.items(), strict=True):
        false, share = curve(marked(boxes, hit=hit))
        inside = false <= RATES[-1]
        axes.line(false[inside].tolist(), share[inside].tolist(), colour=colour)
    axes.legend(_COLOURS)
    return axes.svg()


def _figures(films: Sequence[MarkedFilm]) -> dict[str, Any]:
    return fracture_figures(
        [film.boxes for film in films],
        kinds=[film.kinds for film in films],
        groups=[film.group for film in films],
        threshold=[film.threshold for film in films],
    )


def _rows(evaluation: FractureEvaluation) -> Iterator[dict[str, object]]:
    """Give a row for each film, each labelled box and each mark; boxes in fractions of the film."""
    for film in (*evaluation.films, *evaluation.in_training, *evaluation.refused):
        known: dict[str, object] = {
            "id": film.study.id,
            "group": film.group,
            "in_training": str(film.in_training).lower(),
        }
        yield {**known, "row": "film", "refusal": film.refusal or ""}
        for label in film.labels:
            box = np.array([label.x, label.y, label.width, label.height])
            yield {**known, "row": "label", "kind": label.joint, **box_cells(box)}
        whole = np.tile(np.array(film.shape[::-1], dtype=np.float64), 2)
        boxes = film.boxes
        for score, box in zip(boxes.scores.tolist(), boxes.boxes, strict=True):
            shown = str(score >= film.threshold).lower()
            yield {**known, "row": "mark", "score": round(score, 6), "shown": shown, **box_cells(box / whole)}


def _metrics(evaluation: FractureEvaluation, details: RunDetails, models: Sequence[ModelReference]) -> str:
    """Give the figures as JSON: flat names with value, low and high; groups under `groups`, the run under `run`."""
    figures = {name: value for name, value in evaluation.figures.items() if name != "kinds"}
    groups = {f"kind={name}": one for name, one in evaluation.figures.get("kinds", {}).items()}
    if evaluation.in_training:
        groups["in_training"] = {n: v for n, v in evaluation.in_training_figures.items() if n != "kinds"}
    about = asdict(details) | {
        "resamples": RESAMPLES,
        "thresholds": sorted({film.threshold for film in evaluation.films}),
        "out_of_fold": evaluation.out_of_fold,
        "seen_in_training": len(evaluation.in_training),
        "refused": {one.study.id: one.refusal for one in evaluation.refused},
        "models": [asdict(model) for model in models],
        "notice": NOTICE,
    }
    told = figures | {"refused": len(evaluation.refused), "groups": groups, "task": "fractures", "run": about}
    return json.dumps(told, indent=2, allow_nan=False) + "\n"


def _html(
    evaluation: FractureEvaluation, details: RunDetails, models: Sequence[ModelReference], picture: Markup
) -> str:
    """Give the report as one self-contained page."""
    rates = [rate_name(rate) for rate in RATES]
    rows = [("all fractures", evaluation.figures, "sensitivity_at")]
    rows += [("all fractures, boxes overlap by half", evaluation.figures, "overlap_sensitivity_at")]
    rows += [(f"kind {name}", one, "sensitivity_at") for name, one in evaluation.figures.get("kinds", {}).items()]
    if evaluation.in_training:
        rows.append(("seen in training", evaluation.in_training_figures, "sensitivity_at"))
    table = [
        (title, figures["fractures"], [_estimate(figures.get(f"{name} {rate}")) for rate in rates])
        for title, figures, name in rows
    ]
    tiles = {
        "Average precision at 50 %": "map50",
        "Found at 0.5 false marks a film": "sensitivity_at 0.5",
        "Found by the marks that are shown": "sensitivity",
        "False marks a film that are shown": "false_marks",
        "Films without a fracture that get a mark": "films_with_false_marks",
    }
    return page(
        "fractures.html.j2",
        details=details,
        number=_number,
        evaluation=evaluation,
        models=models,
        tiles={title: (name, _estimate(evaluation.figures.get(name))) for title, name in tiles.items()},
        rates=rates,
        table=table,
        picture=picture,
        shown=_SHOWN,
        resamples=RESAMPLES,
    )


def _estimate(told: Any) -> Estimate:  # noqa: ANN401
    """Read a figure back; what is not defined is NaN."""
    values = {name: float("nan") if value is None else float(value) for name, value in (told or {}).items()}
    return Estimate(**values) if values else Estimate(float("nan"))


def _number(value: float, name: str) -> str:
    return f"{value:.2f}" if name == "false_marks" else f"{100 * value:.1f} %"
