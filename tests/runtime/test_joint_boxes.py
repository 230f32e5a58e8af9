"""Peaks of maps as joints, and the way back to the film."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.runtime.joint_boxes import find_peaks, on_film
from capitate.types import Box


def maps(*joints):
    """Maps of two classes, 16 x 20 cells of 4 pixels, with joints (class, column, row, score)."""
    heat = np.zeros((2, 16, 20), dtype=np.float32)
    boxes = np.zeros((4, 16, 20), dtype=np.float32)
    boxes[0], boxes[1] = (np.arange(20) * 4 + 2)[None], (np.arange(16) * 4 + 2)[:, None]
    boxes[2:] = 12
    for kind, column, row, score in joints:
        heat[kind, row, column] = score
        heat[kind, row, column + 1] = score / 2
    return heat, boxes


def test_peaks_come_by_falling_score_and_class():
    found = find_peaks(*maps((1, 3, 4, 0.6), (0, 10, 4, 0.9), (1, 12, 9, 0.2)), threshold=0.3)
    assert found.classes.tolist() == [0, 1]
    assert found.scores.tolist() == pytest.approx([0.9, 0.6])
    assert found.boxes.tolist() == [[42, 18, 12, 12], [14, 18, 12, 12]]


def test_known_counts_keep_the_surest():
    joints = maps((0, 2, 2, 0.5), (0, 8, 2, 0.8), (0, 14, 2, 0.6), (1, 2, 9, 0.4))
    assert find_peaks(*joints, threshold=0.3, counts=(2, 1)).boxes[:, 0].tolist() == [34, 58, 10]
    assert len(find_peaks(*joints, threshold=0.3).scores) == 4


def test_two_peaks_within_a_joint_are_one():
    found = find_peaks(*maps((0, 8, 2, 0.8), (0, 8, 3, 0.7), (0, 12, 2, 0.6)), threshold=0.3)
    assert found.scores.tolist() == pytest.approx([0.8, 0.6])


def test_nothing_found():
    assert find_peaks(*maps(), threshold=0.3).boxes.shape == (0, 4)


def test_boxes_come_back_to_the_film():
    film = np.zeros((100, 50), dtype=np.float32)
    fitted = FilmRule(64, 80).fit(film)  # 64 x 32, with 24 columns to the left
    (joint,) = on_film(find_peaks(*maps((1, 7, 4, 0.6)), threshold=0.3), fitted, classes=("A", "B"), shape=(100, 50))
    assert (joint.joint, joint.score) == ("B", pytest.approx(0.6))
    x, y, side = (30 - 24) * 100 / 64, 18 * 100 / 64, 12 * 100 / 64
    assert joint.centre == pytest.approx((x, y))
    assert joint.box == Box(0.0, pytest.approx(y - side / 2), pytest.approx(x + side / 2), pytest.approx(side))


@pytest.mark.parametrize("shape", [(200, 100), (90, 240), (64, 64)])
@pytest.mark.parametrize("squash", [False, True])
def test_a_fitted_film_shows_what_lies_where(shape, squash):
    rows, columns = shape
    film = np.zeros(shape, dtype=np.float32)
    top, left = rows // 4, columns // 2
    film[top : top + rows // 4, left : left + columns // 4] = 1
    fitted = FilmRule(64, 96, squash=squash).fit(film)
    corners = fitted.place(np.array([[left, top], [left + columns // 4, top + rows // 4]]))
    (x0, y0), (x1, y1) = np.rint(corners).astype(int)
    inner = fitted.pixels[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    assert inner.size
    assert (inner > 200).all()
    assert fitted.pixels.sum() / 255 == pytest.approx((corners[1] - corners[0]).prod(), rel=0.15)
    assert fitted.to_film(fitted.place(np.array([[3.0, 4.0]]))) == pytest.approx(np.array([[3.0, 4.0]]))


def test_a_squashed_film_gets_its_proportions_back():
    fitted = FilmRule(64, 64).fit(np.ones((50, 50), dtype=np.float32), aspect=0.5)
    assert fitted.scale == pytest.approx((32 / 50, 64 / 50))
    assert fitted.origin == (16, 0)


def test_a_crop_shows_its_box_and_black_beyond_the_film():
    film = np.random.default_rng(0).uniform(0.5, 1, (40, 40)).astype(np.float32)
    fitted = CropRule(32, margin=0.5).cut(film, Box(0, 10, 16, 8))
    assert fitted.place(np.array([8.0, 14.0])).tolist() == pytest.approx([16, 16])  # the box's middle is the crop's
    assert (fitted.pixels[:, :7] == 0).all()
    assert fitted.pixels[:, 10:].mean() > 100
    assert CropRule.of_card(CropRule(32, 0.5).to_card()) == CropRule(32, 0.5)
    assert FilmRule.of_card(FilmRule(32, 64, squash=True).to_card()) == FilmRule(32, 64, squash=True)
