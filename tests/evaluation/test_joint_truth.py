"""Labels that an evaluation of joints is against: names, classes and key points, and what is wrong with them."""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from marked_films import labels, places

from capitate.errors import TableError
from capitate.evaluation.joints import read_truth
from capitate.evaluation.joints.truth import LabelSource
from capitate.hand import BoneClass, Joint
from capitate.training.data.boxes import write_boxes
from capitate.training.hand_points import POINTS
from capitate.types import Side

FINGERS = {"thumb": 0.85, "forefinger": 0.65, "middle_finger": 0.5, "ring_finger": 0.35, "pinky_finger": 0.2}


def points_table(path: Path, films: dict[str, str]) -> Path:
    """Key points of upright hands whose fingers stand side by side, wrist below; by film the side's cell."""
    columns = [f"{name}_{axis}" for name in POINTS for axis in "xy"]
    lines = [",".join(("id", "side", *columns))]
    for film, side in films.items():
        at = {f"{name}{k}": (x, 0.66 - 0.13 * k) for name, x in FINGERS.items() for k in (1, 2, 3, 4)}
        at["wrist"] = (0.5, 0.9)
        lines.append(",".join((film, side, *(f"{value:.5f}" for name in POINTS for value in at[name]))))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def folder(tmp_path) -> Path:
    middles, shape = places()
    write_boxes(labels("a", middles, shape, named=False), tmp_path / "classes.csv")
    write_boxes(labels("a", middles, shape, named=True), tmp_path / "names.csv")
    return tmp_path


def test_names_tell_fingers_and_classes_do_not(folder):
    named, classes = (read_truth(folder / f"{name}.csv") for name in ("names", "classes"))
    assert (named.by_name, classes.by_name) == (True, False)
    assert {one.joint for one in named.hands["a"].joints} == set(Joint)
    assert {one.label for one in classes.hands["a"].joints} == set(BoneClass)
    assert (named.hands["a"].named, classes.hands["a"].named) == (True, False)
    assert {one.joint for one in classes.hands["a"].joints} == {None, Joint.RADIUS, Joint.ULNA, Joint.MCP_FIRST}
    assert named.hands["a"].wrong is classes.hands["a"].wrong is None


def test_key_points_tell_fingers_side_and_centres(folder):
    points = points_table(folder / "points.csv", {"a": "left", "b": "right", "c": ""})
    truth = read_truth(folder / "classes.csv", keypoints=points)
    boxed, alone = truth.hands["a"], truth.hands["b"]
    assert {one.joint for one in boxed.joints} == set(Joint)
    assert (boxed.source, alone.source) == (LabelSource.BOXES, LabelSource.POINTS)
    assert [truth.hands[name].side for name in "abc"] == [Side.LEFT, Side.RIGHT, Side.UNKNOWN]
    assert len(alone.joints) == 21
    mip = next(one for one in alone.joints if one.joint is Joint.MIP_THIRD)
    assert mip.box[:2] == pytest.approx((0.5, 0.40 - 0.043 * 0.13), abs=1e-4), (
        "0.043 of the way from point 2 to point 3"
    )
    assert all(math.isnan(size) for size in mip.box[2:])


def test_key_points_alone_are_enough(folder):
    truth = read_truth(None, keypoints=points_table(folder / "points.csv", {"b": "right"}))
    assert list(truth.hands) == ["b"]
    assert truth.hands["b"].named


def test_wrong_labels_are_named_with_their_reason(folder):
    text = (folder / "classes.csv").read_text(encoding="utf-8").replace("a,Ulna", "a,Radius")
    (folder / "wrong.csv").write_text(text, encoding="utf-8")
    hand = read_truth(folder / "wrong.csv").hands["a"]
    assert hand.wrong is not None
    assert "Radius 2 of 1" in hand.wrong
    doubled = (folder / "names.csv").read_text(encoding="utf-8").replace("DIPFifth", "DIPFourth")
    (folder / "doubled.csv").write_text(doubled, encoding="utf-8")
    assert read_truth(folder / "doubled.csv").hands["a"].wrong == "DIPFourth stands twice."


def test_a_given_audit_decides(folder):
    fault = {"film": "a", "kind": "off_film_hand", "message": "The boxes are shifted."}
    path = folder / "audit.json"
    path.write_text(json.dumps({"unusable": ["a"], "faults": [fault]}), encoding="utf-8")
    assert read_truth(folder / "names.csv", audit=path).hands["a"].wrong == "The boxes are shifted."
    path.write_text('{"hands": 3}', encoding="utf-8")
    with pytest.raises(TableError, match=r"audit\.json' is no audit of labelled hands .*give the audit\.json of"):
        read_truth(folder / "names.csv", audit=path)


def test_a_table_of_other_things_is_refused(folder):
    (folder / "knees.csv").write_text("id,joint,x_center,y_center,width,height\na,Knee,0.5,0.5,0.1,0.1\n", "utf-8")
    with pytest.raises(TableError, match=r"knees\.csv: no box of a known joint, got 'Knee'; joints are Radius, Ulna"):
        read_truth(folder / "knees.csv")


def test_a_box_beyond_the_edge_is_clipped(folder):
    (folder / "edge.csv").write_text("id,joint,x_center,y_center,width,height\na,Radius,0.98,0.5,0.1,0.1\n", "utf-8")
    (joint,) = read_truth(folder / "edge.csv").hands["a"].joints
    assert joint.box == pytest.approx((0.965, 0.5, 0.07, 0.1))
