"""Dice against its closed form, by film and class."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.evaluation.overlap import dice, dice_figures


def test_dice_is_twice_the_shared_area_over_both():
    assert dice(np.array([3.0, 0, 5]), np.array([10.0, 4, 10])) == pytest.approx([0.6, 0, 1])
    assert np.isnan(dice(np.zeros(1), np.zeros(1))).all()


def test_films_count_alike_whatever_their_area():
    both = np.array([[50.0, 1], [500, 0]])
    sums = np.array([[100.0, 4], [2000, 0]])
    found = dice_figures(both, sums, names=("a", "b"))
    assert found["dice a"].value == pytest.approx((1 + 0.5) / 2)
    assert found["dice b"].value == pytest.approx(0.5)  # the second film has none of it
    assert found["dice"].value == pytest.approx((0.75 + 0.5) / 2)
    assert found["dice a"].low == pytest.approx(0.5)
    assert found["dice a"].high == pytest.approx(1)
