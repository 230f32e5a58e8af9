"""Where the epiphyses and carpal bones of a drawn film are, pixel by pixel."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capitate.phantom.bones import epiphysis_labels
from capitate.phantom.canvas import Canvas
from capitate.phantom.carpus import carpal_labels
from capitate.phantom.pose import Placement
from capitate.phantom.reference import CARPALS
from capitate.phantom.skeleton import Hand

__all__ = ["outline_labels"]


def outline_labels(hand: Hand, placement: Placement, *, shape: tuple[int, int]) -> NDArray[np.uint8]:
    """Label the pixels of a film.

    A pixel belongs to what its middle lies in, so a bone's edge is right to half a pixel.

    Args:
        hand: that is drawn.
        placement: where.
        shape: rows and columns of the film.

    Returns:
        uint8 of that shape: 2 in an epiphysis that has appeared and is not half united, or in a carpal bone; 1 in the
        surroundings of such a joint or bone; 0 elsewhere, and at the sesamoid, which people do not outline either.
    """
    labels = np.zeros(shape, dtype=np.uint8)
    plan = Canvas(np.zeros(shape, dtype=np.float32), placement, np.zeros((1, 1), dtype=np.float32), 0.0)
    found = [epiphysis_labels(plan, bone) for bone in hand.bones]
    found += [carpal_labels(plan, carpal) for carpal in hand.carpals if carpal.name in CARPALS]
    for place in found:
        if place is not None:
            window, inside = place
            labels[window] = np.maximum(labels[window], inside)
    return labels
