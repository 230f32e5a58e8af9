"""Whole hands: known totals, and no grade that lowers anything when raised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capitate.errors import GradeError, UsageError
from capitate.methods import (
    GRADE_COUNT,
    Grading,
    Joint,
    JointStatus,
    Method,
    Reach,
    Scale,
    score,
    staged,
    step_count,
)
from capitate.types import Sex

from .hands import SEXES, alike, hands, median_hand

BOY_522 = {
    "Radius": 14, "Ulna": 1, "MCPFirst": 11, "MCPThird": 1, "MCPFifth": 10, "PIPFirst": 7, "PIPThird": 7,
    "PIPFifth": 3, "MIPThird": 4, "MIPFifth": 8, "DIPFirst": 6, "DIPThird": 9, "DIPFifth": 3,
}  # fmt: skip
"""A hand of 522 points. Radius, ulna and metacarpals are those of system 000's published screenshot; the rest is one
of many ways to fill its total."""


def test_a_hand_of_522_points():
    result = score(Grading(BOY_522), sex="male")
    assert result.total == 522
    assert round(result.age.years, 2) == 12.73
    assert result.exact
    assert result.findings == ()


@pytest.mark.parametrize(("sex", "least", "years"), [(Sex.MALE, 69, 3.80), (Sex.FEMALE, 82, 2.25)])
def test_every_joint_at_grade_1(sex, least, years):
    result = score(Grading(dict.fromkeys(Joint, 1)), sex=sex)
    assert result.total == least
    assert result.age.years == pytest.approx(years, abs=0.006)
    assert result.age.reach is Reach.WITHIN


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("sex", SEXES)
def test_first_and_last(method, sex):
    assert score(alike(0), sex=sex, method=method).total == 0
    assert score(alike(0), sex=sex, method=method).age.reach is Reach.BELOW_TABLE
    assert score(alike(1), sex=sex, method=method).total == 1000
    assert score(alike(1), sex=sex, method=method).age.reach is Reach.MATURE


def test_grade_0_scores_nothing_and_is_no_missing_joint():
    hand = dict.fromkeys(Joint, 3) | {Joint.ULNA: 0}
    result = score(Grading(hand), sex="male")
    ulna = next(one for one in result.joints if one.joint is Joint.ULNA)
    assert (ulna.status, ulna.step, ulna.points) == (JointStatus.GRADED, 0, 0)
    assert result.exact


def test_stages_by_letter_and_by_grade_give_the_same():
    stages = dict.fromkeys(Joint, 6)
    grades = dict(zip(Joint, (7, 7, 7, 7, 7, *[8] * 5, 7, 7, 7), strict=True))
    by_letter = score(Grading(stages, scale=Scale.STAGES), sex="female", method="tw3")
    by_grade = score(Grading(grades), sex="female", method="tw3")
    assert by_letter.total == by_grade.total == 114 + 118 + 43 + 37 + 35 + 44 + 37 + 35 + 36 + 35 + 48 + 33 + 32
    assert by_letter.findings == ()
    assert [finding.code for finding in by_grade.findings] == ["stages_from_grades"]


@pytest.mark.parametrize("sex", SEXES)
@pytest.mark.parametrize("years", range(6, 16))
def test_both_methods_follow_the_median_childs_age(sex, years):
    """RUS-CHN the phantom's own age, TW3 within two and a half years: other children, coarser steps."""
    hand = Grading(median_hand(12 * years, sex))
    assert score(hand, sex=sex).age.years == pytest.approx(years, abs=0.8)
    assert score(hand, sex=sex, method="tw3").age.years == pytest.approx(years, abs=2.5)


@settings(deadline=None, max_examples=50)
@given(hand=hands(), sex=st.sampled_from(SEXES), method=st.sampled_from(Method), data=st.data())
def test_raising_a_grade_never_lowers_anything(hand, sex, method, data):
    joint = data.draw(st.sampled_from(sorted(hand)))
    raised = hand | {joint: data.draw(st.integers(hand[joint], GRADE_COUNT[joint]))}
    before, after = (score(Grading(one), sex=sex, method=method) for one in (hand, raised))
    tiny = 1e-9
    assert after.total >= before.total - tiny
    assert after.age.years >= before.age.years - tiny
    assert after.interval.low.years >= before.interval.low.years - tiny
    assert after.interval.high.years >= before.interval.high.years - tiny
    if len(hand) == len(Joint):
        assert before.total == sum(one.points for one in before.joints)


def test_probabilities_of_grades_become_those_of_stages():
    shares = tuple(1 / 12 for _ in range(12))
    read = staged(Grading({"MCPFirst": shares})).readings[Joint.MCP_FIRST]
    assert read == pytest.approx([1 / 12] * 5 + [2 / 12] * 3 + [1 / 12])
    assert step_count(Joint.MCP_FIRST, scale=Scale.STAGES) == 8


@pytest.mark.parametrize("sex", [None, "unknown", Sex.UNKNOWN, "f"])
def test_sex_is_needed(sex):
    with pytest.raises(UsageError, match=r"by sex, got .*; give the sex as female or male"):
        score(alike(0.5), sex=sex)


@pytest.mark.parametrize("level", [0, 1, -0.1, 90, float("nan")])
def test_level_is_a_probability(level):
    with pytest.raises(UsageError, match=r"between 0 and 1, got"):
        score(alike(0.5), sex="male", level=level)


def test_other_methods_and_stages_for_rus_chn_are_refused():
    with pytest.raises(UsageError, match="'gp'; choose one of rus-chn, tw3"):
        score(alike(0.5), sex="male", method="gp")
    with pytest.raises(GradeError, match="got stages; give grades, or choose the method tw3"):
        score(Grading({"Radius": 3}, scale=Scale.STAGES), sex="male")
