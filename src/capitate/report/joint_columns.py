"""Columns of the table of films for joints: grade and confidence of the 13, totals and ages, what needs a reader."""

from __future__ import annotations

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.methods import Joint, Method
from capitate.report.method_results import MethodResult, method_results
from capitate.types import Sex

__all__ = ["JOINT_COLUMNS", "joint_cells"]

_METHODS = {Method.RUS_CHN: "rus_chn", Method.TW3: "tw3"}
_METHOD_COLUMNS = (
    "total", "low_total", "high_total", "years", "low_years", "high_years", "reach", "female_years", "male_years",
)  # fmt: skip

JOINT_COLUMNS = (
    *(column for joint in Joint for column in (joint.value, f"{joint.value}_confidence")),
    *(f"{method}_{column}" for method in _METHODS.values() for column in _METHOD_COLUMNS),
    "joints_missing",
    "joints_uncertain",
    "grades_to_confirm",
    "grades_corrected",
)
"""`Radius` holds the grade that counts and `Radius_confidence` the machine's probability of its own, 0 to 1;
`rus_chn_low_total` to `rus_chn_high_total` and `rus_chn_low_years` to `rus_chn_high_years` are intervals; `reach` says
whether the years are an age or a bound; `female_years` and `male_years` are filled where the sex is unknown. The last
four list joints, `;` between them."""


def joint_cells(assessment: Assessment) -> dict[str, str]:
    """Return the cells of a film whose joints were read; all empty where they were not."""
    cells = dict.fromkeys(JOINT_COLUMNS, "")
    joints = assessment.joints or ()
    for joint in joints:
        if joint.grade is not None and joint.name in set(Joint):
            cells[joint.name] = "" if joint.grade.value is None else str(joint.grade.value)
            confidence = joint.grade.confidence
            cells[f"{joint.name}_confidence"] = "" if confidence is None else f"{confidence:.3f}"
    for result in method_results(assessment):
        cells |= _result(result)
    graded = [joint for joint in joints if joint.grade is not None]
    return cells | {
        "joints_missing": _names([joint for joint in joints if joint.status == "missing"]),
        "joints_uncertain": _names([joint for joint in joints if joint.status == "uncertain"]),
        "grades_to_confirm": _names([joint for joint in graded if joint.grade and joint.grade.suggestion]),
        "grades_corrected": _names([joint for joint in graded if joint.grade and joint.grade.corrected_by]),
    }


def _result(result: MethodResult) -> dict[str, str]:
    """Return one method's cells."""
    key, years = _METHODS[result.method], f"{result.age.years:.2f}"
    if result.assumed:
        return {f"{key}_{'female' if result.sex is Sex.FEMALE else 'male'}_years": years}
    return {
        f"{key}_total": _number(result.total, decimals=1),
        f"{key}_low_total": _number(result.low_total, decimals=1),
        f"{key}_high_total": _number(result.high_total, decimals=1),
        f"{key}_years": years,
        f"{key}_low_years": _number(None if result.low is None else result.low.years, decimals=2),
        f"{key}_high_years": _number(None if result.high is None else result.high.years, decimals=2),
        f"{key}_reach": result.age.reach,
    }


def _number(value: float | None, *, decimals: int) -> str:
    return "" if value is None else f"{value:.{decimals}f}"


def _names(joints: list[AssessedJoint]) -> str:
    return "; ".join(joint.name for joint in joints)
