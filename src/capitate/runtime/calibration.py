"""Distributions over months to point, interval and maturity."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from capitate.types import Interval, Sex

__all__ = ["BANDS", "Calibration", "band_of", "cumulative", "quantile"]

BANDS = ((0, 60), (60, 120), (120, 180), (180, 240))
"""Bands of predicted bone age in months: lower end included, upper end not."""


def cumulative(probabilities: NDArray[np.floating[Any]], months: ArrayLike) -> NDArray[np.float64]:
    """Give the share of each distribution up to a bone age; a bin's share is spread evenly over its month.

    Args:
        probabilities: (n, bins), bin k centred at k months.
        months: (n,) or a scalar.

    Returns:
        float64 (n,), 0 to 1.
    """
    totals = np.cumsum(probabilities, axis=1, dtype=np.float64)
    totals = np.concatenate([np.zeros((len(totals), 1)), totals / totals[:, -1:]], axis=1)
    position = np.clip(
        np.broadcast_to(np.asarray(months, dtype=np.float64), (len(totals),)) + 0.5, 0, totals.shape[1] - 1
    )
    below = np.minimum(position.astype(int), totals.shape[1] - 2)
    rows = np.arange(len(totals))
    return np.asarray(totals[rows, below] + (position - below) * (totals[rows, below + 1] - totals[rows, below]))


def quantile(probabilities: NDArray[np.floating[Any]], shares: ArrayLike) -> NDArray[np.float64]:
    """Give the bone age below which a share of each distribution lies; the inverse of `cumulative`, at least 0.

    Args:
        probabilities: (n, bins), bin k centred at k months.
        shares: (n,) or a scalar, 0 to 1.
    """
    totals = np.cumsum(probabilities, axis=1, dtype=np.float64)
    totals = np.concatenate([np.zeros((len(totals), 1)), totals / totals[:, -1:]], axis=1)
    wanted = np.broadcast_to(np.asarray(shares, dtype=np.float64), (len(totals),))
    edges = np.arange(totals.shape[1]) - 0.5
    found = [np.interp(share, row, edges) for share, row in zip(wanted, totals, strict=True)]
    return np.maximum(np.array(found, dtype=np.float64), 0.0)


def band_of(months: float) -> int:
    """Index of the band of a predicted bone age."""
    return next((k for k, (_, high) in enumerate(BANDS) if months < high), len(BANDS) - 1)


@dataclass(frozen=True)
class Calibration:
    """Split-conformal calibration of the distribution, by sex and band of predicted age.

    The score of a film is the distance of its label's place in its distribution from the middle, |F(y) - 1/2|. The
    90 % quantile of the scores of a cell is how far the interval of that cell reaches out from the median, in shares
    of the distribution (Mondrian split-conformal prediction: Vovk et al. 2005, Algorithmic Learning in a Random World,
    section 4.5; scores on the distribution: Chernozhukov et al. 2021, PNAS 118:e2107794118).

    Attributes:
        level: nominal coverage.
        reach: by sex, one reach a band, each at most 0.5.
        mature_months: by sex, the bone age from which a hand is reported as mature.
    """

    level: float
    reach: Mapping[Sex, tuple[float, ...]]
    mature_months: Mapping[Sex, float]

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> Calibration:
        """Read the table of a bundle's card."""
        return cls(
            float(card["level"]),
            {Sex(sex): tuple(float(v) for v in row) for sex, row in card["reach"].items()},
            {Sex(sex): float(v) for sex, v in card["mature_months"].items()},
        )

    def to_card(self) -> dict[str, Any]:
        """Give the table as plain values for a card."""
        return {
            "method": "split-conformal on the distribution, by sex and band of predicted age",
            "level": self.level,
            "bands_months": [list(band) for band in BANDS],
            "reach": {str(sex): list(row) for sex, row in self.reach.items()},
            "mature_months": {str(sex): value for sex, value in self.mature_months.items()},
        }

    @classmethod
    def fit(
        cls,
        scores: Mapping[Sex, tuple[NDArray[np.float64], NDArray[np.float64]]],
        *,
        level: float,
        mature_months: Mapping[Sex, float],
    ) -> Calibration:
        """Fit the reaches.

        Args:
            scores: by sex, (predicted months, |F(y) - 1/2|) of films that the network has not seen.
            level: nominal coverage.
            mature_months: passed through.
        """
        reach = {}
        for sex, (predicted, score) in scores.items():
            cells = np.array([band_of(value) for value in predicted])
            reach[sex] = tuple(_conformal_quantile(score[cells == k], score, level) for k in range(len(BANDS)))
        return cls(level, reach, mature_months)

    def interval(self, probabilities: NDArray[np.floating[Any]], sex: Sex) -> Interval:
        """Give the interval of one distribution, (bins,)."""
        row = probabilities[None]
        middle = float(quantile(row, 0.5)[0])
        reach = self.reach[sex][band_of(middle)]
        low, high = (float(quantile(row, 0.5 + sign * reach)[0]) for sign in (-1, 1))
        return Interval(low, high, self.level)

    def is_mature(self, probabilities: NDArray[np.floating[Any]], sex: Sex) -> bool:
        """Whether at least half of the distribution lies at or above the age of the completed hand."""
        return float(quantile(probabilities[None], 0.5)[0]) >= self.mature_months[sex]


def _conformal_quantile(scores: NDArray[np.float64], fallback: NDArray[np.float64], level: float) -> float:
    """Give the ceil((n + 1) level)-th smallest of a cell's n scores; of all scores where a cell has fewer than 50."""
    values = np.sort(scores if scores.size >= 50 else fallback)
    rank = min(values.size, math.ceil((values.size + 1) * level - 1e-9))
    return float(min(0.5, values[rank - 1]))
