"""The growth plate in an upright view: the dark line between epiphysis and metaphysis, how wide and how deep it is."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.hand.measures.shaft import Shaft
from capitate.hand.measures.view import PIXELS_A_SIDE, JointView

__all__ = ["DarkLine", "along_bone", "dark_line", "flesh_beside"]

Array = NDArray[np.float64]

_BANDS = 7
_REACH = 0.6
"""Share of the shaft's half width, to both sides of the axis, across which the line is looked at."""
_BELOW = 0.14
_LOWER = 0.4
"""How far below the outlined epiphysis the metaphysis is looked for, sides of the joint's box."""


@dataclass(frozen=True)
class DarkLine:
    """The line between epiphysis and metaphysis.

    Attributes:
        depth: how dark it is, 0 as bright as the bone on both sides, 1 as dark as flesh.
        top: row of its upper edge, at half its depth.
        bottom: row of its lower edge, where the metaphysis begins.
    """

    depth: float
    top: float
    bottom: float


def dark_line(view: JointView, *, epiphysis: NDArray[np.bool_], shaft: Shaft) -> DarkLine | None:
    """Look for the dark line below an epiphysis, in bands along the bone; their median is less upset by its waves.

    Args:
        view: of the joint.
        epiphysis: where it is in the view.
        shaft: whose first row lies near the plate.

    Returns:
        The line, of depth 0 where no band has one; None where too little of the epiphysis lies above the shaft.
    """
    flesh = flesh_beside(view, shaft)
    found = []
    for left, right in _bands(shaft):
        rows = np.flatnonzero(epiphysis[:, left:right].any(axis=1))
        if rows.size >= 2:
            first, last = rows[0] + round(0.2 * np.ptp(rows)), round(rows[-1] + _BELOW * PIXELS_A_SIDE)
            profile = view.pixels[first : last + 1, left:right].mean(axis=1)
            lowest = round(_LOWER * np.ptp(rows))
            found.append(_deepest(_smooth(profile), flesh=flesh, first=first, lowest=lowest))
    if len(found) < 2:
        return None
    depth, top, bottom = np.median(np.array(found), axis=0).tolist()
    return DarkLine(depth, top, bottom)


def along_bone(view: JointView, shaft: Shaft) -> Array:
    """Give the grey along the bone down the whole view, 0 as the flesh beside the shaft and 1 as the shaft, (rows,)."""
    flesh = flesh_beside(view, shaft)
    profile = _smooth(np.median([view.pixels[:, left:right].mean(axis=1) for left, right in _bands(shaft)], axis=0))
    bone = float(np.median(profile[shaft.rows.astype(int)]))
    scaled: Array = (profile - flesh) / max(bone - flesh, 1e-3)
    return scaled


def _bands(shaft: Shaft) -> list[tuple[int, int]]:
    """Give the columns of the bands that lie side by side across the plate."""
    start, _ = shaft.midline
    half = float(shaft.widths[shaft.widest]) / 2
    middles = np.linspace(-_REACH, _REACH, _BANDS) * half + start
    return [(max(0, round(x - half / _BANDS)), max(1, round(x + half / _BANDS) + 1)) for x in middles.tolist()]


def _smooth(profile: NDArray[np.floating]) -> Array:
    smooth: Array = ndimage.gaussian_filter1d(profile.astype(np.float64), 1.0)
    return smooth


def flesh_beside(view: JointView, shaft: Shaft) -> float:
    """Give the grey of the flesh beside the shaft's end: on its darker side, where no other bone lies."""
    number = shaft.widest
    row, wide = int(shaft.rows[number]), float(shaft.widths[number])
    rows = slice(max(0, row - 4), row + 5)
    levels = []
    for edge, sign in ((float(shaft.left[number]), -1), (float(shaft.right[number]), 1)):
        ends = sorted((edge + sign * 0.1 * wide, edge + sign * 0.3 * wide))
        columns = slice(max(0, round(ends[0])), max(0, round(ends[1])) + 1)
        if view.pixels[rows, columns].size:
            levels.append(float(np.median(view.pixels[rows, columns])))
    return min(levels)


def _deepest(profile: Array, *, flesh: float, first: int, lowest: int) -> tuple[float, float, float]:
    """Find the place that lies deepest below the bone on both its sides: depth, upper and lower row at half of it.

    Args:
        profile: grey along the bone.
        flesh: grey of flesh.
        first: row of the view at which the profile begins.
        lowest: number in it from which on the line may lie.
    """
    reach = round(_BELOW * PIXELS_A_SIDE)
    above = ndimage.maximum_filter1d(profile, reach, origin=(reach - 1) // 2, mode="nearest")
    below = ndimage.maximum_filter1d(profile, reach, origin=-(reach // 2), mode="nearest")
    sides = np.minimum(above, below)
    at = lowest + int(np.argmax((sides - profile)[lowest:]))
    level, dark = float(sides[at]), float(profile[at])
    half = (level + dark) / 2
    up, down = at, at
    while up > 0 and profile[up] < half:
        up -= 1
    while down < len(profile) - 1 and profile[down] < half:
        down += 1
    upper = up + _share(profile[up], profile[min(up + 1, at)], half) if up < at else float(at)
    lower = down - _share(profile[down], profile[max(down - 1, at)], half) if down > at else float(at)
    depth = (level - dark) / max(level - flesh, 1e-3)
    return min(max(depth, 0.0), 1.0), first + upper, first + lower


def _share(bright: float, dark: float, level: float) -> float:
    """How far from a bright sample towards a dark one a level is crossed, 0 to 1."""
    return float(np.clip((bright - level) / max(bright - dark, 1e-9), 0, 1))
