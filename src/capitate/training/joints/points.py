"""Key points as joints: where the boxes' centres lie from them, for hands that have key points alone.

A point names a joint of the skeleton, a box the bone whose epiphysis is graded (DESIGN's table), and people draw boxes
off the joint: the box of a metacarpal's head begins at the joint and lies below it. So a centre is not the point, but
lies from it by a share of the bone's length, the median over the hands that have both labels. Shares along a bone are
the same in a film that was squashed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["CENTRES", "FOREARM", "Along", "Hand", "centres_of", "class_of"]

_FINGERS = {"Second": "forefinger", "Third": "middle_finger", "Fourth": "ring_finger", "Fifth": "pinky_finger"}
_CLASSES = {"PIP": "ProximalPhalanx", "MIP": "MiddlePhalanx", "DIP": "DistalPhalanx", "MCP": "MCP"}

Hand = dict[str, NDArray[np.float64]]
"""Key points of a hand by name, each (2,) as fractions of the film."""


class Along(NamedTuple):
    """A place on the line from one key point to the next.

    Attributes:
        start: name of the point where it begins.
        towards: name of the point that it runs to.
        share: of the way.
    """

    start: str
    towards: str
    share: float


CENTRES: Mapping[str, Along] = {
    "MCPFirst": Along("thumb1", "thumb2", 0.197),
    "PIPFirst": Along("thumb2", "thumb3", 0.213),
    "DIPFirst": Along("thumb3", "thumb4", 0.498),
    **{
        f"{part}{finger}": Along(f"{point}{k}", f"{point}{k + 1}", share)
        for part, k, shares in (
            ("MCP", 1, (-0.489, -0.444, -0.418, -0.513)),
            ("PIP", 1, (0.280, 0.255, 0.277, 0.267)),
            ("MIP", 2, (0.049, 0.043, 0.066, 0.022)),
            ("DIP", 3, (0.486, 0.500, 0.502, 0.535)),
        )
        for (finger, point), share in zip(_FINGERS.items(), shares, strict=True)
    },
}
"""Where the centre of each finger joint's box lies: medians over the 270 hands that have key points and sound boxes in
`hand-keypoints-21.csv` and `boxes-21.csv`; a test measures them again where the tables are present."""

FOREARM: Mapping[str, tuple[float, float]] = {"Radius": (-0.190, 0.123), "Ulna": (-0.107, -0.300)}
"""Where radius and ulna lie from the wrist's point: shares of the way to the mean of the knuckles II to V, and of that
from the knuckle V to the knuckle II; medians over the same hands."""


def centres_of(hand: Hand) -> dict[str, NDArray[np.float64]]:
    """Give the centre of each of the 21 joints, (2,) fractions of the film."""
    found = {
        joint: hand[along.start] + along.share * (hand[along.towards] - hand[along.start])
        for joint, along in CENTRES.items()
    }
    knuckles = np.mean([hand[f"{finger}1"] for finger in _FINGERS.values()], axis=0)
    up, across = knuckles - hand["wrist"], hand["forefinger1"] - hand["pinky_finger1"]
    found |= {joint: hand["wrist"] + a * up + b * across for joint, (a, b) in FOREARM.items()}
    return found


def class_of(joint: str) -> str:
    """Name the class of `boxes-21.csv` that one of the 21 joints belongs to; other names stay as they are."""
    if joint in ("Radius", "Ulna", "MCPFirst"):
        return joint
    return _CLASSES.get(joint[:3], joint) if joint in CENTRES else joint
