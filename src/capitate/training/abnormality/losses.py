"""What the screen minimises on labelled films, and on films without a label."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.losses.binary import focal, weighted_bce
from capitate.training.settings.abnormality import ScreenLoss, ScreenLossConfig, UnlabelledConfig, UnlabelledUse

__all__ = ["ScreenAnswer", "mean_loss", "places_loss", "taught_loss", "unlabelled_loss"]

_LEAST_BOX = 0.02
"""Cells that boxes have to cover together for a film to teach where they are; moved pictures can lose them."""


@dataclass(frozen=True, eq=False)
class ScreenAnswer:
    """What a network says about a batch.

    Attributes:
        logits: of labelled films, (n,).
        weak: of films without a label under weak augmentation, (m,).
        strong: of the same under strong augmentation, (m,).
        taught: what teachers say about the labelled films, (n,), probabilities; NaN where none has answered.
        cells: logits of the cells of films that teach places, (k, rows, columns).
    """

    logits: Tensor
    weak: Tensor
    strong: Tensor
    taught: Tensor
    cells: Tensor


def mean_loss(logits: Tensor, labels: Tensor, config: ScreenLossConfig, *, weight: float) -> Tensor:
    """Give the mean loss of labelled films.

    Args:
        logits: (n,).
        labels: (n,), 0 or 1.
        config: which loss.
        weight: of positives, for `weighted_bce`.
    """
    if config.name is ScreenLoss.FOCAL:
        return focal(logits, labels, gamma=config.gamma, alpha=config.alpha)
    return weighted_bce(logits, labels, weight=weight if config.name is ScreenLoss.WEIGHTED_BCE else 1.0)


def taught_loss(logits: Tensor, taught: Tensor, *, temperature: float) -> Tensor:
    """Give the mean distance from the teachers' answers: T^2 BCE(logit / T, taught), 0 where none has answered.

    Args:
        logits: (n,).
        taught: probabilities at the same temperature, (n,), NaN where no teacher has answered.
        temperature: T; see `DistillationConfig`.
    """
    told = ~taught.isnan()
    target = taught.nan_to_num().to(logits.dtype)
    apart = functional.binary_cross_entropy_with_logits(logits / temperature, target, reduction="none")
    return temperature**2 * (apart * told).sum() / told.sum().clamp(min=1)


def places_loss(cells: Tensor, boxes: Tensor) -> Tensor:
    """Give how far the cells that stand out on each film are from its boxes.

    The mean Kullback-Leibler divergence of softmax over a film's cells from the share of its boxes in each; 0 is the
    least, whatever the boxes.

    Args:
        cells: logits, (k, rows, columns).
        boxes: float (k, 1, height, width), 1 inside boxes; a film without any does not count.
    """
    shares = functional.adaptive_avg_pool2d(boxes, cells.shape[1:]).flatten(1)
    covered = shares.sum(1, keepdim=True)
    told = covered[:, 0] > _LEAST_BOX
    wanted = shares / covered.clamp(min=_LEAST_BOX)
    apart = functional.kl_div(cells.float().flatten(1).log_softmax(1), wanted, reduction="none").sum(1)
    return (apart * told).sum() / told.sum().clamp(min=1)


def unlabelled_loss(weak: Tensor, strong: Tensor, config: UnlabelledConfig) -> Tensor:
    """Give the mean loss of films without a label.

    Args:
        weak: logits under weak augmentation, (m,).
        strong: of the same films under strong augmentation, (m,).
        config: what is learnt from them.
    """
    if config.use is UnlabelledUse.CONSISTENCY:
        return (weak.sigmoid() - strong.sigmoid()).square().mean()
    told = weak.detach().sigmoid()
    sure = torch.maximum(told, 1 - told) >= config.confidence
    wrong = functional.binary_cross_entropy_with_logits(strong, (told > 0.5).to(strong.dtype), reduction="none")
    return (wrong * sure).mean()
