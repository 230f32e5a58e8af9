"""Parts of a film as masks, and how much of a map lies on them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.explain.activation import ActivationMap
from capitate.runtime.view_mask import otsu_threshold
from capitate.training.data.boxes import LabelledBox
from capitate.types import Box

__all__ = ["Corners", "box_mask", "corners_of", "energy_share", "film_corners", "tissue"]

Mask = NDArray[np.bool_]
Corners = tuple[float, float, float, float]
"""Left, top, right and bottom of a box, fractions of the film."""


def corners_of(boxes: Sequence[LabelledBox]) -> tuple[Corners, ...]:
    """Give the corners of labelled boxes, clipped to the film."""
    inside = np.clip([box.corners for box in boxes], 0.0, 1.0).reshape(-1, 4)
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in inside)


def film_corners(boxes: Sequence[Box], *, shape: tuple[int, int]) -> tuple[Corners, ...]:
    """Give the corners of boxes in film pixels, clipped to the film of this shape (rows, columns)."""
    rows, columns = shape
    found = [(one.x, one.y, one.x + one.width, one.y + one.height) for one in boxes]
    inside = np.clip(np.array(found).reshape(-1, 4) / [columns, rows, columns, rows], 0.0, 1.0)
    return tuple((float(a), float(b), float(c), float(d)) for a, b, c, d in inside)


def box_mask(boxes: Sequence[Corners], *, shape: tuple[int, int]) -> Mask:
    """Tell which pixels, by their middles, lie in any of some boxes; bool, of the shape (rows, columns)."""
    y, x = ((np.arange(length) + 0.5) / length for length in shape)
    mask = np.zeros(shape, dtype=bool)
    for left, top, right, bottom in boxes:
        mask |= ((y >= top) & (y <= bottom))[:, None] & ((x >= left) & (x <= right))[None]
    return mask


def tissue(pixels: NDArray[np.float32]) -> Mask:
    """Tell which pixels of a film (rows, columns) are brighter than Otsu's threshold: the limb rather than air."""
    grey = np.clip(np.rint(pixels * 255), 0, 255).astype(np.uint8)
    return grey > otsu_threshold(grey)


def energy_share(found: ActivationMap, mask: Mask) -> float:
    """Give the share of a map's energy, the sum of absolute values, that lies on a mask of the film.

    A cell that the mask covers in part counts by the part. NaN for a map that is zero everywhere.
    """
    energy = np.abs(found.values.astype(np.float64))
    if not energy.sum() > 0:
        return float("nan")
    rows, columns = energy.shape
    covered = Image.fromarray(mask.astype(np.float32)).resize((columns, rows), Image.Resampling.BOX)
    return float((energy * np.asarray(covered)).sum() / energy.sum())
