"""Free-response figures against answers that can be counted by hand."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.evaluation.detection import FilmBoxes
from capitate.evaluation.fractures.figures import fracture_figures
from capitate.evaluation.froc import Hit, curve, marked, sensitivity_at, threshold_at


def film(name, truth, marks):
    """A film of boxes (x, y, w, h) and marks (score, x, y, w, h)."""
    boxes = np.array([one[1:] for one in marks], dtype=float).reshape(-1, 4)
    return FilmBoxes(
        id=name,
        truth_classes=np.zeros(len(truth), dtype=np.int64),
        truth=np.array(truth, dtype=float).reshape(-1, 4),
        classes=np.zeros(len(marks), dtype=np.int64),
        scores=np.array([one[0] for one in marks], dtype=float),
        boxes=boxes,
    )


@pytest.fixture
def films():
    """Two fractures found at 0.9 and 0.4, one never; false marks at 0.8 (empty film), 0.5 and 0.3."""
    return [
        film("a", [(50, 50, 20, 20), (150, 50, 20, 20)], [(0.9, 55, 52, 20, 20), (0.5, 100, 100, 20, 20)]),
        film("b", [], [(0.8, 10, 10, 8, 8), (0.3, 60, 60, 8, 8)]),
        film("c", [(40, 40, 10, 30)], [(0.7, 42, 30, 90, 90), (0.4, 40, 40, 10, 30)]),
        film("d", [], []),
    ]


def test_marks_that_hit_and_marks_that_do_not(films):
    found = marked(films, hit=Hit.CENTRE)
    assert found.scores.tolist() == [0.9, -np.inf, 0.7]
    assert found.film.tolist() == [0, 0, 2]
    assert found.false_scores.tolist() == [0.8, 0.5, 0.3]
    overlap = marked(films, hit=Hit.OVERLAP)
    assert overlap.scores.tolist() == [0.9, -np.inf, 0.4]
    assert overlap.false_scores.tolist() == [0.8, 0.7, 0.5, 0.3]


def test_sensitivity_at_rates(films):
    found = marked(films, hit=Hit.CENTRE)
    shares = sensitivity_at(found, np.ones((1, 4)), rates=(0.0, 0.25, 0.5, 2.0))
    assert shares[0] == pytest.approx([1 / 3, 2 / 3, 2 / 3, 2 / 3])
    # film b counts twice: its false mark at 0.8 is two of five films, more than 0.25 of a mark each
    twice = sensitivity_at(found, np.array([[1.0, 2, 1, 1]]), rates=(0.25, 0.4))
    assert twice[0] == pytest.approx([1 / 3, 2 / 3])


def test_a_sample_without_fractures_has_no_sensitivity(films):
    found = marked(films, hit=Hit.CENTRE)
    assert np.isnan(sensitivity_at(found, np.array([[0.0, 1, 0, 3]]))).all()


def test_thresholds_leave_so_many_false_marks(films):
    found = marked(films, hit=Hit.CENTRE)
    assert threshold_at(found, rate=0.5) == pytest.approx(0.4)  # between the second false mark and the third
    assert threshold_at(found, rate=0.1) == pytest.approx(0.9)
    assert threshold_at(found, rate=4) == pytest.approx(0.15)
    assert threshold_at(marked([films[3]], hit=Hit.CENTRE), rate=1) == 0.5


def test_the_curve_begins_at_nothing_and_never_falls(films):
    false, share = curve(marked(films, hit=Hit.CENTRE))
    assert (false[0], share[0]) == (0, 0)
    assert false.tolist() == [0, 0, 0.25]
    assert share == pytest.approx([0, 1 / 3, 2 / 3])


def test_figures_of_a_localiser(films):
    kinds = [("fracture", "line"), (), ("line",), ()]
    told = fracture_figures(films, kinds=kinds, groups=list("aabc"), threshold=0.6)
    assert (told["n"], told["fractures"], told["groups"]) == (4, 3, 3)
    assert told["sensitivity"]["value"] == pytest.approx(2 / 3)
    assert told["false_marks"]["value"] == pytest.approx(1 / 4)
    assert told["films_with_false_marks"]["value"] == pytest.approx(1 / 2)
    assert told["sensitivity"]["low"] <= told["sensitivity"]["value"] <= told["sensitivity"]["high"]
    assert told["kinds"]["line"]["fractures"] == 2
    assert told["kinds"]["line"]["sensitivity_at 0.5"]["value"] == pytest.approx(1 / 2)
    # by falling score: hit, false (0.8), false (0.7 overlaps too little), false (0.5), hit (0.4), false
    assert told["map50"]["value"] == pytest.approx((34 * 1 + 33 * 2 / 5) / 101, abs=1e-6)


def test_no_film_has_no_figure():
    assert fracture_figures([], kinds=[], groups=[], threshold=0.5) == {"n": 0, "fractures": 0}
