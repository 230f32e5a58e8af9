"""The film turned by quarter turns, and mirrored for a right hand, so that it shows an upright left hand.

Graders and outlines learn from such hands. No pixel is resampled, so that a crop holds what the film holds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.assessed_joints import AssessedJoint
from capitate.explain import ActivationMap
from capitate.hand import Detection, Joint, NamedHand, bone_class_of, name_joints
from capitate.types import Box, Side

__all__ = ["Upright"]


@dataclass(frozen=True)
class Upright:
    """How a film is turned.

    Attributes:
        shape: (rows, columns) of the film.
        quarter_turns: anticlockwise, 0 to 3.
        mirrored: whether left and right are exchanged after turning.
    """

    shape: tuple[int, int]
    quarter_turns: int = 0
    mirrored: bool = False

    @classmethod
    def of(cls, hand: NamedHand, *, shape: tuple[int, int]) -> Upright:
        """Choose the turn that brings a hand's fingers nearest to upright, and mirror a right hand."""
        turns = round((hand.rotation_degrees or 0.0) / 90) % 4
        return cls(shape, turns, hand.side is Side.RIGHT)

    @classmethod
    def of_assessed(cls, joints: Sequence[AssessedJoint], *, shape: tuple[int, int]) -> Upright:
        """Choose it again for the joints of an assessment, named anew from their boxes; no turn if they are no hand."""
        boxes = [(Joint(one.name), one.box) for one in joints]
        hand = name_joints([Detection(bone_class_of(joint), box) for joint, box in boxes if box is not None])
        return cls.of(hand, shape=shape)

    def film(self, pixels: NDArray[Any]) -> NDArray[Any]:
        """Turn the film's pixels (rows, columns); a view of them, not a copy."""
        turned = np.rot90(pixels, self.quarter_turns)
        return turned[:, ::-1] if self.mirrored else turned

    def box(self, box: Box) -> Box:
        """Bring a box on the film to the turned film."""
        corners = np.array([(box.x, box.y), (box.x + box.width, box.y + box.height)])
        low, high = np.sort(self.points(corners), axis=0)
        return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))

    def points(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Bring points (..., 2) on the film to the turned film, pixels."""
        rows, columns = self.shape
        found = np.asarray(points, dtype=np.float64)
        for _ in range(self.quarter_turns):
            found = np.stack([found[..., 1], columns - found[..., 0]], axis=-1)
            rows, columns = columns, rows
        if self.mirrored:
            found = np.stack([columns - found[..., 0], found[..., 1]], axis=-1)
        return found

    def points_back(self, points: NDArray[np.floating[Any]]) -> NDArray[np.float64]:
        """Bring points (..., 2) on the turned film back to the film, pixels."""
        rows, columns = self.shape if self.quarter_turns % 2 == 0 else self.shape[::-1]
        found = np.asarray(points, dtype=np.float64)
        if self.mirrored:
            found = np.stack([columns - found[..., 0], found[..., 1]], axis=-1)
        for _ in range(self.quarter_turns):
            found = np.stack([rows - found[..., 1], found[..., 0]], axis=-1)
            rows, columns = columns, rows
        return found

    def map_back(self, one: ActivationMap) -> ActivationMap:
        """Bring the map of a box on the turned film back to the film."""
        values = one.values[:, ::-1] if self.mirrored else one.values
        box = one.box
        if box is not None:
            corners = np.array([(box.x, box.y), (box.x + box.width, box.y + box.height)])
            low, high = np.sort(self.points_back(corners), axis=0)
            box = Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
        return replace(one, values=np.ascontiguousarray(np.rot90(values, -self.quarter_turns)), box=box)
