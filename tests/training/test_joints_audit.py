"""Audit of labelled hands and trials of naming: faults put in by hand, and those of the published labels."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import numpy as np
import pytest

from capitate.errors import TableError, UsageError
from capitate.hand import BoneClass, Joint, bone_class_of
from capitate.hand.plan import JOINTS, hand_plan
from capitate.phantom import draw
from capitate.training.data.boxes import LabelledBox, by_film, read_sound_boxes, write_boxes
from capitate.training.hand_plan import labelled_shapes, measure_plan, read_aspects
from capitate.training.hand_points import POINTS, boxes_by_points, read_hand_points
from capitate.training.joints_audit import HandFaultKind, audit_hands
from capitate.training.naming_conditions import CONDITIONS, trial_hands
from capitate.training.naming_trials import order_by_x, plans_without, try_naming
from capitate.types import Sex, Side

FINGERS = {"Second": "forefinger", "Third": "middle_finger", "Fourth": "ring_finger", "Fifth": "pinky_finger"}


def places(*, jitter: float = 0.0, seed: int = 0) -> dict[str, np.ndarray]:
    """Joints and fingertips of the mean hand on a film, fractions."""
    plan = hand_plan()
    noise = jitter * np.random.default_rng(seed).standard_normal((21, 2))
    at = dict(zip(JOINTS, plan.places + noise, strict=True))
    at |= {f"tip{k}": tip for k, tip in enumerate(plan.fingertips)}
    return {str(name): place * [0.9, 0.8] + [0.45, 0.95] for name, place in at.items()}


def boxes_of(film: str, at: dict[str, np.ndarray]) -> list[LabelledBox]:
    return [LabelledBox(film, bone_class_of(joint).value, *at[joint.value], 0.08, 0.08) for joint in Joint]


def points_of(film: str, at: dict[str, np.ndarray], *, side: str = "left") -> dict[str, object]:
    """Key points between the joints, as they lie on a hand."""

    def between(one: str, other: str, share: float) -> np.ndarray:
        return at[one] + share * (at[other] - at[one])

    found = {"wrist": between("Radius", "Ulna", 0.5), "thumb1": between("MCPFirst", "PIPFirst", -0.2)}
    found |= {"thumb2": between("MCPFirst", "PIPFirst", 0.7), "thumb3": between("PIPFirst", "DIPFirst", 0.6)}
    found["thumb4"] = at["tip0"]
    for k, (finger, name) in enumerate(FINGERS.items(), start=1):
        found[f"{name}1"] = between(f"MCP{finger}", f"PIP{finger}", 0.7)
        found[f"{name}2"] = at[f"MIP{finger}"]
        found[f"{name}3"] = between(f"MIP{finger}", f"DIP{finger}", 0.5)
        found[f"{name}4"] = at[f"tip{k}"]
    return {"id": film, "side": side} | {f"{n}_{a}": float(v) for n, p in found.items() for a, v in zip("xy", p)}  # noqa: B905


def write_points(path: Path, rows: list[dict[str, object]]) -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    return path


@pytest.fixture
def tables(tmp_path):
    """Four hands: 1 is sound, 2 has two classes exchanged, 3 lacks a box, 4's boxes lie a tenth of the film aside."""
    at = places(jitter=0.003)
    boxes = [box for film in "1234" for box in boxes_of(film, at)]
    names = [(box.film, joint) for film in "1234" for box, joint in zip(boxes_of(film, at), Joint, strict=True)]
    for name, bone in (("Ulna", BoneClass.MCP_FIRST), ("MCPFirst", BoneClass.ULNA)):
        k = names.index(("2", Joint(name)))
        boxes[k] = LabelledBox("2", bone.value, boxes[k].x, boxes[k].y, 0.08, 0.08)
    boxes = [
        LabelledBox(b.film, b.joint, b.x + 0.1 * (b.film == "4"), b.y, b.width, b.height)
        for b, name in zip(boxes, names, strict=True)
        if name != ("3", Joint.MCP_THIRD)
    ]
    write_boxes(boxes, tmp_path / "boxes.csv")
    write_points(tmp_path / "points.csv", [points_of("1", at), points_of("4", at), points_of("9", at)])
    return tmp_path


def kinds(audit) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for fault in audit.faults:
        found.setdefault(fault.film, set()).add(fault.kind.value)
    return found


