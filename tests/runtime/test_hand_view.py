"""The hand's view and the way back: points, sides and pixels agree, and a card brings the rule back."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import BundleDamagedError
from capitate.phantom import Pose, draw
from capitate.runtime.film_rule import FilmRule
from capitate.runtime.hand_view import HandViewRule, detector_rule
from capitate.runtime.locator import HandLocator
from capitate.runtime.views import HandFrame, ViewRule, squash
from capitate.types import Sex

RULE = HandViewRule(ViewRule(128, 96, margins=(0.16, 0.18, 0.16, 0.25)))
TURNED = HandFrame((0.1, -0.05), (0.0, -0.4), (0.5, 0.0))  # fingers to the left


@pytest.fixture(scope="module")
def film():
    return draw(age_months=120, sex=Sex.FEMALE, pose=Pose(rotation_degrees=20), height=400)


def test_points_go_to_the_view_and_back(film):
    pixels = film.radiograph.pixels
    view = RULE.cut(pixels, TURNED)
    points = np.array([[10.0, 20.0], [200.5, 310.25]])
    assert view.to_film(view.place(points)) == pytest.approx(points)
    rows, columns = pixels.shape
    centre = np.array([(TURNED.centre[0] + 1) / 2 * columns, (TURNED.centre[1] + 1) / 2 * rows])
    left, top, right, bottom = RULE.view.margins
    middle = np.array([(0.5 + left) / (1 + left + right) * 96, (0.5 + top) / (1 + top + bottom) * 128])
    assert view.place(centre) == pytest.approx(middle)


def test_a_quarter_turn_exchanges_the_sides_of_a_box(film):
    view = RULE.cut(film.radiograph.pixels, TURNED)
    across, down = np.linalg.norm(view.to_view[:, :2], axis=0)
    assert view.place_sides(np.array([30.0, 10.0])) == pytest.approx([10.0 * down, 30.0 * across])
    assert view.sides_on_film(view.place_sides(np.array([30.0, 10.0]))) == pytest.approx([30.0, 10.0])


def test_the_view_shows_what_lies_there(film):
    """A bright spot drawn on the film appears where `place` says."""
    pixels = film.radiograph.pixels * 0.3
    spot = (210, 160)
    pixels[spot[0] - 3 : spot[0] + 3, spot[1] - 3 : spot[1] + 3] = 1.0
    frame = HandLocator(threads=1).locate(squash(film.radiograph.pixels)).frame
    view = RULE.cut(pixels.astype(np.float32), frame)
    row, column = np.unravel_index(view.pixels.argmax(), view.pixels.shape)
    assert view.place(np.array([spot[1], spot[0]])) == pytest.approx([column + 0.5, row + 0.5], abs=1.5)


def test_the_card_brings_the_rule_back():
    assert detector_rule({"picture": RULE.to_card()}) == RULE
    assert isinstance(detector_rule({"picture": FilmRule(64, 64).to_card()}), FilmRule)
    with pytest.raises(BundleDamagedError, match="does not say how views are cut"):
        detector_rule({"name": "x", "picture": {"hand_view": {"height": 3}}})
