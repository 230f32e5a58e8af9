"""Colours of maps that lie over a grey film: the hue says the sign, the opacity says how much.

Ends of the scales are of the set that Okabe and Ito made for colour-blind readers (Color Universal Design, 2008): what
raises an answer goes from vermillion to orange, what lowers it from blue to sky blue. Opacity that grows with the
magnitude leaves the film readable where a map says little (value-by-alpha: Roth, Woodruff, Johnson, Cartogr J
2010;47:130-140; for overlays on anatomy: Allen, Erhardt, Calhoun, Neuron 2012;74:603-608). Published scales such as
cividis or vik pass through grey or white, which over a radiograph looks like tissue. docs/maps.md says how far the
colours stay apart under simulated colour blindness.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.explain.activation import ActivationMap

__all__ = ["DIVERGING", "EDGE", "SEQUENTIAL", "ColourScale", "levels_of", "scale_of", "strongest"]

_VERMILLION, _ORANGE = (213, 94, 0), (230, 159, 0)
_BLUE, _SKY_BLUE = (0, 114, 178), (86, 180, 233)
_STEPS = 127
"""Levels of a sign: the most that 8 bit hold for both signs, a zero between them, and `EDGE`."""
EDGE = 0
"""Level of the dark edge of lines, which no value has."""

Colour = tuple[int, int, int]


@dataclass(frozen=True)
class ColourScale:
    """Colours by relative value.

    Attributes:
        name: as files and pages say it.
        up: sRGB colours from just above 0 to the strongest value, evenly spaced.
        down: the same for values below 0; empty where there are none.
    """

    name: str
    up: tuple[Colour, ...]
    down: tuple[Colour, ...] = ()

    def colour(self, relative: float) -> Colour:
        """Give the sRGB colour of a relative value in [-1, 1]."""
        anchors = np.array(self.down if relative < 0 and self.down else self.up, dtype=np.float64)
        places = np.linspace(0, 1, len(anchors))
        red, green, blue = (round(float(np.interp(abs(relative), places, anchors[:, band]))) for band in range(3))
        return red, green, blue

    def table(self) -> NDArray[np.uint8]:
        """Give the colour of every level, uint8 (256, 4): RGBA, opacity linear in the magnitude; `EDGE` is black."""
        relative = np.clip((np.arange(256) - (_STEPS + 1)) / _STEPS, -1, 1)
        opacity = np.rint(255 * np.abs(relative)).astype(np.uint8)
        if not self.down:
            opacity[relative < 0] = 0
        colours = np.array([self.colour(float(one)) for one in relative], dtype=np.uint8)
        levels = np.concatenate([colours, opacity[:, None]], axis=1)
        levels[EDGE] = (0, 0, 0, 255)
        return levels


DIVERGING = ColourScale("blue-orange", up=(_VERMILLION, _ORANGE), down=(_BLUE, _SKY_BLUE))
SEQUENTIAL = ColourScale("orange", up=DIVERGING.up)


def scale_of(activation: ActivationMap) -> ColourScale:
    """Choose the scale: diverging for ages, which go up and down, and wherever a value is below 0; else sequential."""
    signed = activation.quantity == "bone_age" or bool((activation.values < 0).any())
    return DIVERGING if signed else SEQUENTIAL


def strongest(activation: ActivationMap) -> float:
    """Give the magnitude that has the full colour, the greatest of a cell; 0 for an empty map."""
    return float(np.abs(activation.values).max())


def levels_of(density: NDArray[np.float32], *, limit: float) -> NDArray[np.uint8]:
    """Bring signed values to levels: 128 is zero, 255 is `limit` and 1 is `-limit`; what lies beyond is cut.

    Args:
        density: (rows, columns), as `ActivationMap.at` gives it.
        limit: value of the full colour, at least 0; with 0 everything is zero.

    Returns:
        uint8 (rows, columns).
    """
    if limit <= 0:
        return np.full(density.shape, _STEPS + 1, dtype=np.uint8)
    scaled = np.clip(density * np.float32(_STEPS / limit), -_STEPS, _STEPS)
    levels: NDArray[np.uint8] = (np.rint(scaled) + (_STEPS + 1)).astype(np.uint8)
    return levels
