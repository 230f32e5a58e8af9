"""The joints in a PDF report: scores, the table of all 21, and what a reader has to know of single ones."""

from __future__ import annotations

from collections.abc import Sequence

from reportlab.lib.colors import Color
from reportlab.platypus import Flowable, Table, TableStyle

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS, JointStatus
from capitate.report.joint_rows import joint_row, score_words
from capitate.report.joint_text import confirm_lines
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.method_results import method_results
from capitate.report.pdf_text import INK, RULE, SOFT, bullets, heading, paragraph
from capitate.report.wording import language, words

__all__ = ["joint_table", "remarks", "scores"]

_COLUMNS = {
    "title": 0.243, "status": 0.158, "grade": 0.078, "confidence": 0.12, "score": 0.078, "present": 0.11,
    "width_ratio": 0.08, "gap": 0.063, "fused": 0.07,
}  # fmt: skip
"""Columns of the table and their shares of its width."""
_SIZE = 6.6
_STRIPE = Color(0.945, 0.945, 0.945)


def scores(assessment: Assessment, *, lang: str) -> list[Flowable]:
    """Return total, age and interval of every method, under either sex where it is unknown.

    Args:
        assessment: one film's result.
        lang: `en` or `zh`.
    """
    if assessment.joints is None:
        return []
    phrases, results = JOINT_PHRASES[language(lang)], method_results(assessment)
    told: list[Flowable] = [heading(phrases["scores"])]
    if not results:
        return [*told, paragraph(phrases["not_scored"])]
    for result in results:
        said = score_words(result, lang=lang)
        between = words(lang)["comma"]
        told.append(paragraph(f"{said['name']} {said['age']}{between}{said['total']}", size=8.5, bold=True, before=2))
        if said["interval"]:
            told.append(paragraph(said["interval"], size=7))
        told.append(paragraph(said["standard"], size=6.5, colour=SOFT))
    return told


def joint_table(joints: Sequence[AssessedJoint], *, width: float, lang: str) -> Table:
    """Return the table of all joints; the 13 that are scored are black, the others grey.

    Args:
        joints: all 21.
        width: of the table, points.
        lang: `en` or `zh`.
    """
    phrases = JOINT_PHRASES[language(lang)]
    head = [phrases["joint" if key == "title" else key] for key in _COLUMNS]
    cells = [[paragraph(word, size=_SIZE - 0.3, colour=SOFT, right=index > 0) for index, word in enumerate(head)]]
    for joint in joints:
        row = joint_row(joint, lang=lang)
        colour = INK if joint.name in RUS_JOINTS else SOFT
        cells.append([paragraph(row[key], size=_SIZE, colour=colour, right=at > 0) for at, key in enumerate(_COLUMNS)])
    style = TableStyle(
        [
            ("TOPPADDING", (0, 0), (-1, -1), 0.1),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 0.7),
            ("LEFTPADDING", (0, 0), (-1, -1), 2),
            ("RIGHTPADDING", (0, 0), (-1, -1), 2),
            ("VALIGN", (0, 0), (-1, 0), "BOTTOM"),
            ("VALIGN", (0, 1), (-1, -1), "MIDDLE"),
            ("ROWBACKGROUNDS", (0, 1), (-1, -1), (None, _STRIPE)),
            ("LINEBELOW", (0, 0), (-1, 0), 0.5, RULE),
            ("LINEBELOW", (0, -1), (-1, -1), 0.5, RULE),
        ]
    )
    return Table(cells, colWidths=[share * width for share in _COLUMNS.values()], style=style, repeatRows=1)


def remarks(assessment: Assessment, *, lang: str) -> list[Flowable]:
    """Return what is to be confirmed, which joints are missing, remarks on those that were found, and who set grades.

    Args:
        assessment: one film's result.
        lang: `en` or `zh`.
    """
    if assessment.joints is None:
        return []
    told = confirm_lines(assessment, lang=lang)
    between = ": " if lang == "en" else "："
    for joint in assessment.joints:
        row = joint_row(joint, lang=lang)
        corrected = joint.grade is not None and joint.grade.corrected_by is not None
        if row["remark"] and (corrected or (joint.remark and joint.status != JointStatus.MISSING)):
            title = row["title"]
            told.append(f"{title[:1].upper()}{title[1:]}{between}{row['remark']}")
    return list(bullets(told, size=7))
