"""What the screen minimises on labelled films, and on films without a label."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.losses.binary import focal, weighted_bce
from capitate.training.settings.abnormality import ScreenLoss, ScreenLossConfig, UnlabelledConfig, UnlabelledUse

__all__ = ["ScreenAnswer", "mean_loss", "unlabelled_loss"]


@dataclass(frozen=True, eq=False)
class ScreenAnswer:
    """Logits of labelled films (n,), and of unlabelled ones under weak and strong augmentation, (m,) each."""

    logits: Tensor
    weak: Tensor
    strong: Tensor


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
