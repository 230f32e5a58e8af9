"""ROC, its area and thresholds against closed forms and scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import mannwhitneyu, norm

from capitate.errors import UsageError
from capitate.evaluation.roc import Choice, at_threshold, auc, auc_interval, choose_threshold, roc_curve

SCORES = np.array([0.9, 0.8, 0.8, 0.4, 0.4, 0.1])
LABELS = np.array([True, True, False, True, False, False])


def test_the_curve_has_a_point_a_distinct_score():
    curve = roc_curve(SCORES, LABELS)
    assert curve.thresholds.tolist() == [np.inf, 0.9, 0.8, 0.4, 0.1]
    assert curve.sensitivity == pytest.approx([0, 1 / 3, 2 / 3, 1, 1])
    assert curve.specificity == pytest.approx([1, 1, 2 / 3, 1 / 3, 0])


def test_the_area_counts_pairs_and_is_that_below_the_curve():
    assert auc(SCORES, LABELS) == pytest.approx((3 + 2.5 + 1.5) / 9)
    curve = roc_curve(SCORES, LABELS)
    assert auc(SCORES, LABELS) == pytest.approx(np.trapezoid(curve.sensitivity, 1 - curve.specificity))
    assert np.isnan(auc(SCORES, np.ones(6, dtype=bool)))


def test_the_area_is_mann_whitneys():
    random = np.random.default_rng(0)
    labels = random.random(500) < 0.3
    scores = np.round(random.normal(labels * 0.8), 1)
    expected = mannwhitneyu(scores[labels], scores[~labels]).statistic / (labels.sum() * (~labels).sum())
    assert auc(scores, labels) == pytest.approx(expected)


def test_the_area_of_two_normal_curves():
    """Of means d apart it is Phi(d / sqrt 2); the interval holds it, and is wider where examples come in groups."""
    random = np.random.default_rng(1)
    labels = np.arange(4000) % 2 == 1
    scores = random.normal(labels * 1.2)
    alone = auc_interval(scores, labels, np.arange(4000), resamples=300)
    assert alone.low < norm.cdf(1.2 / np.sqrt(2)) < alone.high
    shared = np.repeat(random.normal(size=40), 100)
    grouped = auc_interval(scores + shared, labels, np.repeat(np.arange(40), 100), resamples=300)
    apart = auc_interval(scores + shared, labels, np.arange(4000), resamples=300)
    assert grouped.high - grouped.low > 1.3 * (apart.high - apart.low)


@pytest.mark.parametrize(
    ("choice", "least", "expected"),
    [
        (Choice.YOUDEN, 0.9, 0.85),
        (Choice.SENSITIVITY, 0.9, 0.25),
        (Choice.SENSITIVITY, 0.5, 0.6),
        (Choice.SPECIFICITY, 0.9, 0.85),
        (Choice.SPECIFICITY, 0.3, 0.25),
    ],
)
def test_a_threshold_lies_between_two_scores(choice, least, expected):
    assert choose_threshold(SCORES, LABELS, choice=choice, least=least) == pytest.approx(expected)


def test_a_threshold_that_calls_nothing():
    scores, labels = np.array([0.2, 0.7]), np.array([True, False])
    found = choose_threshold(scores, labels, choice=Choice.SPECIFICITY, least=1.0)
    assert not (scores >= found).any()
    with pytest.raises(UsageError, match="got 2 positive and 0 negative"):
        choose_threshold(scores, np.ones(2, dtype=bool), choice=Choice.YOUDEN)


def test_rates_at_a_threshold():
    found = at_threshold(SCORES, LABELS, np.arange(6), threshold=0.8, resamples=200)
    assert {name: one.value for name, one in found.items()} == pytest.approx(
        {"sensitivity": 2 / 3, "specificity": 2 / 3, "precision": 2 / 3, "called": 0.5}
    )
    assert found["sensitivity"].low < 2 / 3 < found["sensitivity"].high
