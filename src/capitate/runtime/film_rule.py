"""How a whole film, or a part of it, becomes the picture that a network sees, and the way back to film pixels.

Training and assessment cut by the same objects; a bundle's card holds their numbers under `picture`.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.types import Box

__all__ = ["CropRule", "FilmRule", "Fitted"]

Points = NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture cut from a film.

    Attributes:
        pixels: uint8 (height, width).
        scale: picture pixels a film pixel, across and down.
        origin: where the film's upper left corner lies in the picture, (x, y) in its pixels; pixel centres are at
            integers plus one half.
    """

    pixels: NDArray[np.uint8]
    scale: tuple[float, float]
    origin: tuple[float, float]

    def place(self, points: Points) -> NDArray[np.float64]:
        """Bring film points (..., 2) to the picture, pixels."""
        placed: NDArray[np.float64] = np.asarray(points, dtype=np.float64) * self.scale + self.origin
        return placed

    def to_film(self, points: Points) -> NDArray[np.float64]:
        """Bring points (..., 2) of the picture back to the film, pixels."""
        back: NDArray[np.float64] = (np.asarray(points, dtype=np.float64) - self.origin) / self.scale
        return back


@dataclass(frozen=True)
class FilmRule:
    """A whole film, fitted into the middle of a picture.

    Attributes:
        height: rows of the picture.
        width: columns of the picture.
        squash: fill the picture, whatever the film's proportions; otherwise these are kept and the rest is 0.
        percentiles: of the film's pixels, which become 0 and 255.
    """

    height: int = 384
    width: int = 384
    squash: bool = False
    percentiles: tuple[float, float] = (0.5, 99.5)

    def fit(self, pixels: NDArray[np.float32], *, aspect: float = 0.0) -> Fitted:
        """Fit a film, bilinearly with antialiasing.

        Args:
            pixels: float32 (rows, columns) in [0, 1].
            aspect: width over height that the film once had, for one that was stored squashed; 0 for its own.
        """
        rows, columns = pixels.shape
        wide, tall = (aspect, 1.0) if aspect else (float(columns), float(rows))
        factor = min(self.width / wide, self.height / tall)
        size = (
            (self.width, self.height) if self.squash else (max(1, round(wide * factor)), max(1, round(tall * factor)))
        )
        small = _resized(pixels, size, box=(0, 0, columns, rows))
        left, top = (self.width - size[0]) // 2, (self.height - size[1]) // 2
        picture = np.zeros((self.height, self.width), dtype=np.uint8)
        picture[top : top + size[1], left : left + size[0]] = _stretched(small, self.percentiles)
        return Fitted(picture, (size[0] / columns, size[1] / rows), (float(left), float(top)))

    def placed(self, values: NDArray[np.float32], fitted: Fitted) -> NDArray[np.float32]:
        """Bring a field of the film's size, such as a mask, to where the film lies in its picture; 0 elsewhere.

        Returns:
            float32 (height, width).
        """
        rows, columns = values.shape
        size = (round(fitted.scale[0] * columns), round(fitted.scale[1] * rows))
        left, top = (round(value) for value in fitted.origin)
        picture = np.zeros((self.height, self.width), dtype=np.float32)
        picture[top : top + size[1], left : left + size[0]] = _resized(values, size, box=(0, 0, columns, rows))
        return picture

    def to_card(self) -> dict[str, Any]:
        """Give the numbers as a card holds them."""
        return {**asdict(self), "percentiles": list(self.percentiles)}

    @classmethod
    def of_card(cls, values: dict[str, Any]) -> FilmRule:
        """Read what `to_card` gave."""
        low, high = values["percentiles"]
        return cls(int(values["height"]), int(values["width"]), bool(values["squash"]), (float(low), float(high)))


@dataclass(frozen=True)
class CropRule:
    """A square around a box on a film, such as that of a joint.

    Attributes:
        size: rows and columns of the picture.
        margin: what is shown beyond the box's longer side, at each end, as a share of it.
        percentiles: of the crop's pixels, which become 0 and 255.
    """

    size: int = 96
    margin: float = 0.25
    percentiles: tuple[float, float] = (0.5, 99.5)

    def cut(self, pixels: NDArray[np.float32], box: Box) -> Fitted:
        """Cut a crop; what lies outside the film is 0.

        Args:
            pixels: float32 (rows, columns) in [0, 1].
            box: film pixels.
        """
        small, fitted = self.sampled(pixels, box)
        return Fitted(_stretched(small, self.percentiles), fitted.scale, fitted.origin)

    def sampled(self, values: NDArray[np.float32], box: Box) -> tuple[NDArray[np.float32], Fitted]:
        """Sample any field of the film's size by the same rule, without stretching it.

        Returns:
            float32 (size, size), and a `Fitted` without grey levels.
        """
        side = max(box.width, box.height) * (1 + 2 * self.margin)
        left, top = box.x + (box.width - side) / 2, box.y + (box.height - side) / 2
        rim = int(np.ceil(max(0.0, -left, -top, left + side - values.shape[1], top + side - values.shape[0])))
        padded = np.pad(values, rim) if rim else values
        corner = (left + rim, top + rim)
        small = _resized(padded, (self.size, self.size), box=(*corner, corner[0] + side, corner[1] + side))
        scale = self.size / side
        blank = np.zeros((self.size, self.size), dtype=np.uint8)
        return small, Fitted(blank, (scale, scale), (-left * scale, -top * scale))

    def to_card(self) -> dict[str, Any]:
        """Give the numbers as a card holds them."""
        return {**asdict(self), "percentiles": list(self.percentiles)}

    @classmethod
    def of_card(cls, values: dict[str, Any]) -> CropRule:
        """Read what `to_card` gave."""
        low, high = values["percentiles"]
        return cls(int(values["size"]), float(values["margin"]), (float(low), float(high)))


def _resized(
    values: NDArray[np.float32], size: tuple[int, int], *, box: tuple[float, float, float, float]
) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize(size, Image.Resampling.BILINEAR, box=box), dtype=np.float32)


def _stretched(values: NDArray[np.float32], percentiles: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = (float(v) for v in np.percentile(values, percentiles))
    scaled = (values - low) * (255.0 / max(high - low, 1e-4))
    grey: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return grey
