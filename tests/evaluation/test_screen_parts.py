"""Calibration and familiarity of the screen against closed forms."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import expit, logit

from capitate.errors import BundleDamagedError
from capitate.evaluation.logistic_fit import fit_logistic
from capitate.evaluation.roc import auc
from capitate.runtime.familiarity import Familiarity
from capitate.runtime.logistic import LogisticCalibration
from capitate.training.abnormality.familiar import fit_familiarity, shrunk_covariance


def test_a_weighted_loss_is_undone():
    """A network that learnt with positives r times as heavy says p r / (p r + 1 - p) where p is true."""
    random = np.random.default_rng(0)
    true = random.uniform(0.05, 0.9, 20_000)
    labels = random.random(true.size) < true
    shown = expit(logit(true) + np.log(3))
    found = fit_logistic(shown, labels)
    assert found.slope == pytest.approx(1, abs=0.05)
    assert found.intercept == pytest.approx(-np.log(3), abs=0.05)
    assert auc(found(shown), labels) == auc(shown, labels)
    assert fit_logistic(shown, np.ones(shown.size, bool)) is None


def test_an_answer_that_knows_nothing_keeps_its_order():
    found = fit_logistic(np.array([0.2, 0.4, 0.6, 0.8]), np.array([True, True, False, False]))
    assert found.slope > 0
    assert np.all(np.diff(found(np.array([0.0, 0.2, 0.5, 0.9, 1.0]))) > 0)


def test_calibration_by_hand():
    two = LogisticCalibration(0.5, -1.0)
    assert two.of(0.5) == pytest.approx(expit(-1))
    assert LogisticCalibration.from_card(two.to_card()) == two
    assert LogisticCalibration.from_card(None).of(0.3) == pytest.approx(0.3)


def test_the_shrunk_covariance_of_few_films_can_be_inverted():
    random = np.random.default_rng(1)
    few = random.normal(size=(10, 40))
    values = np.linalg.eigvalsh(shrunk_covariance(few - few.mean(axis=0)))
    assert values.min() > 0.1
    many = random.normal(size=(50_000, 3)) * [1, 2, 3]
    assert np.diag(shrunk_covariance(many - many.mean(axis=0))) == pytest.approx([1, 4, 9], rel=0.05)


def test_films_within_the_limit_are_familiar(tmp_path):
    random = np.random.default_rng(2)
    learnt, kept = (random.normal([5, -3], [1, 10], (n, 2)).astype(np.float32) for n in (5000, 1000))
    found = fit_familiarity(learnt, kept)
    assert np.mean(found.distances(kept) <= found.limit) == pytest.approx(0.99, abs=0.002)
    assert found.limit == pytest.approx(np.sqrt(-2 * np.log(0.01)), abs=0.2), "chi-square of two channels"
    far = np.array([[5, -3], [5, 47], [10, -3]], np.float32)
    assert found.distances(far) == pytest.approx([0, 5, 5], abs=0.3)
    found.save(tmp_path / "familiarity.npz")
    assert Familiarity.load(tmp_path / "familiarity.npz").distances(far) == pytest.approx(found.distances(far))
    (tmp_path / "familiarity.npz").write_bytes(b"no archive")
    with pytest.raises(BundleDamagedError, match=r"familiarity\.npz cannot be read"):
        Familiarity.load(tmp_path / "familiarity.npz")
    assert fit_familiarity(learnt[:1], kept) is None
