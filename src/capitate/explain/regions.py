"""How much each part of a film adds to an answer: a map summed over boxes that share it out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.explain.activation import ActivationMap
from capitate.types import Box

__all__ = ["HAND", "OUTSIDE", "Contribution", "contributions"]

HAND, OUTSIDE = "hand", "outside"
"""Names of what is left: in the hand's box but in none of the regions', and in neither."""
_FINE = 512
"""Least cells of the longer side that a map is parted into, so that a box's edge falls within a hundredth of it."""


@dataclass(frozen=True)
class Contribution:
    """What a region adds.

    Attributes:
        region: its name; `hand` or `outside` for what is left.
        amount: sum of the map in it, in the map's unit.
        area: its share of the film, or of the box that the map covers, 0 to 1.
    """

    region: str
    amount: float
    area: float


def contributions(
    activation: ActivationMap, regions: Mapping[str, Box], *, film: tuple[int, int], hand: Box | None = None
) -> tuple[Contribution, ...]:
    """Sum a map by region.

    A place in several boxes belongs to that whose middle is nearest, in sides of the box, so that the amounts sum to
    that of the whole map.

    Args:
        activation: the map.
        regions: boxes by name, film pixels.
        film: rows and columns of the film.
        hand: its box, film pixels; everything if None.

    Returns:
        One a region in the order given, then `hand` and `outside`.
    """
    parts = max(1, -(-_FINE // max(activation.values.shape)))
    fine = np.kron(activation.values.astype(np.float64), np.full((parts, parts), parts**-2.0))
    owner = _owners(fine.shape, list(regions.values()), area=activation.box or Box(0, 0, film[1], film[0]), hand=hand)
    names = [*regions, HAND, OUTSIDE]
    amounts = np.bincount(owner.ravel(), weights=fine.ravel(), minlength=len(names))
    counts = np.bincount(owner.ravel(), minlength=len(names)) / owner.size
    each = zip(names, amounts.tolist(), counts.tolist(), strict=True)
    return tuple(Contribution(name, amount, area) for name, amount, area in each)


def _owners(shape: tuple[int, ...], boxes: list[Box], *, area: Box, hand: Box | None) -> NDArray[np.intp]:
    """Give the number of the box that each cell belongs to, of hand and outside where it is in none."""
    rows, columns = shape
    y = area.y + (np.arange(rows)[:, None] + 0.5) * area.height / rows
    x = area.x + (np.arange(columns)[None] + 0.5) * area.width / columns
    owner = np.full(shape, len(boxes), dtype=np.intp)
    if hand is not None:
        owner[_from_middle(x, y, hand)[0] > 1] += 1
    nearest = np.full(shape, np.inf)
    for number, box in enumerate(boxes):
        reach, distance = _from_middle(x, y, box)
        better = (reach < 1) & (distance < nearest)
        owner[better], nearest[better] = number, distance[better]
    return owner


def _from_middle(
    x: NDArray[np.float64], y: NDArray[np.float64], box: Box
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give how far places lie from a box's middle, in halves of its sides: the greater of both ways, and straight."""
    across = np.abs(x - box.x - box.width / 2) / max(box.width / 2, 1e-9)
    down = np.abs(y - box.y - box.height / 2) / max(box.height / 2, 1e-9)
    return np.maximum(across, down), np.hypot(across, down)
