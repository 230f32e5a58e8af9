"""Whether named joints are those that the labels name, and whether a moved film gives the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import numpy as np

from capitate.evaluation.joints.films import FilmResult, MovedReading, Places
from capitate.hand import Joint

__all__ = ["NamingOutcome", "naming_outcomes", "same_joints"]

_NEAR = 0.1
"""Distance in hand lengths within which a named joint is at its label: neighbouring joints of labelled hands lie 0.095
or more apart (docs/naming.md)."""
_SAME = 0.5
"""Distance in sides of its box within which a joint is the same on a moved film."""


class NamingOutcome(StrEnum):
    """What became of a labelled joint."""

    RIGHT = "right"
    WRONG = "wrong"
    MISSING = "missing"


def naming_outcomes(truth: Places, named: Places) -> dict[Joint, NamingOutcome]:
    """Judge every labelled joint.

    A joint is right if the box of its name lies nearer to its label than to that of any other joint, and within a tenth
    of the hand's length (the farthest two labels) of it; otherwise it is wrong, and missing where no box has its name.

    Args:
        truth: labelled joints.
        named: what naming made of the detector's boxes.
    """
    if not truth:
        return {}
    joints, labels = list(truth), np.array(list(truth.values()), dtype=np.float64)
    length = float(np.hypot(*(labels[:, None] - labels[None]).transpose(2, 0, 1)).max())
    outcomes = {}
    for number, joint in enumerate(joints):
        if joint not in named:
            outcomes[joint] = NamingOutcome.MISSING
            continue
        apart = np.hypot(*(labels - np.array(named[joint])).T)
        near = apart[number] <= _NEAR * length or len(joints) == 1
        right = near and int(apart.argmin()) == number
        outcomes[joint] = NamingOutcome.RIGHT if right else NamingOutcome.WRONG
    return outcomes


def same_joints(result: FilmResult, moved: MovedReading) -> Mapping[Joint, bool]:
    """Say for every joint that the film or the moved film names whether both name it at the same place.

    Same is within half a side of the joint's box on the film as it is (the mean of width and height).
    """
    if result.reading is None:
        return {}
    boxes = {one.joint: one.box for one in result.reading.hand.joints if one.box is not None}
    places, same = result.places, {}
    for joint in sorted(places.keys() | moved.places.keys(), key=tuple(Joint).index):
        if joint not in places or joint not in moved.places:
            same[joint] = False
            continue
        side = (boxes[joint].width + boxes[joint].height) / 2
        apart = np.hypot(*np.subtract(places[joint], moved.places[joint]))
        same[joint] = bool(apart <= _SAME * side)
    return same
