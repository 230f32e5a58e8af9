"""Assessments with joints: one made from a drawn hand, of which every box and grade is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from capitate.assessed_joints import AssessedJoint, Carpals, Epiphysis, GradeReading
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS, Joint
from capitate.methods import Grading, Method, Score, point_table, score
from capitate.methods import Joint as Scored
from capitate.phantom import Phantom, draw
from capitate.types import Sex, Side

from .examples import NORMAL

CONFIDENCE = {"Ulna": 0.45, "MIPFifth": 0.38}
"""Joints that a machine is unsure of; it gives all others 0.8."""


def reading(grade: int, *, most: int, confidence: float = 0.8, least_confidence: float = 0.5) -> GradeReading:
    """A machine's reading with the rest of its probability on the neighbours."""
    neighbours = [one for one in (grade - 1, grade + 1) if 0 <= one <= most]
    shares = np.zeros(most + 1)
    shares[grade], shares[neighbours] = confidence, (1 - confidence) / len(neighbours)
    return GradeReading(
        value=grade,
        probabilities=tuple(map(float, shares)),
        confidence=confidence,
        machine_value=grade,
        corrected_by=None,
        suggestion=confidence < least_confidence,
    )


@cache
def drawn(side: Side = Side.LEFT, *, age_months: float = 126, height: int = 500) -> Phantom:
    """A drawn girl's hand."""
    return draw(age_months=age_months, sex=Sex.FEMALE, side=side, height=height, seed=3)


def assessed(phantom: Phantom, *, sex: Sex = Sex.FEMALE) -> Assessment:
    """The assessment that a machine would give which reads every joint of a drawn hand rightly."""
    joints = []
    for truth in map(phantom.joint, Joint):
        grade = None
        if truth.name in RUS_JOINTS:
            most = len(point_table(Method.RUS_CHN, Sex.MALE).points[Scored(truth.name)]) - 1
            grade = reading(truth.grade, most=most, confidence=CONFIDENCE.get(truth.name, 0.8))
        box, square = truth.box, np.array([[-1, -1], [1, -1], [1, 0.2], [-1, 0.2]])
        centre = np.array([box.x + box.width / 2, box.y + box.height / 2])
        ring = centre + square * np.array([box.width, box.height]) * 0.3
        epiphysis = Epiphysis(True, 0.91, 0.08, False, (tuple((float(x), float(y)) for x, y in ring),))
        joints.append(AssessedJoint(truth.name, box, "found", 0.93, None, grade, None, epiphysis))
    centres = [np.array(carpal.centre) for carpal in phantom.carpals][:7]
    rings = [centre + 8 * np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) for centre in centres]
    outlines = tuple(tuple((float(x), float(y)) for x, y in ring) for ring in rings)
    radiograph = phantom.radiograph
    return scored(
        replace(
            NORMAL,
            source=replace(NORMAL.source, name="drawn.png", sha256=radiograph.sha256),
            subject=replace(NORMAL.subject, sex=sex, sex_source="given"),
            hand=replace(NORMAL.hand, side=phantom.side, rotation_degrees=0.0, box=phantom.hand_box),
            joints=tuple(joints),
            carpals=Carpals(count=len(outlines), area_of_hand=0.081, outlines=outlines),
        )
    )


def with_joint(assessment: Assessment, name: str, **changes: object) -> Assessment:
    """The assessment with one joint changed, and scored again."""
    joints = tuple(replace(one, **changes) if one.name == name else one for one in assessment.joints)
    return scored(replace(assessment, joints=joints))


def without(assessment: Assessment, name: str) -> Assessment:
    """The assessment with one joint missing."""
    return with_joint(
        assessment, name, box=None, status="missing", detection=None, remark="No box lies at its place.", grade=None,
        epiphysis=None,
    )  # fmt: skip


def corrected(assessment: Assessment, name: str, grade: int | None, *, reader: str = "Dr Li") -> Assessment:
    """The assessment with one joint's grade set by a reader."""
    (joint,) = [one for one in assessment.joints if one.name == name]
    return with_joint(assessment, name, grade=replace(joint.grade, value=grade, corrected_by=reader, suggestion=False))


def scored(assessment: Assessment) -> Assessment:
    """Fill in points, totals and ages by the tables."""
    readings = {}
    for joint in assessment.joints:
        if joint.grade is not None and joint.grade.value is not None:
            by_machine = joint.grade.corrected_by is None
            readings[Scored(joint.name)] = joint.grade.probabilities if by_machine else joint.grade.value
    sex = assessment.subject.sex
    known = sex is not Sex.UNKNOWN
    results = {
        key: {one: score(Grading(readings), sex=one, method=method) for one in (Sex.FEMALE, Sex.MALE)}
        for key, method in (("rus_chn", Method.RUS_CHN), ("tw3", Method.TW3))
    }
    points = {one.joint: one for one in results["rus_chn"][sex].joints} if known else {}
    joints = tuple(
        replace(one, score=points[one.name].points if one.name in points and one.name in readings else None)
        for one in assessment.joints
    )
    methods = {}
    for key, by_sex in results.items():
        missing = [one.joint.value for one in by_sex[Sex.FEMALE].joints if one.possible is not None]
        written = {one: _written(result) for one, result in by_sex.items()}
        blank = dict.fromkeys(written[Sex.FEMALE])
        methods[key] = {
            **(written[sex] if known else blank), "missing": missing, "by_sex": None if known else written,
        }  # fmt: skip
    return replace(assessment, joints=joints, methods=methods)


def _written(result: Score) -> dict[str, object]:
    age, interval = result.age, result.interval
    return {
        "total": result.total,
        "age_years": age.years,
        "reach": age.reach,
        "limit_years": age.limit,
        "interval": {
            "low": 12 * interval.low.years,
            "high": 12 * interval.high.years,
            "level": interval.level,
            "low_total": interval.low_total,
            "high_total": interval.high_total,
        },
    }
