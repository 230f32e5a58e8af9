"""What a detector hands over: boxes with a class and a score, any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.hand.joints import BoneClass
from capitate.types import Box

__all__ = ["Detection", "centres", "same_place"]

_SAME_PLACE = 0.4
"""Distance of two centres, in mean sides of the boxes, within which two boxes of a class are one joint twice. Boxes of
two joints of a class lie 0.51 or more apart on all labelled hands."""


@dataclass(frozen=True)
class Detection:
    """One box of a joint whose finger is not known yet.

    Attributes:
        bone: its class, or the class's name.
        box: film pixels; it may reach past the film.
        score: the detector's confidence, 0 to 1; 1 for a label drawn by a person.
    """

    bone: BoneClass
    box: Box
    score: float = 1.0

    def __post_init__(self) -> None:
        """Refuse unknown classes, boxes that are none and scores that are none."""
        object.__setattr__(self, "bone", BoneClass.of(self.bone))
        numbers = (self.box.x, self.box.y, self.box.width, self.box.height)
        if not np.isfinite(numbers).all() or min(self.box.width, self.box.height) < 0:
            raise UsageError(f"a box of {self.bone} needs finite numbers and sides of 0 or more, got {numbers}")
        if not 0 <= self.score <= 1:
            raise UsageError(f"the score of a box of {self.bone} is from 0 to 1, got {self.score!r}")

    @property
    def centre(self) -> tuple[float, float]:
        """Middle of the box (x, y), film pixels."""
        return self.box.x + self.box.width / 2, self.box.y + self.box.height / 2


def centres(detections: Iterable[Detection]) -> NDArray[np.float64]:
    """Return the centres of boxes, (n, 2) film pixels."""
    return np.array([one.centre for one in detections], dtype=float).reshape(-1, 2)


def same_place(one: Detection, other: Detection) -> bool:
    """Whether two boxes of a class show one joint twice."""
    sides = np.array([one.box.width + other.box.width, one.box.height + other.box.height]) / 2
    apart = np.subtract(one.centre, other.centre) / np.maximum(sides, 1e-9)
    return one.bone is other.bone and float(np.hypot(*apart)) <= _SAME_PLACE
