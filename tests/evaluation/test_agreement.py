"""Agreement of grades, and calibration of probabilities, against closed forms."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.evaluation.agreement import confusion, grade_agreement
from capitate.evaluation.bootstrap import clusters_of, estimate_sums
from capitate.evaluation.reliability import calibration_curve, calibration_figures


def test_kappa_is_that_of_the_weighted_table():
    """1 less the sum of w O over that of w E, with w the squared distance and E the product of the margins."""
    random = np.random.default_rng(0)
    truth = random.integers(0, 6, 400)
    predicted = np.clip(truth + random.integers(-2, 3, 400), 0, 5)
    table = confusion(truth, predicted, grades=6)
    assert table.sum() == 400
    weights = np.subtract.outer(np.arange(6), np.arange(6)) ** 2
    chance = np.outer(table.sum(1), table.sum(0)) / 400
    found = grade_agreement(truth, predicted, np.arange(400), resamples=200)
    assert found["kappa"].value == pytest.approx(1 - (weights * table).sum() / (weights * chance).sum())
    assert found["exact"].value == pytest.approx(np.trace(table) / 400)
    assert found["kappa"].low < found["kappa"].value < found["kappa"].high


def test_known_grades():
    found = grade_agreement(np.array([3, 3, 7, 9]), np.array([3, 4, 9, 9]), np.arange(4), resamples=50)
    told = {name: one.value for name, one in found.items()}
    assert {name: told[name] for name in ("exact", "within_one", "mean_absolute", "bias")} == pytest.approx(
        {"exact": 0.5, "within_one": 0.75, "mean_absolute": 0.75, "bias": 0.75}
    )
    same = grade_agreement(np.array([3, 3]), np.array([3, 3]), np.arange(2), resamples=50)
    assert same["exact"].value == 1
    assert np.isnan(same["kappa"].value)


def test_crops_of_one_hand_are_resampled_together():
    """Two hands, one all right and one all wrong: a resample holds 0, 1 or 2 of the first."""
    truth, predicted = np.zeros(20, dtype=np.int64), np.repeat([0, 3], 10)
    hands = clusters_of(["a"] * 10 + ["b"] * 10)
    found = grade_agreement(truth, predicted, hands)["exact"]
    assert (found.value, found.low, found.high) == (0.5, 0.0, 1.0)


def test_the_mean_of_nothing_is_not_defined():
    found = estimate_sums(
        np.zeros((0, 2)), np.zeros(0, dtype=np.int64), lambda s: {"mean": s[:, 1] / np.maximum(s[:, 0], 1)}
    )
    assert np.isnan(found["mean"].value)


def test_calibration():
    """Two bins: 0.2 said of four films of which one is positive, 0.8 of two that both are."""
    probabilities, labels = np.array([0.2] * 4 + [0.8] * 2), np.array([1, 0, 0, 0, 1, 1], dtype=bool)
    found = calibration_figures(probabilities, labels, np.arange(6), resamples=100)
    assert found["calibration_error"].value == pytest.approx((4 * 0.05 + 2 * 0.2) / 6)
    assert found["brier"].value == pytest.approx((0.64 + 3 * 0.04 + 2 * 0.04) / 6)
    assert calibration_curve(probabilities, labels) == [
        {"predicted": 0.2, "observed": 0.25, "n": 4},
        {"predicted": 0.8, "observed": 1.0, "n": 2},
    ]
    assert calibration_curve(np.array([1.0, 0.0]), np.array([True, False]))[-1]["n"] == 1
