"""Test-time views: rotations, scales and crops with known answers, and the two forms that cards hold."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from capitate.errors import UsageError
from capitate.runtime.bone_age import BoneAgeModel
from capitate.runtime.several_views import Place, five_crops, read_test_views
from capitate.runtime.several_views import TestView as View
from capitate.runtime.views import HandFrame
from capitate.types import Sex

STILL = View(0, 0, False)


def picture(height: int = 40, width: int = 40) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (height, width), dtype=np.uint8)


def test_a_quarter_of_a_turn_in_two_steps_is_exact():
    """Degrees are anticlockwise; 90 of them are out of the range of a card, which `of` does not check."""
    assert np.array_equal(replace(STILL, turned=90.0).of(picture()), np.rot90(picture()))
    assert np.array_equal(replace(STILL, turned=-90.0).of(picture()), np.rot90(picture(), -1))


def test_a_view_twice_as_large_shows_its_middle_half():
    steps = np.repeat(np.repeat(picture(20, 16), 2, axis=0), 2, axis=1).astype(np.float32)
    large = replace(STILL, scaled=2.0).of(steps)
    middle = steps[10:30, 8:24]
    assert large[::2, ::2].mean() == pytest.approx(middle.mean(), rel=0.05)
    assert np.array_equal(replace(STILL, crop=0.5).of(steps), large)
    small = replace(STILL, scaled=0.5).of(steps)
    assert not small[:10].any()
    assert not small[:, -8:].any()
    assert small[12:28, 10:22].any()


@pytest.mark.parametrize(
    ("place", "rows", "columns"),
    [
        (Place.UPPER_LEFT, slice(0, 20), slice(0, 20)),
        (Place.UPPER_RIGHT, slice(0, 20), slice(20, 40)),
        (Place.LOWER_LEFT, slice(20, 40), slice(0, 20)),
        (Place.LOWER_RIGHT, slice(20, 40), slice(20, 40)),
        (Place.CENTRE, slice(10, 30), slice(10, 30)),
    ],
)
def test_a_crop_keeps_the_part_it_names(place, rows, columns):
    view = np.zeros((40, 40), dtype=np.uint8)
    view[rows, columns] = 200
    made = replace(STILL, crop=0.5, place=place).of(view)
    assert (made[1:-1, 1:-1] == 200).all()
    outside = replace(STILL, crop=0.5, place=place).of(200 - view)
    assert not outside[1:-1, 1:-1].any()


def test_five_crops_cover_the_four_corners_and_the_centre():
    crops = five_crops(0.94)
    assert len(set(crops)) == 5
    assert {crop.place for crop in crops} == set(Place)
    assert all(crop.crop == 0.94 and crop.resampled for crop in crops)


def test_a_view_is_moved_and_mirrored_after_it_was_turned():
    turned = replace(STILL, turned=10.0).of(picture())
    both = View(3, -2, True, turned=10.0).of(picture())
    assert np.array_equal(both, View(3, -2, True).of(turned))


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
def test_grey_levels_keep_their_type_and_a_moved_view_its_values(kind):
    view = picture().astype(kind)
    assert replace(STILL, turned=5.0, scaled=1.05).of(view).dtype == kind
    assert np.array_equal(STILL.of(view), view)


def test_cards_hold_lists_where_a_list_says_everything():
    views = (View(-3, 2, True), View(0, 0, False, turned=5.0), *five_crops(0.9))
    card = json.loads(json.dumps([view.to_card() for view in views]))
    assert card[0] == [-3, 2, True]
    assert (card[1]["turned"], card[2]["place"]) == (5.0, "centre")
    assert read_test_views(card) == views


def test_a_table_may_leave_out_what_it_does_not_change():
    (view,) = read_test_views([{"scaled": 1, "turned": -4}])
    assert view == View(0, 0, False, turned=-4.0)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([{"tilted": 3}], "unknown key test_views.tilted; known here: right, down"),
        ([{"turned": 60}], "test_views.turned must lie between -45 and 45, got 60"),
        ([{"scaled": True}], "test_views.scaled must lie between 0.5 and 2, got True"),
        ([{"crop": 0.2}], "test_views.crop must lie between 0.5 and 1"),
        ([{"place": "left"}], "test_views.place must be one of centre, upper-left.*got 'left'"),
        ([{"right": 1.5}], "whole pixels right and down"),
        ([[0, 0, False, 5.0]], "must be a list of"),
    ],
)
def test_what_is_no_view_is_named(value, message):
    with pytest.raises(UsageError, match=message):
        read_test_views(value)


def test_a_model_that_ignores_its_input_answers_the_same_with_and_without_views(changed, monkeypatch):
    """Averaging adds nothing of its own: no shift of films against answers, no lost or doubled view."""
    many = [View(-3, 2, True), View(0, 0, False, turned=8.0, scaled=0.95), *five_crops(0.94)]
    several = BoneAgeModel(changed("bone-age", test_views=[view.to_card() for view in many]), threads=1)
    one = BoneAgeModel(changed("bone-age-ensemble", test_views=[[0, 0, False]]), threads=1)
    by_sex = np.random.default_rng(1).dirichlet(np.ones(240), 3).astype(np.float32)
    for model in (several, one):
        for session in model._sessions:
            monkeypatch.setattr(session, "run", lambda inputs: [by_sex[inputs["sex"]]])
    square = np.random.default_rng(0).random((299, 299), dtype=np.float32)
    frame = HandFrame((0.0, 0.0), (0.5, 0.0), (0.0, 0.6))
    sexes = [Sex.MALE, Sex.UNKNOWN, Sex.FEMALE]
    answers = [model.predict(np.repeat(model.views(square, frame)[None], 3, axis=0), sexes) for model in (several, one)]
    assert answers[0] == pytest.approx(answers[1], abs=1e-6)
    assert not np.allclose(answers[0][0], answers[0][1])
