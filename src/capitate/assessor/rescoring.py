"""A reader's corrections of an assessment: grades set, taken back or withdrawn, and what follows from them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from capitate.assessed_joints import AssessedJoint, GradeReading
from capitate.assessment import Assessment, BoneAge, Subject
from capitate.assessor.refusing import not_assessed
from capitate.assessor.scores import FINDINGS, listed, score_joints
from capitate.errors import GradeError, UsageError
from capitate.hand import Joint as HandJoint
from capitate.methods import Grading, Joint
from capitate.types import Finding, Severity, Sex

__all__ = ["Corrections", "rescored"]

_OURS = frozenset(
    {*FINDINGS, "methods_not_assessed", "joints_not_assessed", "grades_corrected", "missing_joint_graded"}
)
"""Codes of findings that are made anew from the joints as they are now."""
_DISTRIBUTION = Finding(
    "distribution_of_unknown_sex",
    Severity.INFO,
    "The sex was set after the film was assessed: the bone age is that of the sex, its distribution that of either.",
)


@dataclass(frozen=True)
class Corrections:
    """What a reader changes.

    Attributes:
        grades: by joint, the grade that the reader sees; None where the reader sees none, so that it does not count.
        cleared: joints whose correction is withdrawn, so that the machine's grade counts again.
        sex: of the child, where the assessment does not know it.
        by: who corrects; no login name.
    """

    grades: Mapping[Joint, int | None] = field(default_factory=dict)
    cleared: frozenset[Joint] = frozenset()
    sex: Sex | None = None
    by: str = "reader"

    def __post_init__(self) -> None:
        """Refuse grades that do not exist, joints that are set and cleared at once, and a reader without a name."""
        both = sorted(self.cleared.intersection(self.grades))
        if both:
            raise UsageError(f"{both[0]} is set and cleared at once, got {self.grades[both[0]]!r}; do one of the two")
        if not self.by.strip():
            raise UsageError(f"a correction says who made it, got {self.by!r}; give a name such as reader")
        present = {joint: grade for joint, grade in self.grades.items() if grade is not None}
        if present:
            Grading(present)


def rescored(assessment: Assessment, corrections: Corrections) -> Assessment:
    """Correct grades and score the hand again by both methods; what the machine had said stays beside each grade.

    A joint that is missing on the film may be given a grade as well; the result says so.

    Args:
        assessment: of a film that was not refused.
        corrections: none of them scores the grades as they are.

    Raises:
        UsageError: if the film was refused, its sex is another one, or a correction is to be withdrawn that is none.
        GradeError: if the assessment has a grade that does not exist.
    """
    if assessment.error is not None:
        raise UsageError(
            f"{assessment.source.name!r} was refused ({assessment.error.code}), so that nothing can be rescored; "
            "give the assessment of another film"
        )
    subject, bone_age, told = _with_sex(assessment, corrections.sex)
    before = assessment.joints or tuple(_never_read(joint) for joint in HandJoint)
    joints = tuple(_corrected(one, corrections, among=before) for one in before)
    scores = score_joints(joints, sex=subject.sex, widening=_widening(assessment))
    kept = tuple(one for one in assessment.quality.findings if one.code not in _OURS)
    ungraded = {} if scores.methods else {"methods": "No joint has a grade."}
    findings = (*kept, *scores.findings, *_corrections_told(joints), *told, *not_assessed(ungraded))
    return replace(
        assessment,
        subject=subject,
        bone_age=bone_age,
        quality=replace(assessment.quality, findings=findings),
        joints=scores.joints,
        methods=scores.methods,
    )


def _widening(assessment: Assessment) -> float:
    """Take the widening of intervals that the machine's grades were scored with; 1 where nothing was scored."""
    scored = (assessment.methods or {}).get("rus_chn") or {}
    return float(scored.get("interval_widening") or 1.0)


