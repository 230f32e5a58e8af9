"""Fractures of films that a network never saw: found from the file that would be released, compared, written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from capitate.evaluation.detection import FilmBoxes
from capitate.evaluation.detection_rows import box_cells
from capitate.evaluation.fractures.figures import fracture_figures
from capitate.evaluation.froc import Hit, marked, threshold_at
from capitate.runtime.session import Session
from capitate.training.data.pictures import patients
from capitate.training.detector.exported import export_detector, found_boxes
from capitate.training.fractures.films import FractureFilms
from capitate.training.runs import read_json, write_json, write_table
from capitate.training.settings.fractures import FracturesConfig

__all__ = ["PREDICTIONS", "THRESHOLD", "choose_threshold", "measure"]

PREDICTIONS = "predictions.csv"
THRESHOLD = "threshold.json"
_UNCHOSEN = 0.3
"""Threshold of a run that kept no film back, as of the joint detector."""


def choose_threshold(
    network: nn.Module, films: FractureFilms, rows: NDArray[np.int64], config: FracturesConfig, *, folder: Path
) -> None:
    """Choose the threshold of shown marks on films kept back, and write `threshold.json`.

    Args:
        network: trained, in evaluation.
        films: all of them.
        rows: kept back; perhaps none.
        config: the experiment.
        folder: of the run.
    """
    rate = config.marks.false_marks
    if not rows.size:
        write_json(folder / THRESHOLD, {"value": _UNCHOSEN, "choice": "none: no films were kept back", "films": 0})
        return
    found = _found(network, films, rows, folder=folder)
    write_json(
        folder / THRESHOLD,
        {
            "value": threshold_at(marked(found, hit=Hit.CENTRE), rate=rate),
            "choice": f"{rate:g} false marks a film",
            "films": len(found),
        },
    )


def measure(
    network: nn.Module, films: FractureFilms, rows: NDArray[np.int64], config: FracturesConfig, *, folder: Path
) -> Mapping[str, Any]:
    """Find fractures, write `predictions.csv`, and give figures with intervals.

    Args:
        network: trained, in evaluation.
        films: all of them.
        rows: that it never saw.
        config: the experiment.
        folder: of the run.
    """
    threshold = float(read_json(folder / THRESHOLD)["value"])
    found = _found(network, films, rows, folder=folder)
    kinds = [films.kinds[row] for row in rows.tolist()]
    everyone = patients(films.studies)
    groups = [everyone[row] for row in rows.tolist()]
    lines = [
        line
        for film, kind, group, row in zip(found, kinds, groups, rows.tolist(), strict=True)
        for line in _lines(film, kind, group=group, threshold=threshold, size=films.sizes[row])
    ]
    write_table(folder / PREDICTIONS, lines)
    figures = fracture_figures(found, kinds=kinds, groups=groups, threshold=threshold, seed=config.seed)
    return {**figures, "threshold": threshold}


def _found(network: nn.Module, films: FractureFilms, rows: NDArray[np.int64], *, folder: Path) -> list[FilmBoxes]:
    """Ask the file that would be released."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "fractures.onnx"
        export_detector(network, path, height=films.rule.height, width=films.rule.width)
        return found_boxes(Session(path, threads=torch.get_num_threads()), films, rows)


def _lines(
    film: FilmBoxes, kinds: Sequence[str], *, group: str, threshold: float, size: NDArray[np.int64]
) -> Iterator[dict[str, object]]:
    """Give a row for the film itself, for each labelled box and for each mark, boxes in fractions of the film."""
    whole = np.tile(np.asarray(size, dtype=np.float64), 2)
    film_cells = {"id": film.id, "group": group, "threshold": round(threshold, 6)}
    nowhere = box_cells(np.full(4, np.nan))
    yield {**film_cells, "row": "film", "kind": "", "score": "", **nowhere}
    for kind, box in zip(kinds, film.truth, strict=True):
        yield {**film_cells, "row": "label", "kind": kind, "score": "", **box_cells(box / whole)}
    for score, box in zip(film.scores.tolist(), film.boxes, strict=True):
        yield {**film_cells, "row": "mark", "kind": "", "score": round(score, 6), **box_cells(box / whole)}
