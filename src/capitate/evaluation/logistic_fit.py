"""Fitting the two numbers of a logistic calibration to studies that a network did not learn from."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit, log_expit, logit

from capitate.runtime.logistic import LogisticCalibration

__all__ = ["fit_logistic"]

_CERTAIN = 1e-7
_LEAST_SLOPE = 0.01
"""Keeps the order of studies where a network knows nothing."""


def fit_logistic(probabilities: NDArray[np.float64], labels: NDArray[np.bool_]) -> LogisticCalibration | None:
    """Maximise the likelihood of labels, drawn in by a pseudo-study of each kind as Platt does.

    Args:
        probabilities: (n,), as the network gives them.
        labels: (n,).

    Returns:
        None where labels of one kind are missing.
    """
    yes = labels.astype(np.bool_)
    positives, negatives = int(yes.sum()), int((~yes).sum())
    if not positives or not negatives:
        return None
    targets = np.where(yes, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    logits = logit(np.clip(probabilities, _CERTAIN, 1 - _CERTAIN))

    def loss(numbers: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        wanted = numbers[0] * logits + numbers[1]
        apart = expit(wanted) - targets
        value = -(targets * log_expit(wanted) + (1 - targets) * log_expit(-wanted)).mean()
        return float(value), np.array([(apart * logits).mean(), apart.mean()])

    found = minimize(loss, np.array([1.0, 0.0]), jac=True, bounds=[(_LEAST_SLOPE, None), (None, None)])
    return LogisticCalibration(float(found.x[0]), float(found.x[1]))
