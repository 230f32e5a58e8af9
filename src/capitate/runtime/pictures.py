"""From a film or a crop to the picture that a network sees, stated as data so that training and use share it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from capitate.errors import BundleDamagedError
from capitate.types import Box

__all__ = ["Fit", "PictureRule", "cut_square"]

_LEAST_CONTRAST = 1e-4


class Fit(StrEnum):
    """How a film comes to a picture's shape: its proportions kept and black around it, or squashed."""

    PAD = "pad"
    STRETCH = "stretch"


@dataclass(frozen=True)
class PictureRule:
    """How a picture is made. Stands in every bundle whose network sees whole films or crops.

    The film is resampled bilinearly with antialiasing, its contrast is stretched between percentiles of its own pixels,
    and black comes around it last, so that padding is as dark as a film can be.

    Attributes:
        height: rows.
        width: columns.
        fit: see `Fit`.
        percentiles: of the resampled film; they become 0 and 255.
    """

    height: int = 224
    width: int = 224
    fit: Fit = Fit.PAD
    percentiles: tuple[float, float] = (0.5, 99.5)

    def picture(self, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Make the picture of a film or crop.

        Args:
            pixels: float32 (rows, columns), bone bright.

        Returns:
            uint8 (height, width).
        """
        rows, columns = self._inner(*pixels.shape)
        image = Image.fromarray(np.ascontiguousarray(pixels, dtype=np.float32))
        small = np.asarray(image.resize((columns, rows), Image.Resampling.BILINEAR), dtype=np.float32)
        low, high = np.percentile(small, self.percentiles)
        grey = np.clip(np.rint((small - low) * (255.0 / max(float(high - low), _LEAST_CONTRAST))), 0, 255)
        picture = np.zeros((self.height, self.width), dtype=np.uint8)
        top, left = (self.height - rows) // 2, (self.width - columns) // 2
        picture[top : top + rows, left : left + columns] = grey.astype(np.uint8)
        return picture

    def _inner(self, rows: int, columns: int) -> tuple[int, int]:
        """Give rows and columns of the film inside the picture."""
        if self.fit is Fit.STRETCH:
            return self.height, self.width
        factor = min(self.height / rows, self.width / columns)
        return max(1, round(rows * factor)), max(1, round(columns * factor))

    def to_card(self) -> dict[str, Any]:
        """Give the rule as plain values."""
        return {
            "height": self.height,
            "width": self.width,
            "fit": str(self.fit),
            "percentiles": list(self.percentiles),
            "resampling": "bilinear with antialiasing",
        }

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> PictureRule:
        """Read the rule of a bundle's card.

        Raises:
            BundleDamagedError: if the card has none, or one of another kind.
        """
        try:
            values = card["picture"]
            low, high = values["percentiles"]
            return cls(int(values["height"]), int(values["width"]), Fit(values["fit"]), (float(low), float(high)))
        except (KeyError, TypeError, ValueError) as error:
            raise BundleDamagedError(
                f"the card of {card.get('name')!r} does not say how pictures are made ({error}); export it again"
            ) from error


def cut_square(pixels: NDArray[np.float32], box: Box, *, margin: float) -> NDArray[np.float32]:
    """Cut a square around a box; what lies outside the film takes the nearest pixel's grey.

    Args:
        pixels: float32 (rows, columns).
        box: film pixels.
        margin: shown on each side beyond the box's longer side, as a fraction of that.

    Returns:
        float32 (side, side), side at least 2.
    """
    side = max(2, round(max(box.width, box.height) * (1 + 2 * margin)))
    top, left = round(box.y + box.height / 2 - side / 2), round(box.x + box.width / 2 - side / 2)
    rows = np.clip(np.arange(top, top + side), 0, pixels.shape[0] - 1)
    columns = np.clip(np.arange(left, left + side), 0, pixels.shape[1] - 1)
    return np.ascontiguousarray(pixels[np.ix_(rows, columns)])
