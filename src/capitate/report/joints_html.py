"""What the page's template needs to show the joints: the drawing over the film, scores, crops and the table."""

from __future__ import annotations

from typing import Any

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS
from capitate.radiograph import Radiograph
from capitate.report.contact_sheet import Cell, sheet_cells
from capitate.report.joint_marks import COLOURS, JointMark, joint_marks
from capitate.report.joint_rows import joint_row, score_words
from capitate.report.joint_text import confidence_percent, confirm_lines, joint_name, set_by_text
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.labels import PlacedLabel, place_labels
from capitate.report.method_results import method_results
from capitate.report.picture import grey_uri
from capitate.report.plain import columns
from capitate.report.score_text import points_text
from capitate.report.wording import language

__all__ = ["joints_page", "overlay"]

_SHOWN = (500.0, 700.0)
"""Width and height that the film about has on the page, CSS pixels: letters are measured by it."""
_LABEL = 10.5
_TIP = 12.5
"""Sizes of letters, CSS pixels."""
_COLUMN = 0.56
"""Width of a column of text in sizes of its letters: a generous mean of sans-serif faces."""
_CROP = 144


def overlay(assessment: Assessment, radiograph: Radiograph, *, lang: str) -> dict[str, Any] | None:
    """Return what is drawn over the film, in film pixels; None where joints were not read.

    Args:
        assessment: the film's result.
        radiograph: the film.
        lang: `en` or `zh`.
    """
    if assessment.joints is None:
        return None
    film, marks = (radiograph.width, radiograph.height), joint_marks(assessment, lang=lang)
    unit = max(film[0] / _SHOWN[0], film[1] / _SHOWN[1])
    labels = place_labels(
        marks, film=film, size=_LABEL * unit, measure=lambda text, size: _COLUMN * size * columns(text)
    )
    placed = {label.mark.name: label for label in labels}
    carpals = () if assessment.carpals is None else assessment.carpals.outlines
    names = _bone_names(assessment, lang=lang)
    kinds = [f"legend_{kind}" for kind in COLOURS]
    return {
        "phrases": JOINT_PHRASES[language(lang)],
        "joints": [_drawn(mark, placed[mark.name], film=film, unit=unit) for mark in marks],
        "carpals": [(_path(outline), name) for outline, name in zip(carpals, names, strict=True)],
        "legend": [(kind.removeprefix("legend_"), JOINT_PHRASES[language(lang)][kind]) for kind in kinds],
        "tip_size": round(_TIP * unit, 1),
        "tip_top": round(film[1] - 3.1 * _TIP * unit, 1),
    }


def _drawn(mark: JointMark, label: PlacedLabel, *, film: tuple[int, int], unit: float) -> dict[str, Any]:
    """Return one joint's box, label, outlines and tip."""
    lines = mark.tip.split(" · ")
    inner = film[0] - 2 * _TIP * unit
    return {
        "name": mark.name,
        "target": f"joint-{mark.name}",
        "status": mark.status,
        "graded": mark.graded,
        "box": mark.box,
        "paths": [_path(outline) for outline in mark.epiphysis],
        "label": mark.label,
        "plate": label.box,
        "label_x": round(label.box.x + label.box.width / 2, 1),
        "label_y": round(label.box.y + 0.92 * label.size, 1),
        "label_size": round(label.size, 1),
        "tip": mark.tip,
        "tip_lines": [(line, _COLUMN * _TIP * unit * columns(line) > inner) for line in lines],
        "tip_width": round(inner, 1),
    }


def _bone_names(assessment: Assessment, *, lang: str) -> list[str]:
    """Return what each outlined carpal bone is called."""
    phrases, carpals = JOINT_PHRASES[language(lang)], assessment.carpals
    if carpals is None:
        return []
    names = [*carpals.names, *[None] * (len(carpals.outlines) - len(carpals.names))]
    return [phrases["legend_carpals"] if name is None else phrases.get(name, name) for name in names]


def _path(outline: tuple[tuple[float, float], ...]) -> str:
    """Write a closed outline as SVG path data."""
    return "M" + " L".join(f"{x:.1f},{y:.1f}" for x, y in outline) + " Z"


def joints_page(assessment: Assessment, radiograph: Radiograph | None, *, lang: str) -> dict[str, Any] | None:
    """Return what the page says of the joints; None where they were not read.

    Args:
        assessment: the film's result.
        radiograph: the film, for the crops; None leaves them out.
        lang: `en` or `zh`.
    """
    if assessment.joints is None:
        return None
    graded = any(one.grade is not None for one in assessment.joints)
    cells = sheet_cells(assessment, radiograph, size=_CROP) if graded else ()
    shown = graded or any(one.box is not None for one in assessment.joints)
    return {
        "phrases": JOINT_PHRASES[language(lang)],
        "scores": [score_words(result, lang=lang) for result in method_results(assessment)],
        "confirm": confirm_lines(assessment, lang=lang),
        "cards": [_card(cell, lang=lang) for cell in cells],
        "crop_size": _CROP,
        "rows": [
            {**joint_row(joint, lang=lang), "has_card": graded and joint.name in RUS_JOINTS}
            for joint in assessment.joints
            if shown
        ],
    }


def _card(cell: Cell, *, lang: str) -> dict[str, Any]:
    """Return one of the 13 joints with its pictures."""
    joint = cell.joint
    phrases, name = JOINT_PHRASES[language(lang)], joint_name(joint.name, lang=lang)
    return {
        "name": joint.name,
        "title": name,
        "facts": _facts(joint, lang=lang),
        "confirm": joint.grade is not None and joint.grade.suggestion,
        "status": joint.status,
        "crop": None if cell.crop is None else grey_uri(cell.crop),
        "crop_alt": phrases["crop_alt"].format(joint=name),
        "drawings": [
            None
            if drawing is None
            else {
                "grade": drawing[0],
                "uri": grey_uri(drawing[1]),
                "alt": phrases["drawn_alt"].format(joint=name, step=drawing[0]),
                "chosen": index == 1,
            }
            for index, drawing in enumerate(cell.drawings)
        ],
    }


def _facts(joint: AssessedJoint, *, lang: str) -> list[str]:
    """Return grade, confidence and points of a graded joint, and who set it, as short phrases."""
    phrases, grade = JOINT_PHRASES[language(lang)], joint.grade
    if grade is None or (grade.value is None and grade.corrected_by is None):
        return [phrases["status_missing" if joint.box is None else "not_graded"]]
    told = [phrases["not_graded"] if grade.value is None else phrases["machine_unsure"].format(step=grade.value)]
    if grade.corrected_by is not None:
        told.append(set_by_text(grade, lang=lang))
    elif grade.confidence is not None:
        told.append(f"{confidence_percent(grade)} %")
    if joint.score is not None:
        told.append(phrases["points_alone"].format(points=points_text(round(joint.score, 1))))
    return told
