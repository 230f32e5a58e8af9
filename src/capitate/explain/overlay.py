"""A map over its film: colours, opacity, and a line around what is strong that tells the sign without colour."""

from __future__ import annotations

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
_LINES_OF_SIDE = 400
"""The line around what is strong is a four-hundredth of the longer side wide, its dashes six times as long."""
_DASH = 6


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
    values = levels_of(activation.at(height, width), limit=strongest(activation))
    levels = values.copy()
    wide = max(1, round(max(values.shape) / _LINES_OF_SIDE))
    for sign, inside in ((1, values >= _ZERO + _HALF), (-1, values <= _ZERO - _HALF)):
        if not inside.any():
            continue
        line = inside & ~ndimage.binary_erosion(inside, iterations=wide, border_value=1)
        if sign < 0:
            line &= _dashes(values.shape, length=_DASH * wide)
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


def _dashes(shape: tuple[int, ...], *, length: int) -> NDArray[np.bool_]:
    """Give a chequered field, which cuts a line of any direction into dashes."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    chequered: NDArray[np.bool_] = (rows // length + columns // length) % 2 == 0
    return chequered
