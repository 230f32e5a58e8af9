"""What a detector hands over: boxes with a class and a score, any number of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.hand.joints import BoneClass
from capitate.types import Box

__all__ = ["Detection", "one_box_each"]

_SAME_PLACE = 0.4
"""Distance of two centres, as a share of the boxes' mean side, within which two boxes of a class are one joint twice.
Boxes of neighbouring fingers' joints lie at least a side apart: labelled boxes are drawn so that they hardly overlap."""


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

    @property
    def side(self) -> float:
        """Mean of width and height, film pixels."""
        return (self.box.width + self.box.height) / 2


def one_box_each(detections: Iterable[Detection]) -> tuple[list[Detection], list[Detection]]:
    """Part detections into those to name and further boxes of a class in the same place as a better one.

    Returns:
        Detections to name, by falling score, and the doubles.
    """
    kept: list[Detection] = []
    doubles: list[Detection] = []
    for one in sorted(detections, key=lambda found: -found.score):
        (doubles if any(_same(one, other) for other in kept) else kept).append(one)
    return kept, doubles


def centres(detections: Iterable[Detection]) -> NDArray[np.float64]:
    """Return the centres of boxes, (n, 2) film pixels."""
    return np.array([one.centre for one in detections], dtype=float).reshape(-1, 2)


def _same(one: Detection, other: Detection) -> bool:
    if one.bone is not other.bone:
        return False
    apart = float(np.hypot(*np.subtract(one.centre, other.centre)))
    return apart <= _SAME_PLACE * (one.side + other.side) / 2
