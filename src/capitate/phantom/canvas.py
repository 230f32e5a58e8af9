"""The attenuation that bones are added to, and the hollow body that every bone is made of.

A bone is a body of revolution in all but name: where it is `R` half-widths wide, the path of the ray at distance `v`
from its axis is 2 sqrt(R^2 - v^2), a cavity narrower by the cortex holds the fainter spongy bone, and both round off
towards the ends. That alone gives the bright rims of a radiograph. Attenuations add, so overlaps brighten.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.phantom.pose import Placement

__all__ = ["CORTEX", "SPONGY", "Canvas", "dome", "tube"]

Field = NDArray[np.float32]

CORTEX = 6.6
"""Attenuation of compact bone per plan unit of path, relative to soft tissue at 1. By eye against real films."""

SPONGY = 2.4
"""The same for spongy bone with its marrow."""


@dataclass(frozen=True)
class Canvas:
    """What bones are added to.

    Attributes:
        attenuation: shape (height, width), changed in place.
        placement: plan to pixels of this array.
        grain: periodic texture of the spongy bone, mean 0, shape (n, n), indexed in `grain_step` plan units.
        texture: its strength, 0 to 1.
    """

    attenuation: Field
    placement: Placement
    grain: Field
    texture: float

    def window(self, points: NDArray[np.float64], margin: float) -> tuple[slice, slice] | None:
        """Return the rows and columns around plan points, or None if they lie off the canvas."""
        film = self.placement.to_film(points)
        reach = margin * self.placement.pixels_per_unit + 2
        low = np.floor(film.min(axis=0) - reach).astype(int)
        high = np.ceil(film.max(axis=0) + reach).astype(int)
        rows, columns = self.attenuation.shape
        x0, y0 = max(0, low[0]), max(0, low[1])
        x1, y1 = min(columns, high[0]), min(rows, high[1])
        return (slice(y0, y1), slice(x0, x1)) if x0 < x1 and y0 < y1 else None

    def plan_grid(self, window: tuple[slice, slice]) -> tuple[Field, Field]:
        """Return plan x and y of a window's pixel centres."""
        inverse = np.linalg.inv(self.placement.matrix)
        x = np.arange(window[1].start, window[1].stop, dtype=np.float32) + 0.5 - self.placement.origin[0]
        y = np.arange(window[0].start, window[0].stop, dtype=np.float32)[:, None] + 0.5 - self.placement.origin[1]
        grid_x = inverse[0, 0] * x + inverse[0, 1] * y
        grid_y = inverse[1, 0] * x + inverse[1, 1] * y
        return grid_x.astype(np.float32), grid_y.astype(np.float32)

    def spongiosa(self, along: Field, across: Field) -> Field:
        """Return the factor of spongy bone: trabeculae drawn out along the bone."""
        if not self.texture:
            return np.ones_like(along)
        at = np.stack([along * 210.0, across * 520.0])
        waves = ndimage.map_coordinates(self.grain, at, order=1, mode="grid-wrap")
        factor: Field = np.maximum(0.2, 1 + self.texture * waves).astype(np.float32)
        return factor


def dome(distance: Field, reach: float) -> Field:
    """Round a body off towards an end: 0 at and beyond it, 1 from `reach` inwards, circular between."""
    inward = np.clip(distance / reach, 0, 1)
    rounded: Field = np.sqrt(inward * (2 - inward))
    return rounded


def tube(
    across: Field, from_start: Field, from_end: Field, *, half: Field, cortex: Field, reach: float, plate: float,
    spongy: Field,
) -> Field:  # fmt: skip
    """Return the attenuation of a hollow body of revolution between two end surfaces.

    Args:
        across: distance from the axis, plan units.
        from_start: distance behind the surface at one end.
        from_end: the same at the other end.
        half: half-width here.
        cortex: thickness of the cortex here.
        reach: over what distance the ends round off.
        plate: thickness of the end plates.
        spongy: texture factor.
    """
    square = across * across
    outer = np.sqrt(np.maximum(half * half - square, 0)) * dome(from_start, reach) * dome(from_end, reach)
    inside = np.maximum(half - cortex, 0)
    cavity = np.sqrt(np.maximum(inside * inside - square, 0))
    cavity = cavity * dome(from_start - plate, reach) * dome(from_end - plate, reach)
    cavity = np.minimum(cavity, outer)
    # Wide metaphyses are flatter than round: the path grows more slowly than the width.
    depth = 1.6 / (1 + half / 0.12)
    # The medullary canal of the shaft holds marrow, the ends hold dense trabeculae: follow the cortex.
    dense = 1 - 0.55 * np.clip(cortex / (half + 1e-6) / 0.2, 0, 1)
    result: Field = 2 * depth * (CORTEX * (outer - cavity) + SPONGY * dense * cavity * spongy)
    return result
