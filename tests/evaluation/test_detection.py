"""Average precision against closed forms, centres, counts."""

from __future__ import annotations

import numpy as np
import pytest

from capitate.evaluation.detection import (
    FilmBoxes,
    average_precision,
    detection_figures,
    match_centres,
    overlaps,
    precision_recall,
)

NAMES = ("Radius", "MCP")


def film(truth, found, *, name="a"):
    """Boxes given as (class, x, y, side), found ones with their score in front."""
    labelled = np.array([[x, y, side, side] for _, x, y, side in truth], dtype=float).reshape(-1, 4)
    order = sorted(found, key=lambda one: -one[0])
    return FilmBoxes(
        id=name,
        truth_classes=np.array([one[0] for one in truth], dtype=np.int64),
        truth=labelled,
        classes=np.array([one[1] for one in order], dtype=np.int64),
        scores=np.array([one[0] for one in order], dtype=float),
        boxes=np.array([[x, y, side, side] for _, _, x, y, side in order], dtype=float).reshape(-1, 4),
    )


def test_overlap_of_shifted_squares():
    first = np.array([[0.0, 0, 2, 2]])
    second = np.array([[0.0, 0, 2, 2], [1, 0, 2, 2], [1, 1, 2, 2], [3, 0, 2, 2]])
    assert overlaps(first, second)[0] == pytest.approx([1, 1 / 3, 1 / 7, 0])


def test_average_precision_of_a_short_list():
    """Right, wrong, right of two labelled: precision 1 to recall 1/2 (51 of 101 recalls), then 2/3."""
    right = np.array([True, False, True])
    found = average_precision(right, np.ones((1, 3)), np.array([2.0]))
    assert found == pytest.approx([(51 * 1 + 50 * 2 / 3) / 101])


def test_average_precision_with_what_is_never_found():
    right = np.array([True])
    assert average_precision(right, np.ones((1, 1)), np.array([4.0])) == pytest.approx([26 / 101])
    assert np.isnan(average_precision(right, np.ones((1, 1)), np.array([0.0]))).all()


def test_perfect_boxes():
    films = [
        film([(0, 10, 90, 8), (1, 20, 10, 6)], [(0.9, 0, 10, 90, 8), (0.8, 1, 20, 10, 6)], name=str(k))
        for k in range(4)
    ]
    figures = detection_figures(films, names=NAMES, threshold=0.3)
    assert figures["map50_95"].value == pytest.approx(1)
    assert (figures["map50_95"].low, figures["map50_95"].high) == pytest.approx((1, 1))
    assert figures["centre_error"].value == pytest.approx(0)
    assert (figures["found"].value, figures["counts_right"].value) == (1, 1)


def test_a_shifted_box_counts_below_its_overlap_alone():
    """A square of 10 moved by 2 overlaps by 80 / 120: right at 0.50 to 0.65, four of ten levels."""
    figures = detection_figures(
        [film([(0, 50, 50, 10), (1, 50, 150, 10)], [(0.9, 0, 52, 50, 10), (0.9, 1, 50, 150, 10)])],
        names=NAMES,
        threshold=0.3,
    )
    assert figures["ap50 Radius"].value == pytest.approx(1)
    assert figures["map50_95"].value == pytest.approx((0.4 + 1) / 2)
    assert figures["centre_error Radius"].value == pytest.approx(100 * 2 / 100)


def test_a_second_box_of_the_same_joint_is_wrong():
    figures = detection_figures(
        [
            film(
                [(0, 50, 50, 10), (0, 80, 50, 10)], [(0.9, 0, 50, 50, 10), (0.8, 0, 50.5, 50, 10), (0.7, 0, 80, 50, 10)]
            )
        ],
        names=NAMES,
        threshold=0.3,
    )
    assert figures["ap50 Radius"].value == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert figures["counts_right"].value == 0


def test_found_joints_answer_the_nearest_labelled_ones_together():
    """The stronger box is nearer to the second joint, and must still leave it to the weaker one."""
    one = film([(1, 0, 0, 4), (1, 10, 0, 4), (0, 0, 100, 4)], [(0.9, 1, 6, 0, 4), (0.8, 1, 12, 0, 4)])
    match = match_centres(one, threshold=0.3)
    assert match.found.tolist() == [0, 1, -1]
    assert match.distance[:2] * one.length == pytest.approx([6, 2])
    assert match_centres(one, threshold=0.85).found.tolist() == [-1, 0, -1]


