"""Turning films by quarter turns: points, boxes and pixels agree, and lead back."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.assessor.upright import Upright
from capitate.types import Box


@pytest.mark.parametrize("turns", range(4))
@pytest.mark.parametrize("mirrored", [False, True])
def test_boxes_and_points_follow_the_pixels(turns, mirrored):
    film = np.zeros((7, 11), dtype=np.float32)
    film[1:3, 6:10] = 1
    upright = Upright(film.shape, turns, mirrored)
    turned = upright.film(film)
    box = upright.box(Box(6, 1, 4, 2))
    rows, columns = (slice(int(a), int(a + b)) for a, b in ((box.y, box.height), (box.x, box.width)))
    assert (turned[rows, columns].sum(), turned.sum()) == (8, 8)
    points = np.array([[6.0, 1.0], [0.5, 6.25]])
    assert upright.points_back(upright.points(points)) == pytest.approx(points)


def test_a_quarter_turn_anticlockwise_brings_the_right_edge_to_the_top():
    upright = Upright((7, 11), 1, mirrored=False)
    assert upright.points(np.array([11.0, 2.0])).tolist() == [2, 0]
    assert Upright((7, 11), 1, mirrored=True).points(np.array([11.0, 2.0])).tolist() == [5, 0]
