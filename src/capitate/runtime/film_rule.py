"""How a whole film, or a square of it, becomes the picture that a network sees, and the way back to film pixels.

Training and assessment make pictures by the same objects; a bundle's card holds their numbers under `picture`.
"""

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

__all__ = ["CropRule", "FilmRule", "Fit", "Fitted", "Points", "rule_of_card"]

Points = NDArray[np.floating[Any]]

_LEAST_CONTRAST = 1e-4


class Fit(StrEnum):
    """How a film comes to a picture's shape: its proportions kept and black around it, or squashed."""

    PAD = "pad"
    STRETCH = "stretch"


@dataclass(frozen=True, eq=False)
class Fitted:
    """A picture made from a film.

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

    def place_sides(self, sides: Points) -> NDArray[np.float64]:
        """Bring widths and heights (..., 2) of boxes on the film to the picture."""
        placed: NDArray[np.float64] = np.asarray(sides, dtype=np.float64) * self.scale
        return placed

    def sides_on_film(self, sides: Points) -> NDArray[np.float64]:
        """Bring widths and heights (..., 2) of boxes in the picture back to the film."""
        back: NDArray[np.float64] = np.asarray(sides, dtype=np.float64) / self.scale
        return back


@dataclass(frozen=True)
class FilmRule:
    """A whole film, or a crop from a file, in the middle of a picture.

    It is resampled bilinearly with antialiasing, its contrast is stretched between percentiles of its own pixels, and
    black comes around it last, so that padding is as dark as a film can be.

    Attributes:
        height: rows of the picture.
        width: columns of the picture.
        fit: see `Fit`.
        percentiles: of the resampled film; they become 0 and 255.
    """

    height: int
    width: int
    fit: Fit = Fit.PAD
    percentiles: tuple[float, float] = (0.5, 99.5)

    def fitted(self, pixels: NDArray[np.float32], *, aspect: float = 0.0) -> Fitted:
        """Fit a film.

        Args:
            pixels: float32 (rows, columns), bone bright.
            aspect: width over height that the film once had, for one that was stored squashed; 0 for its own.
        """
        rows, columns = pixels.shape
        left, top, wide, tall = self._inner(rows, columns, aspect)
        picture = np.zeros((self.height, self.width), dtype=np.uint8)
        small = _stretched(_resized(pixels, wide, tall), self.percentiles)
        picture[top : top + tall, left : left + wide] = small
        return Fitted(picture, (wide / columns, tall / rows), (float(left), float(top)))

    def placed(self, values: NDArray[np.float32], *, aspect: float = 0.0) -> NDArray[np.float32]:
        """Bring a field of the film's size, such as a mask, to where the film lies in its picture; 0 elsewhere.

        Args:
            values: float32 (rows, columns).
            aspect: as of `fitted`.

        Returns:
            float32 (height, width).
        """
        rows, columns = values.shape
        left, top, wide, tall = self._inner(rows, columns, aspect)
        picture = np.zeros((self.height, self.width), dtype=np.float32)
        picture[top : top + tall, left : left + wide] = _resized(values, wide, tall)
        return picture

    def _inner(self, rows: int, columns: int, aspect: float) -> tuple[int, int, int, int]:
        """Give left, top, width and height of the film inside the picture."""
        if self.fit is Fit.STRETCH:
            return 0, 0, self.width, self.height
        across, down = (aspect, 1.0) if aspect else (float(columns), float(rows))
        factor = min(self.width / across, self.height / down)
        wide, tall = max(1, round(across * factor)), max(1, round(down * factor))
        return (self.width - wide) // 2, (self.height - tall) // 2, wide, tall

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
    def from_card(cls, card: Mapping[str, Any]) -> FilmRule:
        """Read the rule of a bundle's card.

        Raises:
            BundleDamagedError: if the card has none, or one of another kind.
        """
        try:
            values = card["picture"]
            low, high = values["percentiles"]
            return cls(int(values["height"]), int(values["width"]), Fit(values["fit"]), (float(low), float(high)))
        except (KeyError, TypeError, ValueError) as error:
            raise _unsaid(card, error) from error


@dataclass(frozen=True)
class CropRule:
    """A square of whole film pixels around a box, such as that of a joint, fitted as a film is.

    Graders learn from crops that lie in files, so a crop cut for one must be what such a file would hold: whole pixels,
    fitted by the same rule. Beyond the film the nearest pixel's grey goes on: black there would be an edge as hard as
    that of a bone, would pull the percentiles down where surroundings are bright, and is not what the outlines learn
    from, whose masked films are filled in the same way. Every crop of a joint is cut by this rule, so that the grader
    and the outlines see one and the same picture where their sizes and margins agree.

    Attributes:
        film: how the square becomes a picture.
        margin: what is shown beyond the box's longer side, at each end, as a share of it.
    """

    film: FilmRule
    margin: float = 0.25

    def cut(self, pixels: NDArray[np.float32], box: Box) -> Fitted:
        """Cut a crop.

        Args:
            pixels: float32 (rows, columns), bone bright.
            box: film pixels.
        """
        left, top, _ = self._square(box)
        inner = self.film.fitted(self.part(pixels, box))
        across, down = inner.scale
        return Fitted(inner.pixels, inner.scale, (inner.origin[0] - left * across, inner.origin[1] - top * down))

    def of_file(self, pixels: NDArray[np.float32]) -> NDArray[np.uint8]:
        """Make the picture of a file that holds a crop, uint8 (height, width).

        A square file is what `part` gives, margin and all. Any other one is taken for the joint's box alone: its margin
        is not there, and the nearest pixel's grey stands in for it, as beyond the edge of a film.

        Args:
            pixels: float32 (rows, columns), bone bright.
        """
        rows, columns = pixels.shape
        if rows == columns:
            return self.film.fitted(pixels).pixels
        return self.cut(pixels, Box(0.0, 0.0, float(columns), float(rows))).pixels

    def placed(self, values: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
        """Bring a field of the film's size, such as a mask, to the picture of a crop; 0 beyond the film.

        Returns:
            float32 (height, width).
        """
        part, inside = _part(values, *self._square(box))
        return self.film.placed(part * inside)

    def part(self, pixels: NDArray[np.float32], box: Box) -> NDArray[np.float32]:
        """Cut the square of film pixels that `cut` makes a picture of, such as for a file of the crop."""
        return _part(pixels, *self._square(box))[0]

    def _square(self, box: Box) -> tuple[int, int, int]:
        """Give left, top and side, the latter at least 2."""
        side = max(2, round(max(box.width, box.height) * (1 + 2 * self.margin)))
        return round(box.x + box.width / 2 - side / 2), round(box.y + box.height / 2 - side / 2), side

    def to_card(self) -> dict[str, Any]:
        """Give the rule as plain values."""
        return {**self.film.to_card(), "margin": self.margin}

    @classmethod
    def from_card(cls, card: Mapping[str, Any]) -> CropRule:
        """Read the rule of a bundle's card.

        Raises:
            BundleDamagedError: if the card has none, or one of another kind.
        """
        film = FilmRule.from_card(card)
        try:
            return cls(film, float(card["picture"]["margin"]))
        except (KeyError, TypeError, ValueError) as error:
            raise _unsaid(card, error) from error


def rule_of_card(card: Mapping[str, Any]) -> CropRule | FilmRule:
    """Read the rule of a bundle that sees crops or whole films; a margin tells crops.

    Raises:
        BundleDamagedError: if the card has none.
    """
    film = FilmRule.from_card(card)
    return CropRule.from_card(card) if "margin" in card["picture"] else film


def _unsaid(card: Mapping[str, Any], reason: Exception) -> BundleDamagedError:
    return BundleDamagedError(
        f"the card of {card.get('name')!r} does not say how pictures are made ({reason}); export it again"
    )


def _part(values: NDArray[np.float32], left: int, top: int, side: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Cut a square that may reach beyond the film, where the nearest value goes on; and say what of it is film."""
    rows, columns = np.arange(top, top + side), np.arange(left, left + side)
    near = [np.clip(one, 0, length - 1) for one, length in zip((rows, columns), values.shape, strict=True)]
    return values[np.ix_(*near)], np.logical_and.outer(near[0] == rows, near[1] == columns)


def _resized(values: NDArray[np.float32], width: int, height: int) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(values, dtype=np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR), dtype=np.float32)


def _stretched(values: NDArray[np.float32], percentiles: tuple[float, float]) -> NDArray[np.uint8]:
    low, high = (float(one) for one in np.percentile(values, percentiles))
    scaled = (values - low) * (255.0 / max(high - low, _LEAST_CONTRAST))
    grey: NDArray[np.uint8] = np.clip(np.rint(scaled), 0, 255).astype(np.uint8)
    return grey
