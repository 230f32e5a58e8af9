"""Bootstrap 95 % intervals of figures, resampled by patient, study, hand or source.

A resample needs no copy of the examples: how often each cluster was drawn is enough. A figure that is a function of
sums over examples is taken from the matrix of these counts times the sums by cluster, for all resamples at once.
Intervals are percentile intervals (Efron and Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "LEVEL",
    "RESAMPLES",
    "Estimate",
    "clusters_of",
    "drawn_counts",
    "estimate_sums",
    "of_samples",
    "wilson",
    "with_interval",
]

Floats = NDArray[np.float64]

RESAMPLES = 2000
LEVEL = 0.95
_CELLS_AT_ONCE = 4_000_000
_Z_95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """A figure and the ends of its bootstrap 95 % percentile interval; NaN where it is not defined."""

    value: float
    low: float = math.nan
    high: float = math.nan

    def to_json(self) -> dict[str, float | int | None]:
        """Return `value`, `low` and `high`, undefined ones as None."""
        return {name: _plain(getattr(self, name)) for name in ("value", "low", "high")}


def clusters_of(names: Sequence[str] | NDArray[np.str_]) -> NDArray[np.int64]:
    """Number the clusters that examples belong to, int64 (n,), by their names."""
    numbers: NDArray[np.int64] = np.unique(np.asarray(names, dtype=np.str_), return_inverse=True)[1].astype(np.int64)
    return numbers


def estimate_sums(
    sums: Floats,
    cluster: NDArray[np.int64],
    figures: Callable[[Floats], Mapping[str, Floats]],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> dict[str, Estimate]:
    """Estimate figures that are functions of sums.

    Args:
        sums: what each example adds, (n, sums).
        cluster: number of what each example is resampled with, (n,).
        figures: from (resamples, sums) to arrays (resamples,) by name.
        resamples: how many.
        seed: of the resampling.

    Returns:
        Figures by name; NaN where one is not defined.
    """
    values = {name: float(array[0]) for name, array in figures(sums.sum(axis=0, keepdims=True)).items()}
    if not len(sums):
        return {name: Estimate(math.nan) for name in values}
    _, cluster = np.unique(cluster, return_inverse=True)
    by_cluster = np.zeros((int(cluster.max()) + 1, sums.shape[1]))
    np.add.at(by_cluster, cluster, sums)
    counts = drawn_counts(len(by_cluster), resamples=resamples, seed=seed)
    drawn = figures(np.concatenate([times @ by_cluster for times in counts]))
    return {name: with_interval(value, drawn[name]) for name, value in values.items()}


def drawn_counts(
    clusters: int, *, resamples: int = RESAMPLES, seed: int = 0, at_once: int = _CELLS_AT_ONCE
) -> Iterator[Floats]:
    """Draw clusters with replacement.

    Args:
        clusters: how many there are.
        resamples: how many times as many are drawn.
        seed: of the draw.
        at_once: largest number of elements of what is given at once.

    Yields:
        How often each cluster came, (some resamples, clusters).
    """
    generator = np.random.default_rng(seed)
    step = max(1, at_once // clusters)
    for start in range(0, resamples, step):
        rows = min(step, resamples - start)
        drawn = generator.integers(clusters, size=(rows, clusters)) + np.arange(rows)[:, None] * clusters
        times = np.bincount(drawn.ravel(), minlength=rows * clusters).reshape(rows, clusters)
        yield times.astype(np.float64)


def with_interval(value: float, drawn: Floats) -> Estimate:
    """Put the interval of the resamples' values (resamples,) around a value; undefined ones are left out."""
    drawn = drawn[np.isfinite(drawn)]
    if not math.isfinite(value) or drawn.size == 0:
        return Estimate(value)
    low, high = np.percentile(drawn, [50 * (1 - LEVEL), 50 * (1 + LEVEL)])
    return Estimate(value, float(low), float(high))


def wilson(successes: int, n: int) -> Estimate:
    """Return a share with Wilson's 95 % score interval (Wilson 1927, JASA 22:209); NaN for n = 0."""
    if n == 0:
        return Estimate(float("nan"))
    share, z2 = successes / n, _Z_95**2
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z_95 / (1 + z2 / n) * float(np.sqrt(share * (1 - share) / n + z2 / (4 * n * n)))
    return Estimate(share, middle - half, middle + half)


def of_samples(samples: Floats) -> Estimate:
    """Take the first of samples (1 + resamples,) as the value and the others for its interval."""
    return with_interval(float(samples[0]), samples[1:])


def _plain(value: float) -> float | int | None:
    if not math.isfinite(value):
        return None
    return value if isinstance(value, int) else round(value, 6)
