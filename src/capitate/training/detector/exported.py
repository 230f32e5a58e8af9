"""A detector's file: written, asked for the boxes of films, and compared with its network."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from capitate.errors import UsageError
from capitate.evaluation.detection import LEAST_SCORE, FilmBoxes
from capitate.phantom import Pose, draw
from capitate.runtime.film_rule import Fitted
from capitate.runtime.hand_view import HandView
from capitate.runtime.joint_boxes import find_peaks
from capitate.runtime.session import Session
from capitate.training.detector.films import BoxedFilms
from capitate.training.detector.network import DetectorNetwork, ReleasedDetector
from capitate.training.export import export
from capitate.types import Sex, Side

__all__ = ["agreement", "drawn_films", "export_detector", "found_boxes"]

_AT_ONCE = 16
_MOST_SCORE, _MOST_PIXELS = 0.05, 1.0
"""Largest differences between file and network that a bundle may have: scores, and centres in pixels of the picture."""


def export_detector(network: nn.Module, path: Path, *, height: int, width: int) -> None:
    """Write a detector as ONNX with a dynamic batch and packed weights."""
    example = (torch.zeros(2, 1, height, width, dtype=torch.uint8),)
    export(ReleasedDetector(network), example, path, inputs=("picture",), outputs=("scores", "boxes"))


def found_boxes(
    session: Session, films: BoxedFilms, rows: NDArray[np.int64], *, counts: Sequence[int] | None = None
) -> list[FilmBoxes]:
    """Find the objects of films with an exported detector, boxes in film pixels.

    Args:
        session: of the file.
        films: all of them.
        rows: which.
        counts: most objects of each class; any number if None.
    """
    found = []
    for part in np.array_split(rows, max(1, -(-rows.size // _AT_ONCE))) if rows.size else ():
        scores, boxes = session.run({"picture": films.pictures[part][:, None]})
        for row, heat, places in zip(part.tolist(), scores, boxes, strict=True):
            peaks = find_peaks(heat, places, threshold=LEAST_SCORE, counts=counts)
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


def agreement(
    network: DetectorNetwork, path: Path, pictures: NDArray[np.uint8], *, threshold: float
) -> tuple[float, float]:
    """Compare an exported file with its network.

    Args:
        network: in evaluation.
        path: of the file.
        pictures: uint8 (n, height, width) to compare them on.
        threshold: score from which on centres are compared.

    Returns:
        Largest difference of scores, and of centres in pixels of the picture.

    Raises:
        UsageError: if either is too large for the bundle to be released.
    """
    scores, boxes = Session(path, threads=1).run({"picture": pictures[:, None]})
    with torch.no_grad():
        wanted, places = (one.numpy() for one in ReleasedDetector(network)(torch.from_numpy(pictures[:, None])))
    score = float(np.abs(scores - wanted).max())
    centre = max((_moved(*one, threshold=threshold) for one in zip(wanted, places, boxes, strict=True)), default=0.0)
    if not (score < _MOST_SCORE and centre < _MOST_PIXELS):
        raise UsageError(
            f"the exported file differs from its network by {score:.4f} in a score and {centre:.3f} pixels in a "
            f"centre, more than {_MOST_SCORE:g} and {_MOST_PIXELS:g}; train longer, or report this"
        )
    return score, centre


def drawn_films() -> list[NDArray[np.float32]]:
    """Draw films to compare on: a girl's left hand, upright, and a boy's right one that lies on its side."""
    upright = draw(age_months=84, sex=Sex.FEMALE, height=320)
    lying = draw(age_months=150, sex=Sex.MALE, side=Side.RIGHT, pose=Pose(rotation_degrees=80), height=320, seed=1)
    return [upright.radiograph.pixels, lying.radiograph.pixels]


def _on_film(boxes: NDArray[np.float32], fitted: Fitted | HandView) -> NDArray[np.float64]:
    """Bring boxes (n, 4), centre and sides, from pixels of the picture to those of the film."""
    return np.concatenate([fitted.to_film(boxes[:, :2]), fitted.sides_on_film(boxes[:, 2:])], axis=1)


def _moved(
    heat: NDArray[np.float32], places: NDArray[np.float32], others: NDArray[np.float32], *, threshold: float
) -> float:
    """Give how far the file puts the centres of the objects that the network finds, pixels."""
    sure = heat.max(axis=0) >= threshold
    across, down = (places - others)[:2, sure]
    return float(np.hypot(across, down).max(initial=0.0))
