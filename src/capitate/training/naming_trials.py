"""How often joints are named rightly: labelled hands as they are, moved, and with boxes missing, added or mislabelled.

The truth is which finger's each box is by the hand's key points, which naming never sees.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capitate.hand import FINGERS, Detection, Joint, JointStatus, NamedHand, bone_class_of, name_joints
from capitate.hand.plan import HandPlan
from capitate.training.data.boxes import LabelledBox
from capitate.training.hand_plan import labelled_shapes, measure_plan
from capitate.training.hand_points import HandPoints, boxes_by_points
from capitate.training.joints_audit import PERCENT, as_detections
from capitate.types import Box, Side

__all__ = ["CONDITIONS", "Condition", "Trial", "TrialHand", "order_by_x", "trial_hands", "try_naming"]

Truth = dict[Joint, Detection]
Array = NDArray[np.float64]
Change = Callable[["TrialHand", np.random.Generator], "TrialHand"]

_FOLDS = 5
_MIDDLE = PERCENT / 2


@dataclass(frozen=True, eq=False)
class TrialHand:
    """One hand to name, and the truth.

    Attributes:
        film: id.
        side: the side that the film shows.
        truth: the box of every joint that has one.
        others: boxes that are no joint's, or a joint's second box.
        doubled: the joint that has a second box.
    """

    film: str
    side: Side
    truth: Truth
    others: tuple[Detection, ...] = ()
    doubled: Joint | None = None


@dataclass(frozen=True)
class Condition:
    """A way to change hands before they are named: its name in the table, and the change."""

    name: str
    change: Change


@dataclass(frozen=True)
class Trial:
    """What naming made of all hands under one condition; joints are those that have a box.

    Attributes:
        condition: its name.
        hands: number of hands.
        hands_right: every joint with a box named rightly, every other one missing.
        sides_right: hands whose side is right.
        joints: number of joints with a box.
        found_right: named rightly and called found.
        uncertain_right: named rightly and called uncertain.
        uncertain_wrong: a wrong box, but called uncertain.
        found_wrong: a wrong box and called found: what may not happen.
        missed: called missing though there is a box.
        invented: joints without a box of their own that were given one.
    """

    condition: str
    hands: int
    hands_right: int
    sides_right: int
    joints: int
    found_right: int
    uncertain_right: int
    uncertain_wrong: int
    found_wrong: int
    missed: int
    invented: int


def trial_hands(
    boxes: Mapping[str, Sequence[LabelledBox]], points: Mapping[str, HandPoints]
) -> dict[str, TrialHand]:
    """Take the hands whose boxes and key points agree, so that every box's finger is known."""
    hands = {}
    for film in labelled_shapes(boxes, points):
        detections = as_detections(boxes[film])
        own = boxes_by_points(boxes[film], points[film])
        hands[film] = TrialHand(film, points[film].side, {joint: detections[one.number] for joint, one in own.items()})
    return hands


def try_naming(
    hands: Mapping[str, TrialHand], conditions: Sequence[Condition], *, plans: Mapping[str, HandPlan], seed: int = 0
) -> list[Trial]:
    """Name all hands under all conditions.

    Args:
        hands: from `trial_hands`.
        conditions: such as `CONDITIONS`.
        plans: by film, a plan that was measured without the hand; the plan that ships where none is given.
        seed: which boxes are removed, added or exchanged.
    """
    trials = []
    for number, condition in enumerate(conditions):
        rng = np.random.default_rng((seed, number))
        tried = [condition.change(hand, rng) for hand in hands.values()]
        named = [name_joints(_shuffled(hand, rng), plan=plans.get(hand.film)) for hand in tried]
        trials.append(_counted(condition.name, tried, named))
    return trials


def plans_without(
    boxes: Mapping[str, Sequence[LabelledBox]], points: Mapping[str, HandPoints], *, aspects: Mapping[str, float]
) -> dict[str, HandPlan]:
    """Measure five plans, each without a fifth of the hands, and give every hand the one that never saw it."""
    shapes = labelled_shapes(boxes, points)
    plans = {}
    for fold in range(_FOLDS):
        held_out = sorted(shapes)[fold::_FOLDS]
        plans |= dict.fromkeys(held_out, measure_plan(shapes, aspects=aspects, leave_out=held_out))
    return plans


def order_by_x(hand: TrialHand) -> dict[str, bool]:
    """Name by the rule of thumb, little finger leftmost, and tell by class whether it is right; for comparison only."""
    right = {}
    for bone in dict.fromkeys(bone_class_of(joint) for joint in hand.truth):
        ours = [joint for joint in hand.truth if bone_class_of(joint) is bone]
        by_x = sorted(ours, key=lambda joint: -hand.truth[joint].centre[0])
        right[bone.value] = by_x == sorted(ours, key=list(Joint).index)
    return right


def _counted(name: str, hands: Sequence[TrialHand], named: Sequence[NamedHand]) -> Trial:
    counts = dict.fromkeys(("found_right", "uncertain_right", "uncertain_wrong", "found_wrong", "missed", "invented"), 0)
    hands_right = 0
    for hand, result in zip(hands, named, strict=True):
        told = [_outcome(hand, result, joint) for joint in Joint]
        hands_right += all(one in (None, "found_right", "uncertain_right") for one in told)
        for one in told:
            if one is not None:
                counts[one] += 1
    sides = sum(result.side is hand.side for hand, result in zip(hands, named, strict=True))
    joints = sum(len(hand.truth) for hand in hands)
    return Trial(condition=name, hands=len(hands), hands_right=hands_right, sides_right=sides, joints=joints, **counts)


