"""From a film to the files of its report: what the grader saw is what the reader is shown."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image

from capitate.assessor import Assessor, JointReader, Request
from capitate.assessor.graded_crops import MARGIN
from capitate.phantom import FilmLook, Pose, draw
from capitate.report import write
from capitate.report.contact_sheet import SIDE, sheet_cells
from capitate.runtime.film_rule import CropRule, FilmRule
from capitate.types import Sex, Side

from .stand_ins import KnownGrader, MarkDetector, marked

GRADES = {
    "Radius": 9, "Ulna": 8, "MCPFirst": 8, "MCPThird": 7, "MCPFifth": 7, "PIPFirst": 8, "PIPThird": 8, "PIPFifth": 8,
    "MIPThird": 8, "MIPFifth": 8, "DIPFirst": 8, "DIPThird": 8, "DIPFifth": 8,
}  # fmt: skip


class CroppingGrader(KnownGrader):
    """Known grades, and crops by a released grader's kind of rule."""

    def cut(self, pixels, box):
        return CropRule(FilmRule(SIDE, SIDE), MARGIN).cut(pixels, box).pixels


@pytest.mark.parametrize(("side", "turn"), [(Side.LEFT, 0), (Side.RIGHT, 90)])
def test_the_sheet_shows_what_the_grader_saw(side, turn, tmp_path):
    phantom = draw(
        age_months=150, sex=Sex.MALE, height=320, width=320, side=side, pose=Pose(rotation_degrees=turn),
        look=FilmLook.clean(),
    )  # fmt: skip
    grader = CroppingGrader(dict(GRADES))
    assessor = Assessor(model="bone-age-small", joints=False, threads=1)
    assessor.joints = JointReader(MarkDetector(), grader=grader)
    assessed = assessor.assess_radiograph(marked(phantom), request=Request(sex=Sex.MALE))
    for cell in sheet_cells(assessed.assessment, assessed.radiograph):
        assert (cell.crop == grader.pictures[cell.joint.name]).all(), cell.joint.name
    paths = write(assessed.assessment, tmp_path, radiograph=assessed.radiograph)
    assert [path.name.partition(".")[2] for path in paths] == ["json", "html", "joints.png", "contact-sheet.png"]
    with Image.open(paths[2]) as picture:
        assert picture.width == 320
    with Image.open(paths[3]) as sheet:
        assert np.asarray(sheet).any()
