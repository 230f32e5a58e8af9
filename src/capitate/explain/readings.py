"""What an answer is, as a function of the last numbers of several networks or views, and its gradient.

Each reading takes float32 (steps, members, outputs), members being networks and views whose answers are averaged, and
gives the answer, float64 (steps,), with its gradient in the shape of what it took.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d
from scipy.special import expit, softmax

__all__ = ["Reading", "expected_grade", "logit_of_mean", "median_age"]

Raw = NDArray[np.float32]
Reading = Callable[[Raw], tuple[NDArray[np.float64], Raw]]

_EDGE = 1e-12
"""Least density and least share that is divided by; a median never lies where a distribution has less."""


def median_age(*, smoothing_months: float) -> Reading:
    """Read the median of the members' mean distribution by month, as `capitate.runtime.bone_age` smooths and reads it.

    The median m solves F(m) = 1/2, so a change of the distribution moves it by dm = -dF(m) / p(m).

    Args:
        smoothing_months: standard deviation of the normal kernel on the mean distribution.
    """

    def read(raw: Raw) -> tuple[NDArray[np.float64], Raw]:
        each = softmax(raw, axis=2)
        kernel = _kernel(raw.shape[2], smoothing_months)
        mixed = each.mean(axis=1, dtype=np.float64) @ kernel
        bins, within, density = _median_bins(mixed)
        places = np.arange(raw.shape[2])
        below = (places < bins[:, None]) + (places == bins[:, None]) * within[:, None]
        toward = -((below - 0.5) @ kernel.T) / density[:, None]
        centred = toward[:, None] - (each * toward[:, None]).sum(axis=2, keepdims=True)
        return bins - 0.5 + within, (each * centred / raw.shape[1]).astype(np.float32)

    return read


@lru_cache(maxsize=4)
def _kernel(bins: int, months: float) -> NDArray[np.float64]:
    """Give the smoothing as a matrix: row b says where the mass of month b goes."""
    spread: NDArray[np.float64] = np.eye(bins)
    if months > 0:
        spread = gaussian_filter1d(spread, months, axis=1, mode="nearest")
    spread.setflags(write=False)
    return spread


def _median_bins(mixed: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Find the month in which each median lies, how far into it, and the density there; mass may sum to any total."""
    totals = np.cumsum(mixed, axis=1)
    half = totals[:, -1] / 2
    bins = (totals < half[:, None]).sum(axis=1)
    rows = np.arange(len(mixed))
    density = np.maximum(mixed[rows, bins], _EDGE)
    within = (half - (totals[rows, bins] - mixed[rows, bins])) / density
    return bins, within, density


def logit_of_mean(raw: Raw) -> tuple[NDArray[np.float64], Raw]:
    """Read the logit of the members' mean probability, each the logistic function of one number."""
    each: Any = expit(raw[:, :, 0].astype(np.float64))
    against: Any = expit(-raw[:, :, 0].astype(np.float64))
    mean, mean_against = each.mean(axis=1), against.mean(axis=1)
    inside = np.maximum(mean * mean_against, _EDGE)
    slope = each * against / inside[:, None] / raw.shape[1]
    return np.log(np.maximum(mean, _EDGE) / np.maximum(mean_against, _EDGE)), slope[:, :, None].astype(np.float32)


def expected_grade(*, grades: int) -> Reading:
    """Read the mean grade of the members' mean probabilities.

    Args:
        grades: that the joint's category has, grade 0 not counted; later numbers are of grades it does not have.
    """

    def read(raw: Raw) -> tuple[NDArray[np.float64], Raw]:
        each: Any = softmax(raw[:, :, : grades + 1].astype(np.float64), axis=2)
        scale = np.arange(grades + 1.0)
        means = each @ scale
        gradient = np.zeros_like(raw)
        gradient[:, :, : grades + 1] = each * (scale - means[:, :, None]) / raw.shape[1]
        return means.mean(axis=1), gradient

    return read
