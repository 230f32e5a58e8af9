"""Contours and polygons of drawn areas, and touching areas parted."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.hand.measures.pieces import part
from capitate.hand.measures.polygons import area_within, contours, outline, simplified


def disc(radius: float, *, size: int = 80, at: tuple[float, float] = (40.0, 40.0)) -> np.ndarray:
    rows, columns = np.indices((size, size))
    return np.clip(radius - np.hypot(columns - at[0], rows - at[1]) + 0.5, 0, 1)


def test_a_rectangle_has_its_own_corners():
    field = np.zeros((12, 20))
    field[3:7, 5:15] = 1
    (polygon,) = outline(field, to_film=lambda points: points + 0.5, tolerance=0.4)
    points = np.array(polygon)
    assert (points.min(axis=0).tolist(), points.max(axis=0).tolist()) == ([5.0, 3.0], [15.0, 7.0])
    assert area_within(points) == pytest.approx(40, abs=1.0)
    assert 4 <= len(points) <= 8


def test_a_disc_keeps_its_area_with_few_corners():
    (line,) = contours(disc(20.3))
    assert area_within(line) == pytest.approx(np.pi * 20.3**2, rel=0.01)
    assert np.ptp(line, axis=0) == pytest.approx([40.6, 40.6], abs=0.2)
    thin = simplified(line, tolerance=0.5)
    assert len(thin) < len(line) / 4
    assert area_within(thin) == pytest.approx(area_within(line), rel=0.05)


def test_areas_at_the_border_are_closed_and_holes_left_out():
    field = np.zeros((20, 30))
    field[:8, :8], field[12:20, 20:30] = 1, 1
    field[15:17, 24:26] = 0
    assert sorted(round(area_within(line)) for line in contours(field)) == [64, 80]
    assert contours(np.zeros((5, 5))) == []
    assert outline(np.zeros((5, 5)), to_film=lambda points: points, tolerance=1.0) == ()


def test_opposite_corners_are_kept_apart():
    field = np.zeros((4, 4))
    field[0, 0] = field[1, 1] = 1
    assert len(contours(field)) == 2


@pytest.mark.parametrize(("apart", "count"), [(44, 2), (34, 2), (18, 1)])
def test_discs_that_touch_are_parted_at_their_neck(apart, count):
    both = np.maximum(disc(20, size=120, at=(40, 60)), disc(20, size=120, at=(40 + apart, 60))) > 0.5
    numbers = part(both)
    assert numbers.max() == count
    assert ((numbers > 0) == both).all()
    if count == 2:
        sizes = np.bincount(numbers.ravel())[1:]
        assert sizes.min() / sizes.max() == pytest.approx(1, abs=0.1)


def test_one_long_bone_stays_one():
    numbers = part(np.pad(np.ones((14, 60), dtype=bool), 4))
    assert numbers.max() == 1
    assert part(np.zeros((9, 9), dtype=bool)).max() == 0
    assert part(np.ones((9, 9), dtype=bool)).min() == 1
