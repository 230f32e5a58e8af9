"""Joints without a grade: counted in proportion, and never making the interval narrower."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capitate.methods import Grading, Joint, JointStatus, Method, Score, point_table, score, stage_of_grade
from capitate.phantom.reference import OLDEST_MONTHS
from capitate.types import Sex

from .hands import SEXES, alike, median_hand, whole_hands


def part(result: Score, joint: Joint):
    return next(one for one in result.joints if one.joint is joint)


def test_a_missing_joint_is_counted_in_proportion_and_said():
    hand = {joint: step for joint, step in alike(0.5).readings.items() if joint is not Joint.DIP_FIFTH}
    result = score(Grading(hand), sex="female")
    graded = sum(one.points for one in result.joints if one.status is JointStatus.GRADED)
    missing = part(result, Joint.DIP_FIFTH)
    assert missing.status is JointStatus.MISSING
    assert missing.points == pytest.approx(49 * graded / 951)
    assert result.total == pytest.approx(1000 * graded / 951)
    assert not result.exact
    least, most = missing.possible
    points = point_table(Method.RUS_CHN, Sex.FEMALE).points[Joint.DIP_FIFTH]
    assert result.interval.low_total == graded + points[least]
    assert result.interval.high_total == graded + points[most]
    finding = result.findings[0]
    assert finding.code == "joint_missing"
    assert f"grades {least} to {most} ({points[least]} to {points[most]} points)" in finding.message


def test_a_joint_that_would_score_less_than_its_first_grade_counts_nothing():
    """A boy of four years: the ulna appears at seven."""
    hand = median_hand(48, Sex.MALE)
    assert hand.pop(Joint.ULNA) == 0
    missing = part(score(Grading(hand), sex="male"), Joint.ULNA)
    assert missing.points == 0
    assert missing.possible[0] == 0


@settings(deadline=None, max_examples=25)
@given(
    months=st.floats(0, OLDEST_MONTHS),
    sex=st.sampled_from(SEXES),
    method=st.sampled_from(Method),
    order=st.permutations(list(Joint)),
)
def test_every_further_missing_joint_leaves_the_interval_as_wide_or_wider(months, sex, method, order):
    """Joint after joint is taken from hands whose joints agree; each interval holds the one before."""
    hand = median_hand(months, sex)
    table = point_table(method, sex)
    steps = {j: g if method is Method.RUS_CHN else stage_of_grade(j, g) for j, g in hand.items()}
    shares = [table.share(j, table.points[j][step]) for j, step in steps.items()]
    if max(shares) - min(shares) > table.widest_step:
        return
    before = score(Grading(hand), sex=sex, method=method)
    for joint in order[:-1]:
        del hand[joint]
        after = score(Grading(hand), sex=sex, method=method)
        assert after.interval.low_total <= before.interval.low_total
        assert after.interval.high_total >= before.interval.high_total
        assert after.interval.low.years <= before.interval.low.years
        assert after.interval.high.years >= before.interval.high.years
        before = after


@settings(deadline=None, max_examples=20)
@given(hand=whole_hands(), sex=st.sampled_from(SEXES), joint=st.sampled_from(list(Joint)))
def test_whatever_possible_step_is_then_read_lies_in_the_interval(hand, sex, joint):
    rest = {other: step for other, step in hand.items() if other is not joint}
    wide = score(Grading(rest), sex=sex)
    least, most = part(wide, joint).possible
    for step in range(least, most + 1):
        one = score(Grading(rest | {joint: step}), sex=sex)
        assert wide.interval.low_total <= one.total <= wide.interval.high_total
    assert wide.interval.low_total <= wide.total <= wide.interval.high_total
    assert wide.interval.low_total < wide.interval.high_total


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("method", Method)
def test_the_median_childs_own_grade_is_among_the_possible(sex, method):
    """Every joint left out at every age of childhood; the phantom's tables tell its grade."""
    inside, away = [], []
    for months in np.arange(6, OLDEST_MONTHS, 15):
        hand = median_hand(float(months), sex)
        whole = score(Grading(hand), sex=sex, method=method)
        for joint in Joint:
            rest = {other: step for other, step in hand.items() if other is not joint}
            result = score(Grading(rest), sex=sex, method=method)
            least, most = part(result, joint).possible
            inside.append(least <= part(whole, joint).step <= most)
            away.append(abs(result.age.years - whole.age.years))
    assert np.mean(inside) >= 0.995
    assert np.mean(away) < 0.15


def test_uncertain_grades_and_a_missing_joint_add_up():
    shares = [0.0] * 15
    shares[8], shares[9] = 0.5, 0.5
    rest = dict.fromkeys((joint for joint in Joint if joint not in (Joint.RADIUS, Joint.ULNA)), 7)
    certain = score(Grading(rest | {Joint.RADIUS: 8}), sex="male").interval
    uncertain = score(Grading(rest | {Joint.RADIUS: shares}), sex="male").interval
    assert uncertain.high_total - uncertain.low_total >= certain.high_total - certain.low_total + 17


def test_joints_that_contradict_each_other_leave_the_range_between_them():
    hand = dict.fromkeys(Joint, 0) | {Joint.RADIUS: 14}
    del hand[Joint.DIP_THIRD]
    assert part(score(Grading(hand), sex="male"), Joint.DIP_THIRD).possible == (0, 11)
