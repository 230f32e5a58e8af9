"""Peaks of maps as joints, and the way back to the film."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.runtime.film_rule import CropRule, FilmRule, Fit, rule_of_card
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
    fitted = FilmRule(64, 80).fitted(film)  # 64 x 32, with 24 columns to the left
    (joint,) = on_film(find_peaks(*maps((1, 7, 4, 0.6)), threshold=0.3), fitted, classes=("A", "B"), shape=(100, 50))
    assert (joint.joint, joint.score) == ("B", pytest.approx(0.6))
    x, y, side = (30 - 24) * 100 / 64, 18 * 100 / 64, 12 * 100 / 64
    assert joint.centre == pytest.approx((x, y))
    assert joint.box == Box(0.0, pytest.approx(y - side / 2), pytest.approx(x + side / 2), pytest.approx(side))


@pytest.mark.parametrize("shape", [(200, 100), (90, 240), (64, 64)])
@pytest.mark.parametrize("fit", list(Fit))
def test_a_fitted_film_shows_what_lies_where(shape, fit):
    rows, columns = shape
    film = np.zeros(shape, dtype=np.float32)
    top, left = rows // 4, columns // 2
    film[top : top + rows // 4, left : left + columns // 4] = 1
    fitted = FilmRule(64, 96, fit).fitted(film)
    corners = fitted.place(np.array([[left, top], [left + columns // 4, top + rows // 4]]))
    (x0, y0), (x1, y1) = np.rint(corners).astype(int)
    inner = fitted.pixels[y0 + 2 : y1 - 2, x0 + 2 : x1 - 2]
    assert inner.size
    assert (inner > 200).all()
    assert fitted.pixels.sum() / 255 == pytest.approx((corners[1] - corners[0]).prod(), rel=0.15)
    assert fitted.to_film(fitted.place(np.array([[3.0, 4.0]]))) == pytest.approx(np.array([[3.0, 4.0]]))


def test_a_squashed_film_gets_its_proportions_back():
    fitted = FilmRule(64, 64).fitted(np.ones((50, 50), dtype=np.float32), aspect=0.5)
    assert fitted.scale == pytest.approx((32 / 50, 64 / 50))
    assert fitted.origin == (16, 0)


def test_a_crop_shows_its_box_and_the_nearest_grey_beyond_the_film():
    film = np.random.default_rng(0).uniform(0.5, 1, (40, 40)).astype(np.float32)
    rule = CropRule(FilmRule(32, 32), margin=0.5)
    fitted = rule.cut(film, Box(0, 10, 16, 8))
    assert fitted.place(np.array([8.0, 14.0])).tolist() == pytest.approx([16, 16])  # the box's middle is the crop's
    assert (fitted.pixels[:, :7] == fitted.pixels[:, :1]).all(), "the film's first column goes on"
    assert (fitted.pixels[:, 9:] != fitted.pixels[:, 8:9]).any()
    where = rule.placed(np.ones((40, 40), dtype=np.float32), Box(0, 10, 16, 8))
    assert (where[2:, 8:].all(), where.sum()) == (True, 30 * 24), "a mask has nothing there"


def test_a_crop_is_what_a_file_of_it_would_become():
    """Also where the box has fractions, and where the picture is larger than the crop or no square."""
    film = np.random.default_rng(1).uniform(0, 1, (90, 70)).astype(np.float32)
    for picture in (FilmRule(32, 32), FilmRule(48, 64)):
        found = CropRule(picture, margin=0.1).cut(film, Box(20.3, 30.2, 10, 20))  # 24 pixels from (13, 28) on
        assert np.array_equal(found.pixels, picture.fitted(film[28:52, 13:37]).pixels)
        assert found.to_film(np.array([[picture.width / 2, picture.height / 2]])) == pytest.approx(np.array([[25, 40]]))


def test_rules_come_back_from_their_cards():
    film = FilmRule(32, 64, Fit.STRETCH, (1.0, 99.0))
    for rule in (film, CropRule(film, 0.5)):
        assert rule_of_card({"picture": rule.to_card()}) == rule


def test_a_box_is_the_mean_of_the_cells_around_its_peak():
    heat = np.zeros((1, 4, 5), dtype=np.float32)
    heat[0, 0, 2] = 0.9  # at the upper edge: six cells lie around it
    boxes = np.tile(np.array([10.0, 2.0, 8.0, 6.0], dtype=np.float32)[:, None, None], (1, 4, 5))
    boxes[0, :2, 1:4] += np.array([[0, 3, 0], [0, 0, 3]])
    boxes[2, 2:, :] = 100.0  # too far away to count
    found = find_peaks(heat, boxes, threshold=0.5)
    assert found.boxes == pytest.approx(np.array([[11.0, 2.0, 8.0, 6.0]]))
