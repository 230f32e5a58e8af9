import numpy as np
import pytest

from capitate.explain import ActivationMap
from capitate.explain.regions import HAND, OUTSIDE, contributions
from capitate.types import Box


def _map(values, box=None):
    return ActivationMap("m", "bone_age", "months", np.array(values, dtype=np.float32), 0.0, 1.0, box)


def _amounts(parts):
    return {one.region: one.amount for one in parts}


def test_boxes_that_are_cells_get_the_cells():
    one = _map([[1, 2, 3, 4], [10, 20, 30, 40]])
    boxes = {"Radius": Box(0, 50, 50, 50), "Ulna": Box(100, 0, 50, 50)}
    parts = contributions(one, boxes, film=(100, 200), hand=Box(0, 0, 150, 100))
    assert _amounts(parts) == pytest.approx({"Radius": 10, "Ulna": 3, HAND: 1 + 2 + 20 + 30, OUTSIDE: 4 + 40})
    assert [one.region for one in parts] == ["Radius", "Ulna", HAND, OUTSIDE]
    assert parts[0].area == pytest.approx(1 / 8)


def test_a_part_of_a_cell_counts_in_proportion():
    parts = contributions(_map([[8.0]]), {"Radius": Box(25, 0, 50, 50)}, film=(100, 100))
    assert _amounts(parts) == pytest.approx({"Radius": 2, HAND: 6, OUTSIDE: 0}, abs=0.01)


def test_boxes_that_overlap_share_and_the_amounts_sum_to_the_map():
    rng = np.random.default_rng(3)
    one = _map(rng.normal(size=(37, 23)))
    boxes = {"MCPThird": Box(10, 10, 40, 30), "PIPThird": Box(12, 30, 40, 30), "Radius": Box(60, 200, 30, 44)}
    parts = contributions(one, boxes, film=(251, 113), hand=Box(5, 5, 90, 230))
    assert sum(part.amount for part in parts) == pytest.approx(float(one.values.sum(dtype=np.float64)), abs=1e-6)
    assert sum(part.area for part in parts) == pytest.approx(1)
    whole = contributions(_map(np.ones((40, 40))), {"a": Box(0, 0, 60, 100), "b": Box(40, 0, 60, 100)}, film=(100, 100))
    assert _amounts(whole) == pytest.approx({"a": 800, "b": 800, HAND: 0, OUTSIDE: 0}, rel=0.03)


def test_a_map_of_a_part_lies_where_the_part_lies():
    one = _map([[1.0, 5.0]], Box(100, 100, 20, 10))
    parts = contributions(one, {"Radius": Box(100, 90, 10, 30)}, film=(200, 200), hand=Box(0, 0, 200, 200))
    assert _amounts(parts) == pytest.approx({"Radius": 1, HAND: 5, OUTSIDE: 0})
