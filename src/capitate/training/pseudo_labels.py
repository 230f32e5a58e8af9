"""Labels that a locator gives to films itself: four views of each film, and how far they disagree."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from capitate.training.joints_labels import HandLabel
from capitate.training.locator_data import resample, stretch

__all__ = ["PseudoLabels", "pseudo_label"]

_HALF_FILM = 150
_VIEWS = ((0.0, 1, 1.0), (0.0, -1, 1.0), (0.2, 1, 1.1), (-0.2, -1, 1.1))
"""Turn in radians, mirror, scale of each view."""


@dataclass(frozen=True, eq=False)
class PseudoLabels:
    """What a locator says about films, the film running from -1 to 1.

    Attributes:
        points: float32 (n, 4, 2), middles of the left, right, upper and lower side of the hand's box; median of views.
        disagreement: float32 (n,), largest distance of a view's coordinate from the median.
        negative: float32 (n,), logit of being a negative minus that of the negated film; above 0 for negatives.
    """

    points: NDArray[np.float32]
    disagreement: NDArray[np.float32]
    negative: NDArray[np.float32]

    def label(self, row: int, film: str) -> HandLabel:
        """Turn one row into a label."""
        points = ((self.points[row] + 1) / 2).astype(np.float64)
        return HandLabel(film, points, points[2] - points[3], boxes=False)


def pseudo_label(network: nn.Module, films: NDArray[np.uint8], *, batch: int = 256) -> PseudoLabels:
    """Label films.

    Args:
        network: the locator; set to evaluation by this call.
        films: uint8 (n, 299, 299), squashed.
        batch: films at a time.
    """
    network.eval()
    parts = [_label(network, torch.tensor(films[k : k + batch])) for k in range(0, len(films), batch)]
    views = np.concatenate([points for points, _ in parts])
    median = np.median(views, axis=1)
    disagreement = np.abs(views - median[:, None]).max(axis=(1, 2, 3))
    return PseudoLabels(median, disagreement, np.concatenate([negative for _, negative in parts]))


def _label(network: nn.Module, films: Tensor) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the points of each view (n, 4 views, 4, 2), and the logit differences (n,)."""
    half = functional.interpolate(
        films.float()[:, None] / 255, (_HALF_FILM, _HALF_FILM), mode="bilinear", antialias=True
    )
    n = len(films)
    points = []
    with torch.no_grad():
        for k, view in enumerate(_VIEWS):
            matrix = _matrix(*view)
            seen = resample(half, matrix.expand(n, 2, 2), torch.zeros(n, 2), padding="border")
            inputs = (stretch(seen) * 2 - 1)[:, None]
            outputs = network(inputs)
            if k == 0:
                negative = outputs[:, 6] - network(-inputs)[:, 6]
            points.append(_sides(outputs, matrix))
    return torch.stack(points, 1).numpy(), negative.numpy()


def _matrix(turn: float, mirror: int, scale: float) -> Tensor:
    cos, sin = math.cos(turn), math.sin(turn)
    return torch.tensor([[cos * scale * mirror, -sin * scale], [sin * scale * mirror, cos * scale]])


def _sides(outputs: Tensor, matrix: Tensor) -> Tensor:
    """Bring the middles of the box's sides back to the film, (n, 4, 2)."""
    down = -functional.normalize(outputs[:, 4:6], dim=1)
    right = torch.stack([down[:, 1], -down[:, 0]], 1)
    width, height = torch.exp(outputs[:, 2:3]), torch.exp(outputs[:, 3:4])
    centre, across, along = outputs[:, :2], right * width / 2, down * height / 2
    points = torch.stack([centre - across, centre + across, centre - along, centre + along], 1)
    points = torch.einsum("ij,bkj->bki", matrix, points)
    mirrored = bool(matrix[0, 0] < 0)
    return points[:, [1, 0, 2, 3]] if mirrored else points
