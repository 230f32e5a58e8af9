"""Arrows and lettering that somebody drew on a film, found without a model and filled with their surroundings.

An arrow at a fracture would teach a network to look for arrows. What is drawn has one grey level, mostly white, and an
edge that is sharp all around; bone has neither. Metal can look the same and is filled too: a wire or screw says nothing
about a fracture that a mark should rest on.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from capitate.runtime.film_rule import FilmRule, Fitted
from capitate.runtime.nearest_grey import nearest_grey

__all__ = ["FilledFilmRule", "drawn_marks", "without_drawn_marks"]

# Lengths are in pixels of a film whose longer side is 512, levels in [0, 1]. They were chosen on contact sheets of the
# localisation films; docs/fractures.md says how many marks they find.
_SIDE = 512
_WHITE = 45 / 255
"""How far below full white a drawn white may lie, in thin lines after compression."""
_FLAT, _GREY = 6 / 255, 0.25
"""Largest range of 3 x 3 pixels inside a mark of another level, and the least such level."""
_SHORTEST, _LONGEST, _LEAST_AREA = 5, 160, 15
_CONTRAST = 60 / 255
"""By how much the darker fifth of a mark exceeds the brighter tenth of the ring around it."""
_RING = 3
_RIM = 4
"""Pixels beyond a mark that are filled with it: its smoothed edge, and the dark line around some arrows."""
_MOST = 0.2
"""Share of a film from which on its bright pixels are a part of the picture, such as a film stored negated."""
_AROUND = 12
"""Pixels around a mark that its filling is smoothed with."""

Picture = NDArray[np.float32]
Mask = NDArray[np.bool_]
Part = tuple[slice, ...]
_EVERY = np.ones((3, 3), dtype=bool)


@dataclass(frozen=True)
class FilledFilmRule:
    """A whole film, freed of drawn marks, in the middle of a picture; training and assessment make pictures by it.

    Attributes:
        film: how the film becomes a picture.
        fill_drawn: whether marks are filled first.
    """

    film: FilmRule
    fill_drawn: bool = True

    @property
    def height(self) -> int:
        """Rows of the picture."""
        return self.film.height

    @property
    def width(self) -> int:
        """Columns of the picture."""
        return self.film.width

    def fitted(self, pixels: Picture, *, aspect: float = 0.0) -> Fitted:
        """Fit a film; arguments as of `FilmRule.fitted`."""
        if not self.fill_drawn:
            return self.film.fitted(pixels, aspect=aspect)
        rows, columns = pixels.shape
        small = _reduced(pixels)
        made = self.film.fitted(without_drawn_marks(small), aspect=aspect)
        across, down = made.scale
        return replace(made, scale=(across * small.shape[1] / columns, down * small.shape[0] / rows))

    def to_card(self) -> dict[str, Any]:
        """Give the rule as plain values."""
        return {**self.film.to_card(), "fill_drawn": self.fill_drawn}

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> FilledFilmRule:
        """Read the rule of a bundle's card.

        Raises:
            BundleDamagedError: if the card has none.
        """
        return cls(FilmRule.from_card(card), bool(card["picture"].get("fill_drawn", False)))


def without_drawn_marks(pixels: Picture) -> Picture:
    """Fill marks with the grey around them; the film itself where it has none.

    Args:
        pixels: float32 (rows, columns) in [0, 1], longer side 512 at most.
    """
    mask = drawn_marks(pixels)
    if not mask.any():
        return pixels
    filled = pixels.copy()
    pieces, _ = ndimage.label(mask, _EVERY)
    for part in _with_surroundings(ndimage.find_objects(pieces), mask.shape, reach=_AROUND):
        known = ~ndimage.binary_dilation(mask[part], iterations=_RIM)
        nearest = nearest_grey(pixels[part], known)
        filled[part] = np.where(known, filled[part], ndimage.gaussian_filter(nearest, _RIM))
    return filled


def drawn_marks(pixels: Picture) -> Mask:
    """Find marks.

    Args:
        pixels: float32 (rows, columns) in [0, 1], longer side 512 at most.

    Returns:
        bool (rows, columns), without the smoothed edge of marks.
    """
    found = np.zeros(pixels.shape, dtype=bool)
    white = pixels >= 1 - _WHITE
    if white.mean() < _MOST:
        found |= _sharp_pieces(white, pixels)
    flat = _range(pixels) <= _FLAT
    flat &= ~white & (pixels >= _GREY)
    return found | _sharp_pieces(ndimage.binary_dilation(flat, _EVERY) & ~white, pixels)


def _range(pixels: Picture) -> Picture:
    """Give the largest less the smallest of each 3 x 3 pixels, by shifted views: scipy's filters take longer."""
    high = low = np.pad(pixels, 1, mode="edge")
    for _ in range(2):
        high = np.maximum(np.maximum(high[:-2], high[1:-1]), high[2:]).T
        low = np.minimum(np.minimum(low[:-2], low[1:-1]), low[2:]).T
    return high - low


def _sharp_pieces(candidates: Mask, pixels: Picture) -> Mask:
    """Keep connected pieces of a mark's size with a sharp edge all around."""
    kept = np.zeros(candidates.shape, dtype=bool)
    pieces, _ = ndimage.label(candidates, _EVERY)
    areas = np.bincount(pieces.ravel())
    boxes = ndimage.find_objects(pieces)
    around = _with_surroundings(boxes, kept.shape, reach=_RING + 1)
    for number, (box, part) in enumerate(zip(boxes, around, strict=True), start=1):
        longest = max(one.stop - one.start for one in box)
        if _SHORTEST <= longest <= _LONGEST and areas[number] >= _LEAST_AREA:
            piece = pieces[part] == number
            if _is_sharp(piece, pixels[part]):
                kept[part] |= piece
    return kept


def _is_sharp(piece: Mask, pixels: Picture) -> bool:
    """Say whether nearly all of a piece exceeds nearly all that lies just around it."""
    low = _quantile(pixels[piece], 0.2)
    if low - pixels.min() <= _CONTRAST:
        return False
    inner = ndimage.binary_dilation(piece, _EVERY, iterations=_RING - 1)
    ring = ndimage.binary_dilation(inner, _EVERY) & ~inner
    return bool(ring.any() and low - _quantile(pixels[ring], 0.9) > _CONTRAST)


def _quantile(values: Picture, share: float) -> float:
    """Take the value below which a share of some lies, without interpolation."""
    place = round(share * (values.size - 1))
    return float(np.partition(values, place)[place])


def _with_surroundings(boxes: Sequence[Part], shape: tuple[int, ...], *, reach: int) -> Iterator[Part]:
    """Widen boxes as far as the film reaches."""
    for box in boxes:
        yield tuple(
            slice(max(0, one.start - reach), min(length, one.stop + reach))
            for one, length in zip(box, shape, strict=True)
        )


def _reduced(pixels: Picture) -> Picture:
    """Reduce a film to the size on which marks are found; a smaller one stays as it is."""
    rows, columns = pixels.shape
    factor = _SIDE / max(rows, columns)
    if factor >= 1:
        return pixels
    size = (max(1, round(columns * factor)), max(1, round(rows * factor)))
    image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR), dtype=np.float32)
