"""Figures of found areas against labelled ones: Dice by class, a film at a time, with intervals over films."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from capitate.evaluation.bootstrap import RESAMPLES, Estimate, of_samples

__all__ = ["dice", "dice_figures"]

Floats = NDArray[np.float64]


def dice(both: Floats, sums: Floats) -> Floats:
    """Give twice the shared area over the sum of both (Dice 1945, Ecology 26:297); NaN where there is neither."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(sums > 0, 2 * both / sums, np.nan)


def dice_figures(
    both: Floats, sums: Floats, *, names: Sequence[str], resamples: int = RESAMPLES, seed: int = 0
) -> dict[str, Estimate]:
    """Take the mean Dice over films by class, `dice NAME`, and over the classes, `dice`.

    Args:
        both: (films, classes), area that label and answer share.
        sums: (films, classes), sum of the two areas.
        names: of the classes.
        resamples: of films, with replacement.
        seed: of the resampling.
    """
    by_film = dice(both, sums)
    drawn = np.random.default_rng(seed).integers(len(by_film), size=(resamples, len(by_film)))
    samples = np.vstack([_means(by_film[None]), _means(by_film[drawn])])
    figures = {"dice": of_samples(samples.mean(axis=1))}
    return figures | {f"dice {name}": of_samples(samples[:, k]) for k, name in enumerate(names)}


def _means(values: Floats) -> Floats:
    """Average over the films that have a class, (samples, films, classes) to (samples, classes)."""
    there = np.isfinite(values)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Floats = np.where(there, values, 0).sum(axis=1) / there.sum(axis=1)
    return means
