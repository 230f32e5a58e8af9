"""Calibration against distributions whose truth is known."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.calibration import BANDS, Calibration
from capitate.training.calibrate import calibrate, intervals, scored, wilson
from capitate.training.calibration_text import to_markdown
from capitate.training.out_of_fold import OutOfFold
from capitate.types import Sex


def films(n: int = 1200, *, spread: float = 10.0, said: float = 10.0, seed: int = 0) -> OutOfFold:
    """Films whose labels lie a normal `spread` around what the network says with a normal `said`."""
    random = np.random.default_rng(seed)
    centre = random.uniform(45, 195, n)
    months = (centre + random.normal(0, spread, n)).astype(np.float32)
    bins = np.arange(240)
    curve = np.exp(-0.5 * ((bins[None] - centre[:, None]) / said) ** 2)
    probabilities = (curve / curve.sum(1, keepdims=True)).astype(np.float32)
    ids = np.array([str(k) for k in range(n)])
    return OutOfFold(ids, months, random.integers(0, 2, n).astype(np.int64), probabilities, probabilities)


@pytest.fixture(scope="module")
def overconfident():
    return calibrate(films(spread=10, said=5), resamples=100)


def test_an_honest_network_keeps_its_quantiles():
    report = calibrate(films(4000), resamples=20)
    for reach in report.calibration.reach.values():
        assert reach == pytest.approx([0.45] * len(BANDS), abs=0.03)
    for shares in report.pit.values():
        assert sum(shares) == pytest.approx(1)
        assert max(shares) < 0.14
    # Differential entropy of a normal distribution, nats a month.
    assert report.figures["given"]["log_score"].value == pytest.approx(
        0.5 * math.log(2 * math.pi * math.e * 100), abs=0.05
    )
    # MAE of a normal error is sigma sqrt(2 / pi).
    assert report.figures["given"]["mae"].value == pytest.approx(10 * math.sqrt(2 / math.pi), abs=0.4)


def test_an_overconfident_network_is_widened_until_it_covers(overconfident):
    coverage = overconfident.figures["given"]["coverage"].value
    assert 0.87 < coverage < 0.93
    raw = Calibration(0.9, {sex: (0.45,) * len(BANDS) for sex in Sex}, dict.fromkeys(Sex, 200.0))
    group = scored(films(spread=10, said=5), Sex.FEMALE)
    low, high = intervals(group, raw)
    assert np.mean((low <= group.truth) & (group.truth <= high)) < 0.7


def test_many_intervals_are_the_intervals_of_one(overconfident):
    group = scored(films(spread=10, said=5), Sex.MALE)
    low, high = intervals(group, overconfident.calibration)
    for row in range(0, 200, 20):
        one = overconfident.calibration.interval(group.probabilities[row], Sex.MALE)
        assert (low[row], high[row]) == pytest.approx((one.low, one.high))


def test_no_film_sets_its_own_interval():
    """One film's label changes the intervals of other folds alone."""
    plain = films(300)
    changed = films(300)
    fold = scored(plain, Sex.UNKNOWN).folds(5)
    row = int(np.flatnonzero(fold == 0)[0])
    changed.months[row] = 0.0
    from capitate.training.calibrate import _cross_fit

    before, after = (_cross_fit(scored(one, Sex.UNKNOWN), folds=5, level=0.9) for one in (plain, changed))
    assert np.array_equal(before[0][fold == 0], after[0][fold == 0])
    assert not np.array_equal(before[0][fold != 0], after[0][fold != 0])


def test_cells_count_every_film_once_by_each_age(overconfident):
    for by in ("predicted", "true"):
        cells = [cell for cell in overconfident.cells if cell.by == by]
        assert len(cells) == 3 * len(BANDS)
        assert sum(cell.n for cell in cells if cell.sex is Sex.UNKNOWN) == 1200
        assert sum(cell.n for cell in cells if cell.sex is not Sex.UNKNOWN) == 1200
    assert overconfident.counts["given"] == 1200


def test_the_card_reads_what_the_report_writes(overconfident):
    plain = json.loads(json.dumps(overconfident.to_json()))
    assert Calibration.from_card(plain["calibration"]) == overconfident.calibration


def test_tables(overconfident):
    text = to_markdown(overconfident)
    assert "| sex | 0-59 | 60-119 | 120-179 | 180+ |" in text
    assert "| given, 180+ months |" in text
    assert "nan" not in text


@pytest.mark.parametrize(
    ("successes", "n", "low", "high"), [(9, 10, 0.5958, 0.9821), (0, 10, 0, 0.2775), (81, 263, 0.2553, 0.3662)]
)
def test_wilson(successes, n, low, high):
    """81 of 263 is the example of Newcombe 1998, Statist Med 17:857-872, table I."""
    found = wilson(successes, n)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)


def test_out_of_fold_files_are_joined_and_checked(tmp_path):
    whole = films(60)
    names = ("ids", "months", "sexes", "given", "unknown")
    for k, rows in enumerate((slice(30), slice(30, None))):
        OutOfFold(*(getattr(whole, name)[rows] for name in names)).save(tmp_path / f"{k}.npz")
    again = OutOfFold.load([tmp_path / "0.npz", tmp_path / "1.npz"])
    assert all(np.array_equal(getattr(again, name), getattr(whole, name)) for name in names)
    with pytest.raises(UsageError, match="twice"):
        OutOfFold.load([tmp_path / "0.npz", tmp_path / "0.npz"])
    np.savez(tmp_path / "other.npz", ids=whole.ids)
    for name in ("other.npz", "none.npz"):
        with pytest.raises(UsageError, match=name):
            OutOfFold.load([tmp_path / name])
    with pytest.raises(UsageError, match="sum to 1"):
        OutOfFold(whole.ids, whole.months, whole.sexes, whole.given * 2, whole.unknown)


def test_one_sex_alone_cannot_be_calibrated():
    some = films(40)
    with pytest.raises(UsageError, match="male"):
        calibrate(OutOfFold(some.ids, some.months, some.sexes * 0, some.given, some.unknown))
