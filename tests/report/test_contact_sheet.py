"""The contact sheet: crops by the grader's rule, drawings of the grade and its neighbours, and where they stand."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from capitate.assessment import ModelReference
from capitate.assessor.graded_crops import MARGIN
from capitate.assessor.upright import Upright
from capitate.hand import RUS_JOINTS, Joint
from capitate.phantom import Pose, draw
from capitate.report import contact_sheet as sheets
from capitate.report.contact_sheet import COLUMNS, GAP, HEAD, SIDE, contact_sheet, crop_rule, sheet_cells
from capitate.report.stage_drawings import neighbours, stage_drawing
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.types import Sex, Side

from .joint_examples import assessed, corrected, drawn, without

GRADED = [joint for joint in Joint if joint in RUS_JOINTS]


def corner(name: str) -> tuple[int, int]:
    """Left and top of a joint's crop on the sheet."""
    row, column = divmod(GRADED.index(Joint(name)), COLUMNS)
    wide, tall = 4 * SIDE + 3 * GAP, HEAD + SIDE + sheets.FOOT
    return 2 * GAP + column * (wide + 2 * GAP), GAP + row * (tall + 2 * GAP) + HEAD


def test_crops_and_drawings_stand_side_by_side():
    phantom = drawn()
    read = assessed(phantom)
    sheet = np.asarray(contact_sheet(read, phantom.radiograph))
    wide, tall = 4 * SIDE + 3 * GAP, HEAD + SIDE + sheets.FOOT
    assert sheet.shape[1] == COLUMNS * wide + (COLUMNS + 1) * 2 * GAP
    assert sheet.shape[0] > 7 * (tall + 2 * GAP)
    rule = CropRule(FilmRule(SIDE, SIDE), MARGIN)
    for name in ("Radius", "MCPFifth", "DIPFifth"):
        left, top = corner(name)
        crop = rule.cut(phantom.radiograph.pixels, phantom.joint(name).box).pixels
        assert (sheet[top : top + SIDE, left : left + SIDE] == crop[..., None]).all()
        for index, grade in enumerate(neighbours(name, phantom.joint(name).grade)):
            at = left + (index + 1) * (SIDE + GAP)
            inner = slice(6, SIDE - 6)  # the chosen grade has a frame
            shown = sheet[top : top + SIDE, at : at + SIDE][inner, inner]
            assert (shown == stage_drawing(name, grade, size=SIDE)[inner, inner, None]).all()


def test_only_this_grade_is_framed():
    phantom = drawn()
    sheet = np.asarray(contact_sheet(assessed(phantom), phantom.radiograph))
    left, top = corner("PIPThird")
    frame = tuple(bytes.fromhex("56B4E9"))
    framed = [tuple(sheet[top + SIDE // 2, left + k * (SIDE + GAP)]) == frame for k in range(4)]
    assert framed == [False, False, True, False]


@pytest.mark.parametrize(
    ("joint", "grade", "shown"),
    [
        ("Radius", 0, (None, 0, 1)),
        ("Radius", 14, (13, 14, None)),
        ("MCPThird", 10, (9, 10, None)),
        ("Ulna", 5, (4, 5, 6)),
    ],
)
def test_the_first_and_the_last_grade_have_one_neighbour(joint, grade, shown):
    assert neighbours(joint, grade) == shown
    (cell,) = [
        one
        for one in sheet_cells(corrected(assessed(drawn()), joint, grade), drawn().radiograph, size=32)
        if one.joint.name == joint
    ]
    assert [None if one is None else one[0] for one in cell.drawings] == list(shown)


def test_missing_and_struck_joints_have_what_there_is():
    phantom = drawn()
    read = corrected(without(assessed(phantom), "MCPThird"), "Ulna", None)
    cells = {cell.joint.name: cell for cell in sheet_cells(read, phantom.radiograph, size=32)}
    assert list(cells) == GRADED
    assert cells["MCPThird"].crop is None
    assert cells["Ulna"].crop.shape == (32, 32)
    assert cells["MCPThird"].drawings == cells["Ulna"].drawings == (None, None, None)
    assert all(cell.crop is None for cell in sheet_cells(read, None, size=32))
    assert contact_sheet(read, phantom.radiograph).mode == "RGB"


def test_a_turned_right_hand_s_crops_are_those_of_an_upright_left_one():
    options = {"age_months": 126, "sex": Sex.FEMALE, "height": 400, "width": 400, "seed": 5}
    left = draw(side=Side.LEFT, **options)
    right = draw(side=Side.RIGHT, pose=Pose(rotation_degrees=90), **options)
    pairs = zip(*(sheet_cells(assessed(one), one.radiograph, size=48) for one in (left, right)), strict=True)
    for one, other in pairs:
        alike = np.corrcoef(one.crop.ravel(), other.crop.ravel())[0, 1]
        mirrored = np.corrcoef(one.crop.ravel(), other.crop[:, ::-1].ravel())[0, 1]
        assert alike > 0.8, one.joint.name
        assert alike > mirrored


@pytest.mark.parametrize(
    ("side", "degrees", "turns"), [("left", 0, 0), ("right", 0, 0), ("left", 90, 1), ("right", -170, 2)]
)
def test_the_way_up_is_told_by_the_joints(side, degrees, turns):
    phantom = draw(
        age_months=126, sex=Sex.FEMALE, side=Side(side), height=300, width=300, pose=Pose(rotation_degrees=degrees)
    )
    upright = Upright.of_assessed(assessed(phantom).joints, shape=(300, 300))
    assert (upright.quarter_turns, upright.mirrored) == (turns, side == "right")


def test_the_released_grader_s_own_rule_cuts_the_crops(monkeypatch):
    card = {
        "name": "joint-grades", "task": "joint-grades",
        "picture": {"height": 96, "width": 96, "fit": "pad", "percentiles": [1, 99], "margin": 0.4},
    }  # fmt: skip
    monkeypatch.setattr(sheets, "bundle_names", lambda: ["joint-grades"])
    monkeypatch.setattr(sheets, "load_bundle", lambda _: type("Bundle", (), {"card": card}))
    sheets._rule_of.cache_clear()
    read = assessed(drawn())
    model = ModelReference("joint-grades@int8", "1", "ab" * 32, "research")
    assert crop_rule(replace(read, models=(*read.models, model))).margin == 0.4
    sheets._rule_of.cache_clear()
    assert crop_rule(read).margin == MARGIN


def test_a_model_s_name_is_never_taken_for_a_path(tmp_path):
    read = assessed(drawn())
    model = ModelReference(str(tmp_path), "1", "ab" * 32, "research")
    assert crop_rule(replace(read, models=(model,))) == CropRule(FilmRule(SIDE, SIDE), MARGIN)


def test_drawings_differ_by_grade():
    pictures = [stage_drawing("MIPThird", grade, size=48) for grade in range(13)]
    assert all(picture.shape == (48, 48) and picture.dtype == np.uint8 for picture in pictures)
    apart = [np.abs(one.astype(int) - other).mean() for one, other in pairwise(pictures)]
    assert min(apart) > 0.2
