"""Where the drawn things are on the film: boxes, centres, radii."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.flesh import outline_points
from capitate.phantom.maturity import grade_of
from capitate.phantom.pose import Placement, Pose
from capitate.phantom.reference import JOINTS, anatomy
from capitate.phantom.skeleton import Hand
from capitate.phantom.truth import CarpalTruth, JointTruth
from capitate.types import Box

__all__ = ["box_corners", "box_plan", "carpal_truths", "hand_box", "joint_truth"]


def box_plan(joint: str, hand: Hand) -> tuple[NDArray[np.float64], tuple[float, float]]:
    """Return centre and (width, height) of a joint's box on the upright plan."""
    facts = anatomy("boxes")[joint]
    bone = hand.bone(joint)
    if "offset" in facts:
        middle = np.array(facts["offset"]) + bone.start - np.array(anatomy("forearm")[joint][0])
    else:
        axis = bone.end - bone.start
        middle = bone.start + facts["along"] * axis / np.hypot(*axis)
    return middle, (float(facts["size"][0]), float(facts["size"][1]))


def box_corners(hand: Hand) -> NDArray[np.float64]:
    """Return the corners of all joint boxes on the upright plan, shape (84, 2)."""
    corners = []
    for joint in JOINTS:
        middle, (wide, tall) = box_plan(joint, hand)
        corners.append(middle + np.array([[-wide, -tall], [-wide, tall], [wide, -tall], [wide, tall]]) / 2)
    return np.concatenate(corners)


def joint_truth(
    joint: str, *, hand: Hand, maturity: float, placement: Placement, pose: Pose, shape: tuple[int, int]
) -> JointTruth:
    """Say where a joint is on the film and what it shows.

    Raises:
        ValueError: if the middle of its box is off the film.
    """
    bone = hand.bone(joint)
    middle, (wide, tall) = box_plan(joint, hand)
    x, y = placement.to_film(middle)
    joint_x, joint_y = placement.to_film(bone.start)
    rows, columns = shape
    if not (0 <= x < columns and 0 <= y < rows):
        raise ValueError(f"the pose puts {joint} off the film, at ({x:.0f}, {y:.0f}) of {columns} x {rows}: {pose!r}")
    cos, sin = np.cos(np.deg2rad(pose.rotation_degrees)), np.sin(np.deg2rad(pose.rotation_degrees))
    # The box of a turned ellipse: a turned hand's boxes do not swell at the corners.
    half_wide = float(np.hypot(wide * cos, tall * sin)) / 2 * placement.pixels_per_unit
    half_tall = float(np.hypot(wide * sin, tall * cos)) / 2 * placement.pixels_per_unit
    left, top = max(0.0, x - half_wide), max(0.0, y - half_tall)
    box = Box(left, top, min(columns, x + half_wide) - left, min(rows, y + half_tall) - top)
    return JointTruth(
        name=joint,
        box=box,
        grade=grade_of(joint, maturity=maturity),
        maturity=maturity,
        centre=(float(joint_x), float(joint_y)),
        width_ratio=bone.look.width if bone.look.visible else 0.0,
        gap=bone.look.gap,
        fused=bone.look.fusion,
    )


def carpal_truths(hand: Hand, placement: Placement) -> tuple[CarpalTruth, ...]:
    """Say where the carpal bones and the sesamoid are on the film."""
    found = []
    for carpal in hand.carpals:
        x, y = placement.to_film(carpal.centre)
        radius = carpal.size * float(np.sqrt(carpal.axes[0] * carpal.axes[1])) * placement.pixels_per_unit
        found.append(CarpalTruth(carpal.name, (float(x), float(y)), radius, carpal.size > 0))
    return tuple(found)


def hand_box(hand: Hand, placement: Placement, shape: tuple[int, int]) -> Box:
    """Return the box around fingers, palm and the boxes of radius and ulna, clipped to the film."""
    film = placement.to_film(np.concatenate([outline_points(hand), box_corners(hand)]))
    low = np.clip(film.min(axis=0), 0, [shape[1], shape[0]])
    high = np.clip(film.max(axis=0), 0, [shape[1], shape[0]])
    return Box(float(low[0]), float(low[1]), float(high[0] - low[0]), float(high[1] - low[1]))
