"""Parts of the measurements of maps, by answers that are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.evaluation.changes import painted_over
from capitate.evaluation.maps.likeness import likeness, rank_correlation, structural_similarity
from capitate.evaluation.maps.pointing import guesses, inside
from capitate.evaluation.maps.regions import box_mask, corners_of, energy_share, film_corners, tissue
from capitate.explain.activation import ActivationMap
from capitate.phantom import draw
from capitate.training.data.boxes import LabelledBox
from capitate.types import Box, Sex

BOX = (0.25, 0.5, 0.5, 1.0)


def map_of(values) -> ActivationMap:
    cells = np.asarray(values, dtype=np.float32)
    return ActivationMap("drawn", "abnormality", "logit", cells, 0.0, float(cells.sum()))


def test_a_peak_lies_in_a_box_or_does_not():
    values = np.zeros((8, 8))
    values[5, 3] = 2
    values[0, 0] = -9
    assert inside(map_of(values).peak(), [BOX])
    assert not inside(map_of(-values).peak(), [BOX])
    assert not inside((0.3, 0.7), [])


def test_boxes_cover_the_pixels_whose_middles_they_hold():
    mask = box_mask([BOX], shape=(4, 8))
    assert mask.sum() == 2 * 2
    assert mask[2:, 2:4].all()
    labelled = LabelledBox("film", "fracture", 0.375, 0.75, 0.25, 0.5)
    assert corners_of([labelled])[0] == pytest.approx(BOX)
    assert film_corners([Box(2, 2, 2, 4)], shape=(4, 8))[0] == pytest.approx(BOX)
    assert corners_of([]) == ()


def test_energy_counts_both_signs_and_parts_of_cells():
    values = [[1.0, -3.0], [0.0, 4.0]]
    right = np.zeros((4, 4), dtype=bool)
    right[:, 2:] = True
    assert energy_share(map_of(values), right) == pytest.approx(7 / 8)
    half = np.zeros((4, 4), dtype=bool)
    half[:, 3] = True
    assert energy_share(map_of(values), half) == pytest.approx(3.5 / 8)
    assert np.isnan(energy_share(map_of(np.zeros((2, 2))), right))


def test_tissue_is_the_bright_limb():
    film = np.zeros((20, 20), dtype=np.float32)
    film[:, 8:12] = 0.6
    np.testing.assert_array_equal(tissue(film), film > 0)


def test_guesses_are_learnt_on_other_films():
    corner = (0.0, 0.0, 0.2, 0.2)
    same = guesses([[corner]] * 20, [f"group {k}" for k in range(20)])
    assert same["best_point"].tolist() == same["mean_box"].tolist() == [1.0] * 20
    assert same["centre"].tolist() == [0.0] * 20
    odd = (0.8, 0.8, 1.0, 1.0)
    boxes = [[odd] if k == 7 else [corner] for k in range(20)]
    found = guesses(boxes, [f"group {k}" for k in range(20)])
    assert found["best_point"][7] == 0
    assert found["best_point"].sum() == 19
    alone = guesses([[corner]] * 3, ["one"] * 3)
    assert np.isnan(alone["best_point"]).all()
    assert not np.isnan(alone["centre"]).any()


def test_likeness_of_maps():
    random = np.random.default_rng(0)
    one = random.normal(size=(32, 32)).astype(np.float32)
    other = random.normal(size=(32, 32)).astype(np.float32)
    assert rank_correlation(one, one) == pytest.approx(1)
    assert rank_correlation(one, np.exp(one)) == pytest.approx(1)
    assert rank_correlation(one, -one) == pytest.approx(-1)
    assert abs(rank_correlation(one, other)) < 0.1
    assert structural_similarity(one, 7 * one) == pytest.approx(1)
    assert structural_similarity(one, other) < 0.3
    assert structural_similarity(one, -one) < 0
    assert likeness(one, -one)[:2] == pytest.approx((-1, 1))
    flat = np.zeros((32, 32), dtype=np.float32)
    assert np.isnan(rank_correlation(one, flat + 1))
    assert np.isnan(structural_similarity(one, flat))


def test_places_that_no_map_speaks_of_do_not_make_maps_alike():
    random = np.random.default_rng(1)
    one, other = np.zeros((2, 40, 40), dtype=np.float32)
    one[10:20, 10:20], other[10:20, 10:20] = random.uniform(1, 2, (2, 10, 10))
    assert abs(rank_correlation(one, other)) < 0.3


def test_surroundings_are_painted_over_and_the_hand_is_not():
    drawn = draw(age_months=120, sex=Sex.FEMALE, height=300, seed=3)
    film = drawn.radiograph.pixels.copy()
    film[4:24, 4:24] = 1
    x0, y0 = np.min([(one.box.x, one.box.y) for one in drawn.joints], axis=0)
    x1, y1 = np.max([(one.box.x + one.box.width, one.box.y + one.box.height) for one in drawn.joints], axis=0)
    box = Box(float(x0) - 6, float(y0) - 20, float(x1 - x0) + 12, float(y1 - y0) + 26)
    painted = painted_over(film, box=box)
    assert painted[4:24, 4:24].max() < 0.6
    for one in drawn.joints:
        across, down = round(one.box.x + one.box.width / 2), round(one.box.y + one.box.height / 2)
        here = np.s_[down - 3 : down + 4, across - 3 : across + 4]
        np.testing.assert_array_equal(painted[here], film[here], err_msg=one.name)
