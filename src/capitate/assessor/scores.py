"""From the grades of an assessment's joints to points, totals and ages by RUS-CHN and TW3."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from capitate import methods
from capitate.assessed_joints import AssessedJoint
from capitate.methods import Grading, Method, Reading, Score
from capitate.methods import JointStatus as Scored
from capitate.types import Finding, Severity, Sex

__all__ = ["FINDINGS", "Scores", "graded_names", "listed", "readings", "score_joints"]

_KEYS = {Method.RUS_CHN: "rus_chn", Method.TW3: "tw3"}
_MONTHS = 12

FINDINGS = frozenset({"joints_without_grade", "grades_to_confirm"})
"""Codes of the findings that `score_joints` makes."""


@dataclass(frozen=True)
class Scores:
    """What follows from the grades.

    Attributes:
        joints: the joints with their points.
        methods: as `Assessment.methods` holds it, None without a grade.
        findings: remarks.
    """

    joints: tuple[AssessedJoint, ...]
    methods: Mapping[str, Any] | None
    findings: tuple[Finding, ...]


def graded_names() -> frozenset[str]:
    """Names of the 13 joints that are graded."""
    return frozenset(methods.Joint)


def readings(joints: Sequence[AssessedJoint]) -> dict[methods.Joint, Reading]:
    """Give what counts of every graded joint: a person's grade, otherwise the machine's probabilities."""
    found: dict[methods.Joint, Reading] = {}
    for one in joints:
        grade = one.grade
        if grade is None or grade.value is None:
            continue
        machine = None if grade.corrected_by else grade.probabilities
        found[methods.Joint(one.name)] = grade.value if machine is None else machine
    return found


def score_joints(joints: Sequence[AssessedJoint], *, sex: Sex, widening: float = 1.0) -> Scores:
    """Score a hand by both methods, under either sex where it is unknown; without a grade there is no score.

    Args:
        joints: the 21.
        sex: of the child.
        widening: factor on the intervals, as the grader's card states it.

    Raises:
        GradeError: if a grade or probabilities are none that their joint can have.
    """
    read = readings(joints)
    if not read:
        return Scores(tuple(replace(one, score=None) for one in joints), None, ())
    grading = Grading(read)
    sexes = (Sex.FEMALE, Sex.MALE) if sex is Sex.UNKNOWN else (sex,)
    scored = {
        method: {one: methods.score(grading, sex=one, method=method, widening=widening) for one in sexes}
        for method in Method
    }
    points = _points(scored[Method.RUS_CHN].get(sex))
    return Scores(
        tuple(replace(one, score=points.get(one.name)) for one in joints),
        {_KEYS[method]: _method(scores, grading, sex=sex, widening=widening) for method, scores in scored.items()},
        (*_without_grade(grading), *_to_confirm(joints)),
    )


def listed(names: Sequence[str]) -> str:
    """Write names as a list, `Radius, Ulna and MCPFirst`."""
    return " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else list(names))


def _points(score: Score | None) -> dict[str, float]:
    """Give the points of graded joints by name."""
    return (
        {}
        if score is None
        else {one.joint.value: one.points for one in score.joints if one.status is not Scored.MISSING}
    )


def _method(scores: Mapping[Sex, Score], grading: Grading, *, sex: Sex, widening: float) -> dict[str, Any]:
    """Write one method's result as plain values."""
    each = {one.value: _written(score) for one, score in scores.items()}
    known = each.get(sex.value)
    shown = known or dict.fromkeys(_written(next(iter(scores.values()))))
    missing = [joint.value for joint in grading.missing]
    return {**shown, "interval_widening": widening, "missing": missing, "by_sex": None if known else each}


def _written(score: Score) -> dict[str, Any]:
    """Write total, age and interval; the interval of the age in months."""
    age, interval = score.age, score.interval
    return {
        "total": round(score.total, 2),
        "age_years": round(age.years, 4),
        "reach": age.reach.value,
        "limit_years": None if age.limit is None else round(age.limit, 4),
        "interval": {
            "low": round(interval.low.years * _MONTHS, 2),
            "high": round(interval.high.years * _MONTHS, 2),
            "level": interval.level,
            "low_total": round(interval.low_total, 2),
            "high_total": round(interval.high_total, 2),
        },
    }


def _without_grade(grading: Grading) -> list[Finding]:
    """Say which joints do not count, and what that does."""
    missing = grading.missing
    if not missing:
        return []
    verb = "has" if len(missing) == 1 else "have"
    message = (
        f"RUS-CHN and TW3 rest on {len(grading.readings)} of 13 joints: {listed(missing)} {verb} no grade. What is "
        "missing is taken in proportion to the other joints, and the intervals span what it may add."
    )
    return [Finding("joints_without_grade", Severity.WARNING, message)]


def _to_confirm(joints: Sequence[AssessedJoint]) -> list[Finding]:
    """Name the grades that a reader has to confirm."""
    names = [one.name for one in joints if one.grade is not None and one.grade.suggestion]
    if not names:
        return []
    are = "grade is a suggestion" if len(names) == 1 else "grades are suggestions"
    message = f"{len(names)} {are}, less sure than the model's card asks for: {listed(names)}; confirm or correct them."
    return [Finding("grades_to_confirm", Severity.INFO, message)]
