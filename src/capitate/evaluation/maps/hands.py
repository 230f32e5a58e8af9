"""The hand on a film and its joints, as the checks of maps need them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.assessor.hand_on_film import HandOnFilm, find_hand, hand_of
from capitate.assessor.looking import FindsJoints, as_detection, look_for_joints
from capitate.evaluation.maps.regions import box_mask, film_corners
from capitate.hand import name_joints
from capitate.hand.mask import hand_mask
from capitate.radiograph import Radiograph
from capitate.runtime.locator import HandLocator
from capitate.types import Box, Side

__all__ = ["FoundHand", "HandFinder"]

Mask = NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class FoundHand:
    """A hand that was found with confidence.

    Attributes:
        box: skin and wrist, film pixels.
        mask: bool (rows, columns), the hand and its forearm, without a rim.
        joints: bool (rows, columns), the boxes of its joints; None where they were not looked for or none was found.
        on_film: what the locator found.
    """

    box: Box
    mask: Mask
    joints: Mask | None
    on_film: HandOnFilm


class HandFinder:
    """Looks for the hand and its joints."""

    def __init__(self, *, locator: HandLocator, detector: FindsJoints | None = None) -> None:
        """Look with a locator, and for joints with a detector, or not at all."""
        self.locator, self._detector = locator, detector

    def find(self, film: Radiograph) -> tuple[Radiograph, HandOnFilm]:
        """Look for a hand; returns the film with its polarity resolved and what was found, certain or not."""
        return find_hand(film, self.locator)

    def measured(self, film: Radiograph, on_film: HandOnFilm) -> FoundHand | None:
        """Measure a hand that `find` found; None where it is not certain, or nothing stands out in its box."""
        if not on_film.certain:
            return None
        box = hand_of(film, on_film, joints_say=Side.UNKNOWN).box
        mask = hand_mask(film.pixels, box=box, dilation=0.0)
        return FoundHand(box, mask, self._joints(film, on_film), on_film) if mask.any() else None

    def _joints(self, film: Radiograph, on_film: HandOnFilm) -> Mask | None:
        if self._detector is None:
            return None
        shape = (film.height, film.width)
        found = look_for_joints(self._detector, film.pixels, on_film.located.frame, square=on_film.square)
        named = name_joints([as_detection(one) for one in found], film=shape)
        boxes = [one.box for one in named.joints if one.detection is not None and one.box is not None]
        return box_mask(film_corners(boxes, shape=shape), shape=shape) if boxes else None
