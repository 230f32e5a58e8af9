"""Naming by anatomy: drawn hands of any side, turn and pose, with boxes missing, added, doubled and mislabelled."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from capitate.errors import UsageError
from capitate.hand import (
    BOXES_OF_A_HAND,
    FINGERS,
    RUS_JOINTS,
    BoneClass,
    Detection,
    Joint,
    JointStatus,
    NamedHand,
    RemarkKind,
    bone_class_of,
    name_hands,
    name_joints,
)
from capitate.phantom import JOINTS, Pose, draw
from capitate.phantom import RUS_JOINTS as DRAWN_RUS_JOINTS
from capitate.types import Box, Sex, Side

Boxes = dict[Joint, Detection]


@cache
def drawn(seed: int = 0, *, side: Side = Side.LEFT, months: float = 126, pose: Pose | None = None):
    return draw(age_months=months, sex=Sex.FEMALE, side=side, pose=pose, height=64, seed=seed)


def boxes_of(phantom) -> Boxes:
    return {Joint(one.name): Detection(bone_class_of(Joint(one.name)), one.box) for one in phantom.joints}


def shuffled(boxes: list[Detection], seed: int = 0) -> list[Detection]:
    return [boxes[k] for k in np.random.default_rng(seed).permutation(len(boxes))]


def moved(boxes: Boxes, matrix: np.ndarray) -> Boxes:
    """Every box as that of the ellipse in it, after a matrix."""
    out = {}
    for joint, one in boxes.items():
        x, y = matrix @ one.centre
        w, h = np.hypot(*(matrix * [one.box.width, one.box.height]).T)
        out[joint] = Detection(one.bone, Box(x - w / 2, y - h / 2, w, h), one.score)
    return out


def turn(degrees: float) -> np.ndarray:
    """Clockwise on a film."""
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return np.array([[c, -s], [s, c]])


def given_to(hand: NamedHand) -> Boxes:
    return {one.joint: one.detection for one in hand.joints if one.detection}


def angle_between(one: float, other: float) -> float:
    return abs((one - other + 180) % 360 - 180)


def test_names_are_those_of_the_phantom():
    assert set(Joint) == set(JOINTS)
    assert set(DRAWN_RUS_JOINTS) == RUS_JOINTS
    assert tuple(BOXES_OF_A_HAND.values()) == (1, 1, 1, 4, 5, 4, 5)
    assert [len(chain) for chain in FINGERS.values()] == [3, 4, 4, 4, 4]


POSES = [
    (Side.LEFT, Pose(), 126),
    (Side.RIGHT, Pose(rotation_degrees=17, spread_degrees=20), 126),
    (Side.LEFT, Pose(rotation_degrees=90, scale=0.7), 60),
    (Side.RIGHT, Pose(rotation_degrees=180, thumb_degrees=-30), 200),
    (Side.LEFT, Pose(rotation_degrees=-90, scale=0.6, thumb_degrees=30), 24),
    (Side.RIGHT, Pose(rotation_degrees=-140, scale=0.6, flexion=0.6), 90),
    (Side.LEFT, Pose(rotation_degrees=45, scale=0.6, spread_degrees=-25), 12),
    (Side.LEFT, Pose(spread_degrees=40, scale=0.8, thumb_degrees=20), 228),
]


@pytest.mark.parametrize(("side", "pose", "months"), POSES)
def test_drawn_hands_of_any_side_turn_and_pose(side, pose, months):
    phantom = drawn(int(months), side=side, months=months, pose=pose)
    truth = boxes_of(phantom)
    hand = name_joints(shuffled(list(truth.values())), film=phantom.radiograph.pixels.shape)
    assert given_to(hand) == truth
    assert (hand.side, hand.left_over) == (side, ())
    assert angle_between(hand.rotation_degrees, phantom.rotation_degrees) < 12
    assert overlap(hand.box, phantom.hand_box) > 0.7


def overlap(one: Box, other: Box) -> float:
    width = min(one.x + one.width, other.x + other.width) - max(one.x, other.x)
    height = min(one.y + one.height, other.y + other.height) - max(one.y, other.y)
    shared = max(0.0, width) * max(0.0, height)
    return shared / (one.width * one.height + other.width * other.height - shared)


@settings(max_examples=15, deadline=None)
@given(
    degrees=st.floats(-180, 180),
    mirrored=st.booleans(),
    squash=st.floats(0.6, 1.6),
    size=st.floats(0.5, 40),
    seed=st.integers(0, 3),
)
def test_names_do_not_depend_on_how_the_hand_lies(degrees, mirrored, squash, size, seed):
    matrix = size * np.diag([squash, 1]) @ turn(degrees) @ np.diag([-1 if mirrored else 1, 1])
    truth = moved(boxes_of(drawn(seed)), matrix)
    hand = name_joints(shuffled(list(truth.values()), seed))
    assert given_to(hand) == truth
    assert hand.side is (Side.RIGHT if mirrored else Side.LEFT)


@given(degrees=st.floats(-170, 170))
@settings(max_examples=10, deadline=None)
def test_rotation_follows_the_film(degrees):
    upright = name_joints(list(boxes_of(drawn()).values()))
    turned = name_joints(list(moved(boxes_of(drawn()), turn(degrees)).values()))
    assert angle_between(turned.rotation_degrees, upright.rotation_degrees + degrees) < 0.1


@pytest.mark.parametrize("gone", [Joint.RADIUS, Joint.MCP_FIRST, Joint.PIP_SECOND, Joint.DIP_FIFTH])
def test_twenty_boxes_still_give_a_result(gone):
    truth = boxes_of(drawn())
    hand = name_joints([one for joint, one in truth.items() if joint is not gone], film=(64, 52))
    assert given_to(hand) == {joint: one for joint, one in truth.items() if joint is not gone}
    missing = hand.joint(gone)
    assert (missing.status, missing.box, missing.remarks[0].kind) == (JointStatus.MISSING, None, RemarkKind.NO_BOX)
    assert np.hypot(*np.subtract(missing.place, truth[gone].centre)) < 0.05 * 64
    assert (gone in RUS_JOINTS) == ("scores are incomplete" in hand.costs[0])
    assert hand.costs == (missing.cost,)


def test_without_its_thumb_a_hand_is_still_named():
    truth = {joint: one for joint, one in boxes_of(drawn()).items() if joint not in FINGERS["First"]}
    for mirrored, side in ((1, Side.LEFT), (-1, Side.RIGHT)):
        hand = name_joints(list(moved(truth, np.diag([mirrored, 1.0])).values()))
        assert given_to(hand).keys() == truth.keys()
        assert hand.side is side
        assert hand.having(JointStatus.MISSING) == FINGERS["First"]


def test_joints_off_the_film_are_told_from_overlooked_ones():
    truth = {joint: one for joint, one in boxes_of(drawn()).items() if not joint.startswith("DIP")}
    moved_up = moved(truth, np.eye(2))
    top = min(one.box.y for one in truth.values())
    cut = [Detection(d.bone, Box(d.box.x, d.box.y - top, d.box.width, d.box.height)) for d in moved_up.values()]
    hand = name_joints(cut, film=(64, 64))
    assert hand.joint(Joint.DIP_THIRD).remarks[0].kind is RemarkKind.OFF_FILM
    assert "lies off the film of 64 x 64 pixels" in hand.joint(Joint.DIP_THIRD).remarks[0].message


def test_a_doubled_box_is_left_over():
    truth = boxes_of(drawn())
    one = truth[Joint.MIP_THIRD]
    double = Detection(one.bone, Box(one.box.x + 0.1, one.box.y, one.box.width, one.box.height), 0.4)
    hand = name_joints([double, *truth.values()])
    assert given_to(hand) == truth
    assert [(left.detection, left.remark.kind) for left in hand.left_over] == [(double, RemarkKind.DOUBLE)]
    assert hand.having(JointStatus.FOUND) == tuple(Joint)


def test_a_box_where_no_joint_is_left_becomes_none():
    truth = boxes_of(drawn())
    stray = Detection(BoneClass.MCP, Box(1, 1, 4, 4))
    hand = name_joints([stray, *truth.values()])
    assert given_to(hand) == truth
    assert [(left.detection, left.remark.kind) for left in hand.left_over] == [(stray, RemarkKind.NO_JOINT)]


def test_two_boxes_between_which_geometry_cannot_decide_are_uncertain():
    truth = boxes_of(drawn())
    one = truth[Joint.DIP_FIFTH]
    aside = one.box.width / 4
    pair = [Detection(one.bone, Box(one.box.x + dx, one.box.y, aside, one.box.height)) for dx in (0.5, 0.5 + aside)]
    others = [other for joint, other in truth.items() if joint is not Joint.DIP_FIFTH]
    hand = name_joints([*pair, *others])
    found = hand.joint(Joint.DIP_FIFTH)
    assert (found.status, found.remarks[0].kind) == (JointStatus.UNCERTAIN, RemarkKind.RIVAL_BOX)
    assert "confirm it" in found.cost


def test_swapped_classes_are_named_by_place_and_said():
    truth = boxes_of(drawn())
    one, other = Joint.PIP_THIRD, Joint.MIP_THIRD
    wrong = truth | {
        one: Detection(truth[other].bone, truth[one].box),
        other: Detection(truth[one].bone, truth[other].box),
    }
    hand = name_joints(list(wrong.values()))
    assert given_to(hand) == wrong
    assert hand.having(JointStatus.UNCERTAIN) == (one, other)
    assert hand.joint(one).remarks[0].message == (
        "PIPThird: its box is of class MiddlePhalanx, but lies where only PIPThird can be."
    )


def test_a_shifted_box_is_uncertain():
    truth = boxes_of(drawn())
    one = truth[Joint.PIP_THIRD]
    box = Box(one.box.x, one.box.y + 0.05 * 64, one.box.width, one.box.height)
    hand = name_joints(list((truth | {Joint.PIP_THIRD: Detection(one.bone, box)}).values()))
    assert RemarkKind.OUT_OF_PLACE in {remark.kind for remark in hand.joint(Joint.PIP_THIRD).remarks}


@pytest.mark.parametrize("count", [0, 3, 12, 21, 30])
def test_strewn_boxes_are_no_hand(count):
    rng = np.random.default_rng(count)
    strewn = [Detection(str(rng.choice(list(BoneClass))), Box(*rng.uniform(0, 100, 2), 8, 8)) for _ in range(count)]
    hand = name_joints(strewn)
    assert hand.having(JointStatus.MISSING) == tuple(Joint)
    assert (hand.box, hand.rotation_degrees, hand.side, hand.to_plan) == (None, None, Side.UNKNOWN, None)
    assert f"{count} boxes of" in hand.joints[0].remarks[0].message
    assert len(hand.left_over) == count


def test_boxes_in_one_place_are_no_hand():
    assert name_joints([Detection(bone, Box(5, 5, 2, 2)) for bone in BoneClass for _ in range(3)]).box is None


def test_two_hands_are_told_apart():
    left = boxes_of(drawn(1))
    right = boxes_of(drawn(2, side=Side.RIGHT))
    beside = [Detection(d.bone, Box(d.box.x + 70, d.box.y, d.box.width, d.box.height)) for d in right.values()]
    hands = name_hands(shuffled([*left.values(), *beside]))
    assert [hand.side for hand in hands] == [Side.LEFT, Side.RIGHT]
    assert given_to(hands[0]) == left
    assert list(given_to(hands[1]).values()) == [beside[list(right).index(joint)] for joint in Joint]
    assert len(name_hands(list(left.values()))) == 1


@pytest.mark.parametrize(
    ("bone", "box", "score", "told"),
    [
        ("Capitate", Box(0, 0, 1, 1), 1.0, "no class of joints is called 'Capitate'; the classes are Radius"),
        ("MCP", Box(0, float("nan"), 1, 1), 1.0, "needs finite numbers"),
        ("MCP", Box(0, 0, -1, 1), 1.0, "sides of 0 or more"),
        ("MCP", Box(0, 0, 1, 1), 1.2, "from 0 to 1, got 1.2"),
    ],
)
def test_bad_detections_are_refused_in_words(bone, box, score, told):
    with pytest.raises(UsageError, match=told):
        Detection(bone, box, score)
