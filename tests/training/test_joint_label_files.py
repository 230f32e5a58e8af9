"""Joints from boxes in any form and from key points; hands with wrong labels are left out by name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from capitate.errors import TableError, UsageError
from capitate.phantom import JOINTS, draw
from capitate.training.data.boxes import LabelledBox, write_boxes
from capitate.training.data.voc import write_voc
from capitate.training.data.yolo import write_yolo
from capitate.training.hand_points import read_hand_points
from capitate.training.joints.labels import audited, read_labels
from capitate.training.joints.points import CENTRES, FOREARM, centres_of, class_of
from capitate.training.joints_labels import BOXES_OF_A_HAND
from capitate.training.settings.joints import JointLabelFiles
from capitate.types import Sex

CLASSES = tuple(BOXES_OF_A_HAND)
FINGERS = ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger")


def hand():
    """An upright left hand's key points: knuckles at height 0.6, fingers up in steps of 0.1."""
    points = {"wrist": np.array([0.5, 0.9])}
    for n, finger in enumerate(FINGERS):
        for k in (1, 2, 3, 4):
            points[f"{finger}{k}"] = np.array([0.8 - 0.12 * n, 0.7 - 0.1 * k + (0.15 if finger == "thumb" else 0)])
    return points


def write_points(path: Path, hands) -> Path:
    names = [f"{name}_{axis}" for name in hand() for axis in "xy"]
    rows = [",".join([film, *(f"{v:.6f}" for at in points.values() for v in at)]) for film, points in hands.items()]
    path.write_text("\n".join([",".join(["id", *names]), *rows]) + "\n", encoding="utf8")
    return path


def boxes_of(film: str, points=None) -> list[LabelledBox]:
    """Boxes exactly where the key points have the joints."""
    centres = centres_of(points or hand())
    return [LabelledBox(film, class_of(joint), float(x), float(y), 0.08, 0.06) for joint, (x, y) in centres.items()]


def write_table(folder: Path, boxes) -> JointLabelFiles:
    write_boxes(boxes, folder / "boxes.csv")
    return JointLabelFiles(boxes="boxes.csv")


def test_every_joint_has_a_place_and_a_class():
    assert set(CENTRES) | set(FOREARM) == set(JOINTS)
    counts = {name: sum(class_of(joint) == name for joint in JOINTS) for name in CLASSES}
    assert counts == BOXES_OF_A_HAND


def test_points_are_read_and_lie_along_bones(tmp_path):
    points = dict(read_hand_points(write_points(tmp_path / "points.csv", {"7": hand()}))["7"].at)
    centres = centres_of(points)
    assert centres["MIPThird"] == pytest.approx([0.8 - 0.24, 0.5 - 0.1 * 0.043], abs=1e-6)
    assert centres["MCPFifth"][1] == pytest.approx(0.6 + 0.1 * 0.513, abs=1e-6)
    assert centres["Radius"][0] > centres["Ulna"][0]  # on the thumb's side


def test_the_three_forms_of_boxes_are_one(tmp_path):
    boxes = boxes_of("7")
    files = write_table(tmp_path, boxes)
    write_voc(boxes, tmp_path / "voc", sizes={"7": (1000, 1000)}, splits={})
    write_yolo(boxes, tmp_path / "yolo", films={"7": "7.png"}, splits={})
    table = read_labels(files, base=tmp_path, classes=CLASSES).hands["7"]
    voc = read_labels(JointLabelFiles(), base=tmp_path / "voc", classes=CLASSES).hands["7"]
    yolo = read_labels(JointLabelFiles(boxes="yolo"), base=tmp_path, classes=CLASSES).hands["7"]
    for other in (voc, yolo):
        apart = np.abs(table.boxes[:, None] - other.boxes[None]).max(axis=2)
        apart[table.classes[:, None] != other.classes[None]] = 1
        assert len(other.classes) == 21
        assert max(apart.min(axis=0).max(), apart.min(axis=1).max()) < 0.002


def drawn_boxes(film: str, drawn, *, shift: float = 0.0) -> list[LabelledBox]:
    rows, columns = drawn.radiograph.pixels.shape
    return [
        LabelledBox(
            film,
            class_of(one.name),
            (one.box.x + one.box.width / 2) / columns + shift,
            (one.box.y + one.box.height / 2) / rows,
            one.box.width / columns,
            one.box.height / rows,
        )
        for one in drawn.joints
    ]


