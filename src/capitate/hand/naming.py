"""Naming the joints of a hand by anatomy: which box is which finger's, whatever the side, turn or squash of the film.

No order from left to right enters. The boxes' classes register the plan of a hand roughly, once as a left hand and once
as a right one; then boxes are assigned to joints, all at once (Hungarian method), by how far each lies from where all
other joints put it, and the registration is repeated with what was assigned. The cheaper of the two readings holds.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.cluster.vq import kmeans2

from capitate.hand.detection import Detection, centres, same_place
from capitate.hand.joints import BoneClass, Joint, bone_class_of
from capitate.hand.matching import LEAST_JOINTS, Match, best_match
from capitate.hand.named import JointStatus, LeftOver, NamedHand, NamedJoint, Remark, RemarkKind
from capitate.hand.plan import JOINTS, HandPlan, hand_plan
from capitate.types import Box, Side

__all__ = ["FAR", "name_hands", "name_joints"]

FAR = 4.0
"""Standard deviations from its place beyond which a joint is uncertain: one in 3,000 lies there by chance (chi-square,
2 degrees of freedom), and none of the correctly labelled ones does (2.9 at the 99.9th percentile)."""
_RIVAL = FAR**2
"""How much dearer, in squared deviations, another box must be as the same joint to be no rival."""
_SURE_OF_SIDE = 12.0
"""By how much the reading as the other side must be dearer: odds of 400 to 1."""
_NO_HAND = 5.0
_OWN_CLASS = 0.7
"""Greatest mean misfit, and least share of boxes in the place of their own class, of a hand. Correctly labelled hands
reach 1.2 and 1; of 300 sets of 8 to 45 boxes strewn at random none meets both."""
_MANY = 27
_WRIST = (Joint.RADIUS, Joint.ULNA)


def name_joints(
    detections: Sequence[Detection], *, film: tuple[int, int] | None = None, plan: HandPlan | None = None
) -> NamedHand:
    """Name the joints of one hand.

    Args:
        detections: boxes in film pixels, any number in any order.
        film: (height, width) of the film in pixels, to tell joints off the film from those that were overlooked.
        plan: what a hand looks like; that of the labelled hands if None.

    Returns:
        Every joint found, uncertain or missing. Boxes that cannot be a hand give a result in which all are missing.
    """
    plan = plan or hand_plan()
    boxes = list(detections)
    readings = best_match(boxes, plan=plan) if len(boxes) >= LEAST_JOINTS else (None, None)
    left, right = readings
    match = min((one for one in readings if one is not None), key=lambda one: one.energy, default=None)
    if match is None or not _is_hand(match, boxes):
        return _no_hand(boxes)
    sure = left is None or right is None or abs(left.energy - right.energy) >= _SURE_OF_SIDE
    joints = tuple(_joint(k, match, boxes, film=film, sure_of_side=sure) for k in range(len(JOINTS)))
    side = Side.RIGHT if match.to_plan.mirrored else Side.LEFT
    return NamedHand(
        joints=joints,
        side=side if sure else Side.UNKNOWN,
        rotation_degrees=match.to_plan.turn_degrees,
        box=_hand_box(joints, match, plan),
        left_over=tuple(_left_over(k, match, boxes) for k in range(len(boxes)) if k not in match.boxes),
        to_plan=match.to_plan,
        misfit=match.misfit,
    )


def name_hands(
    detections: Sequence[Detection], *, film: tuple[int, int] | None = None, plan: HandPlan | None = None
) -> tuple[NamedHand, ...]:
    """Name the joints of one hand or of two that lie apart on one film.

    Args:
        detections: boxes in film pixels.
        film: (height, width) of the film in pixels.
        plan: what a hand looks like; that of the labelled hands if None.

    Returns:
        Two hands, from left to right, where more boxes than one hand's part into two that are hands; one otherwise.
    """
    one = name_joints(detections, film=film, plan=plan)
    doubles = sum(box.remark.kind is RemarkKind.DOUBLE for box in one.left_over)
    if len(detections) - doubles < _MANY:
        return (one,)
    _, groups = kmeans2(centres(detections), 2, minit="++", seed=0)
    parts = [[box for box, group in zip(detections, groups, strict=True) if group == k] for k in (0, 1)]
    hands = [name_joints(part, film=film, plan=plan) for part in parts]
    if any(hand.box is None for hand in hands) or _named(hands) <= _named([one]):
        return (one,)
    return tuple(sorted(hands, key=lambda hand: hand.box.x if hand.box else 0.0))


def _is_hand(match: Match, boxes: Sequence[Detection]) -> bool:
    """Whether a reading is so good that strewn boxes would not give it."""
    joints = np.flatnonzero(match.seen)
    own = sum(boxes[match.boxes[k]].bone is bone_class_of(JOINTS[k]) for k in joints)
    return own >= max(LEAST_JOINTS, _OWN_CLASS * len(joints)) and match.misfit <= _NO_HAND


def _named(hands: Sequence[NamedHand]) -> int:
    return sum(21 - len(hand.having(JointStatus.MISSING)) for hand in hands)


def _joint(
    number: int, match: Match, boxes: Sequence[Detection], *, film: tuple[int, int] | None, sure_of_side: bool
) -> NamedJoint:
    """Judge one joint of a reading."""
    joint = JOINTS[number]
    x, y = match.to_plan.inverse(match.expected.places[number])
    place, given = (float(x), float(y)), int(match.boxes[number])
    if given < 0:
        return NamedJoint(joint, JointStatus.MISSING, None, place, None, (_missing(joint, place, film),))
    box = boxes[given]
    far = _deviations(number, match, box)
    remarks = [*_class_remark(joint, box), *_place_remark(joint, far), *_rivals(number, match, boxes)]
    if not sure_of_side and joint not in _WRIST:
        told = f"{joint}: the boxes fit a left hand and a right one nearly alike, so that its finger is not sure."
        remarks.append(Remark(RemarkKind.SIDE_UNSURE, told))
    status = JointStatus.UNCERTAIN if remarks else JointStatus.FOUND
    return NamedJoint(joint, status, box, place, far, tuple(remarks))


def _deviations(number: int, match: Match, box: Detection) -> float:
    """Distance of a joint's box from its place in standard deviations."""
    apart = match.to_plan(np.array(box.centre)) - match.expected.places[number]
    return float(np.sqrt(apart @ np.linalg.solve(match.expected.covariances[number], apart)))


