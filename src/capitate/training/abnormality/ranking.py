"""How many pairs of films a screen puts in the wrong order, from sums, so that no epoch's answers need be kept."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

__all__ = ["CELLS", "histograms", "ranking_error"]

_STEP = 0.05
_HALF = 200
CELLS = 2 * _HALF + 1
"""Cells of a logit from -10 to 10; what is beyond counts as the end. Films in one cell are a tie."""


def histograms(logits: Tensor, labels: Tensor) -> Tensor:
    """Count films by cell of their logit, those with label 0 first, float64 (2 CELLS,)."""
    cell = (logits / _STEP).round().clamp(-_HALF, _HALF).long() + _HALF
    place = cell + CELLS * (labels > 0.5).long()
    return torch.zeros(2 * CELLS, dtype=torch.float64, device=logits.device).index_add_(
        0, place, torch.ones_like(place, dtype=torch.float64)
    )


def ranking_error(counts: Sequence[float]) -> float:
    """Give the share of pairs in the wrong order, ties half: 1 less the area under the ROC curve; NaN without pairs."""
    negatives, positives = counts[:CELLS], counts[CELLS:]
    pairs = sum(negatives) * sum(positives)
    above = sum(negatives)
    wrong = 0.0
    for no, yes in zip(negatives, positives, strict=True):
        above -= no
        wrong += yes * (above + no / 2)
    return wrong / pairs if pairs else float("nan")
