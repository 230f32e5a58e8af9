"""Finding the hand and its polarity in a squashed film."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.session import Session
from capitate.runtime.views import LOCATOR_SIZE, HandFrame, ViewRule, frame_from_outputs, locator_input, normalised

__all__ = ["HandLocator", "Located"]

_CLOSE_UP_MARGIN = 0.25
_CLOSE_UP = ViewRule(LOCATOR_SIZE, LOCATOR_SIZE, margins=(_CLOSE_UP_MARGIN,) * 4)


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
        frame, mirrored = (frame_from_outputs(outputs[k + int(negated)]) for k in (0, 2))
        if negated:
            square = np.float32(1) - square
        return Located(self._refine(square, frame), negated, _disagreement(frame, mirrored.mirrored))

    def _refine(self, square: NDArray[np.float32], frame: HandFrame) -> HandFrame:
        """Look again at a close-up of the frame and at its mirror image, and average."""
        close = normalised(_CLOSE_UP.view(square, frame).astype(np.float32))
        outputs = self._session.run({"film": np.concatenate([close, close[..., ::-1]])})[0]
        inner = HandFrame.mean(frame_from_outputs(outputs[0]), frame_from_outputs(outputs[1]).mirrored)
        return frame.compose(inner, reach=1 + 2 * _CLOSE_UP_MARGIN)


def _corners(frame: HandFrame) -> NDArray[np.float64]:
    """Give the upper left, upper right, lower right and lower left corner, (4, 2)."""
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    return np.array([c - r - d, c + r - d, c + r + d, c - r + d])


def _disagreement(frame: HandFrame, mirrored: HandFrame) -> float:
    """Compare a frame with the one found in the mirror image and mirrored back."""
    distance = np.hypot(*(_corners(mirrored) - _corners(frame)).T).max()
    return float(distance / max(2 * np.hypot(*frame.down), 1e-6))
