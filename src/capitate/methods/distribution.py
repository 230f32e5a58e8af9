"""The exact distribution of a sum of points, joints taken as independent, by convolution."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["Distribution", "sum_of_points"]

_TINY = 1e-12
"""Probability below which a rest of floating-point arithmetic is taken for zero."""


@dataclass(frozen=True)
class Distribution:
    """A discrete distribution.

    Attributes:
        values: rising.
        probabilities: one a value, above 0, sum 1.
    """

    values: tuple[float, ...]
    probabilities: tuple[float, ...]

    @property
    def mean(self) -> float:
        """The expected value."""
        return float(np.dot(self.values, self.probabilities))

    def quantile(self, share: float) -> float:
        """Return the least value that is not exceeded with a probability of at least `share`."""
        reached = np.cumsum(self.probabilities)
        index = int(np.searchsorted(reached, share - _TINY))
        return self.values[min(index, len(self.values) - 1)]

    def mapped(self, function: Callable[[float], float]) -> Distribution:
        """Return the distribution of a function of the value that never falls; equal values are put together."""
        found: dict[float, float] = {}
        for value, probability in zip(self.values, self.probabilities, strict=True):
            image = function(value)
            found[image] = found.get(image, 0.0) + probability
        return Distribution(tuple(found), tuple(found.values()))


def sum_of_points(joints: Iterable[tuple[Sequence[int], Sequence[float]]]) -> Distribution:
    """Return the distribution of the sum of independent joints' points.

    Args:
        joints: for each joint the points of its steps (whole numbers, 0 or more) and the steps' probabilities.
    """
    total = np.ones(1)
    for points, probabilities in joints:
        one = np.zeros(max(points) + 1)
        np.add.at(one, np.asarray(points), np.asarray(probabilities, dtype=float))
        total = np.convolve(total, one)
    values = np.flatnonzero(total > _TINY)
    kept = total[values] / total[values].sum()
    return Distribution(tuple(map(float, values)), tuple(map(float, kept)))
