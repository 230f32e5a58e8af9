"""How alike two maps are: rank correlation, and structural similarity of their shapes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, stats

__all__ = ["MEASURES", "SIDE", "likeness", "rank_correlation", "structural_similarity"]

Floats = NDArray[np.float32]

MEASURES = ("spearman", "spearman_abs", "ssim")
"""What `likeness` gives, in this order."""
SIDE = 64
"""Rows and columns that maps are compared at, the same for every model: more than any released network's last map."""
_WINDOW = 1.5
_K1, _K2 = 0.01, 0.03
"""Width in pixels of the Gaussian window, and constants, of Wang et al., IEEE Trans Image Process 2004;13:600-612."""


def likeness(one: Floats, other: Floats) -> tuple[float, float, float]:
    """Compare two maps of one shape: rank correlation with signs and without, and structural similarity.

    A map whose sign alone turns round shows the same places, which only the correlation without signs tells.
    """
    sizes = np.abs(one), np.abs(other)
    return rank_correlation(one, other), rank_correlation(*sizes), structural_similarity(one, other)


def rank_correlation(one: Floats, other: Floats) -> float:
    """Give Spearman's rank correlation of two maps of one shape, over the places that one of them says something about.

    Places where both are exactly 0, such as beyond the view that a network sees, would agree whatever the network. NaN
    where a map is the same everywhere else.
    """
    there = (one != 0) | (other != 0)
    if not there.any() or not (np.ptp(one[there]) > 0 and np.ptp(other[there]) > 0):
        return float("nan")
    return float(stats.spearmanr(one[there], other[there]).statistic)


def structural_similarity(one: Floats, other: Floats) -> float:
    """Give the mean structural similarity (Wang et al. 2004) of two maps of one shape.

    Each map is first brought from minus to plus its largest absolute value to 0 to 1, so that only shapes and signs are
    compared; the index means nothing for negative numbers. NaN where a map is zero everywhere.
    """
    largest = [float(np.abs(each).max()) for each in (one, other)]
    if min(largest) <= 0:
        return float("nan")
    x, y = ((each.astype(np.float64) / most + 1) / 2 for each, most in zip((one, other), largest, strict=True))
    mean_x, mean_y = _mean(x), _mean(y)
    over_x, over_y = _mean(x * x) - mean_x**2, _mean(y * y) - mean_y**2
    together = _mean(x * y) - mean_x * mean_y
    steady, contrast = _K1**2, _K2**2
    shares = (2 * mean_x * mean_y + steady) * (2 * together + contrast)
    whole = (mean_x**2 + mean_y**2 + steady) * (over_x + over_y + contrast)
    return float(np.mean(shares / whole))


def _mean(values: NDArray[np.float64]) -> NDArray[np.float64]:
    local: NDArray[np.float64] = ndimage.gaussian_filter(values, _WINDOW, mode="nearest")
    return local
