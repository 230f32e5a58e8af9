"""Scores of a predicted distribution against the one age that came true.

Sources: Gneiting and Raftery, Strictly proper scoring rules, prediction, and estimation, JASA 2007;102:359-378;
Gneiting, Balabdaoui and Raftery, J R Stat Soc B 2007;69:243-268 (probability integral transform).
"""

from __future__ import annotations

import math

import numpy as np

from capitate.assessment import Distribution

__all__ = ["LEAST_PROBABILITY", "crps", "log_score", "pit"]

LEAST_PROBABILITY = 1e-12


def crps(distribution: Distribution, *, truth: float) -> float:
    """Return the continuous ranked probability score in months, 0 for certainty of the truth.

    The distribution is taken as masses at its bin centres x: E|X - y| - E|X - X'| / 2, where the second expectation is
    the integral of 2 F (1 - F).
    """
    probabilities = _normalised(distribution)
    centres = distribution.start_months + distribution.step_months * np.arange(len(probabilities))
    below = np.cumsum(probabilities)
    spread = distribution.step_months * float(np.sum(below * (1 - below)))
    return float(np.sum(probabilities * np.abs(centres - truth))) - spread


def log_score(distribution: Distribution, *, truth: float) -> float:
    """Return the negative logarithm of the density a month at the truth, in nats; smaller is better.

    A bin's mass is spread evenly over it. A probability below `LEAST_PROBABILITY` counts as that, so that one miss
    cannot make the mean infinite.
    """
    position = round((truth - distribution.start_months) / distribution.step_months)
    inside = 0 <= position < len(distribution.probabilities)
    mass = float(_normalised(distribution)[position]) if inside else 0.0
    return -math.log(max(mass, LEAST_PROBABILITY) / distribution.step_months)


def pit(distribution: Distribution, *, truth: float) -> float:
    """Return the probability integral transform: the predicted probability of an age up to the truth, [0, 1].

    A bin's mass is spread evenly over it. Over many films the values of an honest distribution are uniform.
    """
    edges = distribution.start_months + distribution.step_months * (
        np.arange(len(distribution.probabilities) + 1) - 0.5
    )
    below = np.concatenate([[0.0], np.cumsum(_normalised(distribution))])
    return float(np.clip(np.interp(truth, edges, below), 0, 1))


def _normalised(distribution: Distribution) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """Return the probabilities with a sum of exactly 1; they may have been rounded on their way."""
    probabilities = np.asarray(distribution.probabilities, dtype=np.float64)
    normalised: np.ndarray[tuple[int], np.dtype[np.float64]] = probabilities / probabilities.sum()
    return normalised
