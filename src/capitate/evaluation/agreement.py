"""Agreement of predicted with true grades on an ordered scale, each figure with a bootstrap interval by hand."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import RESAMPLES, Estimate, estimate_sums

__all__ = ["confusion", "grade_agreement"]

Floats = NDArray[np.float64]
Grades = NDArray[np.int64]


def grade_agreement(
    truth: Grades, predicted: Grades, cluster: Grades, *, resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Estimate `exact`, `within_one`, `mean_absolute` (grades), `bias` (predicted less true) and `kappa`.

    Kappa has quadratic weights (Cohen 1968, Psychological Bulletin 70:213): 1 less the mean square difference over the
    one that the marginal distributions alone would give. It is not defined where both never vary.

    Args:
        truth: true grades, (n,).
        predicted: (n,).
        cluster: number of the hand of each, (n,).
        resamples: by hand.
        seed: of the resampling.
    """
    centre = float(truth.mean()) if truth.size else 0.0
    t, p = truth - centre, predicted - centre
    off = np.abs(predicted - truth)
    columns = [np.ones(truth.size), off == 0, off <= 1, off, predicted - truth, off**2, t, p, t**2, p**2]
    return estimate_sums(np.stack(columns, 1).astype(np.float64), cluster, _figures, resamples=resamples, seed=seed)


def _figures(sums: Floats) -> Mapping[str, Floats]:
    """Read figures from sums (resamples, 10)."""
    n, exact, near, off, bias, square, t, p, t2, p2 = sums.T
    with np.errstate(divide="ignore", invalid="ignore"):
        by_chance = t2 + p2 - 2 * t * p / n
        kappa = np.where(by_chance > 1e-9, 1 - square / by_chance, np.nan)
        return {
            "exact": exact / n,
            "within_one": near / n,
            "mean_absolute": off / n,
            "bias": bias / n,
            "kappa": kappa,
        }


def confusion(truth: Grades, predicted: Grades, *, grades: int) -> NDArray[np.int64]:
    """Count true against predicted grades, (grades, grades), rows the truth.

    Args:
        truth: (n,), 0 to grades - 1.
        predicted: (n,).
        grades: how many there are, grade 0 counted.
    """
    counts: NDArray[np.int64] = np.bincount(truth * grades + predicted, minlength=grades**2).astype(np.int64)
    return counts.reshape(grades, grades)
