"""How a film becomes a picture: proportions, contrast, padding, and the same from a card."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.errors import BundleDamagedError, UsageError
from capitate.runtime.bundle import load_bundle
from capitate.runtime.film_rule import CropRule, FilmRule, Fit
from capitate.runtime.grade_categories import CATEGORIES, JOINTS, category_of
from capitate.runtime.joint_grades import GradeAnswer, JointGrader, median_grade

RAMP = np.tile(np.linspace(0.2, 0.6, 60, dtype=np.float32), (120, 1))


def test_a_film_keeps_its_proportions_between_black():
    picture = FilmRule(40, 40, percentiles=(0.0, 100.0)).fitted(RAMP).pixels
    assert picture.shape == (40, 40)
    assert not picture[:, :10].any()
    assert not picture[:, 30:].any()
    assert (picture[20, 10], picture[20, 29]) == (0, 255)
    assert (np.diff(picture[20, 10:30].astype(int)) > 0).all()
    wide = FilmRule(40, 40, percentiles=(0.0, 100.0)).fitted(RAMP.T.copy()).pixels
    assert np.array_equal(wide, picture.T)


def test_stretched_to_a_shape_and_between_percentiles():
    picture = FilmRule(30, 50, Fit.STRETCH, (10.0, 90.0)).fitted(RAMP).pixels
    assert (picture == 0).mean() == pytest.approx(0.1, abs=0.03)
    assert (picture == 255).mean() == pytest.approx(0.1, abs=0.03)
    brighter = FilmRule(30, 50, Fit.STRETCH, (10.0, 90.0)).fitted(RAMP * 0.5 + 0.4).pixels
    assert np.abs(brighter.astype(int) - picture).max() <= 1, "exposure drops out"


def test_a_rule_comes_back_from_its_card():
    rule = FilmRule(32, 48, Fit.STRETCH, (1.0, 99.0))
    assert FilmRule.from_card({"picture": rule.to_card()}) == rule
    with pytest.raises(BundleDamagedError, match="the card of 'x' does not say how pictures are made"):
        FilmRule.from_card({"name": "x"})
    with pytest.raises(BundleDamagedError, match=r"does not say how pictures are made \('margin'\)"):
        CropRule.from_card({"name": "x", "picture": rule.to_card()})


def test_the_median_grade_and_what_is_said_with_it():
    probabilities = np.array([[0.2, 0.25, 0.1, 0.45], [0.5, 0.5, 0, 0], [0, 0, 0, 1.0]])
    assert median_grade(probabilities).tolist() == [2, 0, 3]
    answer = GradeAnswer("Radius", "Radius", probabilities[0])
    assert (answer.grade, answer.confidence) == (2, 0.1)
    assert answer.expected == pytest.approx(0.25 + 0.2 + 1.35)


def test_every_joint_has_its_category():
    assert [category_of(joint) for joint in JOINTS] == [
        "Radius", "Ulna", "MCPFirst", "MCP", "MCP", "PIPFirst", "PIP", "PIP", "MIP", "MIP", "DIPFirst", "DIP", "DIP",
    ]  # fmt: skip
    assert category_of("MIPFourth") == "MIP"
    assert category_of("Knee") == "Knee"
    assert (max(CATEGORIES.values()), len(CATEGORIES)) == (14, 9)


def test_a_bundle_of_another_task_is_refused():
    with pytest.raises(UsageError, match="'bone-age' does bone-age, not joint-grades"):
        JointGrader(load_bundle("bone-age"))


def test_a_file_that_is_not_square_is_the_box_alone():
    """Its margin is filled with the nearest grey; a square one holds its margin already."""
    rule = CropRule(FilmRule(60, 60), margin=0.25)
    crop = np.tile(np.linspace(0.2, 0.8, 40, dtype=np.float32)[:, None], (1, 20))
    found = rule.of_file(crop)
    assert (found == found[:, :1]).all()  # nothing of a bar at either side
    assert (found[:9] == found[0]).all()
    assert (found[-9:] == found[-1]).all()
    assert (np.diff(found[12:48, 0].astype(int)) > 0).all()
    square = np.tile(np.linspace(0.2, 0.8, 40, dtype=np.float32)[:, None], (1, 40))
    assert (rule.of_file(square) == rule.film.fitted(square).pixels).all()
