"""Figures of agreement between reference and predicted bone age, each with a bootstrap 95 % interval.

Every figure is a function of sums over films, see `capitate.evaluation.bootstrap`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from capitate.evaluation.bootstrap import LEVEL, RESAMPLES, Estimate, estimate_sums

__all__ = ["LEVEL", "RESAMPLES", "Estimate", "Sample", "estimate"]

Floats = NDArray[np.float64]

_TOLERANCES = (6, 12, 24)


@dataclass(frozen=True, eq=False)
class Sample:
    """Films to take figures over, one element a film in every array, all in months; NaN where a film has none.

    Attributes:
        truth: reference bone age.
        predicted: predicted bone age.
        low: lower end of the prediction interval.
        high: upper end of the prediction interval.
        crps: continuous ranked probability score, months.
        log_score: negative logarithm of the density at the truth, nats (density a month).
        cluster: number of the patient; films of one patient are resampled together.
    """

    truth: Floats
    predicted: Floats
    low: Floats
    high: Floats
    crps: Floats
    log_score: Floats
    cluster: NDArray[np.int64]

    @classmethod
    def of(
        cls,
        truth: Floats,
        predicted: Floats,
        *,
        low: Floats | None = None,
        high: Floats | None = None,
        crps: Floats | None = None,
        log_score: Floats | None = None,
        cluster: NDArray[np.int64] | None = None,
    ) -> Sample:
        """Fill what is not given: NaN for scores and intervals, and every film a patient of its own."""
        none = np.full(len(truth), np.nan)
        return cls(
            truth=truth,
            predicted=predicted,
            low=none if low is None else low,
            high=none if high is None else high,
            crps=none if crps is None else crps,
            log_score=none if log_score is None else log_score,
            cluster=np.arange(len(truth)) if cluster is None else cluster,
        )

    @property
    def error(self) -> Floats:
        """Predicted minus reference bone age, months."""
        return self.predicted - self.truth

    def select(self, mask: NDArray[np.bool_]) -> Sample:
        """Return the films where `mask` is true."""
        return Sample(**{name: getattr(self, name)[mask] for name in self.__dataclass_fields__})

    def __len__(self) -> int:
        return len(self.truth)


def estimate(sample: Sample, *, resamples: int = RESAMPLES, seed: int = 0) -> dict[str, Estimate]:
    """Take all figures over a sample.

    `mae`, `rmse`, `bias` (predicted minus reference), `sd` (of the error, n - 1), `r` (Pearson), `rank_correlation`
    (Spearman; its interval resamples the ranks of the whole sample); `within_6`,
    `within_12`, `within_24` and `coverage` as fractions; `interval_width`, `crps` in months; `log_score` in nats.

    Args:
        sample: films with reference and prediction.
        resamples: bootstrap resamples, drawn by patient with replacement.
        seed: of the resampling.

    Returns:
        Figures by name. Intervals are percentile intervals (Efron and Tibshirani, An Introduction to the Bootstrap,
        1993, chapter 13). Figures that are not defined, such as r of one film, are NaN.
    """
    return estimate_sums(_sums(sample), sample.cluster, _figures, resamples=resamples, seed=seed)


def _sums(sample: Sample) -> Floats:
    """Return what each film adds to the sums, shape (films, 23).

    Ages are taken from the mean reference age, which keeps the variances exact in floating point.
    """
    centre = float(sample.truth.mean()) if len(sample) else 0.0
    truth, predicted, error = sample.truth - centre, sample.predicted - centre, sample.error
    width = sample.high - sample.low
    inside = (sample.low <= sample.truth) & (sample.truth <= sample.high)
    columns = [np.ones(len(sample)), np.abs(error), error, error**2, truth, predicted]
    columns += [truth**2, predicted**2, truth * predicted]
    columns += _rank_sums(sample)
    columns += [np.abs(error) <= tolerance for tolerance in _TOLERANCES]
    columns += [np.isfinite(width), inside, np.nan_to_num(width)]
    columns += [np.isfinite(sample.crps), np.nan_to_num(sample.crps), np.nan_to_num(sample.log_score)]
    return np.stack(columns, axis=1).astype(np.float64)


def _figures(sums: Floats) -> Mapping[str, Floats]:
    """Turn sums, shape (resamples, 18), into figures, each of shape (resamples,)."""
    n, absolute, error, square, *rest = sums.T
    ages, ranks, within, (intervals, inside, width), (scores, crps, log_score) = (
        rest[:5],
        rest[5:10],
        rest[10:13],
        rest[13:16],
        rest[16:],
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        figures = {
            "mae": absolute / n,
            "rmse": np.sqrt(square / n),
            "bias": error / n,
            "sd": np.sqrt(np.maximum(square - error**2 / n, 0) / (n - 1)),
            "r": _correlation(n, ages),
            "rank_correlation": _correlation(n, ranks),
        }
        figures |= {f"within_{months}": share / n for months, share in zip(_TOLERANCES, within, strict=True)}
        figures |= {"coverage": inside / intervals, "interval_width": width / intervals}
        figures |= {"crps": crps / scores, "log_score": log_score / scores}
    return figures


def _rank_sums(sample: Sample) -> list[Floats]:
    """Return the centred ranks of reference and prediction, their squares and their product."""
    truth, predicted = (rankdata(values) - (len(sample) + 1) / 2 for values in (sample.truth, sample.predicted))
    return [truth, predicted, truth**2, predicted**2, truth * predicted]


def _correlation(n: Floats, sums: Sequence[Floats]) -> Floats:
    """Return Pearson's correlation from the sums of x, y, x squared, y squared and xy."""
    x, y, x2, y2, xy = sums
    spread = np.sqrt(np.maximum(n * x2 - x**2, 0) * np.maximum(n * y2 - y**2, 0))
    return np.where(n > 1, (n * xy - x * y) / spread, np.nan)
