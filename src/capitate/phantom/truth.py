"""What is known about a drawn film: the joints with their boxes and grades, the carpal bones, the hand's outline."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.radiograph import Radiograph
from capitate.types import Box, Sex, Side

__all__ = ["CarpalTruth", "JointTruth", "Phantom"]


@dataclass(frozen=True)
class JointTruth:
    """One joint of a drawn hand.

    Attributes:
        name: one of the 21 names.
        box: where it is, film pixels, clipped to the film; sizes follow those that human labellers drew.
        grade: RUS-CHN grade, 0 when its epiphysis is not yet visible. Fingers II and IV use the third finger's grades.
        maturity: the continuous value whose floor the grade is.
        centre: (x, y) of the middle of the joint on the film, pixels.
        width_ratio: width of the epiphysis over that of the metaphysis; 0 when not visible.
        gap: thickness of the growth plate over the metaphyseal width; 0 when closed.
        fused: fraction of the plate that bone has bridged.
    """

    name: str
    box: Box
    grade: int | None
    maturity: float
    centre: tuple[float, float]
    width_ratio: float
    gap: float
    fused: float


@dataclass(frozen=True)
class CarpalTruth:
    """One carpal bone, or the thumb's sesamoid: centre (x, y) and mean radius in film pixels, 0 before it shows."""

    name: str
    centre: tuple[float, float]
    radius: float
    visible: bool


@dataclass(frozen=True, eq=False)
class Phantom:
    """A drawn film and everything that is known about it.

    Attributes:
        radiograph: the film; format `array`.
        joints: the 21 joints, the 13 of RUS-CHN first.
        hand_box: box around the soft tissue of hand and wrist on the film (to the lower edge of radius and ulna boxes).
        carpals: the eight carpal bones in their usual order of appearance, then the sesamoid.
        side: side of the body.
        rotation_degrees: anticlockwise turn that would bring the fingers upright.
        age_months: age that was asked for, months.
        sex: sex that was asked for.
        mask: true where the hand or forearm is, shape (height, width).
        outlines: uint8 (height, width), see `capitate.phantom.outlines`: 2 in an epiphysis or carpal bone, 1 around it.
    """

    radiograph: Radiograph
    joints: tuple[JointTruth, ...]
    hand_box: Box
    carpals: tuple[CarpalTruth, ...]
    side: Side
    rotation_degrees: float
    age_months: float
    sex: Sex
    mask: NDArray[np.bool_]
    outlines: NDArray[np.uint8]

    def joint(self, name: str) -> JointTruth:
        """Return one joint.

        Raises:
            KeyError: if there is no joint of that name.
        """
        for found in self.joints:
            if found.name == name:
                return found
        raise KeyError(f"no joint named {name!r}; the names are {', '.join(j.name for j in self.joints)}")
