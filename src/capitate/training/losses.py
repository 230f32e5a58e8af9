"""Losses over a distribution by month: logits (n, 240) and the bone age in months (n,) to a scalar."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional

from capitate.training.networks import bin_centres

__all__ = [
    "LOSSES",
    "combined",
    "crps",
    "distillation",
    "expectation",
    "inconsistency",
    "l1",
    "label_and_l1",
    "label_distribution",
    "squared",
]

Loss = Callable[[Tensor, Tensor], Tensor]


def expectation(logits: Tensor) -> Tensor:
    """Mean of the distribution, months (n,)."""
    return logits.softmax(1) @ bin_centres(logits.device)


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


def l1(logits: Tensor, months: Tensor) -> Tensor:
    """Mean absolute error of the distribution's mean, months."""
    return (expectation(logits) - months).abs().mean()


def squared(logits: Tensor, months: Tensor) -> Tensor:
    """Mean squared error of the distribution's mean, scaled by 1 / 20 months so that steps are of L1's size."""
    return (expectation(logits) - months).square().mean() / 20.0


def combined(logits: Tensor, months: Tensor) -> Tensor:
    """CRPS plus a weak label distribution, which gives every month a gradient early in training."""
    return crps(logits, months) + 0.5 * label_distribution(logits, months)


def label_and_l1(logits: Tensor, months: Tensor) -> Tensor:
    """Label distribution plus L1 of the mean in units of 5 months."""
    return label_distribution(logits, months) + 0.2 * l1(logits, months)


LOSSES: dict[str, Loss] = {
    "combined": combined,
    "crps": crps,
    "label_distribution": label_distribution,
    "label_and_l1": label_and_l1,
    "l1": l1,
    "squared": squared,
}


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