def _outcome(hand: TrialHand, result: NamedHand, joint: Joint) -> str | None:
    """Say what became of a joint; None where it has no box and was called missing."""
    one, truth = result.joint(joint), hand.truth.get(joint)
    if one.detection is None:
        return None if truth is None else "missed"
    if truth is None:
        return "invented"
    rights = (truth, *(hand.others if hand.doubled is joint else ()))
    right = "right" if any(one.detection is box for box in rights) else "wrong"
    return f"{'found' if one.status is JointStatus.FOUND else 'uncertain'}_{right}"


def _shuffled(hand: TrialHand, rng: np.random.Generator) -> list[Detection]:
    boxes = [*hand.truth.values(), *hand.others]
    return [boxes[k] for k in rng.permutation(len(boxes))]


def _moved(hand: TrialHand, matrix: Array, *, side: Side | None = None) -> TrialHand:
    """Apply a matrix about the film's middle; a box keeps its sides' mean."""

    def move(one: Detection) -> Detection:
        x, y = matrix @ (np.array(one.centre) - _MIDDLE) + _MIDDLE
        size = one.side
        return Detection(one.bone, Box(float(x) - size / 2, float(y) - size / 2, size, size), one.score)

    truth = {joint: move(one) for joint, one in hand.truth.items()}
    return TrialHand(hand.film, side or hand.side, truth, tuple(move(one) for one in hand.others), hand.doubled)


def _as_labelled(hand: TrialHand, _: np.random.Generator) -> TrialHand:
    return hand


def _mirrored(hand: TrialHand, _: np.random.Generator) -> TrialHand:
    other = Side.RIGHT if hand.side is Side.LEFT else Side.LEFT
    return _moved(hand, np.diag([-1.0, 1.0]), side=other)


def _turned(degrees: float) -> Change:
    c, s = np.cos(np.deg2rad(degrees)), np.sin(np.deg2rad(degrees))
    return lambda hand, _: _moved(hand, np.array([[c, -s], [s, c]]))


def _tilted(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
    return _turned(rng.uniform(-30, 30))(hand, rng)


def _squashed(across: float) -> Change:
    return lambda hand, _: _moved(hand, np.diag([across, 1.0]))


def _squashed_aslant(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
    """Turn a hand by any angle and squash the film after."""
    return _squashed(0.7)(_turned(rng.uniform(-180, 180))(hand, rng), rng)


def _without(joints: Sequence[Joint]) -> Change:
    def change(hand: TrialHand, _: np.random.Generator) -> TrialHand:
        kept = {joint: one for joint, one in hand.truth.items() if joint not in joints}
        return TrialHand(hand.film, hand.side, kept)

    return change


def _removed(count: int) -> Change:
    def change(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
        gone = rng.choice(len(hand.truth), count, replace=False)
        return _without([joint for k, joint in enumerate(hand.truth) if k in gone])(hand, rng)

    return change


def _added(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
    x, y = rng.uniform(0, PERCENT, 2)
    bone = list(hand.truth.values())[rng.integers(len(hand.truth))].bone
    return TrialHand(hand.film, hand.side, hand.truth, (Detection(bone, Box(float(x) - 5, float(y) - 5, 10, 10)),))


def _doubled(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
    """Add a second box of a joint up to a fifth of its side away."""
    joint = list(hand.truth)[rng.integers(len(hand.truth))]
    one = hand.truth[joint]
    x, y = rng.uniform(-0.2, 0.2, 2) * one.side
    box = Box(one.box.x + float(x), one.box.y + float(y), one.box.width, one.box.height)
    return TrialHand(hand.film, hand.side, hand.truth, (Detection(one.bone, box),), joint)


def _swapped(hand: TrialHand, rng: np.random.Generator) -> TrialHand:
    """Exchange the classes of two neighbours in one finger's chain."""
    pairs = [pair for chain in FINGERS.values() for pair in pairwise(chain) if _unlike(*pair)]
    one, other = pairs[rng.integers(len(pairs))]
    truth = dict(hand.truth)
    for joint, wrong in ((one, other), (other, one)):
        truth[joint] = Detection(bone_class_of(wrong), hand.truth[joint].box, hand.truth[joint].score)
    return TrialHand(hand.film, hand.side, truth)


def _unlike(one: Joint, other: Joint) -> bool:
    return bone_class_of(one) is not bone_class_of(other)


CONDITIONS: tuple[Condition, ...] = (
    Condition("as labelled", _as_labelled),
    Condition("mirrored", _mirrored),
    *(Condition(f"turned by {degrees} degrees", _turned(degrees)) for degrees in (90, 180, 270)),
    Condition("tilted by up to 30 degrees", _tilted),
    Condition("squashed to 0.6 of its width", _squashed(0.6)),
    Condition("turned by any angle, then squashed to 0.7", _squashed_aslant),
    Condition("one random box removed", _removed(1)),
    Condition("four random boxes removed", _removed(4)),
    Condition("the thumb's boxes removed", _without(FINGERS["First"])),
    Condition("one box added at a random place", _added),
    Condition("one box doubled", _doubled),
    Condition("the classes of two neighbours swapped", _swapped),
)
"""What the table in `docs/joints.md` shows."""
