"""The axis of the bone that a joint is named by: where its epiphysis lies, and which way its shaft runs."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import NoHandError
from capitate.hand.joints import FINGERS, Joint
from capitate.hand.named import NamedHand, NamedJoint
from capitate.hand.plan import JOINTS

__all__ = ["BoneAxis", "bone_axis", "hand_length"]

Array = NDArray[np.float64]

_SIDES: Mapping[str, float] = {
    "Radius": 0.226, "Ulna": 0.172,
    "MCPFirst": 0.185, "MCPSecond": 0.153, "MCPThird": 0.148, "MCPFourth": 0.138, "MCPFifth": 0.140,
    "PIPFirst": 0.141, "PIPSecond": 0.145, "PIPThird": 0.140, "PIPFourth": 0.133, "PIPFifth": 0.125,
    "MIPSecond": 0.130, "MIPThird": 0.127, "MIPFourth": 0.123, "MIPFifth": 0.113,
    "DIPFirst": 0.177, "DIPSecond": 0.144, "DIPThird": 0.148, "DIPFourth": 0.147, "DIPFifth": 0.136,
}  # fmt: skip
"""Side of a joint's box in lengths of the hand: median root of width times height over the 111 hands that have sound
boxes in `boxes-21.csv` and their proportions in `rsna-highres/index.csv`."""
_BEFORE_CENTRE: Mapping[str, float] = {
    "Radius": 0.30, "Ulna": 0.30,
    "MCPFirst": 0.21, "MCPSecond": 0.32, "MCPThird": 0.34, "MCPFourth": 0.32, "MCPFifth": 0.32,
    "PIPFirst": 0.19, "PIPSecond": 0.35, "PIPThird": 0.37, "PIPFourth": 0.38, "PIPFifth": 0.30,
    "MIPSecond": 0.01, "MIPThird": 0.01, "MIPFourth": 0.03, "MIPFifth": -0.04,
    "DIPFirst": 0.26, "DIPSecond": 0.24, "DIPThird": 0.26, "DIPFourth": 0.27, "DIPFifth": 0.27,
}  # fmt: skip
"""How far before the middle of its box, against the shaft, a joint's epiphysis lies, in sides of the box: medians over
the outlined epiphyses of the 329 hands with joints; of Radius, Ulna and MCPFirst without the carpal bones near them."""
_METACARPAL_BASES = 0.15
"""Where the metacarpals II to V run together: so far from the middle of radius and ulna, in lengths of the hand."""


@dataclass(frozen=True, eq=False)
class BoneAxis:
    """Where to look at a joint.

    Attributes:
        centre: (2,) film pixels, where the middle of the epiphysis is to be expected.
        along: (2,) unit vector on the film from the epiphysis towards the shaft.
        side: side of the joint's box in film pixels, as it is in a hand of this length.
    """

    centre: Array
    along: Array
    side: float

    @property
    def across(self) -> Array:
        """Unit vector (2,) a quarter turn from `along`."""
        return np.array([self.along[1], -self.along[0]])

    def to_film(self, points: Array) -> Array:
        """Map points (..., 2), across and along the bone in sides of the box, to film pixels."""
        mapped: Array = self.centre + self.side * (points[..., :1] * self.across + points[..., 1:] * self.along)
        return mapped

    def from_film(self, points: Array) -> Array:
        """Map film points (..., 2) to across and along the bone, in sides of the box."""
        moved = (points - self.centre) / self.side
        return np.stack([moved @ self.across, moved @ self.along], axis=-1)

    def moved(self, *, degrees: float, across: float, along: float = 0.0) -> BoneAxis:
        """Turn the axis about its centre, shaft towards `across`, after shifting that by sides of the box."""
        angle = math.radians(degrees)
        turned = math.cos(angle) * self.along + math.sin(angle) * self.across
        return BoneAxis(self.to_film(np.array([across, along])), turned, self.side)


def hand_length(hand: NamedHand) -> float:
    """Return the length from the wrist to the third finger's distal joint in film pixels, from all named joints.

    Raises:
        NoHandError: if the joints are no hand.
    """
    if hand.to_plan is None:
        raise NoHandError("measuring needs a named hand, got boxes that are none; measure the film by hand")
    return float(abs(np.linalg.det(hand.to_plan.matrix)) ** -0.5)


def bone_axis(joint: Joint, *, hand: NamedHand) -> BoneAxis:
    """Tell where a joint's epiphysis and shaft are, from the chain of joints that it belongs to.

    The epiphyses of phalanges and of the thumb's metacarpal lie at the wrist's end of their bone, those of the other
    metacarpals, of radius and ulna at the other end.

    Raises:
        NoHandError: if the joints are no hand.
    """
    length = hand_length(hand)
    at = {each: _centre(hand.joints[k]) for k, each in enumerate(JOINTS)}
    wrist = (at[Joint.RADIUS] + at[Joint.ULNA]) / 2
    knuckles = np.mean([at[FINGERS[finger][0]] for finger in ("Second", "Third", "Fourth", "Fifth")], axis=0)
    down = (wrist - knuckles) / max(float(np.hypot(*(wrist - knuckles))), 1e-9)
    if joint in (Joint.RADIUS, Joint.ULNA):
        along = down
    else:
        chain = next(chain for chain in FINGERS.values() if joint in chain)
        along = _along(chain, chain.index(joint), at, bases=wrist - _METACARPAL_BASES * length * down)
    along, side = along / max(float(np.hypot(*along)), 1e-9), _SIDES[joint] * length
    return BoneAxis(at[joint] - _BEFORE_CENTRE[joint] * side * along, along, side)


def _along(chain: tuple[Joint, ...], number: int, at: Mapping[Joint, Array], *, bases: Array) -> Array:
    """Point from an epiphysis to its shaft: to the chain's next joint, to the carpus, or away from the last one."""
    joint = chain[number]
    if number == 0 and joint is not Joint.MCP_FIRST:
        return bases - at[joint]
    if number + 1 < len(chain):
        return at[chain[number + 1]] - at[joint]
    return at[joint] - at[chain[number - 1]]


def _centre(joint: NamedJoint) -> Array:
    """Middle of a joint's box, or where the other joints put it."""
    return np.array(joint.detection.centre if joint.detection is not None else joint.place, dtype=float)
