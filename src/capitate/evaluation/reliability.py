"""Whether probabilities of yes or no keep what they say: the calibration curve, its mean distance, Brier's score."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import RESAMPLES, Estimate, estimate_sums

__all__ = ["calibration_curve", "calibration_figures"]

Floats = NDArray[np.float64]
BINS = 10


def _bins(probabilities: Floats, bins: int) -> NDArray[np.int64]:
    """Number the bins of equal width that probabilities fall into; 1 belongs to the last."""
    found: NDArray[np.int64] = np.clip((probabilities * bins).astype(np.int64), 0, bins - 1)
    return found


def calibration_curve(
    probabilities: Floats, labels: NDArray[np.bool_], *, bins: int = BINS
) -> list[dict[str, float | int]]:
    """Give `predicted`, the mean probability, `observed`, the share of yes, and `n` of every bin that is not empty.

    Args:
        probabilities: (n,), in [0, 1].
        labels: (n,).
        bins: of equal width.
    """
    place = _bins(probabilities, bins)
    return [
        {
            "predicted": round(float(probabilities[here].mean()), 6),
            "observed": round(float(labels[here].mean()), 6),
            "n": int(here.sum()),
        }
        for k in range(bins)
        if (here := place == k).any()
    ]


def calibration_figures(
    probabilities: Floats,
    labels: NDArray[np.bool_],
    cluster: NDArray[np.int64],
    *,
    bins: int = BINS,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Estimate `calibration_error` and `brier`.

    The expected calibration error is the mean over bins, by their share of the examples, of the distance between mean
    probability and share of yes (Naeini et al. 2015, AAAI); it is not below 0, so its interval lies above it where
    calibration is good. Brier's score is the mean square of probability less label (Brier 1950).

    Args:
        probabilities: (n,), in [0, 1].
        labels: (n,).
        cluster: number of the patient, source or study of each, (n,).
        bins: of equal width.
        resamples: by cluster.
        seed: of the resampling.
    """
    y = labels.astype(np.float64)
    apart = np.zeros((y.size, bins))
    apart[np.arange(y.size), _bins(probabilities, bins)] = probabilities - y
    sums = np.column_stack([np.ones(y.size), (probabilities - y) ** 2, apart])
    return estimate_sums(sums, cluster, _figures, resamples=resamples, seed=seed)


def _figures(sums: Floats) -> Mapping[str, Floats]:
    n, square, apart = sums[:, 0], sums[:, 1], sums[:, 2:]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {"calibration_error": np.abs(apart).sum(axis=1) / n, "brier": square / n}
