"""What a network answers, whatever its head: months, and a distribution over months.

Intervals, calibration, ensembles and evaluation need a distribution from every network. Split-conformal calibration
moves along each film's own distribution, so that any width is put right on average, provided that the tails do not
vanish in rounding; log score and CRPS need the width itself to be right. A head that states a single number therefore
answers with a Laplace distribution (or a normal one) around it, as wide as it was fitted to errors or as the head
states. Its tails beyond 0 and 239 months are collected there, so that its median stays the number.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

from capitate.training.networks.bins import BIN_MONTHS, bin_centres, expectation
from capitate.training.settings.network import SpreadShape

__all__ = ["LEAST_PROBABILITY", "Answer", "answer_of", "log_probabilities"]

LEAST_PROBABILITY = 1e-9
"""Of a month; 240 of them move no figure, and their logarithm stays finite."""


class Answer(NamedTuple):
    """Answers for n films.

    Attributes:
        logits: float32 (n, 240); their softmax is the distribution by month.
        months: float32 (n,), the head's own estimate, not confined to 0 to 239; for distributions their mean.
        scale: float32 (n,), months: b of a Laplace or the standard deviation of a normal distribution; None for heads
            that state the whole distribution.
    """

    logits: Tensor
    months: Tensor
    scale: Tensor | None = None


def answer_of(logits: Tensor) -> Answer:
    """Make an answer of logits by month (n, 240)."""
    return Answer(logits, expectation(logits))


def log_probabilities(months: Tensor, scale: Tensor, *, shape: str) -> Tensor:
    """Spread each number over the months, tails in the first and the last.

    Args:
        months: (n,).
        scale: (n,), months.
        shape: `laplace` or `normal`.

    Returns:
        float32 (n, 240), logarithms of probabilities that sum to 1 but for `LEAST_PROBABILITY` a month.
    """
    below = _SHARES_BELOW[SpreadShape(shape)]
    centres = bin_centres(months.device)
    edges = (centres[None, 1:] - BIN_MONTHS / 2 - months[:, None]) / scale[:, None]
    lower, upper = below(edges), below(-edges)  # each exact in its own tail
    ones = torch.ones_like(lower[:, :1])
    rising = torch.cat([lower, ones], 1) - torch.cat([0 * ones, lower], 1)
    falling = torch.cat([ones, upper], 1) - torch.cat([upper, 0 * ones], 1)
    probabilities = torch.where(centres[None] < months[:, None], rising, falling)
    return (probabilities.clamp_min(0) + LEAST_PROBABILITY).log()


def _laplace_below(u: Tensor) -> Tensor:
    """Share of a Laplace distribution of scale 1 below `u`."""
    tail = 0.5 * (-u.abs()).exp()
    return torch.where(u < 0, tail, 1 - tail)


def _normal_below(u: Tensor) -> Tensor:
    """Share of the standard normal distribution below `u`."""
    return 0.5 * (1 + torch.erf(u / math.sqrt(2)))


_SHARES_BELOW: dict[SpreadShape, Callable[[Tensor], Tensor]] = {
    SpreadShape.LAPLACE: _laplace_below,
    SpreadShape.NORMAL: _normal_below,
}
