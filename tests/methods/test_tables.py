"""The tables: complete, rising, and summing to what their methods say."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest

from capitate.methods import GRADE_COUNT, STAGES, Joint, Method, Scale, point_table, stage_of_grade, step_count
from capitate.methods.tables import table
from capitate.phantom.reference import grade_stages
from capitate.types import Sex

from .hands import SEXES

GIVEN = Path(__file__).resolve().parents[1] / "phantom" / "rus_chn.json"


def test_joints_are_those_of_the_published_program():
    assert {joint.value for joint in Joint} == set(json.loads(GIVEN.read_text())["scores"]["female"])


@pytest.mark.parametrize("sex", SEXES)
def test_points_are_those_of_the_published_program(sex):
    """The phantom's tests hold an own copy of the table."""
    given = json.loads(GIVEN.read_text())
    points = point_table(Method.RUS_CHN, sex).points
    assert {joint.value: list(listed[1:]) for joint, listed in points.items()} == given["scores"][sex.value]
    assert table(Method.RUS_CHN)["formula"][sex.value] == given["coefficients"][sex.value]


@pytest.mark.parametrize(
    ("method", "sex", "least"),
    [
        (Method.RUS_CHN, Sex.MALE, 69),
        (Method.RUS_CHN, Sex.FEMALE, 82),
        (Method.TW3, Sex.MALE, 96),
        (Method.TW3, Sex.FEMALE, 126),
    ],
)
def test_sums_of_greatest_and_least_points(method, sex, least):
    points = point_table(method, sex).points.values()
    assert sum(listed[-1] for listed in points) == 1000
    assert sum(listed[1] for listed in points) == least
    assert {listed[0] for listed in points} == {0}


@pytest.mark.parametrize("sex", SEXES)
def test_points_rise_with_every_grade(sex):
    for joint, listed in point_table(Method.RUS_CHN, sex).points.items():
        assert len(listed) == GRADE_COUNT[joint] + 1
        assert all(before < after for before, after in pairwise(listed)), joint


def test_points_rise_with_every_stage_but_one():
    """B and C of a boy's third proximal phalanx tie in every source."""
    ties = set()
    for sex in SEXES:
        for joint, listed in point_table(Method.TW3, sex).points.items():
            assert len(listed) == step_count(joint, scale=Scale.STAGES) + 1
            assert list(listed) == sorted(listed)
            ties |= {(sex, joint, STAGES[k]) for k in range(len(listed) - 1) if listed[k] == listed[k + 1]}
    assert ties == {(Sex.MALE, Joint.PIP_THIRD, "B")}


@pytest.mark.parametrize("joint", Joint)
def test_stages_of_grades_rise_from_first_to_last(joint):
    stages = [stage_of_grade(joint, grade) for grade in range(GRADE_COUNT[joint] + 1)]
    assert stages == sorted(stages)
    assert set(stages) == set(range(step_count(joint, scale=Scale.STAGES) + 1))


@pytest.mark.parametrize("joint", [joint for joint in Joint if joint not in (Joint.RADIUS, Joint.ULNA)])
def test_stages_of_grades_agree_with_those_told_from_points_alone(joint):
    """The phantom tells stages from points over maximum. Below grade 5 points hardly differ and tell nothing; radius
    and ulna are left out, whose fusion RUS-CHN divides and TW3 does not."""
    told = [stage_of_grade(joint, grade) for grade in range(5, GRADE_COUNT[joint] + 1)]
    away = [abs(a - b) for a, b in zip(told, grade_stages(joint.value)[4:], strict=True)]
    assert max(away) <= 1.05
    assert sum(away) / len(away) <= 0.4


@pytest.mark.parametrize("method", Method)
def test_medians_rise_and_every_table_names_its_sources(method):
    data = table(method)
    for sex in SEXES:
        medians = data["medians"][sex.value]
        assert len(medians["years"]) == len(medians["scores"])
        assert all(a < b for a, b in pairwise(medians["years"]))
        assert all(a < b for a, b in pairwise(medians["scores"]))
        assert medians["scores"][-1] == 1000
    assert {"method", "points", "medians"} <= set(data["sources"])
    assert data["decisions"]