def test_every_fault_is_named_with_its_hand(tables):
    audit = audit_hands(tables / "boxes.csv", keypoints=tables / "points.csv")
    assert kinds(audit) == {"2": {"swapped_class"}, "3": {"wrong_counts"}, "4": {"off_key_points"}}
    assert [fault.message for fault in audit.faults if fault.film == "2"] == [
        "Ulna: its box is of class MCPFirst, but lies where only Ulna can be.",
        "MCPFirst: its box is of class Ulna, but lies where only MCPFirst can be.",
    ]
    assert (audit.hands, audit.with_points, audit.with_film) == (4, 2, 0)
    written = audit.to_json()
    assert written["unusable"] == ["2", "3", "4"]
    assert written["hands_by_fault"] == {"off_key_points": 1, "swapped_class": 1, "wrong_counts": 1}


def test_a_side_that_contradicts_the_boxes_is_a_fault(tables):
    at = places()
    write_points(tables / "points.csv", [points_of("1", at, side="right")])
    audit = audit_hands(tables / "boxes.csv", keypoints=tables / "points.csv")
    assert "wrong_side" in kinds(audit)["1"]


@pytest.mark.parametrize("negative", [False, True])
def test_boxes_beside_the_hand_are_seen_on_the_film(tmp_path, negative):
    phantom = draw(age_months=126, sex=Sex.FEMALE, height=200, width=200, seed=2)
    boxes = [
        LabelledBox(
            "1", bone_class_of(Joint(one.name)).value,
            (one.box.x + one.box.width / 2) / 200, (one.box.y + one.box.height / 2) / 200,
            one.box.width / 200, one.box.height / 200,
        )
        for one in phantom.joints
    ]  # fmt: skip
    write_boxes(boxes, tmp_path / "boxes.csv")
    film = np.round(phantom.radiograph.pixels * 255).astype(np.uint8)
    film = 255 - film if negative else film
    assert audit_hands(tmp_path / "boxes.csv", films={"1": film}).faults == ()
    shifted = np.roll(film, 24, axis=1)
    assert kinds(audit_hands(tmp_path / "boxes.csv", films={"1": shifted})) == {"1": {"off_film_hand"}}


def test_a_box_that_cannot_be_read_is_a_fault_and_the_others_are_looked_at(tables):
    with (tables / "boxes.csv").open("a", encoding="utf-8") as stream:
        stream.write("1,MCP,0.5,0.5,0.1,0\n")
    audit = audit_hands(tables / "boxes.csv")
    assert kinds(audit)["1"] == {"bad_box"}
    assert HandFaultKind.SWAPPED_CLASS in kinds(audit)["2"]


def test_key_points_tell_the_finger_of_each_box(tables):
    at = places()
    boxes = boxes_of("1", at)[::-1]
    points = read_hand_points(write_points(tables / "one.csv", [points_of("1", at)]))["1"]
    found = boxes_by_points(boxes, points)
    assert {joint: boxes[one.number] for joint, one in found.items()} == dict(
        zip(Joint, boxes_of("1", at), strict=True)
    )
    assert max(one.off_bone for one in found.values()) < 0.05
    assert (points.side, set(points.at)) == (Side.LEFT, set(POINTS))


def test_a_bad_key_point_is_named(tables):
    rows = [points_of("1", places()) | {"thumb2_x": "far"}]
    with pytest.raises(TableError, match="column 'thumb2_x'"):
        read_hand_points(write_points(tables / "bad.csv", rows))


@pytest.fixture
def many():
    """Fifty varied hands with key points, on films of known aspect."""
    at = {str(k): places(jitter=0.006, seed=k) for k in range(50)}
    boxes = {film: boxes_of(film, one) for film, one in at.items()}
    return boxes, at


def test_a_plan_is_measured_from_labels(many, tmp_path):
    boxes, at = many
    points = read_hand_points(write_points(tmp_path / "p.csv", [points_of(film, one) for film, one in at.items()]))
    shapes = labelled_shapes(boxes, points)
    assert len(shapes) == 50
    plan = measure_plan(shapes, aspects=dict.fromkeys(boxes, 0.9 / 0.8 * 0.8 / 0.9 * 8 / 9))
    assert plan.places == pytest.approx(hand_plan().places, abs=0.02)
    assert plan.fingertips == pytest.approx(hand_plan().fingertips, abs=0.03)
    with pytest.raises(UsageError, match="got 50 and 0"):
        measure_plan(shapes, aspects={})


