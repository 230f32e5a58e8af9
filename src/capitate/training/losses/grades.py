"""Losses of a distribution over grades against a distribution, mostly of a single grade.

All take log probabilities (n, grades) and targets (n, grades) with sum 1 a row, and give a scalar, the mean over rows.
A grade that a category does not have has probability and target 0, and its logarithm is a large negative number.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["cross_entropy", "cumulative", "grade_targets", "ranked"]


def cross_entropy(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """-sum over k of t(k) ln p(k): blind to how far off a grade is."""
    return -(targets * log_probabilities).sum(1).mean()


def cumulative(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """Binary cross-entropy of "no higher than grade k", summed over k: one threshold between each two grades.

    Sources: Frank & Hall 2001, ECML; Niu et al. 2016, CVPR; of cumulative logits the likelihood is McCullagh's 1980,
    J R Stat Soc B 42:109, threshold by threshold.
    """
    below = torch.logcumsumexp(log_probabilities, 1)[:, :-1]
    above = torch.logcumsumexp(log_probabilities.flip(1), 1).flip(1)[:, 1:]
    reached = targets.cumsum(1)[:, :-1].clamp(0, 1)
    return -(reached * below + (1 - reached) * above).sum(1).mean()


def ranked(log_probabilities: Tensor, targets: Tensor) -> Tensor:
    """Ranked probability score: sum over k of the squared difference of the two P(no higher than k).

    Source: Epstein 1969, Journal of Applied Meteorology 8:985.
    """
    return (log_probabilities.exp() - targets).cumsum(1)[:, :-1].square().sum(1).mean()


def grade_targets(grades: Tensor, allowed: Tensor, *, sigma: float = 0.0) -> Tensor:
    """Write grades as distributions.

    Args:
        grades: int64 (n,).
        allowed: bool (n, grades), which of them a row's category has.
        sigma: standard deviation of a normal curve around the grade, in grades; 0 puts everything on it.

    Returns:
        float32 (n, grades), sum 1 a row.
    """
    off = torch.arange(allowed.shape[1], device=grades.device)[None] - grades[:, None]
    if not sigma:
        return (off == 0).float()
    return (-0.5 * (off / sigma) ** 2).masked_fill(~allowed, -torch.inf).softmax(1)
