"""Labelled hands to try naming on, and what is done to them before: moved, with boxes missing, added or mislabelled."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from capitate.hand import FINGERS, Detection, Joint, bone_class_of
from capitate.training.data.boxes import LabelledBox
from capitate.training.hand_plan import labelled_shapes
from capitate.training.hand_points import HandPoints, boxes_by_points
from capitate.training.joints_audit import PERCENT, as_detections
from capitate.types import Box, Side

__all__ = ["CONDITIONS", "Condition", "TrialHand", "trial_hands"]

Array = NDArray[np.float64]
Change = Callable[["TrialHand", np.random.Generator], "TrialHand"]

_MIDDLE = PERCENT / 2


@dataclass(frozen=True, eq=False)
class TrialHand:
    """One hand to name, and the truth.

    Attributes:
        film: id.
        side: the side that the film shows.
        truth: the box of every joint that has one.
        others: further boxes; one in the place of a joint's own is as good.
    """

    film: str
    side: Side
    truth: dict[Joint, Detection]
    others: tuple[Detection, ...] = ()


@dataclass(frozen=True)
class Condition:
    """A way to change hands before they are named: its name in the table, and the change."""

    name: str
    change: Change


def trial_hands(boxes: Mapping[str, Sequence[LabelledBox]], points: Mapping[str, HandPoints]) -> dict[str, TrialHand]:
    """Take the hands whose boxes and key points agree, so that every box's finger is known."""
    hands = {}
    for film in labelled_shapes(boxes, points):
        detections = as_detections(boxes[film])
        own = boxes_by_points(boxes[film], points[film])
        hands[film] = TrialHand(film, points[film].side, {joint: detections[one.number] for joint, one in own.items()})
    return hands


def _moved(hand: TrialHand, matrix: Array, *, side: Side | None = None) -> TrialHand:
    """Apply a matrix about the film's middle; a box becomes that of the ellipse in it."""

    def move(one: Detection) -> Detection:
        x, y = matrix @ (np.array(one.centre) - _MIDDLE) + _MIDDLE
        width, height = np.hypot(*(matrix * [one.box.width, one.box.height]).T)
        box = Box(float(x - width / 2), float(y - height / 2), float(width), float(height))
        return Detection(one.bone, box, one.score)

    truth = {joint: move(one) for joint, one in hand.truth.items()}
    return TrialHand(hand.film, side or hand.side, truth, tuple(move(one) for one in hand.others))


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
    x, y = rng.uniform(-0.2, 0.2, 2) * [one.box.width, one.box.height]
    box = Box(one.box.x + float(x), one.box.y + float(y), one.box.width, one.box.height)
    return TrialHand(hand.film, hand.side, hand.truth, (Detection(one.bone, box),))


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
"""What the table in `docs/naming.md` shows."""
