"""The 13 graded joints side by side: each crop, its grade, and drawings of this grade and its neighbours."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from capitate.assessed_joints import AssessedJoint
from capitate.assessment import Assessment
from capitate.hand import RUS_JOINTS
from capitate.radiograph import Radiograph
from capitate.report.joint_text import confidence_percent
from capitate.report.joint_words import JOINT_PHRASES
from capitate.report.pens import Line, Pen, font, wrapped
from capitate.report.score_text import points_text
from capitate.report.stage_drawings import neighbours, stage_drawing
from capitate.report.wording import Language
from capitate.runtime.bundle import bundle_names, load_bundle
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.types import Box

__all__ = ["COLUMNS", "GAP", "HEAD", "SIDE", "Cell", "contact_sheet", "crop_rule", "joint_crops", "sheet_cells"]

SIDE = 160
"""Rows and columns of every picture on the sheet."""
HEAD = 30
"""Height of the line of words above the pictures of a joint, pixels."""
FOOT = 18
"""Height of the line of grades below them."""
GAP = 12
"""Between pictures, joints and the sheet's edges, pixels."""
COLUMNS = 2
_PICTURES = 4
_TASK = "joint-grades"
_PAPER, _INK, _SOFT, _FRAME = "#101418", "#FFFFFF", "#A3B2BF", "#56B4E9"
_CONFIRM = "#E69F00"


@dataclass(frozen=True, eq=False)
class Cell:
    """One joint of the sheet.

    Attributes:
        joint: as it was assessed.
        crop: uint8 (size, size), what the grader sees at the sheet's own size; None where there is no box or film.
        drawings: grade and picture, uint8 (size, size), of the grade before, this grade and the grade after; None
            for one that does not exist, all three where the joint has no grade.
    """

    joint: AssessedJoint
    crop: NDArray[np.uint8] | None
    drawings: tuple[tuple[int, NDArray[np.uint8]] | None, ...]


def sheet_cells(assessment: Assessment, radiograph: Radiograph | None, *, size: int = SIDE) -> tuple[Cell, ...]:
    """Cut the crops and draw the grades of the 13 joints, in the order of `capitate.hand.Joint`.

    The film is turned by quarter turns and a right hand's is mirrored, as the grader does, so that crops and drawings
    show an upright left hand.

    Args:
        assessment: the film's result; without joints there are no cells.
        radiograph: the film; without it there are no crops.
        size: rows and columns of every picture.
    """
    joints = [joint for joint in assessment.joints or () if joint.name in RUS_JOINTS]
    crops = {} if radiograph is None else joint_crops(assessment, radiograph, joints, size=size)
    return tuple(Cell(joint, crops.get(joint.name), _drawings(joint, size=size)) for joint in joints)


def joint_crops(
    assessment: Assessment, radiograph: Radiograph, joints: Sequence[AssessedJoint], *, size: int
) -> dict[str, NDArray[np.uint8]]:
    """Cut the joints that have a box, by name, from the film turned to an upright left hand.

    Args:
        assessment: the film's result.
        radiograph: the film.
        joints: of the assessment.
        size: rows and columns of every picture, uint8.
    """
    from capitate.assessor.upright import Upright  # brings the runtime, which text alone does not need

    rule = crop_rule(assessment)
    rule = replace(rule, film=replace(rule.film, height=size, width=size))
    upright = Upright.of_assessed(assessment.joints or (), shape=(radiograph.height, radiograph.width))
    pixels = upright.film(radiograph.pixels)
    return {one.name: rule.cut(pixels, upright.box(one.box)).pixels for one in joints if one.box is not None}


def crop_rule(assessment: Assessment) -> CropRule:
    """Return how the grader that answered cuts its joints; where no released one did, as crops for training are cut."""
    from capitate.assessor.graded_crops import MARGIN  # brings the runtime, which text alone does not need

    for model in assessment.models:
        rule = _rule_of(model.name.partition("@")[0])
        if rule is not None:
            return rule
    return CropRule(FilmRule(SIDE, SIDE), MARGIN)


