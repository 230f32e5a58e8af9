"""Quantiles and calibration against closed forms and against coverage on data whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.runtime.calibration import BANDS, Calibration, band_of, cumulative, quantile
from capitate.types import Sex

MATURE = {Sex.FEMALE: 200.0, Sex.MALE: 210.0, Sex.UNKNOWN: 205.0}


def even(bins: int = 100) -> np.ndarray:
    """Evenly from -0.5 to bins - 0.5 months."""
    row = np.zeros(240)
    row[:bins] = 1 / bins
    return row


def sure(month: int) -> np.ndarray:
    row = np.zeros(240)
    row[month] = 1
    return row


def normal(centres: np.ndarray, sd: float) -> np.ndarray:
    curve = np.exp(-0.5 * ((np.arange(240)[None] - centres[:, None]) / sd) ** 2)
    return curve / curve.sum(1, keepdims=True)


def test_cumulative_of_an_even_distribution_is_a_line():
    rows = np.stack([even()] * 5)
    months = np.array([-3.0, 24.5, 49.5, 99.5, 150.0])
    assert cumulative(rows, months) == pytest.approx([0, 0.25, 0.5, 1, 1])
    assert cumulative(rows * 7, 24.5) == pytest.approx([0.25] * 5)


def test_quantile_of_an_even_distribution_is_a_line_that_ends_at_0():
    assert quantile(np.stack([even()] * 4), [0.0, 0.05, 0.5, 0.95]) == pytest.approx([0, 4.5, 49.5, 94.5])


def test_certainty_has_its_month_in_the_middle():
    for month in (0, 17, 239):
        assert quantile(sure(month)[None], 0.5) == pytest.approx(month)
        assert cumulative(sure(month)[None], month) == pytest.approx(0.5)


def test_quantile_inverts_cumulative():
    rows = normal(np.array([40.0, 126.5, 200.0]), 9.0)
    for share in (0.05, 0.3, 0.5, 0.95):
        assert cumulative(rows, quantile(rows, share)) == pytest.approx([share] * 3, abs=1e-9)


def test_bands_include_their_lower_end():
    assert [band_of(months) for months in (0, 59.9, 60, 119.9, 120, 180, 239, 300)] == [0, 0, 1, 1, 2, 3, 3, 3]


def test_the_reach_is_the_score_of_conformal_rank():
    """Of n scores the ceil((n + 1) level)-th smallest (Vovk et al. 2005): of 99 at 90 % the 90th."""
    scores = np.random.default_rng(0).permutation(np.arange(1, 100) / 200)
    fitted = Calibration.fit({Sex.MALE: (np.full(99, 130.0), scores)}, level=0.9, mature_months=MATURE)
    assert fitted.reach[Sex.MALE][2] == pytest.approx(90 / 200)
    wide = Calibration.fit({Sex.MALE: (np.full(60, 130.0), scores[:60])}, level=0.99, mature_months=MATURE)
    assert wide.reach[Sex.MALE][2] == scores[:60].max()


def test_a_cell_of_few_films_takes_all_films_of_its_sex():
    predicted = np.concatenate([np.full(49, 30.0), np.full(151, 130.0)])
    scores = np.concatenate([np.full(49, 0.01), np.full(151, 0.3)])
    fitted = Calibration.fit({Sex.FEMALE: (predicted, scores)}, level=0.9, mature_months=MATURE)
    assert fitted.reach[Sex.FEMALE] == (0.3,) * 4


def test_the_interval_reaches_out_from_the_median_by_sex_and_band():
    reach = {Sex.FEMALE: (0.1, 0.2, 0.3, 0.4), Sex.MALE: (0.45, 0.25, 0.45, 0.45)}
    calibration = Calibration(0.9, reach, MATURE)
    young = calibration.interval(even(), Sex.FEMALE)
    assert (young.low, young.high, young.level) == pytest.approx((39.5, 59.5, 0.9))
    boy = calibration.interval(even(), Sex.MALE)
    assert (boy.low, boy.high) == pytest.approx((4.5, 94.5))
    older = calibration.interval(even(200), Sex.FEMALE)
    assert (older.low, older.high) == pytest.approx((59.5, 139.5))


def test_mature_from_the_median_on():
    calibration = Calibration(0.9, {}, MATURE)
    assert [calibration.is_mature(sure(month), Sex.FEMALE) for month in (199, 200, 230)] == [False, True, True]
    assert not calibration.is_mature(sure(205), Sex.MALE)


def test_the_card_gives_the_calibration_again():
    calibration = Calibration(0.9, dict.fromkeys(Sex, (0.1, 0.2, 0.3, 0.4)), MATURE)
    assert Calibration.from_card(calibration.to_card()) == calibration


@pytest.mark.parametrize("said", [5.0, 10.0, 20.0])
def test_coverage_of_films_that_it_was_not_fitted_on(said):
    """Labels scatter by 10 months around what a network says with another spread; bands hold about 1,000 films each."""
    random = np.random.default_rng(int(said))
    centres = random.uniform(45, 195, 8000)
    months = centres + random.normal(0, 10, 8000)
    rows = normal(centres, said)
    middle = quantile(rows, 0.5)
    scores = np.abs(cumulative(rows, months) - 0.5)
    seen, unseen = np.arange(4000), np.arange(4000, 8000)
    fitted = Calibration.fit({Sex.MALE: (middle[seen], scores[seen])}, level=0.9, mature_months=MATURE)
    reach = np.array([fitted.reach[Sex.MALE][band_of(value)] for value in middle[unseen]])
    low, high = quantile(rows[unseen], 0.5 - reach), quantile(rows[unseen], 0.5 + reach)
    inside = (low <= months[unseen]) & (months[unseen] <= high)
    assert inside.mean() == pytest.approx(0.9, abs=0.02)
    bands = np.array([band_of(value) for value in middle[unseen]])
    assert [inside[bands == band].mean() for band in range(1, len(BANDS) - 1)] == pytest.approx([0.9] * 2, abs=0.03)
