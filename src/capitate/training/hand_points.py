"""Key points of labelled hands, and which finger's each box of the same hand is by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from capitate.hand.joints import FINGERS, BoneClass, Joint, bone_class_of
from capitate.training.data.boxes import LabelledBox
from capitate.training.table import Row, read_table
from capitate.types import Side

__all__ = ["BONES", "POINTS", "BoxOfJoint", "HandPoints", "boxes_by_points", "read_hand_points"]

Array = NDArray[np.float64]

_FINGER_POINTS = dict(
    zip(FINGERS, ("thumb", "forefinger", "middle_finger", "ring_finger", "pinky_finger"), strict=True)
)
POINTS = ("wrist", *(f"{finger}{k}" for finger in _FINGER_POINTS.values() for k in (1, 2, 3, 4)))
"""The 21 key points: the wrist; of the thumb CMC, MCP, IP and tip, of fingers II to V MCP, PIP, DIP and tip."""


def _bone(joint: Joint) -> tuple[str, str]:
    """Name the key points between which the bone of a joint lies."""
    part, finger = joint.value[:3], joint.value[3:]
    name = _FINGER_POINTS[finger]
    rows = ("MCP", "PIP", "DIP") if finger == "First" else ("PIP", "MIP", "DIP")
    if part == "MCP" and finger != "First":
        return "wrist", f"{name}1"
    start = rows.index(part) + 1
    return f"{name}{start}", f"{name}{start + 1}"


BONES: Mapping[Joint, tuple[str, str]] = {joint: _bone(joint) for chain in FINGERS.values() for joint in chain}
"""Between which key points the bone lies whose epiphysis a joint names; the table of joints in the design."""


@dataclass(frozen=True, eq=False)
class HandPoints:
    """Key points of one hand.

    Attributes:
        film: id of the film.
        side: the label's side.
        at: each of `POINTS`, perhaps without the fingertips, (2,) fractions of the film.
    """

    film: str
    side: Side
    at: Mapping[str, Array]

    @property
    def size(self) -> Array:
        """Width and height of the hull of the points, fractions of the film, (2,)."""
        extent: Array = np.ptp(np.array(list(self.at.values())), axis=0)
        return extent

    def off_bone(self, joint: Joint, place: Array) -> float:
        """Distance of a place (2,) from a joint's bone, in hulls: 0.1 is a tenth of the hand, whatever the squash."""
        start, end = (self.at[name] / self.size for name in BONES[joint])
        along = end - start
        share = np.clip((place / self.size - start) @ along / max(float(along @ along), 1e-12), 0, 1)
        return float(np.hypot(*(place / self.size - start - share * along)))


@dataclass(frozen=True)
class BoxOfJoint:
    """Which box is a joint's by the key points: its number, and its distance from the bone in hulls of the hand."""

    number: int
    off_bone: float


def read_hand_points(path: Path, *, fingertips: bool = False) -> dict[str, HandPoints]:
    """Read a table in the form of `hand-keypoints-21.csv`, by film.

    Args:
        path: of the table.
        fingertips: whether they have to be there; otherwise their columns may be absent.

    Raises:
        TableError: naming file, line and column.
    """
    table = read_table(path)
    names = [name for name in POINTS if fingertips or not name.endswith("4") or f"{name}_x" in table.columns]
    table.require("id", *(f"{name}_{axis}" for name in names for axis in "xy"))
    return {row.values["id"]: _hand(row, names, sided="side" in table.columns) for row in table.rows}


def boxes_by_points(boxes: Sequence[LabelledBox], points: HandPoints) -> dict[Joint, BoxOfJoint]:
    """Give each joint its box by the key points, class by class; radius and ulna by their class alone.

    Boxes and bones are paired so that the sum of their distances is least. A class with too many boxes leaves the
    farthest out, one with too few leaves joints out.
    """
    found: dict[Joint, BoxOfJoint] = {}
    for bone in BoneClass:
        joints = [joint for joint in BONES if bone_class_of(joint) is bone and set(BONES[joint]) <= points.at.keys()]
        own = [k for k, box in enumerate(boxes) if box.joint == bone]
        if bone in (BoneClass.RADIUS, BoneClass.ULNA):
            found |= {Joint(bone.value): BoxOfJoint(own[0], 0.0)} if len(own) == 1 else {}
            continue
        costs = np.array(
            [[points.off_bone(joint, np.array([boxes[k].x, boxes[k].y])) for k in own] for joint in joints]
        ).reshape(len(joints), len(own))
        for row, column in zip(*linear_sum_assignment(costs), strict=True):
            found[joints[row]] = BoxOfJoint(own[column], float(costs[row, column]))
    return found


def _hand(row: Row, names: Sequence[str], *, sided: bool) -> HandPoints:
    at = {name: np.array([_fraction(row, f"{name}_{axis}") for axis in "xy"]) for name in names}
    text = row.values["side"].strip().casefold() if sided else ""
    return HandPoints(row.values["id"], Side(text) if text in set(Side) else Side.UNKNOWN, at)


def _fraction(row: Row, column: str) -> float:
    value = row.number(column, most=1.0, unit="the film's width or height")
    if value is None:
        row.fail(column, "no coordinate", "write a fraction of the film's width or height")
    return value
