from __future__ import annotations

import math

import numpy as np
import pytest

from capitate.evaluation.metrics import Estimate, Sample, estimate


def normal_errors(count: int, *, sd: float = 8.0, bias: float = 0.0, seed: int = 0) -> Sample:
    generator = np.random.default_rng(seed)
    truth = generator.uniform(20, 220, count)
    predicted = truth + generator.normal(bias, sd, count)
    return Sample.of(truth, predicted, low=predicted - 1.645 * sd, high=predicted + 1.645 * sd)


def test_figures_of_four_films_by_hand() -> None:
    truth, predicted = np.array([10.0, 20, 30, 40]), np.array([12.0, 14, 30, 53])
    figures = estimate(Sample.of(truth, predicted, low=predicted - 6, high=predicted + 6))
    assert figures["mae"].value == pytest.approx((2 + 6 + 0 + 13) / 4)
    assert figures["rmse"].value == pytest.approx(math.sqrt((4 + 36 + 169) / 4))
    assert figures["bias"].value == pytest.approx((2 - 6 + 13) / 4)
    assert figures["sd"].value == pytest.approx(np.std([2, -6, 0, 13], ddof=1))
    assert figures["r"].value == pytest.approx(np.corrcoef(truth, predicted)[0, 1])
    assert [figures[f"within_{m}"].value for m in (6, 12, 24)] == [0.75, 0.75, 1.0]
    assert figures["coverage"].value == 0.75
    assert figures["interval_width"].value == 12


def test_normal_errors_give_the_closed_forms() -> None:
    figures = estimate(normal_errors(20_000, sd=8, bias=1.5), resamples=200)
    assert figures["bias"].value == pytest.approx(1.5, abs=0.2)
    assert figures["sd"].value == pytest.approx(8, abs=0.15)
    assert figures["rmse"].value == pytest.approx(math.hypot(8, 1.5), abs=0.15)
    assert estimate(normal_errors(20_000), resamples=200)["mae"].value == pytest.approx(
        8 * math.sqrt(2 / math.pi), abs=0.1
    )
    assert estimate(normal_errors(20_000), resamples=200)["coverage"].value == pytest.approx(0.9, abs=0.01)


def test_interval_of_a_mean_is_that_of_normal_theory() -> None:
    figures = estimate(normal_errors(4000, sd=8))
    half = 1.96 * 8 / math.sqrt(4000)
    bias = figures["bias"]
    assert bias.high - bias.value == pytest.approx(half, rel=0.1)
    assert bias.value - bias.low == pytest.approx(half, rel=0.1)


def test_interval_of_a_share_is_that_of_the_binomial() -> None:
    coverage = estimate(normal_errors(4000))["coverage"]
    assert coverage.high - coverage.low == pytest.approx(2 * 1.96 * math.sqrt(0.9 * 0.1 / 4000), rel=0.15)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    held = 0
    for seed in range(200):
        bias = estimate(normal_errors(80, sd=8, seed=seed), resamples=400, seed=seed)["bias"]
        held += bias.low <= 0 <= bias.high
    assert 0.89 <= held / 200 <= 0.99


def test_films_of_one_patient_are_resampled_together() -> None:
    one = normal_errors(500)
    four = Sample(**{name: np.repeat(getattr(one, name), 4) for name in one.__dataclass_fields__})
    alone, together = estimate(one)["mae"], estimate(four)["mae"]
    assert together.value == pytest.approx(alone.value)
    assert together.high - together.low == pytest.approx(alone.high - alone.low, rel=1e-9)
    apart = Sample.of(four.truth, four.predicted)
    assert estimate(apart)["mae"].high - estimate(apart)["mae"].low < 0.7 * (alone.high - alone.low)


def test_same_seed_same_interval() -> None:
    sample = normal_errors(100)
    assert estimate(sample, seed=3)["mae"] == estimate(sample, seed=3)["mae"]
    assert estimate(sample, seed=3)["mae"] != estimate(sample, seed=4)["mae"]


def test_a_perfect_reader_has_r_1_and_no_error() -> None:
    truth = np.arange(1000.0, 1100.0)
    figures = estimate(Sample.of(truth, truth))
    assert figures["r"].value == pytest.approx(1)
    assert figures["mae"] == Estimate(0, 0, 0)
    assert math.isnan(figures["coverage"].value)


@pytest.mark.parametrize("count", [0, 1])
def test_too_few_films_give_undefined_figures_and_no_warning(count: int) -> None:
    figures = estimate(normal_errors(count))
    assert math.isnan(figures["r"].value)
    assert math.isnan(figures["sd"].value)
    assert figures["r"].to_json() == {"value": None, "low": None, "high": None}


def test_films_without_interval_are_left_out_of_coverage() -> None:
    sample = Sample.of(
        np.array([10.0, 20]), np.array([10.0, 20]), low=np.array([9.0, np.nan]), high=np.array([11.0, np.nan])
    )
    figures = estimate(sample)
    assert figures["coverage"].value == 1
    assert figures["interval_width"].value == 2
