from __future__ import annotations

import math

import numpy as np
import pytest
from noisy_truth import gaussian

from capitate.assessment import Distribution
from capitate.evaluation.probability import LEAST_PROBABILITY, crps, log_score, pit


@pytest.mark.parametrize("z", [-2.0, -0.3, 0.0, 1.0, 2.5])
def test_scores_of_a_normal_distribution_are_the_closed_forms(z: float) -> None:
    sd = 10.0
    density, below = math.exp(-z * z / 2) / math.sqrt(2 * math.pi), 0.5 * (1 + math.erf(z / math.sqrt(2)))
    distribution = gaussian(120, sd)
    truth = 120 + z * sd
    assert crps(distribution, truth=truth) == pytest.approx(
        sd * (z * (2 * below - 1) + 2 * density - 1 / math.sqrt(math.pi)), abs=0.05
    )
    assert log_score(distribution, truth=truth) == pytest.approx(-math.log(density / sd), abs=0.01)
    assert pit(distribution, truth=truth) == pytest.approx(below, abs=0.001)


def test_certainty_scores_the_distance() -> None:
    certain = Distribution(start_months=0, step_months=12, probabilities=(0, 1, 0))
    assert crps(certain, truth=12) == 0
    assert crps(certain, truth=20) == pytest.approx(8)
    assert log_score(certain, truth=12) == pytest.approx(math.log(12))


def test_a_truth_outside_the_bins_scores_the_floor() -> None:
    distribution = Distribution(start_months=0, step_months=1, probabilities=(0.5, 0.5))
    assert log_score(distribution, truth=50) == pytest.approx(-math.log(LEAST_PROBABILITY))
    assert (pit(distribution, truth=-9), pit(distribution, truth=50)) == (0, 1)


def test_unnormalised_probabilities_are_normalised() -> None:
    rounded = Distribution(start_months=0, step_months=1, probabilities=(0.2, 0.2))
    assert pit(rounded, truth=0.5) == pytest.approx(0.5)


def test_truths_drawn_from_the_distribution_have_uniform_places() -> None:
    distribution = gaussian(120, 10)
    places = [pit(distribution, truth=x) for x in np.random.default_rng(0).normal(120, 10, 4000)]
    assert np.histogram(places, bins=10, range=(0, 1))[0] == pytest.approx(np.full(10, 400), abs=75)
