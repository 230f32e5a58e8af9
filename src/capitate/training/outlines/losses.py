"""What the network for outlines is fitted by: cross-entropy of pixels and the overlap of areas."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["cross_entropy", "dice_loss", "overlap_sums"]

_SMOOTH = 16.0
"""Pixels added to both areas, so that a class that is hardly there does not decide a picture's loss."""


def cross_entropy(logits: Tensor, shares: Tensor, known: Tensor) -> Tensor:
    """Give the mean cross-entropy over the known pixels of each picture.

    Args:
        logits: float (n, classes, height, width).
        shares: targets of the same shape, sum 1 where known.
        known: float (n, height, width), 0 or 1.

    Returns:
        (n,), 0 where nothing is known.
    """
    each = -(shares * functional.log_softmax(logits, 1)).sum(1) * known
    return each.flatten(1).sum(1) / known.flatten(1).sum(1).clamp(min=1)


def dice_loss(logits: Tensor, shares: Tensor, known: Tensor) -> Tensor:
    """Give 1 - (2 sum(p t) + s) / (sum(p) + sum(t) + s) over the known pixels of each picture (Milletari et al. 2016).

    The mean over the classes from 1 on: background is what is left. Arguments as of `cross_entropy`.

    Returns:
        (n,).
    """
    p = logits.softmax(1)[:, 1:] * known[:, None]
    t = shares[:, 1:] * known[:, None]
    both, apart = (p * t).flatten(2).sum(2), p.flatten(2).sum(2) + t.flatten(2).sum(2)
    return (1 - (2 * both + _SMOOTH) / (apart + _SMOOTH)).mean(1)


def overlap_sums(logits: Tensor, shares: Tensor, known: Tensor) -> Tensor:
    """Count pixels: for each class from 1 on, those that both name so, and the sum of those that either does.

    Returns:
        float64 (n, classes - 1, 2).
    """
    count, within = logits.shape[1], known[:, None] > 0
    found = functional.one_hot(logits.argmax(1), count).movedim(3, 1)[:, 1:].bool() & within
    wanted = functional.one_hot(shares.argmax(1), count).movedim(3, 1)[:, 1:].bool() & within
    both = (found & wanted).flatten(2).sum(2)
    return torch.stack([both, found.flatten(2).sum(2) + wanted.flatten(2).sum(2)], 2).double()
