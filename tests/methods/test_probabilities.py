"""Grade probabilities: the exact distribution of the total, and the ages that it stands for."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capitate.errors import UsageError
from capitate.methods import GRADE_COUNT, Grading, Joint, JointStatus, Method, age_curve, point_table, score
from capitate.methods.distribution import Distribution, sum_of_points
from capitate.types import Sex

from .hands import SEXES, whole_hands


def one_of(joint: Joint, shares: dict[int, float]) -> tuple[float, ...]:
    """Probabilities of a joint from those of a few grades."""
    return tuple(shares.get(grade, 0.0) for grade in range(GRADE_COUNT[joint] + 1))


def test_two_joints_in_closed_form():
    """1/4 and 3/4 over 10 and 15 points, a third each over 0, 5 and 10: 10 + 5 and 15 + 0 meet."""
    found = sum_of_points([((0, 10, 15), (0.0, 0.25, 0.75)), ((0, 5, 10), (1 / 3, 1 / 3, 1 / 3))])
    assert found.values == (10, 15, 20, 25)
    assert found.probabilities == pytest.approx([1 / 12, 1 / 12 + 3 / 12, 1 / 12 + 3 / 12, 3 / 12])
    assert found.mean == pytest.approx(0.25 * 10 + 0.75 * 15 + 5)


def test_equal_points_of_two_steps_are_added():
    found = sum_of_points([((0, 4, 4, 9), (0.1, 0.2, 0.3, 0.4))])
    assert found.values == (0, 4, 9)
    assert found.probabilities == pytest.approx([0.1, 0.5, 0.4])


def test_quantiles_are_the_least_values_that_reach_them():
    found = Distribution((1, 2, 5), (0.25, 0.25, 0.5))
    assert [found.quantile(share) for share in (0.0, 0.25, 0.26, 0.5, 0.51, 1.0)] == [1, 1, 2, 2, 5, 5]


def test_two_uncertain_joints_of_a_hand():
    """Radius 118 or 135 points, ulna 116 or 157; the rest sums to 400 - ... as its grades say."""
    sure = dict.fromkeys(Joint, 5)
    hand = sure | {
        Joint.RADIUS: one_of(Joint.RADIUS, {8: 0.6, 9: 0.4}),
        Joint.ULNA: one_of(Joint.ULNA, {7: 0.5, 8: 0.5}),
    }
    points = point_table(Method.RUS_CHN, Sex.MALE).points
    rest = sum(points[joint][5] for joint in Joint if joint not in (Joint.RADIUS, Joint.ULNA))
    result = score(Grading(hand), sex="male")
    assert result.totals.values == tuple(rest + more for more in (118 + 116, 135 + 116, 118 + 157, 135 + 157))
    assert result.totals.probabilities == pytest.approx([0.3, 0.2, 0.3, 0.2])
    assert result.total == pytest.approx(rest + 118 + 116)
    curve = age_curve(Method.RUS_CHN, Sex.MALE)
    assert result.age.years == curve.years_at(rest + 118 + 116)
    assert result.interval.low.years == curve.years_at(rest + 234)
    assert result.interval.high.years == curve.years_at(rest + 292)
    radius = result.joints[0]
    assert (radius.status, radius.step, radius.probability) == (JointStatus.PROBABLE, 8, pytest.approx(0.6))
    assert radius.points == 118


def test_the_median_grade_counts_where_another_is_likelier():
    hand = dict.fromkeys(Joint, 5) | {Joint.RADIUS: one_of(Joint.RADIUS, {7: 0.3, 8: 0.3, 9: 0.4})}
    radius = score(Grading(hand), sex="male").joints[0]
    assert (radius.step, radius.probability, radius.points) == (8, pytest.approx(0.3), 118)


def test_a_wider_interval_keeps_the_total():
    generator = np.random.default_rng(4)
    hand = {joint: generator.dirichlet(np.ones(count + 1)).tolist() for joint, count in GRADE_COUNT.items()}
    narrow, wide = (score(Grading(hand), sex="female", widening=by) for by in (1.0, 1.5))
    assert wide.total == narrow.total
    middle = narrow.totals.quantile(0.5)
    assert wide.interval.high_total - middle == pytest.approx(1.5 * (narrow.interval.high_total - middle))
    assert middle - wide.interval.low_total == pytest.approx(1.5 * (middle - narrow.interval.low_total))
    with pytest.raises(UsageError, match=r"an interval is widened by 1 or more, got 0\.5"):
        score(Grading(hand), sex="female", widening=0.5)


def test_the_distribution_is_that_of_all_combinations():
    """Against every combination of three joints, counted one by one."""
    generator = np.random.default_rng(3)
    points = point_table(Method.RUS_CHN, Sex.FEMALE).points
    joints = [Joint.MCP_THIRD, Joint.DIP_FIRST, Joint.PIP_FIFTH]
    shares = [generator.dirichlet(np.ones(GRADE_COUNT[joint] + 1)) for joint in joints]
    counted: dict[int, float] = {}
    for grades in np.ndindex(*(len(one) for one in shares)):
        total = sum(points[joint][grade] for joint, grade in zip(joints, grades, strict=True))
        probability = math.prod(one[grade] for one, grade in zip(shares, grades, strict=True))
        counted[total] = counted.get(total, 0.0) + probability
    found = sum_of_points(zip((points[joint] for joint in joints), shares, strict=True))
    assert dict(zip(found.values, found.probabilities, strict=True)) == pytest.approx(counted, abs=1e-11)


@settings(deadline=None, max_examples=30)
@given(hand=whole_hands(), sex=st.sampled_from(SEXES), method=st.sampled_from(Method))
def test_certain_probabilities_give_the_point_result(hand, sex, method):
    sure = {joint: one_of(joint, {grade: 1.0}) for joint, grade in hand.items()}
    point, certain = (score(Grading(one), sex=sex, method=method) for one in (hand, sure))
    assert certain.total == pytest.approx(point.total)
    assert certain.age == point.age
    assert certain.interval == point.interval
    assert certain.interval.low == certain.interval.high == certain.age


@settings(deadline=None, max_examples=30)
@given(hand=whole_hands(), sex=st.sampled_from(SEXES), weight=st.floats(0, 1), data=st.data())
def test_probability_moved_to_a_higher_grade_never_lowers_the_age(hand, sex, weight, data):
    joint = data.draw(st.sampled_from(list(Joint)))
    higher = data.draw(st.integers(hand[joint], GRADE_COUNT[joint]))
    moved = [0.0] * (GRADE_COUNT[joint] + 1)
    moved[hand[joint]] += 1 - weight
    moved[higher] += weight
    before, after = score(Grading(hand), sex=sex), score(Grading(hand | {joint: moved}), sex=sex)
    assert after.total >= before.total - 1e-9
    assert after.age.years >= before.age.years - 1e-9
    assert after.interval.high.years >= before.interval.high.years - 1e-9


def test_a_higher_level_never_narrows():
    generator = np.random.default_rng(5)
    hand = {joint: generator.dirichlet(np.ones(count + 1)).tolist() for joint, count in GRADE_COUNT.items()}
    ends = [score(Grading(hand), sex="female", level=level).interval for level in (0.5, 0.8, 0.9, 0.99)]
    assert [one.low_total for one in ends] == sorted((one.low_total for one in ends), reverse=True)
    assert [one.high_total for one in ends] == sorted(one.high_total for one in ends)
    assert ends[2].low_total < score(Grading(hand), sex="female").total < ends[2].high_total
