"""The end of a shaft in an upright view: its two edges followed down from the growth plate, and its width there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.hand.measures.view import PIXELS_A_SIDE, JointView

__all__ = ["Shaft", "trace_shaft"]

Array = NDArray[np.float64]

_DEEP = 0.32
"""How far down a shaft is followed, sides of the joint's box."""
_HALF_WIDTHS = (0.06, 0.46)
"""Least and greatest half width of a shaft's end, sides of the box."""
_PRIOR = 1.5
_INSIDE = 1.0
_BANDS = ((0.0, 0.7), (1.2, 1.6))
_STEP_COST = 0.06
_EDGE = 6.0
_WIDEST_WITHIN = 0.25
_LEAST_CONTRAST = 0.004


@dataclass(frozen=True, eq=False)
class Shaft:
    """Two edges of a shaft.

    Attributes:
        rows: (n,) rows of the view, from the growth plate down.
        left: (n,) columns of the left edge.
        right: (n,) columns of the right edge.
        steepness: of the weaker edge: its mean grey gradient in the view's contrast a side of the box.
    """

    rows: Array
    left: Array
    right: Array
    steepness: float

    @property
    def widths(self) -> Array:
        """Width at each row, pixels of the view."""
        return self.right - self.left

    @property
    def widest(self) -> int:
        """Number of the row at which the metaphysis is widest: near the growth plate, where the shaft flares."""
        near = max(1, int(np.searchsorted(self.rows, self.rows[0] + _WIDEST_WITHIN * PIXELS_A_SIDE)))
        smooth = ndimage.median_filter(self.widths, size=5, mode="nearest")
        return int(np.argmax(smooth[:near]))

    @property
    def midline(self) -> tuple[float, float]:
        """Column of the axis at the first row, and its slope in columns a row."""
        slope, start = np.polyfit(self.rows - self.rows[0], (self.left + self.right) / 2, 1)
        return float(start), float(slope)


def trace_shaft(view: JointView, *, start: float, column: float, half: float) -> Shaft | None:
    """Follow the edges of the shaft downwards from a row.

    Each edge is the path down the view along which the film darkens outwards most steeply, in small steps to the sides
    (dynamic programming; Amini, Weymouth and Jain, IEEE PAMI 1990;12:855-867). The skin's edge is as steep as the
    bone's, so that a path costs the more the further it runs from half the usual width.

    Args:
        view: of the joint.
        start: row at which the shaft begins.
        column: where its axis is about.
        half: half of its usual width, pixels of the view.

    Returns:
        The edges; None where the view ends before a shaft shows.
    """
    first = max(0, round(start))
    last = min(view.pixels.shape[0], first + round(_DEEP * PIXELS_A_SIDE))
    if last - first < 0.12 * PIXELS_A_SIDE:
        return None
    shown = _bone_and_flesh(view.pixels[first:last], column=column, half=half)
    low, high = (round(one * PIXELS_A_SIDE) for one in _HALF_WIDTHS)
    out = np.arange(high)
    prior = _PRIOR * np.log(out[low:] / half) ** 2
    falls, gains = [], []
    for sign in (-1, 1):
        columns = np.clip(np.round(column + sign * out).astype(int), 0, shown.shape[1] - 1)
        beside = shown[:, columns]
        falls.append(np.clip(-np.gradient(beside, axis=1) * _EDGE, -1, 1)[:, low:])
        bone = np.cumsum(np.clip(beside, -0.7, 0.5), axis=1)[:, low:] / half
        gains.append(falls[-1] + _INSIDE * bone - prior)
    paths = _best_paths(np.stack(gains))
    rows = np.arange(last - first)
    before, behind = (float(fall[rows, path].mean()) for fall, path in zip(falls, paths, strict=True))
    left, right = column - out[low:][paths[0]], column + out[low:][paths[1]]
    return Shaft(np.arange(first, last, dtype=float), left, right, min(before, behind))


def _bone_and_flesh(pixels: NDArray[np.float32], *, column: float, half: float) -> Array:
    """Scale smoothed grey so that the bone of the shaft is about 0.5 and the flesh beside it about -0.5."""
    smooth = ndimage.gaussian_filter(pixels.astype(np.float64), (2.5, 1.5))
    off = np.abs(np.arange(pixels.shape[1]) - column) / half
    bone, flesh = (np.median(smooth[:, (off >= low) & (off < high)]) for low, high in _BANDS)
    scaled: Array = (smooth - (bone + flesh) / 2) / max(float(bone - flesh), _LEAST_CONTRAST)
    return scaled


def _best_paths(gains: Array) -> NDArray[np.int64]:
    """Choose a column in each row of fields (n, rows, columns) by the greatest gain less the steps' cost, (n, rows)."""
    fields, rows, columns = gains.shape
    steps = np.array([-2, -1, 0, 1, 2])
    reached = np.full((fields, columns + 4), -np.inf)
    reached[:, 2:-2] = gains[:, 0]
    came = np.zeros((rows, fields, columns), dtype=np.int64)
    options = np.empty((len(steps), fields, columns))
    for row in range(1, rows):
        for k, step in enumerate(steps.tolist()):
            np.subtract(reached[:, 2 + step : 2 + step + columns], _STEP_COST * abs(step), out=options[k])
        best = options.argmax(axis=0)
        came[row] = best
        reached[:, 2:-2] = np.take_along_axis(options, best[None], axis=0)[0] + gains[:, row]
    path = np.empty((fields, rows), dtype=np.int64)
    path[:, -1] = reached[:, 2:-2].argmax(axis=1)
    for row in range(rows - 1, 0, -1):
        path[:, row - 1] = path[:, row] + steps[came[row, np.arange(fields), path[:, row]]]
    return path
