"""Where missing joints would be on a film, told by the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from capitate.assessed_joints import AssessedJoint
from capitate.hand.affine import Affine, fit_affine
from capitate.hand.joints import Joint
from capitate.hand.plan import JOINTS, hand_plan
from capitate.types import Box

__all__ = ["missing_places"]

_LEAST_PLACED = 6
"""Boxes from which on the hand's place is told."""
_MISSING_SHARE = 0.6
"""Side of the square drawn where a missing joint is expected, as a share of the median box's longer side."""


def _plan_of(joints: Sequence[AssessedJoint]) -> Affine | None:
    """Return the map from film pixels to the plan of a hand; None where fewer than six boxes, or a line of them, tell.

    Args:
        joints: those of an assessment.
    """
    centres = _centres(joints)
    if len(centres) < _LEAST_PLACED:
        return None
    plan = hand_plan().places
    wanted = np.array([plan[JOINTS.index(joint)] for joint in centres])
    try:
        return fit_affine(np.array(list(centres.values())), wanted)
    except (ValueError, np.linalg.LinAlgError):
        return None


def missing_places(joints: Sequence[AssessedJoint]) -> dict[str, Box]:
    """Tell where the joints without a box are to be expected, from the others and how hands vary.

    Returns:
        A square around each place by name, film pixels; nothing where the others do not tell.
    """
    lost = [one.name for one in joints if one.box is None]
    to_plan = _plan_of(joints)
    if to_plan is None or not lost:
        return {}
    centres = _centres(joints)
    seen, at = np.zeros(len(JOINTS), dtype=bool), np.zeros((len(JOINTS), 2))
    for joint, centre in centres.items():
        seen[JOINTS.index(joint)], at[JOINTS.index(joint)] = True, to_plan(np.array(centre))
    places = to_plan.inverse(hand_plan().expected(seen, at=at).places)
    sides = [max(one.box.width, one.box.height) for one in joints if one.box is not None]
    side = _MISSING_SHARE * float(np.median(sides))
    found = {name: places[JOINTS.index(Joint(name))].tolist() for name in lost}
    return {name: Box(x - side / 2, y - side / 2, side, side) for name, (x, y) in found.items()}


def _centres(joints: Sequence[AssessedJoint]) -> Mapping[Joint, tuple[float, float]]:
    """Return the middles of the boxes that are there, film pixels."""
    boxes = {Joint(one.name): one.box for one in joints if one.box is not None}
    return {joint: (box.x + box.width / 2, box.y + box.height / 2) for joint, box in boxes.items()}
