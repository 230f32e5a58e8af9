"""How often joints are named rightly: labelled hands as they are, moved, and with boxes missing, added or mislabelled.

The truth is which finger's each box is by the hand's key points, which naming never sees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from capitate.hand import Detection, Joint, JointStatus, NamedHand, name_joints
from capitate.hand.detection import same_place
from capitate.hand.plan import JOINTS, HandPlan
from capitate.training.data.boxes import LabelledBox
from capitate.training.hand_plan import labelled_shapes, measure_plan
from capitate.training.hand_points import HandPoints
from capitate.training.naming_conditions import Condition, TrialHand

__all__ = ["Trial", "order_by_x", "plans_without", "try_naming"]

_FOLDS = 5


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
        by_x: hands that the order from left to right would name rightly, little finger leftmost.
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
    by_x: int

    def to_json(self) -> dict[str, str | int]:
        """Write the row."""
        return asdict(self)


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
    plans: dict[str, HandPlan] = {}
    for fold in range(_FOLDS):
        held_out = sorted(shapes)[fold::_FOLDS]
        plans |= dict.fromkeys(held_out, measure_plan(shapes, aspects=aspects, leave_out=held_out))
    return plans


def order_by_x(hand: TrialHand) -> bool:
    """Whether each class from right to left is in the order from the thumb to the little finger; for comparison."""
    rows: dict[str, list[Joint]] = {}
    for joint in sorted(hand.truth, key=lambda one: -hand.truth[one].centre[0]):
        rows.setdefault(hand.truth[joint].bone, []).append(joint)
    return all(row == sorted(row, key=JOINTS.index) for row in rows.values())


def _counted(name: str, hands: Sequence[TrialHand], named: Sequence[NamedHand]) -> Trial:
    counts = dict.fromkeys(
        ("found_right", "uncertain_right", "uncertain_wrong", "found_wrong", "missed", "invented"), 0
    )
    hands_right = 0
    for hand, result in zip(hands, named, strict=True):
        told = [_outcome(hand, result, joint) for joint in Joint]
        hands_right += all(one in (None, "found_right", "uncertain_right") for one in told)
        for one in told:
            if one is not None:
                counts[one] += 1
    sides = sum(result.side is hand.side for hand, result in zip(hands, named, strict=True))
    joints = sum(len(hand.truth) for hand in hands)
    counts["by_x"] = sum(order_by_x(hand) for hand in hands)
    return Trial(condition=name, hands=len(hands), hands_right=hands_right, sides_right=sides, joints=joints, **counts)


def _outcome(hand: TrialHand, result: NamedHand, joint: Joint) -> str | None:
    """Say what became of a joint; None where it has no box and was called missing."""
    one, truth = result.joint(joint), hand.truth.get(joint)
    if one.detection is None:
        return None if truth is None else "missed"
    if truth is None:
        return "invented"
    there = (truth, *(box for box in hand.others if same_place(box, truth)))
    right = "right" if any(one.detection is box for box in there) else "wrong"
    return f"{'found' if one.status is JointStatus.FOUND else 'uncertain'}_{right}"


def _shuffled(hand: TrialHand, rng: np.random.Generator) -> list[Detection]:
    boxes = [*hand.truth.values(), *hand.others]
    return [boxes[k] for k in rng.permutation(len(boxes))]
