"""Joints cut from whole films: the 13 of every hand, upright, from the best pixels, with a table of what is known."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("torch")

from PIL import Image

from capitate.errors import UsageError
from capitate.hand import Joint, bone_class_of
from capitate.phantom import Pose, draw
from capitate.runtime.grade_categories import JOINTS
from capitate.runtime.joint_boxes import FoundJoint
from capitate.runtime.locator import HandLocator
from capitate.training.data.boxes import read_boxes
from capitate.training.joint_grades import cutting
from capitate.training.joint_grades.crops import read_graded
from capitate.training.joint_grades.cutting import Cutting, cut_joints
from capitate.training.manifest import read_manifest
from capitate.types import Sex, Side


class KnowsTheDrawing:
    """Finds the joints of drawn films by their size in pixels."""

    def __init__(self, films):
        self.films = {film.radiograph.pixels.shape: film for film in films}
        self.bundle = SimpleNamespace(card={})

    def detect(self, pixels, frame=None, *, square=None, threshold=None):
        found = []
        for one in self.films[pixels.shape].joints:
            box = one.box
            centre = (box.x + box.width / 2, box.y + box.height / 2)
            found.append(FoundJoint(bone_class_of(Joint(one.name)).value, 0.9, box, centre))
        return found


@pytest.fixture(scope="module")
def films():
    upright = draw(age_months=110, sex=Sex.FEMALE, height=400)
    lying = draw(
        age_months=150, sex=Sex.MALE, side=Side.RIGHT, pose=Pose(rotation_degrees=85), height=360, width=380, seed=2
    )
    return [upright, lying]


@pytest.fixture
def table(films, tmp_path, monkeypatch):
    rows = ["path,sex,bone_age_months"]
    for k, film in enumerate(films):
        Image.fromarray(np.rint(film.radiograph.pixels * 255).astype(np.uint8)).save(tmp_path / f"{k}.png")
        rows.append(f"{k}.png,{film.sex},{film.age_months}")
    (tmp_path / "films.csv").write_text("\n".join(rows) + "\n", encoding="utf8")
    locator, detector = HandLocator(threads=1), KnowsTheDrawing(films)
    monkeypatch.setattr(cutting, "_models", lambda _: (locator, detector))
    return tmp_path / "films.csv"


def test_every_joint_is_cut_with_sex_and_age(table, films, tmp_path):
    crops, refused = cut_joints(read_manifest(table), tmp_path / "crops", cutting=Cutting())
    assert not refused
    assert len(crops) == 2 * len(JOINTS)
    found = read_graded(tmp_path / "crops")
    assert set(found.joints) == set(JOINTS)
    assert dict(zip(found.hands.tolist(), found.sexes.tolist(), strict=True)) == {"0": "female", "1": "male"}
    assert dict(zip(found.hands.tolist(), found.ages.tolist(), strict=True)) == {"0": 110.0, "1": 150.0}
    boxes = {one.joint: one for one in read_boxes(tmp_path / "crops" / "joints.csv") if one.film == "0"}
    assert set(boxes) == {str(joint) for joint in Joint}
    rows, columns = films[0].radiograph.pixels.shape
    radius = next(one.box for one in films[0].joints if one.name == "Radius")
    assert boxes["Radius"].x == pytest.approx((radius.x + radius.width / 2) / columns, abs=1e-4)
    assert boxes["Radius"].height == pytest.approx(radius.height / rows, abs=1e-4)


def test_a_crop_holds_the_films_own_pixels(table, films, tmp_path):
    cut_joints(read_manifest(table)[:1], tmp_path / "crops", cutting=Cutting(margin=0.0, joints=("Radius",)))
    with Image.open(tmp_path / "crops" / "Radius" / "0__Radius.png") as picture:
        crop = np.asarray(picture).astype(float) / 255
    box = next(one.box for one in films[0].joints if one.name == "Radius")
    side = round(max(box.width, box.height))
    left, top = round(box.x + box.width / 2 - side / 2), round(box.y + box.height / 2 - side / 2)
    wanted = films[0].radiograph.pixels[top : top + side, left : left + side]
    assert crop.shape == (max(side, 64),) * 2
    if side >= 64:
        assert np.abs(crop - wanted).max() < 1 / 255


def test_better_pixels_of_the_same_films(table, films, tmp_path):
    (tmp_path / "better").mkdir()
    pixels = films[0].radiograph.pixels
    twice = Image.fromarray(np.rint(pixels * 255).astype(np.uint8)).resize((2 * pixels.shape[1], 2 * pixels.shape[0]))
    twice.save(tmp_path / "better" / "0.png")
    plain, _ = cut_joints(read_manifest(table)[:1], tmp_path / "plain", cutting=Cutting())
    better, _ = cut_joints(read_manifest(table), tmp_path / "sharp", cutting=Cutting(films=tmp_path / "better"))
    assert {crop.hand for crop in better} == {"0"}
    for small, large in zip(plain, better, strict=True):
        assert large.pixels == pytest.approx(2 * small.pixels, abs=2)


def test_what_cannot_be_cut(table, tmp_path, monkeypatch):
    cut_joints(read_manifest(table), tmp_path / "crops", cutting=Cutting())
    with pytest.raises(UsageError, match="is not empty; name a new folder"):
        cut_joints(read_manifest(table), tmp_path / "crops", cutting=Cutting())
    (tmp_path / "1.png").write_bytes((tmp_path / "1.png").read_bytes()[:100])
    crops, refused = cut_joints(read_manifest(table), tmp_path / "again", cutting=Cutting())
    assert {crop.hand for crop in crops} == {"0"}
    assert refused["1"].code
    nothing = SimpleNamespace(detect=lambda *_, **__: [])
    monkeypatch.setattr(cutting, "_models", lambda _: (HandLocator(threads=1), nothing))
    with pytest.raises(UsageError, match="no joint could be cut from 2 films: the joints found do not lie like"):
        cut_joints(read_manifest(table), tmp_path / "none", cutting=Cutting())
