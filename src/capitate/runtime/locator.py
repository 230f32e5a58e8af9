"""Finding the hand and its polarity in a squashed film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.runtime.bundle import Bundle, load_bundle
from capitate.runtime.session import Session
from capitate.runtime.view_mask import without_surroundings
from capitate.runtime.views import LOCATOR_SIZE, HandFrame, ViewRule, frame_from_outputs, locator_input, normalised

__all__ = ["HandLocator", "Located", "corner_distance"]

_CLOSE_UPS = tuple(
    ViewRule(LOCATOR_SIZE, LOCATOR_SIZE, margins=margins, contrast_of_centre=True)
    for margins in ((0.25, 0.25, 0.25, 0.25), (0.19, 0.21, 0.27, 0.29), (0.31, 0.29, 0.23, 0.21))
)
"""Margins of close-ups: about those of the training hands, none like another, so that what a stride makes of a pixel
differs between them and averages out."""
_LOOKS = (_CLOSE_UPS[:1], _CLOSE_UPS, _CLOSE_UPS)
_STRAY = 0.25
"""Distance of a frame's corners from those of the look before, in hand lengths, beyond which a look has lost the hand:
0.16 at most on 400 films drawn at random, 0.29 and more on four where looking closer ended in a bone."""


@dataclass(frozen=True)
class Located:
    """What the locator found.

    Attributes:
        frame: the hand, in the film as stored or as inverted.
        negated: whether the film shows dark bone on bright surroundings.
        disagreement: largest distance of the frame's corners between the film and its mirror image, in fractions of
            the frame's height; large where there is no single whole hand.
        strayed: whether looking closer lost the hand, and the frame is that of the look before.
    """

    frame: HandFrame
    negated: bool
    disagreement: float
    strayed: bool = False


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
        refined, strayed = self._refine(square, frame)
        return Located(refined, negated, corner_distance(frame, mirrored.mirrored), strayed)

    def _refine(self, square: NDArray[np.float32], frame: HandFrame) -> tuple[HandFrame, bool]:
        """Look again at close-ups of the frame with black surroundings, and at close-ups of what that gives.

        Letters, edges of collimation and padding move the first look by half a hundredth of the hand and more, the
        last by a fifth of that (docs/bone-age-model.md).
        """
        for rules in _LOOKS:
            closer = self._look(square, frame, rules)
            if corner_distance(frame, closer) > _STRAY:
                return frame, True
            frame = closer
        return frame, False

    def _look(self, square: NDArray[np.float32], frame: HandFrame, rules: Sequence[ViewRule]) -> HandFrame:
        """Find the hand in close-ups of a frame and in their mirror images, and average."""
        close_ups = [without_surroundings(rule.view(square, frame)) for rule in rules]
        inputs = np.concatenate([normalised(view.astype(np.float32)) for view in close_ups])
        outputs = self._session.run({"film": np.concatenate([inputs, inputs[..., ::-1]])})[0]
        found = [frame_from_outputs(row) for row in outputs]
        inner = [*found[: len(rules)], *(one.mirrored for one in found[len(rules) :])]
        return HandFrame.mean(
            *(frame.compose(one, margins=rule.margins) for one, rule in zip(inner, (*rules, *rules), strict=True))
        )


def _corners(frame: HandFrame) -> NDArray[np.float64]:
    """Give the upper left, upper right, lower right and lower left corner, (4, 2)."""
    c, r, d = (np.array(v) for v in (frame.centre, frame.right, frame.down))
    return np.array([c - r - d, c + r - d, c + r + d, c - r + d])


def corner_distance(frame: HandFrame, other: HandFrame) -> float:
    """Give the largest distance of two frames' corners, in lengths of the first."""
    distance = np.hypot(*(_corners(other) - _corners(frame)).T).max()
    return float(distance / max(2 * np.hypot(*frame.down), 1e-6))
