"""The upright hand as a network of joints sees it, and the way back to film pixels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from capitate.errors import BundleDamagedError
from capitate.runtime.film_rule import FilmRule, Points
from capitate.runtime.views import HandFrame, ViewRule

__all__ = ["HandView", "HandViewRule", "detector_rule"]


@dataclass(frozen=True, eq=False)
class HandView:
    """A view cut from a film.

    Attributes:
        pixels: uint8 (height, width).
        to_view: (2, 3), from film pixels to those of the view; pixel centres are at integers plus one half in both.
    """

    pixels: NDArray[np.uint8]
    to_view: NDArray[np.float64]

    def place(self, points: Points) -> NDArray[np.float64]:
        """Bring film points (..., 2) to the view, pixels."""
        placed: NDArray[np.float64] = np.asarray(points, dtype=np.float64) @ self.to_view[:, :2].T + self.to_view[:, 2]
        return placed

    def to_film(self, points: Points) -> NDArray[np.float64]:
        """Bring points (..., 2) of the view back to the film, pixels."""
        moved = np.asarray(points, dtype=np.float64) - self.to_view[:, 2]
        back: NDArray[np.float64] = moved @ np.linalg.inv(self.to_view[:, :2]).T
        return back

    def place_sides(self, sides: Points) -> NDArray[np.float64]:
        """Bring widths and heights (..., 2) of boxes on the film to the view: those of the moved ellipses in them.

        The box of a moved rectangle would swell at its corners with every turn.
        """
        return _moved_sides(self.to_view[:, :2], sides)

    def sides_on_film(self, sides: Points) -> NDArray[np.float64]:
        """Bring widths and heights (..., 2) of boxes in the view back to the film, see `place_sides`."""
        return _moved_sides(np.linalg.inv(self.to_view[:, :2]), sides)


def _moved_sides(linear: Points, sides: Points) -> NDArray[np.float64]:
    moved: NDArray[np.float64] = np.sqrt(np.square(np.asarray(sides, dtype=np.float64)) @ np.square(linear).T)
    return moved


@dataclass(frozen=True)
class HandViewRule:
    """The hand that the locator found, cut by a `ViewRule`: upright, and of the same width and height on every film.

    Attributes:
        view: how it is cut.
    """

    view: ViewRule

    @property
    def height(self) -> int:
        """Rows of the view."""
        return self.view.height

    @property
    def width(self) -> int:
        """Columns of the view."""
        return self.view.width

    def cut(
        self, pixels: NDArray[np.float32], frame: HandFrame, *, square: NDArray[np.float32] | None = None
    ) -> HandView:
        """Cut the view.

        Args:
            pixels: float32 (rows, columns) in [0, 1], bone bright.
            frame: the hand on the squashed film.
            square: `squash` of the film, where that is there already.
        """
        picture = self.view.picture(pixels, square=square)
        to_film = self.view.to_picture(frame, shape=pixels.shape)
        return HandView(self.view.view(picture, frame), _inverse(to_film))

    def to_card(self) -> dict[str, Any]:
        """Give the rule as plain values."""
        return {"hand_view": self.view.to_card()}


def _inverse(affine: NDArray[np.float64]) -> NDArray[np.float64]:
    inverse = np.linalg.inv(np.vstack([affine, [0.0, 0.0, 1.0]]))
    return inverse[:2]


def detector_rule(card: Mapping[str, Any]) -> FilmRule | HandViewRule:
    """Read the rule of a joint detector's card: whole films, or views of the hand.

    Raises:
        BundleDamagedError: if the card has none.
    """
    picture = card.get("picture")
    if not isinstance(picture, Mapping) or "hand_view" not in picture:
        return FilmRule.from_card(card)
    try:
        return HandViewRule(ViewRule.read(picture["hand_view"]))
    except (KeyError, TypeError, ValueError) as error:
        raise BundleDamagedError(
            f"the card of {card.get('name')!r} does not say how views are cut ({error}); export it again"
        ) from error