def test_wrong_hands_are_left_out_with_their_reason(tmp_path):
    drawn = draw(age_months=130, sex=Sex.MALE, height=300)
    swapped = [
        replace(box, joint={"Radius": "Ulna", "Ulna": "Radius"}.get(box.joint, box.joint))
        for box in drawn_boxes("swapped", drawn)
    ]
    missing = [box for box in drawn_boxes("missing", drawn) if box.joint != "Ulna"]
    shifted = drawn_boxes("shifted", drawn, shift=0.12)
    files = write_table(tmp_path, [*drawn_boxes("right", drawn), *swapped, *shifted, *missing])
    films = {name: np.round(drawn.radiograph.pixels * 255).astype(np.uint8) for name in ("right", "shifted")}
    found = audited(read_labels(files, base=tmp_path, classes=CLASSES), files, films=films)
    assert set(found.hands) == {"right"}
    assert set(found.wrong) == {"missing", "shifted", "swapped"}
    assert found.wrong["missing"] == "Ulna 0 of 1"
    assert "Radius" in found.wrong["swapped"]
    assert "the boxes are shifted" in found.wrong["shifted"]
    strict = replace(files, leave_out_wrong=False)
    with pytest.raises(UsageError, match=r"3 of 4 labelled hands are wrong \(missing: Ulna 0 of 1"):
        audited(read_labels(strict, base=tmp_path, classes=CLASSES), strict, films=films)


def test_key_points_alone_teach_centres_without_sizes(tmp_path):
    write_table(tmp_path, boxes_of("boxed"))
    write_points(tmp_path / "points.csv", {"young": hand()})
    found = read_labels(JointLabelFiles("boxes.csv", "points.csv"), base=tmp_path, classes=CLASSES)
    assert found.points_alone == 1
    young = found.hands["young"]
    assert len(young.classes) == 21
    assert np.isnan(young.boxes[:, 2:]).all()
    boxed = found.hands["boxed"]
    assert np.sort(young.boxes[:, 0]) == pytest.approx(np.sort(boxed.boxes[:, 0]), abs=1e-5)


def test_names_of_all_21_joints_are_a_form_of_the_seven(tmp_path):
    named = [LabelledBox("7", joint, float(x), float(y), 0.1, 0.1) for joint, (x, y) in centres_of(hand()).items()]
    files = write_table(tmp_path, named)
    seven = read_labels(files, base=tmp_path, classes=CLASSES).hands["7"]
    assert np.bincount(seven.classes).tolist() == list(BOXES_OF_A_HAND.values())
    every = read_labels(files, base=tmp_path, classes=JOINTS).hands["7"]
    assert sorted(every.classes.tolist()) == list(range(21))


@pytest.mark.parametrize(
    ("joint", "said"), [("Knee", "the labels have a class that the experiment does not, got Knee; its classes are")]
)
def test_an_unknown_class_is_named(tmp_path, joint, said):
    files = write_table(tmp_path, [*boxes_of("7"), LabelledBox("7", joint, 0.5, 0.5, 0.1, 0.1)])
    with pytest.raises(TableError, match=said):
        read_labels(files, base=tmp_path, classes=CLASSES)


def test_labels_that_are_not_there(tmp_path):
    with pytest.raises(TableError, match="there are no labels at"):
        read_labels(JointLabelFiles(boxes="none.csv"), base=tmp_path, classes=CLASSES)
    with pytest.raises(TableError, match="holds neither VOC nor YOLO labels"):
        read_labels(JointLabelFiles(), base=tmp_path, classes=CLASSES)


@pytest.mark.films
def test_the_published_tables(films_root):
    """Shares along the bones measured again, and the hands that both tables contradict."""
    points = read_hand_points(films_root / "joints" / "hand-keypoints-21.csv", fingertips=True)
    files = JointLabelFiles(boxes="boxes-21.csv", keypoints="hand-keypoints-21.csv")
    labels = read_labels(files, base=films_root / "joints", classes=CLASSES)
    assert len(labels.wrong) >= 26
    judged = audited(labels, files, films={})
    assert len(judged.wrong) == 33  # two more lie beside the hand, which only the film tells
    both = [film for film in labels.hands if film in points and np.isfinite(labels.hands[film].boxes).all()]
    apart = []
    for film in both:
        hand_boxes = labels.hands[film]
        for joint, at in centres_of(dict(points[film].at)).items():
            own = hand_boxes.boxes[hand_boxes.classes == CLASSES.index(class_of(joint)), :2]
            apart.append(np.hypot(*(own - at).T).min())
    assert np.median(apart) < 0.01
    assert np.percentile(apart, 95) < 0.035
