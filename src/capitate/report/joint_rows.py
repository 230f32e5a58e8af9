"""Scores and the table of all joints, as words in cells: the same on the page and on paper."""

from __future__ import annotations

from capitate.assessed_joints import AssessedJoint, Epiphysis
from capitate.report.joint_text import confidence_percent, joint_name, score_interval, set_by_text, standard_line
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.method_results import MethodResult
from capitate.report.score_text import age_words, points_text
from capitate.report.wording import language, words

__all__ = ["joint_row", "score_words"]


def score_words(result: MethodResult, *, lang: str) -> dict[str, str]:
    """Return a method's name, total, age and interval as words.

    Args:
        result: of one method, under one sex.
        lang: `en` or `zh`.
    """
    chosen = language(lang)
    name = JOINT_PHRASES[chosen][f"method_{result.method}"]
    if result.assumed:
        name += words(lang)["comma"] + words(lang)[f"if_{result.sex}"]
    total = JOINT_PHRASES[chosen]["total"].format(total=points_text(round(result.total, 1)))
    return {
        "name": name,
        "total": total,
        "age": age_words(result.age, lang=lang),
        "interval": score_interval(result, lang=lang),
        "standard": standard_line(result, lang=lang),
    }


def joint_row(joint: AssessedJoint, *, lang: str) -> dict[str, str]:
    """Return one joint's row of the table of all joints: its cells by the keys of their headings, and its `name`.

    Args:
        joint: one of the 21.
        lang: `en` or `zh`.
    """
    phrases = JOINT_PHRASES[language(lang)]
    grade, epiphysis = joint.grade, joint.epiphysis or Epiphysis(None, None, None, None)
    none = phrases["none"]

    def told(value: bool | None) -> str:
        return none if value is None else phrases["yes" if value else "no"]

    def measured(value: float | None) -> str:
        return none if value is None else f"{value:.2f}"

    status = phrases[f"status_{joint.status}"]
    return {
        "name": joint.name,
        "title": joint_name(joint.name, lang=lang),
        "status": status if joint.detection is None else f"{status} {100 * joint.detection:.0f} %",
        "kind": joint.status,
        "grade": none if grade is None or grade.value is None else str(grade.value),
        "confidence": none if grade is None or grade.confidence is None else f"{confidence_percent(grade)} %",
        "score": none if joint.score is None else points_text(round(joint.score, 1)),
        "present": told(epiphysis.present),
        "width_ratio": measured(epiphysis.width_ratio),
        "gap": measured(epiphysis.gap),
        "fused": told(epiphysis.fused),
        "remark": _remark(joint, lang=lang),
    }


def _remark(joint: AssessedJoint, *, lang: str) -> str:
    """Return what a reader has to know about a joint: confirmation, correction, and the assessment's own remark."""
    phrases, grade = JOINT_PHRASES[language(lang)], joint.grade
    told = []
    if grade is not None and grade.suggestion:
        told.append(phrases["to_confirm"])
    if grade is not None and grade.corrected_by is not None:
        told.append(set_by_text(grade, lang=lang))
    return " · ".join([*told, *([joint.remark] if joint.remark else [])])
