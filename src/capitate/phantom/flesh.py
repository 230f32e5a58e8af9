"""Soft tissue: the hand's outline and how much of it the ray passes."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.phantom.pose import Placement
from capitate.phantom.skeleton import Hand

__all__ = ["flesh_depth", "outline_points", "soft_attenuation"]

Array = NDArray[np.float64]
Field = NDArray[np.float32]

# Radii of the soft tissue at a ray's joint centres from metacarpal base to tip, plan units; measured by eye on films.
_RADII = {
    "First": (0.125, 0.122, 0.108, 0.078),
    "Second": (0.150, 0.128, 0.108, 0.094, 0.076),
    "Third": (0.150, 0.125, 0.110, 0.096, 0.078),
    "Fourth": (0.150, 0.120, 0.103, 0.090, 0.074),
    "Fifth": (0.165, 0.130, 0.092, 0.080, 0.066),
}
_FOREARM = (((0.01, -0.2), 0.33), ((-0.005, 0.05), 0.32), ((-0.03, 0.7), 0.38), ((-0.06, 2.6), 0.48))
_WEB = 0.038
"""Softness of the union between fingers and palm, plan units."""
_ROUND = 0.125
"""Distance from the outline up to which tissue is as round as a finger, plan units."""
_COARSE = 360
"""Rows or columns of the grid on which the outline's distance field is evaluated; it is smooth between."""


def _chains(hand: Hand) -> list[tuple[Array, Array]]:
    """Return the chains of discs whose hulls make up the hand: centres and radii."""
    chains = []
    for finger, points in hand.rays.items():
        radii = np.array(_RADII[finger]) * hand.plumpness
        chains.append((points, radii))
    centres = np.array([c for c, _ in _FOREARM])
    lean = hand.bone("Radius").end[0] - hand.bone("Radius").start[0]
    centres[:, 0] += np.clip(centres[:, 1], 0, None) / 2.6 * (lean + 0.115)
    chains.append((centres, np.array([r for _, r in _FOREARM]) * hand.plumpness * (1 + 0.1 * hand.youth)))
    palm = np.array([hand.rays["Second"][0], hand.rays["Third"][1] * 0.8, hand.rays["Fourth"][1] * 0.8])
    chains.append((palm, np.array([0.22, 0.2, 0.2]) * hand.plumpness))
    first, second = hand.rays["First"], hand.rays["Second"]
    thenar = np.array([first[0] * 0.7, 0.45 * (first[0] + first[1]) + 0.1 * second[1]])
    chains.append((thenar, np.array([0.19, 0.14]) * hand.plumpness))
    return chains


def outline_points(hand: Hand) -> Array:
    """Return plan points on the hull of the hand down to the wrist, shape (n, 2)."""
    angles = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    circle = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = []
    for finger, centres in hand.rays.items():
        for centre, radius in zip(centres, _RADII[finger], strict=True):
            points.append(centre + circle * radius * hand.plumpness)
    return np.concatenate(points)


def _cone(x: Field, y: Field, *, a: Array, b: Array, radius_a: float, radius_b: float) -> Field:
    """Return the depth below the surface of the hull of two discs; negative outside."""
    step = b - a
    share = np.clip(((x - a[0]) * step[0] + (y - a[1]) * step[1]) / float(step @ step), 0, 1)
    away = np.hypot(x - a[0] - share * step[0], y - a[1] - share * step[1])
    depth: Field = radius_a + (radius_b - radius_a) * share - away
    return depth


def flesh_depth(hand: Hand, *, placement: Placement, height: int, width: int) -> Field:
    """Return how deep each pixel lies inside the hand's outline, plan units; negative outside.

    Evaluated on a coarse grid and interpolated: distance is smooth, so the outline stays sharp at any film size.
    """
    step = max(1.0, max(height, width) / _COARSE)
    rows, columns = int(np.ceil(height / step)) + 1, int(np.ceil(width / step)) + 1
    inverse = np.linalg.inv(placement.matrix)
    px = np.arange(columns, dtype=np.float32)[None] * step - placement.origin[0]
    py = np.arange(rows, dtype=np.float32)[:, None] * step - placement.origin[1]
    x = (inverse[0, 0] * px + inverse[0, 1] * py).astype(np.float32)
    y = (inverse[1, 0] * px + inverse[1, 1] * py).astype(np.float32)
    total = np.zeros_like(x)
    deepest = np.full_like(x, -1e3)
    for centres, radii in _chains(hand):
        depth = np.full_like(x, -1e3)
        for k in range(len(centres) - 1):
            cone = _cone(x, y, a=centres[k], b=centres[k + 1], radius_a=radii[k], radius_b=radii[k + 1])
            np.maximum(depth, cone, out=depth)
        total += np.exp(np.clip(depth / _WEB, -60, 20))
        np.maximum(deepest, depth, out=deepest)
    # Fingers melt into the palm where several chains are near, and keep their own outline elsewhere.
    soft = _WEB * np.log(np.maximum(total, 1e-25))
    merged = np.where(deepest > 3 * _WEB, deepest, np.minimum(soft, deepest + _WEB)).astype(np.float32)
    merged = ndimage.gaussian_filter(merged, 0.9)
    at_rows: Array = (np.arange(height, dtype=float) + 0.5) / step
    at_columns: Array = (np.arange(width, dtype=float) + 0.5) / step
    return _resample(merged, at_rows, at_columns)


def _resample(field: Field, rows: Array, columns: Array) -> Field:
    """Interpolate a field linearly at the crossings of rows and columns."""
    top = np.clip(np.floor(rows).astype(int), 0, field.shape[0] - 2)
    left = np.clip(np.floor(columns).astype(int), 0, field.shape[1] - 2)
    down = (rows - top).astype(np.float32)[:, None]
    right = (columns - left).astype(np.float32)[None]
    lines = field[top] * (1 - down) + field[top + 1] * down
    spread: Field = lines[:, left] * (1 - right) + lines[:, left + 1] * right
    return spread


def soft_attenuation(depth: Field, *, palm: float = 0.12) -> Field:
    """Return the path through soft tissue, plan units: round as a finger near the outline, a thick slab in the palm.

    Args:
        depth: below the hand's outline, plan units; negative outside.
        palm: what the palm adds to a finger's thickness, plan units.
    """
    near = np.clip(depth, 0, _ROUND)
    path = 1.9 * np.sqrt(near * (2 * _ROUND - near))
    inner = np.clip((depth - 0.08) / 0.2, 0, 1)
    thick: Field = (path + palm * inner * inner * (3 - 2 * inner)).astype(np.float32)
    return thick
