"""Assessments with joints: one made from a drawn hand, of which every box and grade is known."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np

from capitate.assessed_joints import AssessedJoint, Carpals, Epiphysis, GradeReading
from capitate.assessment import Assessment
from capitate.assessor.scores import score_joints
from capitate.hand import RUS_JOINTS, Joint
from capitate.methods import GRADE_COUNT
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
            most = GRADE_COUNT[Scored(truth.name)]
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
    """Fill in points, totals and ages as an assessor does."""
    scores = score_joints(assessment.joints, sex=assessment.subject.sex)
    return replace(assessment, joints=scores.joints, methods=scores.methods)
