"""Joints of films that a network never saw: found from the file that would be released, compared, written."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from capitate.evaluation.detection import FilmBoxes, detection_figures, match_centres
from capitate.runtime.film_rule import Fitted
from capitate.runtime.hand_view import HandView
from capitate.runtime.joint_boxes import find_peaks
from capitate.runtime.session import Session
from capitate.training.export import export
from capitate.training.joints.films import JointFilms
from capitate.training.joints.network import JointNetwork, ReleasedJoints
from capitate.training.run_card import Figure
from capitate.training.runs import write_table
from capitate.training.settings.joints import JointDetectorConfig

__all__ = ["PREDICTIONS", "export_joints", "found_joints", "measure"]

PREDICTIONS = "predictions.csv"
_PLACE = ("x_center", "y_center", "width", "height")
_LEAST_SCORE = 0.01
"""Weaker peaks change no average precision to three places."""
_AT_ONCE = 16


def export_joints(network: JointNetwork, path: Path, *, height: int, width: int) -> None:
    """Write a detector as ONNX with a dynamic batch and packed weights."""
    example = (torch.zeros(2, 1, height, width, dtype=torch.uint8),)
    export(ReleasedJoints(network), example, path, inputs=("picture",), outputs=("scores", "boxes"))


def found_joints(
    session: Session, films: JointFilms, rows: NDArray[np.int64], config: JointDetectorConfig
) -> list[FilmBoxes]:
    """Find the joints of films with an exported detector, boxes in film pixels."""
    counts = config.counts if config.detect.known_counts else None
    found = []
    for part in np.array_split(rows, max(1, -(-rows.size // _AT_ONCE))):
        scores, boxes = session.run({"picture": films.pictures[part][:, None]})
        for row, heat, places in zip(part.tolist(), scores, boxes, strict=True):
            peaks = find_peaks(heat, places, threshold=_LEAST_SCORE, counts=counts)
            labelled, fitted = films.classes[row] >= 0, films.fitted[row]
            found.append(
                FilmBoxes(
                    id=films.studies[row].id,
                    truth_classes=films.classes[row][labelled],
                    truth=_on_film(films.boxes[row][labelled], fitted),
                    classes=peaks.classes,
                    scores=peaks.scores.astype(np.float64),
                    boxes=_on_film(peaks.boxes, fitted),
                )
            )
    return found


def _on_film(boxes: NDArray[np.float32], fitted: Fitted | HandView) -> NDArray[np.float64]:
    """Bring boxes (n, 4), centre and sides, from pixels of the picture to those of the film."""
    return np.concatenate([fitted.to_film(boxes[:, :2]), fitted.sides_on_film(boxes[:, 2:])], axis=1)


def measure(
    network: nn.Module, films: JointFilms, rows: NDArray[np.int64], config: JointDetectorConfig, *, folder: Path
) -> dict[str, Figure]:
    """Find joints, write `predictions.csv`, and give figures with intervals.

    Args:
        network: trained, in evaluation.
        films: all of them.
        rows: that it never saw.
        config: the experiment.
        folder: of the run.
    """
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        path = Path(scratch) / "joints.onnx"
        export_joints(network, path, height=films.rule.height, width=films.rule.width)
        found = found_joints(Session(path, threads=torch.get_num_threads()), films, rows, config)
    threshold = config.detect.threshold
    lines = [line for row, film in zip(rows.tolist(), found, strict=True) for line in _lines(film, row, films, config)]
    write_table(folder / PREDICTIONS, lines)
    estimates = detection_figures(found, names=config.classes, threshold=threshold, seed=config.seed)
    return {name: one.to_json() for name, one in estimates.items()}


def _lines(film: FilmBoxes, row: int, films: JointFilms, config: JointDetectorConfig) -> Iterator[dict[str, object]]:
    """Give one line a labelled joint, found or not, and one a found joint that answers none; fractions of the film."""
    size = np.tile(films.sizes[row], 2).astype(np.float64)
    threshold = config.detect.threshold
    match = match_centres(film, threshold=threshold)

    def line(kind: int, k: int, truth: int, apart: float) -> dict[str, object]:
        box = _written(film.boxes[k] / size) if k >= 0 else [""] * 4
        true = _written(film.truth[truth] / size) if truth >= 0 else [""] * 4
        return {
            "id": film.id,
            "joint": config.classes[kind],
            "score": f"{film.scores[k]:.4f}" if k >= 0 else "",
            **dict(zip(_PLACE, box, strict=True)),
            **{f"true_{name}": value for name, value in zip(_PLACE, true, strict=True)},
            "distance_percent": f"{100 * apart:.3f}" if k >= 0 and truth >= 0 else "",
        }

    for t, kind in enumerate(film.truth_classes.tolist()):
        yield line(kind, int(match.found[t]), t, float(match.distance[t]))
    for k in sorted(set(range(len(film.classes))) - set(match.found.tolist())):
        if film.scores[k] >= threshold:
            yield line(int(film.classes[k]), k, -1, 0.0)


def _written(box: NDArray[np.float64]) -> list[str]:
    return ["" if np.isnan(value) else f"{value:.6f}" for value in box]
