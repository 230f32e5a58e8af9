"""Finding the joints of a hand: one look at the locator's view, and a second one where joints are missing.

The locator's frame is off on some films, those of babies above all, so that the view cuts joints away. Those that were
found show where the hand lies, and the view along them shows the others.
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from capitate.hand import Detection, NamedHand, name_joints
from capitate.hand.plan import JOINTS
from capitate.runtime.bundle import Bundle
from capitate.runtime.joint_boxes import FoundJoint
from capitate.runtime.views import HandFrame
from capitate.types import Box

__all__ = ["FindsJoints", "as_detection", "frame_along", "look_for_joints"]

Pixels = NDArray[np.float32]

_FRAME = np.array([[0.061, -0.530], [0.388, -0.553], [0.077, -0.096]])
"""Where the locator's frame lies on the plan of the hand: its centre, the middle of its right side, and of its lower
one; medians over 144 hands of rsna-highres of which all 21 joints were found (standard deviations 0.01 to 0.03)."""


class FindsJoints(Protocol):
    """What finds joints, such as `JointDetector`."""

    bundle: Bundle

    def detect(
        self,
        pixels: Pixels,
        frame: HandFrame | None = None,
        *,
        square: Pixels | None = None,
        threshold: float | None = None,
    ) -> list[FoundJoint]:
        """Find the joints of the hand in a frame."""


def look_for_joints(
    detector: FindsJoints,
    pixels: Pixels,
    frame: HandFrame,
    *,
    square: Pixels | None = None,
    threshold: float | None = None,
    least: float = 0.0,
) -> list[FoundJoint]:
    """Find joints in the locator's view and, where some are missing, in the view along those found.

    Args:
        detector: of joints.
        pixels: float32 (rows, columns), bone bright.
        frame: the hand as the locator found it.
        square: `squash` of the film, where that is there already.
        threshold: least score of a joint that is given, the detector's own if None.
        least: score from which on a joint counts as found, where weaker ones are given as well.

    Returns:
        The joints of the look that found more of them; those of the first if they are as many.
    """
    found = detector.detect(pixels, frame, square=square, threshold=threshold)
    sure = [as_detection(one) for one in found if one.score >= least]
    if len(sure) >= len(JOINTS):
        return found
    shape = (pixels.shape[0], pixels.shape[1])
    along = frame_along(name_joints(sure, film=shape), shape=shape)
    if along is None:
        return found
    again = detector.detect(pixels, along, square=square, threshold=threshold)
    return again if sum(one.score >= least for one in again) > len(sure) else found


def frame_along(named: NamedHand, *, shape: tuple[int, int]) -> HandFrame | None:
    """Give the frame that the locator should have found for a named hand; None where nothing is named.

    Args:
        named: a hand.
        shape: rows and columns of the film.
    """
    if named.to_plan is None:
        return None
    rows, columns = shape
    centre, right, down = named.to_plan.inverse(_FRAME) / np.array([columns, rows]) * 2 - 1
    across = (right - centre) * (-1 if named.to_plan.mirrored else 1)
    return HandFrame(_pair(centre), _pair(across), _pair(down - centre))


def as_detection(one: FoundJoint) -> Detection:
    """Hand a found joint to naming, the clipping of its box undone, so that its middle is the joint's."""
    (x, y), box = one.centre, one.box
    wide = 2 * max(x - box.x, box.x + box.width - x)
    tall = 2 * max(y - box.y, box.y + box.height - y)
    return Detection(one.joint, Box(x - wide / 2, y - tall / 2, wide, tall), one.score)  # type: ignore[arg-type]


def _pair(values: NDArray[np.float64]) -> tuple[float, float]:
    return float(values[0]), float(values[1])