@lru_cache(maxsize=32)
def _rule_of(name: str) -> CropRule | None:
    """Return the rule of a released grader; None of any other name, which is never looked for as a path."""
    if name not in bundle_names():
        return None
    card = load_bundle(name).card
    return CropRule.from_card(card) if card.get("task") == _TASK else None


def _drawings(joint: AssessedJoint, *, size: int) -> tuple[tuple[int, NDArray[np.uint8]] | None, ...]:
    if joint.grade is None or joint.grade.value is None:
        return (None, None, None)
    grades = neighbours(joint.name, joint.grade.value)
    return tuple(None if one is None else (one, stage_drawing(joint.name, one, size=size)) for one in grades)


def contact_sheet(assessment: Assessment, radiograph: Radiograph) -> Image.Image:
    """Draw the sheet: two joints to a row, each its crop and three drawings; the notice below.

    The words are English, since the font that comes with Pillow has no Chinese.

    Args:
        assessment: the film's result, joints included.
        radiograph: the film.

    Returns:
        RGB.
    """
    cells = sheet_cells(assessment, radiograph)
    wide, tall = _PICTURES * SIDE + (_PICTURES - 1) * GAP, HEAD + SIDE + FOOT
    width = COLUMNS * wide + (COLUMNS + 1) * 2 * GAP
    rows = -(-len(cells) // COLUMNS)
    note = f"{JOINT_PHRASES[Language.ENGLISH]['sheet_note']} {assessment.notice}"
    lines = wrapped(note, size=14, width=width - 4 * GAP)
    top = rows * (tall + 2 * GAP) + GAP
    sheet = Image.new("RGB", (width, top + len(lines) * 20 + GAP), _PAPER)
    pen = Pen(ImageDraw.Draw(sheet))
    for index, cell in enumerate(cells):
        row, column = divmod(index, COLUMNS)
        _draw_cell(sheet, pen, cell, left=2 * GAP + column * (wide + 2 * GAP), top=GAP + row * (tall + 2 * GAP))
    for index, line in enumerate(lines):
        pen.text((2 * GAP, top + 20 * index), line, size=14, colour=_SOFT)
    return sheet


def _draw_cell(sheet: Image.Image, pen: Pen, cell: Cell, *, left: int, top: int) -> None:
    """Draw one joint: the words above, the crop and the drawings, and their grades below."""
    name = cell.joint.name
    pen.text((left, top + 5), name, size=17)
    reading, colour = _reading(cell.joint)
    pen.text((left + font(17).getlength(name) + 14, top + 7), reading, size=15, colour=colour)
    under = top + HEAD
    if cell.crop is not None:
        sheet.paste(Image.fromarray(cell.crop).convert("RGB"), (left, under))
    for index, drawing in enumerate(cell.drawings):
        if drawing is None:
            continue
        at, (grade, picture) = left + (index + 1) * (SIDE + GAP), drawing
        sheet.paste(Image.fromarray(picture).convert("RGB"), (at, under))
        chosen = index == 1
        if chosen:
            pen.box(Box(at, under, SIDE - 1, SIDE - 1), Line(_FRAME, 3))
        pen.text((at, under + SIDE + 3), f"grade {grade}", size=13, colour=_INK if chosen else _SOFT)


def _reading(joint: AssessedJoint) -> tuple[str, str]:
    """Return the words about a joint, and their colour."""
    grade = joint.grade
    told, colour = [], _INK
    if grade is None or grade.value is None:
        told.append("missing" if joint.box is None else "not graded")
        colour = _CONFIRM
    else:
        told.append(f"grade {grade.value}")
    if grade is not None and grade.corrected_by is not None:
        confirmed = grade.value is not None and grade.value == grade.machine_value
        told.append("confirmed by a reader" if confirmed else "set by a reader")
        told += [] if confirmed or grade.machine_value is None else [f"machine {grade.machine_value}"]
    if grade is not None and grade.confidence is not None:
        told.append(f"{confidence_percent(grade)} %")
    if grade is not None and grade.suggestion:
        told.append("to be confirmed")
        colour = _CONFIRM
    if joint.score is not None:
        told.append(f"{points_text(round(joint.score, 1))} points")
    return ", ".join(told), colour
