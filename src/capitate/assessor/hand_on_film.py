"""Where the hand lies: on the whole film, or on the left or right half of a film that shows two."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.assessment import Hand
from capitate.radiograph import Radiograph
from capitate.runtime.locator import HandLocator, Located
from capitate.runtime.views import squash
from capitate.types import Box, Finding, Severity, Side

__all__ = ["NO_HAND", "UNCERTAIN_HAND", "HandOnFilm", "find_hand", "hand_findings", "hand_in_columns", "hand_of"]

UNCERTAIN_HAND = 0.15
"""Disagreement of the locator with itself, in hand lengths, above which a film is warned about:
0.2 % of 12,611 hands."""
NO_HAND = 0.45
"""Disagreement above which a film is refused: none of 12,611 hands, whose
largest is 0.34; see docs/bone-age-model.md."""
_TO_SKIN = (0.12, 0.15, 0.12, 0.22)
"""Margins left, above, right and below the frame through the outer joints that take in finger ends, thumb and wrist, in
shares of its width and height: medians over the hand boxes of 568 labelled hands, both sides averaged."""


@dataclass(frozen=True, eq=False)
class HandOnFilm:
    """One hand, and the columns of the film in which it was looked for.

    Attributes:
        pixels: float32 (rows, columns) of these columns, bone bright.
        square: `squash` of them.
        located: what the locator found in them.
        left: first of the columns.
    """

    pixels: NDArray[np.float32]
    square: NDArray[np.float32]
    located: Located
    left: int = 0

    @property
    def certain(self) -> bool:
        """Whether a single whole hand was found with confidence."""
        return self.located.disagreement <= UNCERTAIN_HAND and not self.located.strayed


def find_hand(radiograph: Radiograph, locator: HandLocator) -> tuple[Radiograph, HandOnFilm]:
    """Find the hand on a whole film; returns the film with its polarity resolved."""
    square = squash(radiograph.pixels)
    located = locator.locate(square)
    if located.negated:
        radiograph, square = radiograph.negated(), np.float32(1) - square
    return radiograph, HandOnFilm(radiograph.pixels, square, located)


def hand_in_columns(pixels: NDArray[np.float32], locator: HandLocator, *, left: int, right: int) -> HandOnFilm | None:
    """Look for a hand in the columns from `left` to before `right`; None if none is found there with confidence.

    Args:
        pixels: float32 (rows, columns) of the whole film, bone bright.
        locator: that looks.
        left: first column.
        right: one beyond the last column.
    """
    part = pixels[:, left:right]
    square = squash(part)
    found = HandOnFilm(part, square, locator.locate(square), left)
    return found if found.certain and not found.located.negated else None


def hand_of(radiograph: Radiograph, hand: HandOnFilm, *, joints_say: Side) -> Hand:
    """Express the frame, widened from the outer joints to skin and wrist, in film pixels.

    Args:
        radiograph: the film; its own side outweighs that of the joints.
        hand: the hand on it.
        joints_say: side by the joints, unknown where they were not read.
    """
    rows, columns = hand.pixels.shape
    size = np.array([columns, rows]) / 2
    frame = hand.located.frame
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    left, top, right, bottom = _TO_SKIN
    corners = [c + i * r + j * d for i in (-1 - 2 * left, 1 + 2 * right) for j in (-1 - 2 * top, 1 + 2 * bottom)]
    places = (np.array(corners) + 1) * size
    low = np.clip(places.min(axis=0), 0, 2 * size)
    high = np.clip(places.max(axis=0), 0, 2 * size)
    down = d * size
    turn = float(np.degrees(np.arctan2(-down[0], down[1])))
    x, y, width, height = (round(float(v), 1) for v in (*low, *(high - low)))
    sided = {"file": radiograph.side, "joints": joints_say}
    source, side = next(((key, one) for key, one in sided.items() if one is not Side.UNKNOWN), ("none", Side.UNKNOWN))
    return Hand(side, round(turn, 1), Box(x + hand.left, y, width, height), source)


def hand_findings(hand: HandOnFilm) -> list[Finding]:
    """Warn where the hand was not found with confidence."""
    if hand.certain:
        return []
    message = "No single whole hand was found with confidence; the bone age may be meaningless."
    return [Finding("hand_uncertain", Severity.WARNING, message)]
