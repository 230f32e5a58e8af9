"""Finding the hand and its polarity in a squashed film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.session import Session
from capitate.runtime.views import HandFrame, frame_from_outputs, locator_input

__all__ = ["HandLocator", "Located"]


@dataclass(frozen=True)
class Located:
    """What the locator found.

    Attributes:
        frame: the hand, in the film as stored or as inverted.
        negated: whether the film shows dark bone on bright surroundings.
        disagreement: largest distance of the frame's corners between the film and its mirror image, in fractions of
            the frame's height; large where there is no single whole hand.
    """

    frame: HandFrame
    negated: bool
    disagreement: float


class HandLocator:
    """The locator network."""

    def __init__(self, bundle: Bundle | None = None, *, threads: int | None = None) -> None:
        """Load the locator, the released one if no bundle is given."""
        self.bundle = bundle or load_bundle("hand-locator")
        self._session = Session(self.bundle.networks[0], threads=threads)

    def locate(self, square: NDArray[np.float32]) -> Located:
        """Find the hand.

        The network sees the film, its negative and the mirror images of both. Which of film and negative it takes for
        the negative decides: a film and its negative can never both be inverted, nor both be left.

        Args:
            square: float32 (299, 299) from `squash`.
        """
        film = locator_input(square)
        inputs = np.concatenate([film, -film, film[..., ::-1], -film[..., ::-1]])
        outputs = self._session.run({"film": inputs})[0]
        negated = bool(outputs[0, 6] > outputs[1, 6])
        frame = frame_from_outputs(outputs[int(negated)])
        return Located(frame, negated, _disagreement(frame, frame_from_outputs(outputs[2 + int(negated)])))


def _corners(frame: HandFrame) -> NDArray[np.float64]:
    """Give the upper left, upper right, lower right and lower left corner, (4, 2)."""
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    return np.array([c - r - d, c + r - d, c + r + d, c - r + d])


def _disagreement(frame: HandFrame, mirrored: HandFrame) -> float:
    """Compare a frame with the one found in the mirror image."""
    back = _corners(mirrored) * np.array([-1.0, 1.0])
    back = back[[1, 0, 3, 2]]
    distance = np.hypot(*(back - _corners(frame)).T).max()
    return float(distance / max(2 * np.hypot(*frame.down), 1e-6))