def _with_sex(assessment: Assessment, sex: Sex | None) -> tuple[Subject, BoneAge | None, list[Finding]]:
    """Set a sex that was unknown: the bone age is then that under this sex."""
    subject, bone_age = assessment.subject, assessment.bone_age
    if sex is None or sex is Sex.UNKNOWN or sex is subject.sex:
        return subject, bone_age, []
    if subject.sex is not Sex.UNKNOWN:
        raise UsageError(
            f"{assessment.source.name!r} was assessed as {subject.sex}, got {sex}; leave the sex out, or assess the "
            "film again"
        )
    known = replace(subject, sex=sex, sex_source="given")
    if bone_age is None or bone_age.by_sex is None:
        return known, bone_age, []
    one = bone_age.by_sex[sex]
    told = replace(bone_age, months=one.months, text=one.text, mature=one.mature, interval=one.interval, by_sex=None)
    return known, told, [_DISTRIBUTION]


def _never_read(joint: HandJoint) -> AssessedJoint:
    """Make the entry of a joint on a film whose joints were not read."""
    return AssessedJoint(joint.value, None, "missing", None, "The joints were not read on the film.", None, None, None)


def _corrected(one: AssessedJoint, corrections: Corrections, *, among: Sequence[AssessedJoint]) -> AssessedJoint:
    """Correct one joint."""
    joint = next((known for known in Joint if known.value == one.name), None)
    if joint is None:
        return one
    if joint in corrections.grades:
        return replace(one, grade=_set(one.grade, corrections.grades[joint], by=corrections.by))
    return replace(one, grade=_cleared(one, among=among)) if joint in corrections.cleared else one


def _set(machine: GradeReading | None, value: int | None, *, by: str) -> GradeReading:
    """Put a person's grade beside the machine's."""
    if machine is None:
        return GradeReading(value, None, None, None, by, suggestion=False)
    return replace(machine, value=value, corrected_by=by, suggestion=False)


def _cleared(one: AssessedJoint, *, among: Sequence[AssessedJoint]) -> GradeReading | None:
    """Let the machine's grade count again; None where there is none."""
    grade = one.grade
    if grade is None or grade.corrected_by is None:
        has = "no grade" if grade is None else f"the machine's grade {grade.value}"
        raise GradeError(f"nobody corrected {one.name}, it has {has}; clear corrected joints only")
    if grade.machine_value is None:
        return None
    suggestion = not _sure(grade.confidence, among)
    return replace(grade, value=grade.machine_value, corrected_by=None, suggestion=suggestion)


def _sure(confidence: float | None, joints: Sequence[AssessedJoint]) -> bool:
    """Whether some grade of this hand that is no suggestion has no more confidence than this one.

    The assessment does not state from which confidence on a grade is no suggestion; where the other grades do not tell,
    it is taken for one.
    """
    settled = [
        one.grade.confidence
        for one in joints
        if one.grade is not None and one.grade.corrected_by is None and not one.grade.suggestion
    ]
    return confidence is not None and any(least is not None and confidence >= least for least in settled)


def _corrections_told(joints: Sequence[AssessedJoint]) -> list[Finding]:
    """Say what was corrected, and which joints were graded though they are missing on the film."""
    corrected = [(one, one.grade) for one in joints if one.grade is not None and one.grade.corrected_by is not None]
    found = []
    if corrected:
        each = listed([_told(one.name, grade) for one, grade in corrected])
        found.append(Finding("grades_corrected", Severity.INFO, f"Corrected: {each}."))
    missing = [one.name for one, grade in corrected if one.box is None and grade.value is not None]
    if missing:
        is_missing = "is" if len(missing) == 1 else "are"
        message = f"{listed(missing)} {is_missing} missing on the film as the machine saw it; a person gave the grade."
        found.append(Finding("missing_joint_graded", Severity.WARNING, message))
    return found


def _told(name: str, grade: GradeReading) -> str:
    """Say one correction."""
    machine = "no grade" if grade.machine_value is None else f"{grade.machine_value}"
    value = "no grade" if grade.value is None else f"{grade.value}"
    return f"{name} {value} (machine: {machine}; by {grade.corrected_by})"
