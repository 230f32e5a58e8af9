"""What can be read from a joint, and what cannot, said in sentences."""

from __future__ import annotations

import math

import numpy as np
import pytest

from capitate.errors import GradeError
from capitate.methods import GRADE_COUNT, Grading, Joint, Scale, grading_of, pairs


def test_names_in_any_case_and_order():
    grading = Grading({"ULNA": 2, "radius": 3})
    assert list(grading.readings) == [Joint.RADIUS, Joint.ULNA]
    assert len(grading.missing) == 11


@pytest.mark.parametrize(
    ("readings", "scale", "told"),
    [
        ({"Radis": 9}, Scale.GRADES, "no such joint, got 'Radis'; the 13 joints are Radius, Ulna, MCPFirst"),
        ({"MCPFourth": 9}, Scale.GRADES, r"got 'MCPFourth' \(the second and fourth ray are not scored\)"),
        (
            {"Radius": 15},
            Scale.GRADES,
            r"no such grade, got 15; give one of its grades, 0 \(not yet visible\) to 14",
        ),
        ({"Ulna": -1}, Scale.GRADES, "Ulna has no such grade, got -1; .* to 12"),
        ({"MCPThird": 11}, Scale.GRADES, "got 11; .* to 10"),
        (
            {"Ulna": 8},
            Scale.STAGES,
            r"no such stage, got I; give one of its stages, A \(not yet visible\) to H",
        ),
        ({"Radius": 3.5}, Scale.GRADES, "a whole number or probabilities, got 3.5"),
        ({"Radius": True}, Scale.GRADES, "got True"),
        ({"Radius": "9"}, Scale.GRADES, "got '9'"),
        ({"Radius": [1.0]}, Scale.GRADES, "Radius needs 15 probabilities, of grades 0 to 14, got 1"),
        ({"Ulna": [1.0]}, Scale.STAGES, "Ulna needs 8 probabilities, of stages A to H, got 1"),
        ({"Ulna": [0.5] * 13}, Scale.GRADES, "0 or more and sum to 1"),
        ({"Ulna": [2.0, -1.0, *[0.0] * 11]}, Scale.GRADES, "0 or more and sum to 1"),
        ({"Ulna": [math.nan] * 13}, Scale.GRADES, "0 or more and sum to 1"),
        ({"Ulna": ["a"] * 13}, Scale.GRADES, "0 or more and sum to 1"),
        ({"Radius": 3, "RADIUS": 4}, Scale.GRADES, "stands twice"),
        ({}, Scale.GRADES, "no joint was graded"),
    ],
)
def test_what_does_not_exist(readings, scale, told):
    with pytest.raises(GradeError, match=told):
        Grading(readings, scale=scale)


def test_rounded_probabilities_are_made_to_sum_to_1():
    shares = [0.3333, 0.3333, 0.3333, *[0.0] * 10]
    assert math.fsum(Grading({"Ulna": shares}).probabilities(Joint.ULNA)) == pytest.approx(1, abs=1e-15)


def test_what_a_network_gives_is_read_as_it_is():
    shares = np.full(13, 1 / 13, dtype=np.float32)
    grading = Grading({"Ulna": shares, "Radius": np.int64(3)})
    assert grading.readings[Joint.RADIUS] == 3
    assert grading.probabilities(Joint.ULNA) == pytest.approx([1 / 13] * 13)
    with pytest.raises(GradeError, match="needs 13 probabilities, of grades 0 to 12, got 12"):
        Grading({"Ulna": shares[1:]})


def test_a_grading_cannot_be_changed():
    grading = Grading({"Ulna": 2})
    with pytest.raises(TypeError):
        grading.readings[Joint.ULNA] = 3


@pytest.mark.parametrize("joint", Joint)
def test_every_grade_of_every_joint_exists(joint):
    for grade in range(GRADE_COUNT[joint] + 1):
        assert grading_of({joint: str(grade)}).readings == {joint: grade}
    with pytest.raises(GradeError, match=f"to {GRADE_COUNT[joint]}"):
        grading_of({joint: str(GRADE_COUNT[joint] + 1)})


def test_written_grades_stages_and_gaps():
    written = pairs(["Radius=9.0", "ulna= 8 ", "MCPFirst=-", "MCPThird=missing", "MCPFifth=", "PIPFirst=NA"])
    assert grading_of(written).readings == {Joint.RADIUS: 9, Joint.ULNA: 8}
    letters = grading_of(pairs(["Radius=i", "Ulna=A"]))
    assert (letters.scale, dict(letters.readings)) == (Scale.STAGES, {Joint.RADIUS: 8, Joint.ULNA: 0})


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["Radius"], "JOINT=GRADE, such as Radius=9, got 'Radius'"),
        (["Radius=9", "radius=8"], "Radius stands twice, got 'radius=8' again"),
        (["Radius=9", "Ulna=E"], "grades and stages in one hand, got Radius=9 and Ulna=E"),
        (["Radius=J"], r"a stage \(A to I\) or -, got 'J'"),
        (["Radius=9.5"], "got '9.5'"),
        (["Radius=²"], "got '²'"),
        (["Radius=" + "9" * 5000], "got '999"),
        (["Radius=-3"], "got -3; give one of its grades, 0"),
        (["Radius=-"], "no joint was graded"),
        (["Thumb=3"], "no such joint, got 'Thumb'"),
    ],
)
def test_what_cannot_be_read(words, told):
    with pytest.raises(GradeError, match=told):
        grading_of(pairs(words))