def test_trials_are_all_right_on_sound_hands(many, tmp_path):
    boxes, at = many
    few = {film: boxes[film] for film in list(boxes)[:3]}
    points = read_hand_points(write_points(tmp_path / "p.csv", [points_of(film, at[film]) for film in few]))
    trials = try_naming(trial_hands(few, points), CONDITIONS, plans={})
    assert [trial.condition for trial in trials if trial.hands_right < 3] == []
    assert {trial.sides_right for trial in trials} == {3}
    assert {trial.joints for trial in trials} == {63, 60, 51, 54}
    by_x = {trial.condition: trial.by_x for trial in trials}
    assert (by_x["as labelled"], by_x["mirrored"], by_x["turned by 180 degrees"]) == (3, 0, 0)


@pytest.mark.films
def test_the_published_labels(films_root):
    """The faults that need no film; `docs/naming.md` lists all of them."""
    joints = films_root / "joints"
    audit = audit_hands(joints / "boxes-21.csv", keypoints=joints / "hand-keypoints-21.csv")
    found = kinds(audit)
    assert (audit.hands, audit.with_points, len(audit.unusable)) == (731, 275, 33)
    page = Path(__file__).parents[2] / "docs" / "naming.md"
    listed = set(re.findall(r"^\| (\d+) \|", page.read_text(encoding="utf-8"), re.MULTILINE))
    assert listed == audit.unusable | {"2083", "6936"}  # beside the hand, which only the film shows
    swapped = {film for film, what in found.items() if "swapped_class" in what and "wrong_counts" not in what}
    assert swapped == {"1764", "1833", "2249", "6917"}
    off_points = {film for film, what in found.items() if "off_key_points" in what}
    assert off_points == {"1692", "1714", "1764", "1833", "1972"}


@pytest.mark.films
def test_published_hands_are_named_rightly_by_plans_that_never_saw_them(films_root):
    """Every tenth hand and all right ones, under every condition; `capitate data audit` tries all."""
    joints = films_root / "joints"
    boxes = by_film(read_sound_boxes(joints / "boxes-21.csv")[0])
    points = read_hand_points(joints / "hand-keypoints-21.csv")
    aspects = read_aspects(films_root / "rsna-highres" / "index.csv")
    hands = trial_hands(boxes, points)
    tried = {film: hand for k, (film, hand) in enumerate(hands.items()) if k % 20 == 0 or hand.side is Side.RIGHT}
    trials = {
        trial.condition: trial
        for trial in try_naming(tried, CONDITIONS, plans=plans_without(boxes, points, aspects=aspects))
    }
    assert {trial.sides_right for trial in trials.values()} == {len(tried)}
    assert sum(trial.found_wrong for trial in trials.values()) <= 1
    assert min(trial.hands_right for trial in trials.values()) >= len(tried) - 1
    assert not any(order_by_x(hand) for hand in tried.values() if hand.side is Side.RIGHT)


@pytest.mark.films
def test_the_shipped_plan_is_what_the_labels_give(films_root):
    joints = films_root / "joints"
    boxes = by_film(read_sound_boxes(joints / "boxes-21.csv")[0])
    shapes = labelled_shapes(boxes, read_hand_points(joints / "hand-keypoints-21.csv"))
    plan = measure_plan(shapes, aspects=read_aspects(films_root / "rsna-highres" / "index.csv"))
    assert plan.hands == hand_plan().hands == 265
    assert plan.places == pytest.approx(hand_plan().places, abs=1e-4)
    assert plan.fingertips == pytest.approx(hand_plan().fingertips, abs=1e-4)
    assert plan.covariance == pytest.approx(hand_plan().covariance, abs=2e-6)


def test_key_points_without_fingertips_tell_all_but_the_distal_boxes(tables):
    at = places()
    row = {name: value for name, value in points_of("1", at).items() if name[:-2][-1:] != "4"}
    points = read_hand_points(write_points(tables / "one.csv", [row]))["1"]
    found = boxes_by_points(boxes_of("1", at), points)
    assert found.keys() == {joint for joint in Joint if not joint.startswith("DIP")}
