"""What a grade says beyond the hand's age: given bone age, it still follows what was measured on that joint."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata

from capitate.evaluation.bootstrap import Estimate, with_interval

__all__ = ["partial_rank_correlation", "pooled"]

Floats = NDArray[np.float64]

_RESAMPLES = 400
_POWERS = (0, 1, 2, 3)


def partial_rank_correlation(grades: Floats, measures: Floats, ages: Floats, *, seed: int = 0) -> Estimate:
    """Correlate ranks of grades and of a measure after both have lost what a cubic of the age's rank explains.

    Args:
        grades: (n,) mean grades of one joint.
        measures: (n,) such as the width of the epiphysis over that of the metaphysis.
        ages: (n,) bone ages, months.
        seed: of the bootstrap over hands.
    """
    value = _partial(grades, measures, ages)
    random = np.random.default_rng(seed)
    rows = random.integers(grades.size, size=(_RESAMPLES, grades.size))
    return with_interval(value, np.array([_partial(grades[one], measures[one], ages[one]) for one in rows]))


def pooled(parts: Mapping[str, Sequence[Floats]], *, seed: int = 0) -> Estimate:
    """Give the mean of the partial correlations of several joints or sexes, each with its own ranks.

    Args:
        parts: by name grades, measures and ages of one joint and sex.
        seed: of the bootstrap; parts are resampled on their own.
    """
    random = np.random.default_rng(seed)
    known = {name: value for name, part in parts.items() if np.isfinite(value := _partial(*part))}
    if not known:
        return Estimate(float("nan"))
    drawn = []
    for _ in range(_RESAMPLES):
        each = []
        for part in (parts[name] for name in known):
            rows = random.integers(part[0].size, size=part[0].size)
            each.append(_partial(*(column[rows] for column in part)))
        finite = [one for one in each if np.isfinite(one)]
        drawn.append(float(np.mean(finite)) if finite else float("nan"))
    return with_interval(float(np.mean(list(known.values()))), np.array(drawn))


def _partial(grades: Floats, measures: Floats, ages: Floats) -> float:
    """Correlate what is left of both; NaN where one of them does not vary."""
    age = rankdata(ages) / ages.size
    design = np.stack([age**power for power in _POWERS], axis=1)
    left = []
    for values in (rankdata(grades), rankdata(measures)):
        left.append(values - design @ np.linalg.lstsq(design, values, rcond=None)[0])
    spread = [float(one.std()) for one in left]
    if min(spread) < 1e-9:
        return float("nan")
    return float(np.corrcoef(left[0], left[1])[0, 1])
