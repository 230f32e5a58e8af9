"""Where a network for outlines looks: squares like those that the regions of the hand-drawn masks fill.

Such a network has learnt nothing of what lies outside the regions, and it knows bones at the size that they have in
squares around them. A square around a detector's box shows them smaller, and much that it has never been taught.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.hand.joints import Joint
from capitate.hand.measures.axis import bone_axis
from capitate.hand.measures.view import OutlinePicture
from capitate.hand.named import NamedHand
from capitate.types import Box

__all__ = ["OutlineWindow", "outline_windows"]

_SQUARES: Mapping[str, tuple[float, float]] = {
    "Radius": (-0.16, 1.04), "Ulna": (-0.04, 0.53), "MCPFirst": (0.03, 0.38), "MCP": (-0.10, 0.74),
    "PIPFirst": (-0.12, 0.68), "MIP": (-0.08, 0.54), "DIPFirst": (-0.06, 0.42), "DIP": (-0.06, 0.38),
}  # fmt: skip
"""How far behind the epiphysis' place the middle of a square lies, and its side, both in sides of the joint's box: by
joint or row, medians over the connected regions of the masks of 163 hands with joints. A finger's metacarpal and
proximal phalanx lie in one region. Radius and ulna: of masks in which these lie apart from the carpus."""
_CARPUS = (-0.28, 1.50)
"""The same of the carpus, from the epiphysis of the radius, in sides of that joint's box."""
_TRUSTED = 1.15


@dataclass(frozen=True)
class OutlineWindow:
    """One square of a film to be outlined.

    Attributes:
        joints: whose epiphyses lie in it.
        carpus: whether the carpal bones do.
        box: the square, film pixels; a network's own margin comes around it.
    """

    joints: tuple[Joint, ...]
    carpus: bool
    box: Box

    def picture(
        self, bone: NDArray[np.float32], *, scale: tuple[float, float], origin: tuple[float, float]
    ) -> OutlinePicture:
        """Take the network's answer, wiped out beyond the square, where it was taught nothing.

        Args:
            bone: probability of an epiphysis or carpal bone, (height, width).
            scale: picture pixels a film pixel, across and down.
            origin: where the film's upper left corner lies in the picture, (x, y) in its pixels.
        """
        box, extra = self.box, (_TRUSTED - 1) / 2
        left = (box.x - extra * box.width) * scale[0] + origin[0]
        top = (box.y - extra * box.height) * scale[1] + origin[1]
        right, bottom = left + _TRUSTED * box.width * scale[0], top + _TRUSTED * box.height * scale[1]
        known = np.zeros_like(bone)
        known[max(0, round(top)) : max(0, round(bottom)), max(0, round(left)) : max(0, round(right))] = 1
        return OutlinePicture.placed(bone * known, scale=scale, origin=origin)


def outline_windows(hand: NamedHand) -> tuple[OutlineWindow, ...]:
    """Give the 18 squares in which the epiphyses of all 21 joints and the carpal bones lie.

    Raises:
        NoHandError: if the joints are no hand.
    """
    windows = [OutlineWindow((), True, _square(Joint.RADIUS, hand, *_CARPUS))]
    for joint in Joint:
        row, finger = joint.value[:3], joint.value[3:]
        if row == "PIP" and joint is not Joint.PIP_FIRST:
            continue
        shared = row == "MCP" and joint is not Joint.MCP_FIRST
        joints = (joint, Joint(f"PIP{finger}")) if shared else (joint,)
        place = _SQUARES.get(joint) or _SQUARES[row]
        windows.append(OutlineWindow(joints, False, _square(joint, hand, *place)))
    return tuple(windows)


def _square(joint: Joint, hand: NamedHand, along: float, share: float) -> Box:
    axis = bone_axis(joint, hand=hand)
    x, y = axis.to_film(np.array([0.0, along])).tolist()
    side = share * axis.side
    return Box(x - side / 2, y - side / 2, side, side)
