"""Losses of a distribution by month: logits (n, 240) and the bone age in months (n,) to a scalar."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.losses.points import l1
from capitate.training.networks.bins import bin_centres, expectation

__all__ = ["combined", "crps", "distillation", "inconsistency", "label_and_l1", "label_distribution", "ordinal"]


def label_distribution(logits: Tensor, months: Tensor, *, sigma: float = 5.0) -> Tensor:
    """Cross-entropy against a normal curve of `sigma` months around the label (Geng 2016, IEEE TKDE 28:1734)."""
    target = (-0.5 * ((bin_centres(logits.device)[None] - months[:, None]) / sigma) ** 2).softmax(1)
    return -(target * functional.log_softmax(logits, 1)).sum(1).mean()


def crps(logits: Tensor, months: Tensor) -> Tensor:
    """Continuous ranked probability score in months: proper, and as robust as L1.

    Source: Gneiting & Raftery 2007, JASA 102:359.
    """
    below = logits.softmax(1).cumsum(1)
    reached = (bin_centres(logits.device)[None] >= months[:, None]).float()
    return (below - reached).square().sum(1).mean()


def ordinal(logits: Tensor, months: Tensor) -> Tensor:
    """Binary cross-entropy of "no older than k months", summed over k = 0 ... 238.

    Each month is a threshold of its own (Frank & Hall 2001, ECML; Niu et al. 2016, CVPR). Where CRPS takes the squares
    of the same 239 differences, this takes their logarithms.
    """
    share = functional.log_softmax(logits, 1)
    below = torch.logcumsumexp(share, 1)[:, :-1]
    above = torch.logcumsumexp(share.flip(1), 1).flip(1)[:, 1:]
    reached = bin_centres(logits.device)[None, :-1] >= months[:, None]
    return -torch.where(reached, below, above).sum(1).mean()


def combined(logits: Tensor, months: Tensor, *, sigma: float = 5.0) -> Tensor:
    """CRPS plus a weak label distribution, which gives every month a gradient early in training."""
    return crps(logits, months) + 0.5 * label_distribution(logits, months, sigma=sigma)


def label_and_l1(logits: Tensor, months: Tensor, *, sigma: float = 5.0) -> Tensor:
    """Label distribution plus L1 of the mean in units of 5 months."""
    return label_distribution(logits, months, sigma=sigma) + 0.2 * l1(expectation(logits), months)


def distillation(logits: Tensor, teacher: Tensor) -> Tensor:
    """Distance of two distributions: CRPS between them in months, plus half their cross-entropy.

    Args:
        logits: the student's, (n, 240).
        teacher: the teacher's probabilities, (n, 240).
    """
    return _distance(logits.softmax(1), teacher) + 0.5 * -(teacher * functional.log_softmax(logits, 1)).sum(1).mean()


def inconsistency(logits: Tensor) -> Tensor:
    """Distance in months between the answers to two augmentations of the same films.

    Args:
        logits: (2 n, 240), row i and row n + i of one film.
    """
    return _distance(*logits.softmax(1).chunk(2))


def _distance(one: Tensor, other: Tensor) -> Tensor:
    """Cramér's distance of distributions by month, (n, 240) each: the CRPS where one of them is a label."""
    return (one - other).cumsum(1).square().sum(1).mean()
