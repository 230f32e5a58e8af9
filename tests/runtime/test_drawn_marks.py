"""Arrows drawn on drawn hands are filled; hands without any stay as they are, to the pixel."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image, ImageDraw

from capitate.phantom import draw
from capitate.runtime.drawn_marks import FilledFilmRule, drawn_marks, without_drawn_marks
from capitate.runtime.film_rule import FilmRule
from capitate.types import Sex

ARROWS = {
    "thick": [(60, 250), (60, 262), (110, 262), (110, 272), (132, 256), (110, 240), (110, 250)],
    "thin": [(60, 254), (60, 257), (104, 257), (100, 264), (104, 265), (114, 255), (104, 246), (100, 247), (104, 254)],
}


@pytest.fixture(scope="module")
def hand():
    pixels = draw(age_months=120, sex=Sex.FEMALE, height=512).radiograph.pixels
    return (pixels * 0.8).astype(np.float32)


def with_arrow(hand, name, level=1.0):
    image = Image.new("L", hand.shape[::-1])
    ImageDraw.Draw(image).polygon(ARROWS[name], fill=255)
    drawn = np.asarray(image) > 0
    return np.where(drawn, np.float32(level), hand).astype(np.float32), drawn


@pytest.mark.parametrize("name", list(ARROWS))
@pytest.mark.parametrize("level", [1.0, 0.9])
def test_an_arrow_is_found_and_filled(hand, name, level):
    film, drawn = with_arrow(hand, name, level)
    found = drawn_marks(film)
    assert (found & drawn).sum() > 0.9 * drawn.sum()
    filled = without_drawn_marks(film)
    assert np.abs(filled - hand)[drawn].mean() < 0.3 * np.abs(film - hand)[drawn].mean()
    far = ~drawn & (found == drawn_marks(hand))
    assert np.abs(filled - film)[:200][far[:200]].max() == 0


def test_bone_is_no_mark(hand):
    assert not drawn_marks(hand).any()
    assert without_drawn_marks(hand) is hand


def test_a_negative_is_left_alone(hand):
    negative = np.float32(1) - hand
    assert drawn_marks(negative).mean() < 0.01


def test_boxes_come_back_to_the_large_film(hand):
    large = np.asarray(Image.fromarray(hand).resize((hand.shape[1] * 3, hand.shape[0] * 3)), dtype=np.float32)
    rule = FilledFilmRule(FilmRule(128, 128))
    fitted = rule.fitted(large)
    corner = np.array([[0.0, 0.0], [large.shape[1], large.shape[0]]])
    assert fitted.to_film(fitted.place(corner)) == pytest.approx(corner)
    inner = fitted.place(corner)
    assert inner[1, 1] == pytest.approx(128, abs=0.6)
    assert 0 <= inner[0, 0] < inner[1, 0] <= 128


def test_the_card_says_how_pictures_are_made():
    rule = FilledFilmRule(FilmRule(64, 96), fill_drawn=True)
    assert FilledFilmRule.from_card({"name": "x", "picture": rule.to_card()}) == rule
    plain = FilledFilmRule(FilmRule(64, 96), fill_drawn=False)
    film = np.linspace(0, 1, 900, dtype=np.float32).reshape(30, 30)
    assert np.array_equal(plain.fitted(film).pixels, FilmRule(64, 96).fitted(film).pixels)
