"""Where the films of a training lie among a network's features: mean, shrunk covariance, and how far others may be."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.familiarity import Familiarity

__all__ = ["FAMILIARITY", "fit_familiarity", "shrunk_covariance"]

FAMILIARITY = "familiarity.npz"
_SHARE = 0.99
"""Of the films kept back, within the limit: one familiar film in a hundred is called unfamiliar."""


def fit_familiarity(learnt: NDArray[np.float32], kept_back: NDArray[np.float32]) -> Familiarity | None:
    """Fit to averaged features.

    Args:
        learnt: (n, channels), of films learnt from.
        kept_back: (m, channels), of films kept back inside the training folds; they set the limit.

    Returns:
        None where there are not two films of the first kind and one of the second.
    """
    if len(learnt) < 2 or not len(kept_back):
        return None
    mean = learnt.astype(np.float64).mean(axis=0)
    values, vectors = np.linalg.eigh(shrunk_covariance(learnt.astype(np.float64) - mean))
    least = max(float(values.max()), 1e-12) * 1e-9
    whitening = vectors / np.sqrt(np.maximum(values, least))
    found = Familiarity(
        mean.astype(np.float32),
        whitening.astype(np.float32),
        1.0,
        _SHARE,
        np.array([len(learnt), len(kept_back)], dtype=np.int64),
    )
    limit = float(np.quantile(found.distances(kept_back), _SHARE, method="higher"))
    return Familiarity(found.mean, found.whitening, max(limit, 1e-9), _SHARE, found.films)


def shrunk_covariance(centred: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the covariance, drawn towards a sphere by as much as its own error asks for.

    Ledoit and Wolf 2004, Journal of Multivariate Analysis 88:365, with their names for the sums.

    Args:
        centred: (n, channels), mean 0.
    """
    n, channels = centred.shape
    sample = centred.T @ centred / n
    mu = np.trace(sample) / channels
    d2 = ((sample - mu * np.eye(channels)) ** 2).sum()
    spread = (((centred**2).sum(axis=1) ** 2).sum() - n * (sample**2).sum()) / n**2
    share = min(spread, d2) / d2 if d2 > 0 else 1.0
    covariance: NDArray[np.float64] = share * mu * np.eye(channels) + (1 - share) * sample
    return covariance
