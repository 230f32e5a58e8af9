"""Losses of yes or no, such as an abnormal study: logits (n,) and labels 0 or 1 (n,) to a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from capitate.errors import UsageError

__all__ = ["focal", "positive_weight", "weighted_bce"]


def positive_weight(labels: Tensor) -> float:
    """Give r = negatives / positives of the training labels.

    Raises:
        UsageError: if one of the two is missing.
    """
    positives = int((labels > 0.5).sum())
    negatives = labels.numel() - positives
    if not positives or not negatives:
        raise UsageError(
            f"a weight of positives needs labels of both kinds, got {positives} positive and {negatives} negative; "
            "give studies of both"
        )
    return float(negatives) / positives


def weighted_bce(logits: Tensor, labels: Tensor, *, weight: float) -> Tensor:
    """Binary cross-entropy with heavier positives: -mean(r y ln p + (1 - y) ln(1 - p)), p the sigmoid of the logit.

    Args:
        logits: (n,).
        labels: (n,).
        weight: r, from `positive_weight`.
    """
    heavier = torch.tensor(weight, dtype=logits.dtype, device=logits.device)
    return functional.binary_cross_entropy_with_logits(logits, labels.to(logits.dtype), pos_weight=heavier)


def focal(logits: Tensor, labels: Tensor, *, gamma: float = 2.0, alpha: float | None = 0.25) -> Tensor:
    """Focal loss: -mean(a (1 - q)^gamma ln q), q the probability given to what is true.

    Args:
        logits: (n,).
        labels: (n,).
        gamma: how little what is right already counts; 0 gives the cross-entropy. Source of both numbers: Lin et al.
            2017, ICCV.
        alpha: a of positives, 1 - alpha of negatives; None for no weight.
    """
    labels = labels.to(logits.dtype)
    loss = functional.binary_cross_entropy_with_logits(logits, labels, reduction="none")
    loss = loss * (-torch.expm1(-loss)) ** gamma
    if alpha is not None:
        loss = loss * (alpha * labels + (1 - alpha) * (1 - labels))
    return loss.mean()