def _class_remark(joint: Joint, box: Detection) -> list[Remark]:
    if box.bone is bone_class_of(joint):
        return []
    told = f"{joint}: its box is of class {box.bone}, but lies where only {joint} can be."
    return [Remark(RemarkKind.OTHER_CLASS, told)]


def _place_remark(joint: Joint, far: float) -> list[Remark]:
    if far <= FAR:
        return []
    told = f"{joint}: its box lies {far:.1f} standard deviations from where the other joints put it."
    return [Remark(RemarkKind.OUT_OF_PLACE, told)]


def _rivals(number: int, match: Match, boxes: Sequence[Detection]) -> list[Remark]:
    """Tell of boxes without a joint, at another place, that would do nearly as well."""
    joint, given = JOINTS[number], int(match.boxes[number])
    near = match.costs[number] < match.costs[number, given] + _RIVAL
    free = [boxes[k] for k, is_near in enumerate(near) if is_near and k not in match.boxes]
    rivals = [one for one in free if not same_place(one, boxes[given])]
    return [
        Remark(RemarkKind.RIVAL_BOX, f"{joint}: another box of {one.bone} fits nearly as well; one is wrong.")
        for one in rivals
    ]


def _missing(joint: Joint, place: tuple[float, float], film: tuple[int, int] | None) -> Remark:
    where = f"({place[0]:.0f}, {place[1]:.0f})"
    if film is not None and not (0 <= place[0] <= film[1] and 0 <= place[1] <= film[0]):
        told = f"{joint}: its place {where} lies off the film of {film[1]} x {film[0]} pixels."
        return Remark(RemarkKind.OFF_FILM, told)
    return Remark(RemarkKind.NO_BOX, f"{joint}: no box at its place {where}.")


def _left_over(number: int, match: Match, boxes: Sequence[Detection]) -> LeftOver:
    """Say why a box became no joint."""
    box = boxes[number]
    if any(same_place(box, boxes[k]) for k in match.boxes[match.seen]):
        return LeftOver(box, Remark(RemarkKind.DOUBLE, f"A second box of {box.bone} in the place of a better one."))
    x, y = box.centre
    told = f"A box of {box.bone} at ({x:.0f}, {y:.0f}), where no joint of the hand is left."
    return LeftOver(box, Remark(RemarkKind.NO_JOINT, told))


def _no_hand(boxes: Sequence[Detection]) -> NamedHand:
    """Say that the boxes are no hand."""
    kinds = len({one.bone for one in boxes})
    told = (
        f"{len(boxes)} boxes of {kinds} of the {len(BoneClass)} classes do not lie like the joints of a hand; at least "
        f"{LEAST_JOINTS} that do are needed to name them."
    )
    remark = Remark(RemarkKind.NO_HAND, told)
    joints = tuple(NamedJoint(joint, JointStatus.MISSING, None, None, None, (remark,)) for joint in JOINTS)
    left = tuple(LeftOver(one, remark) for one in boxes)
    return NamedHand(joints, Side.UNKNOWN, None, None, left, None, None)


def _hand_box(joints: Sequence[NamedJoint], match: Match, plan: HandPlan) -> Box:
    """Enclose the boxes, the places of joints without one, and the fingertips, which follow the fingers' ends."""
    to_film = match.to_plan.inverse
    ends = [JOINTS.index(Joint(f"DIP{finger}")) for finger in ("First", "Second", "Third", "Fourth", "Fifth")]
    tips = to_film(plan.fingertips + match.expected.places[ends] - plan.places[ends])
    corners = [
        (b.x + dx * b.width, b.y + dy * b.height) for b in map(_box_of, joints) for dx in (0, 1) for dy in (0, 1)
    ]
    points = np.vstack([corners, tips])
    low, high = points.min(axis=0), points.max(axis=0)
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))


def _box_of(joint: NamedJoint) -> Box:
    """A joint's box, or its place."""
    if joint.box is not None:
        return joint.box
    x, y = joint.place or (0.0, 0.0)
    return Box(x, y, 0.0, 0.0)
