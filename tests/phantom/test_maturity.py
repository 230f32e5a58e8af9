"""Tables and maturity: known ages, monotone grades, agreement with RUS-CHN's own score-to-age relation."""

import json
import runpy
from pathlib import Path

import numpy as np
import pytest

from capitate.phantom.maturity import age_at, carpal_size, grade_of, look_of, maturity_at, sesamoid_size
from capitate.phantom.reference import CARPALS, JOINTS, RUS_JOINTS, appearance_months, grade_count, grade_onsets
from capitate.types import Sex

SEXES = (Sex.FEMALE, Sex.MALE)
HERE = Path(__file__).parent
RUS = json.loads((HERE / "rus_chn.json").read_text())
GRADES = HERE.parents[1] / "src" / "capitate" / "phantom" / "tables" / "grades.json"


def score(age: float, sex: Sex) -> int:
    """RUS-CHN total of the median child."""
    total = 0
    for joint in RUS_JOINTS:
        grade = grade_of(joint, maturity=maturity_at(joint, age_months=age, sex=sex))
        total += RUS["scores"][sex.value][joint][grade - 1] if grade else 0
    return total


def test_shipped_grades_are_the_derived_ones():
    derived = runpy.run_path(str(HERE / "derive_grades.py"))["derive"]()
    assert json.loads(GRADES.read_text()) == derived


def test_number_of_grades_is_that_of_rus_chn():
    assert {j: grade_count(j) for j in RUS_JOINTS} == {j: len(s) for j, s in RUS["scores"]["female"].items()}


@pytest.mark.parametrize("sex", SEXES)
def test_grades_only_rise_and_cover_every_grade(sex):
    ages = np.arange(0, 228.1, 0.25)
    for joint in JOINTS:
        grades = [grade_of(joint, maturity=maturity_at(joint, age_months=float(a), sex=sex)) for a in ages]
        assert grades[0] == 0
        assert set(np.diff(grades)) <= {0, 1}
        assert grades[-1] == grade_count(joint)


def test_girls_are_ahead_of_boys():
    for joint in JOINTS:
        girls, boys = grade_onsets(joint, Sex.FEMALE), grade_onsets(joint, Sex.MALE)
        assert all(g < b for g, b in zip(girls, boys, strict=True)), joint


@pytest.mark.parametrize(("sex", "start", "end"), [(Sex.FEMALE, 36, 200), (Sex.MALE, 54, 218)])
def test_summed_score_gives_the_age_back_by_the_published_polynomial(sex, start, end):
    ages = np.arange(start, end, 1.0)
    read = 12 * np.polynomial.polynomial.polyval([score(a, sex) for a in ages], RUS["coefficients"][sex.value])
    error = np.abs(read - ages)
    # One appearance of the ulna is worth 25 or 27 points, about a year at that age: no step function does better there.
    assert error.mean() <= 2.0
    assert np.mean(error <= 6.0) >= 0.95
    assert error.max() <= 9.0


@pytest.mark.parametrize("sex", SEXES)
def test_fusion_runs_from_the_finger_tips_to_the_forearm(sex):
    closed = {j: grade_onsets(j, sex)[-1] for j in RUS_JOINTS}
    assert closed["DIPThird"] < closed["MIPThird"] < closed["Radius"]
    assert closed["MCPFirst"] < closed["MCPThird"] < closed["Radius"]
    assert min(closed["Radius"], closed["Ulna"]) > max(v for j, v in closed.items() if j not in ("Radius", "Ulna"))


@pytest.mark.parametrize("sex", SEXES)
def test_carpals_appear_in_their_known_order(sex):
    ages = [appearance_months(c, sex=sex) for c in CARPALS]
    assert ages == sorted(ages)
    for carpal, age in zip(CARPALS, ages, strict=True):
        assert carpal_size(carpal, age_months=age - 0.1, sex=sex) == 0
        sizes = [carpal_size(carpal, age_months=a, sex=sex) for a in np.arange(age, 228, 6)]
        assert sizes[0] > 0
        assert sizes == sorted(sizes)
        assert sizes[-1] == pytest.approx(1)
    start = appearance_months("sesamoid", sex=sex)
    assert sesamoid_size(age_months=start - 1, sex=sex) == 0 < sesamoid_size(age_months=start, sex=sex)


@pytest.mark.parametrize("joint", JOINTS)
def test_look_changes_as_the_plate_closes(joint):
    last = grade_count(joint)
    looks = [look_of(joint, maturity=m) for m in np.linspace(1, last, 60)]
    gaps, fused = [k.gap for k in looks], [k.fusion for k in looks]
    assert gaps == sorted(gaps, reverse=True)
    assert fused == sorted(fused)
    assert (gaps[-1], fused[0], fused[-1]) == (0, 0, 1)
    assert not look_of(joint, maturity=0.99).visible


@pytest.mark.parametrize("sex", SEXES)
def test_age_at_inverts_maturity(sex):
    for joint in JOINTS:
        for grade in range(1, grade_count(joint) + 1):
            age = age_at(joint, maturity=grade + 0.4, sex=sex)
            if age < 228:
                assert maturity_at(joint, age_months=age, sex=sex) == pytest.approx(grade + 0.4)
