"""Cells brought to the film: their sums, their places, and what lies beyond the film."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.explain import ActivationMap, joined
from capitate.explain.placing import PlacedCells, grid_shape, spread
from capitate.types import Box

WHOLE = np.array([[1.0, 0, 0], [0, 1.0, 0]])


def centre(values):
    """Centre of mass (x, y) in fractions of the film."""
    rows, columns = values.shape
    down, across = np.mgrid[:rows, :columns]
    total = values.sum()
    return float(((across + 0.5) * values).sum() / total / columns), float(((down + 0.5) * values).sum() / total / rows)


def test_cells_of_a_map_are_about_square():
    assert grid_shape((2000, 1500)) == (96, 72)
    assert grid_shape((10, 5000)) == (1, 96)


@pytest.mark.parametrize("turned", [0.0, 0.2, np.pi / 2, 3.0])
def test_the_sum_is_kept_wherever_a_picture_lies(turned):
    cells = np.random.default_rng(0).normal(size=(5, 4))
    cos, sin = np.cos(turned), np.sin(turned)
    to_film = np.array([[3 * cos, -3 * sin, 200.0], [3 * sin, 3 * cos, 100.0]])
    found = spread([PlacedCells(cells, (160, 128), to_film), PlacedCells(cells, (160, 128), WHOLE)], (600, 500))
    assert found.sum(dtype=np.float64) == pytest.approx(2 * cells.sum(), abs=1e-4)


def test_a_cell_lands_where_its_picture_lies():
    """A cell in the second of four columns and the last of five rows, on a picture that fills a film's right half."""
    cells = np.zeros((5, 4))
    cells[4, 1] = 7
    found = spread([PlacedCells(cells, (160, 128), np.array([[2.0, 0, 256.0], [0, 2.0, 0]]))], (320, 512))
    x, y = centre(found)
    assert (x, y) == pytest.approx((0.5 + 0.5 * 1.5 / 4, 0.9), abs=0.03)
    assert found[:, :48].sum() == 0
    assert found[:30].sum() == pytest.approx(0, abs=1e-6)


def test_what_lies_beyond_the_film_stays_on_it():
    cells = np.array([[1.0, 10.0]])
    found = spread([PlacedCells(cells, (50, 200), np.array([[1.0, 0, 0], [0, 1.0, 0]]))], (50, 60))
    assert found.sum() == pytest.approx(11, abs=1e-4)
    off = spread([PlacedCells(cells, (50, 200), np.array([[1.0, 0, 500.0], [0, 1.0, 0]]))], (50, 60))
    assert off.sum() == pytest.approx(11, abs=1e-4)
    assert off[:, :-1].sum() == 0


def of_box(box, value, **changes):
    values = np.full((4, 4), value / 16, dtype=np.float32)
    return ActivationMap(
        **{
            "model": "joint-grades",
            "quantity": "grade",
            "unit": "grades",
            "values": values,
            "base": 3.0,
            "answer": 3.0 + value,
            "box": box,
            **changes,
        }
    )


def test_joints_are_joined_on_the_film():
    left, right = of_box(Box(0, 0, 100, 100), 2.0), of_box(Box(300, 300, 100, 100), -1.0)
    one = joined([left, right], (400, 400))
    assert (one.base, one.answer, one.box) == (6.0, 7.0, None)
    assert one.gap == pytest.approx(0, abs=1e-5)
    assert one.values[:24, :24].sum() == pytest.approx(2, abs=1e-4)
    assert one.values[72:, 72:].sum() == pytest.approx(-1, abs=1e-4)


@pytest.mark.parametrize(
    "maps", [[], [of_box(None, 1.0)], [of_box(Box(0, 0, 9, 9), 1.0), of_box(Box(0, 0, 9, 9), 1.0, model="other")]]
)
def test_only_maps_of_boxes_that_belong_together_are_joined(maps):
    with pytest.raises(UsageError, match="of one model and one quantity"):
        joined(maps, (10, 10))
