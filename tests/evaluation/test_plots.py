from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import numpy as np
import pytest

from capitate.evaluation.plots import Axes, bland_altman, calibration, nice_ticks, pit_histogram, scatter


@pytest.mark.parametrize(
    ("low", "high", "ticks"),
    [(0, 1, [0, 0.2, 0.4, 0.6, 0.8, 1]), (-25, 25, [-20, -10, 0, 10, 20]), (5, 5, [5])],
)
def test_ticks_are_round(low: float, high: float, ticks: list[float]) -> None:
    assert nice_ticks(low, high, most=6) == pytest.approx(ticks)


def test_place_maps_the_corners_of_the_data() -> None:
    axes = Axes((0, 10), (0, 5), "x", "y", "t", width=172, height=160)
    assert tuple(map(float, axes.place(0, 0))) == (56, 114)
    assert tuple(map(float, axes.place(10, 5))) == (156, 14)


def test_every_film_is_one_dot() -> None:
    truth = np.linspace(10, 200, 101)
    picture = scatter(truth, truth + 1, sex=["female", "male"] * 50 + ["unknown"])
    assert len(re.findall(r"h0", picture)) == 101
    ET.fromstring(picture)


def test_limits_of_agreement_are_written_out() -> None:
    truth = np.full(4, 100.0)
    picture = bland_altman(truth, truth + np.array([1.0, 3, 1, 3]), sex=["male"] * 4)
    assert "bias +2.0" in picture
    assert f"+1.96 SD {2 + 1.96 * np.std([1, 3, 1, 3], ddof=1):+.1f}" in picture


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_films_still_draw(count: int) -> None:
    ages = np.arange(count) + 100.0
    for picture in (scatter(ages, ages, sex=["male"] * count), bland_altman(ages, ages, sex=["male"] * count)):
        assert ET.fromstring(picture).tag.endswith("svg")
    for picture in (pit_histogram(ages / 200), calibration(ages / 200)):
        assert ET.fromstring(picture).tag.endswith("svg")


def test_names_are_escaped() -> None:
    axes = Axes((0, 1), (0, 1), "a < b", "y", "<t>")
    axes.grid([0, 1], [0, 1])
    written = "".join(ET.fromstring(axes.svg()).itertext())
    assert "a < b" in written
    assert "<t>" in written