def test_points_count_for_centres_and_not_for_boxes():
    points = film(
        [(0, 10, 10, np.nan), (1, 10, 110, np.nan)], [(0.9, 0, 11, 10, 5), (0.9, 1, 10, 110, 5)], name="points"
    )
    alone = detection_figures([points], names=NAMES, threshold=0.3)
    assert "map50" not in alone
    assert alone["centre_error"].value == pytest.approx(0.5)
    boxed = film([(0, 10, 10, 5), (1, 10, 110, 5)], [(0.9, 0, 10, 10, 5), (0.9, 1, 10, 110, 5)], name="boxed")
    assert detection_figures([points, boxed], names=NAMES, threshold=0.3)["map50"].value == pytest.approx(1)


def test_a_film_without_any_found_joint():
    figures = detection_figures([film([(0, 1, 1, 2), (1, 9, 9, 2)], [])], names=NAMES, threshold=0.3)
    assert (figures["map50"].value, figures["found"].value) == (0, 0)
    assert np.isnan(figures["centre_error"].value)


def test_intervals_widen_with_scatter():
    good = [film([(0, 5, 5, 2), (1, 5, 50, 2)], [(0.9, 0, 5, 5, 2), (0.9, 1, 5, 50, 2)], name=str(k)) for k in range(6)]
    bad = [film([(0, 5, 5, 2), (1, 5, 50, 2)], [], name=f"bad {k}") for k in range(6)]
    found = detection_figures(good + bad, names=NAMES, threshold=0.3)["found"]
    assert found.value == pytest.approx(0.5)
    assert 0.1 < found.low < 0.5 < found.high < 0.9


def test_figures_by_class_and_the_curve_behind_them():
    """Right, wrong, right of two labelled: recall 1/2, 1/2, 1 and precision 1, 1/2, 2/3."""
    truth = [(0, 50, 50, 10), (0, 80, 50, 10)]
    one = film(truth, [(0.9, 0, 50, 50, 10), (0.8, 0, 10, 10, 10), (0.7, 0, 80, 50, 10)])
    figures = detection_figures([one], names=NAMES, threshold=0.75)
    assert figures["ap50_95 Radius"].value == pytest.approx((51 + 50 * 2 / 3) / 101)
    assert figures["found Radius"].value == 0.5
    assert np.isnan(figures["found MCP"].value)
    recall, precision = precision_recall([one], 0)
    assert recall == pytest.approx([0.5, 0.5, 1])
    assert precision == pytest.approx([1, 0.5, 2 / 3])
    assert [len(values) for values in precision_recall([one], 1)] == [0, 0]
    assert detection_figures([], names=NAMES, threshold=0.3) == {}


def test_films_of_one_patient_are_drawn_together():
    good = [film([(0, 5, 5, 2), (1, 5, 50, 2)], [(0.9, 0, 5, 5, 2), (0.9, 1, 5, 50, 2)], name=str(k)) for k in range(6)]
    bad = [film([(0, 5, 5, 2), (1, 5, 50, 2)], [], name=f"bad {k}") for k in range(6)]
    alone = detection_figures(good + bad, names=NAMES, threshold=0.3)["found"]
    two = detection_figures(good + bad, names=NAMES, threshold=0.3, cluster=np.repeat([0, 1], 6))["found"]
    assert (two.value, two.low, two.high) == (0.5, 0, 1)
    assert alone.high - alone.low < 1


def test_many_resamples_at_once_give_what_each_gives():
    random = np.random.default_rng(0)
    right, weights = random.random(40) < 0.6, random.integers(0, 3, (30, 40)).astype(float)
    labelled = (weights @ right) + random.integers(0, 9, 30)
    together = average_precision(right, weights, labelled)
    for k in range(30):
        hits, every = np.cumsum(weights[k] * right), np.cumsum(weights[k])
        precision = np.divide(hits, every, out=np.zeros(40), where=every > 0)
        best = [max((p for p, h in zip(precision, hits, strict=True) if h >= r * labelled[k] - 1e-6), default=0.0)
                for r in np.linspace(0, 1, 101)]  # fmt: skip
        assert together[k] == pytest.approx(np.mean(best), abs=1e-9)
