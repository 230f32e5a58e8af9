"""A map over its film: colours, opacity, and a line around what is strong that tells the sign without colour."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.colours import EDGE, ColourScale, levels_of, scale_of, strongest
from capitate.types import Box

__all__ = ["OPACITY", "colour_bar", "covered", "laid_over", "map_levels"]

OPACITY = 0.7
"""Share of the colour where a map is strongest; docs/maps.md says how readable the film stays."""
_ZERO, _HALF, _STRONGEST = 128, 64, 127
_LINES_OF_SIDE = 300
"""The line around what is strong is a three-hundredth of the longer side wide, its dashes six times as long."""
_DASH = 6
_EVENED_OF_SIDE = 96
"""Lines follow the map smoothed by a ninety-sixth of its longer side, a cell of the models' maps: steps between cells,
which a colour hides, would make them ragged."""


def map_levels(activation: ActivationMap, *, height: int, width: int) -> NDArray[np.uint8]:
    """Resample a map to levels of its colour scale, with lines around what reaches half of the strongest value.

    The lines are drawn through where the answer is raised and dashed where it is lowered.

    Args:
        activation: the map.
        height: rows of the film, or of the box that the map covers.
        width: columns.

    Returns:
        uint8 (height, width); `ColourScale.table` of `scale_of` the map has their colours.
    """
    limit = strongest(activation)
    levels = levels_of(activation.at(height, width), limit=limit)
    even = ndimage.gaussian_filter(activation.values, max(activation.values.shape) / _EVENED_OF_SIDE)
    values = levels_of(replace(activation, values=even).at(height, width), limit=limit)
    wide = max(1, round(max(values.shape) / _LINES_OF_SIDE))
    for sign, inside in ((1, values >= _ZERO + _HALF), (-1, values <= _ZERO - _HALF)):
        if not inside.any():
            continue
        line = inside & ~ndimage.binary_erosion(inside, iterations=wide, border_value=1)
        if sign < 0:
            line = _dashed(line, inside, wide=wide)
        edge = ndimage.binary_dilation(line, iterations=max(1, wide // 2)) & ~inside
        levels[edge] = EDGE
        levels[line] = _ZERO + sign * _STRONGEST
    return levels


def laid_over(film: NDArray[np.uint8], activation: ActivationMap, *, opacity: float = OPACITY) -> Image.Image:
    """Lay a map over its film at the film's resolution.

    Args:
        film: uint8 (rows, columns), grey, the whole film.
        activation: the map.
        opacity: of the strongest value and of the lines, 0 to 1; values below have it in proportion.

    Returns:
        RGB, of the film's size.

    Raises:
        UsageError: if the opacity is outside 0 to 1.
    """
    if not 0 <= opacity <= 1:
        raise UsageError(f"the opacity of a map is 0 to 1, got {opacity:g}; 0 shows the film alone")
    picture = Image.fromarray(film).convert("RGB")
    area = covered(activation, film=(film.shape[0], film.shape[1]))
    levels = map_levels(activation, height=round(area.height), width=round(area.width))
    over = _coloured(levels, scale_of(activation), opacity=opacity)
    picture.paste(over, (round(area.x), round(area.y)), over)
    return picture


def covered(activation: ActivationMap, *, film: tuple[int, int]) -> Box:
    """Give the part of a film that a map covers in whole pixels; reaching past the film where the map's box does.

    Args:
        activation: the map.
        film: rows and columns.
    """
    if activation.box is None:
        return Box(0, 0, film[1], film[0])
    box = activation.box
    left, top = round(box.x), round(box.y)
    return Box(left, top, max(1, round(box.x + box.width) - left), max(1, round(box.y + box.height) - top))


def colour_bar(scale: ColourScale, *, width: int, height: int) -> NDArray[np.uint8]:
    """Give the levels of a scale from left to right, from the lowest (or from zero) to the highest.

    Returns:
        uint8 (height, width), levels as of `map_levels`.
    """
    lowest = _ZERO - _STRONGEST if scale.down else _ZERO
    return np.tile(np.rint(np.linspace(lowest, _ZERO + _STRONGEST, width)).astype(np.uint8), (height, 1))


def _coloured(levels: NDArray[np.uint8], scale: ColourScale, *, opacity: float) -> Image.Image:
    """Colour levels (rows, columns); RGBA."""
    table = scale.table()
    table[:, 3] = np.rint(opacity * table[:, 3])
    return Image.fromarray(table[levels])


def _dashed(line: NDArray[np.bool_], inside: NDArray[np.bool_], *, wide: int) -> NDArray[np.bool_]:
    """Cut the lines around areas into dashes and gaps of equal angles, seen from the middle of each area."""
    areas, count = ndimage.label(inside)
    rows, columns = np.nonzero(line)
    own = areas[rows, columns] - 1
    middles = np.array(ndimage.center_of_mass(inside, areas, np.arange(1, count + 1)))
    turn = np.arctan2(rows - middles[own, 0], columns - middles[own, 1]) / (2 * np.pi)
    dashes = np.maximum(3, np.rint(np.bincount(own, minlength=count) / (2 * _DASH * wide**2)))
    kept = (turn * dashes[own]) % 1 < 0.5
    cut = np.zeros_like(line)
    cut[rows[kept], columns[kept]] = True
    return cut
