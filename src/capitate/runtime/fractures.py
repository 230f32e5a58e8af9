"""The localiser of fractures of a bundle: boxes on a film, as marks to look at and never as a finding."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.runtime.drawn_marks import FilledFilmRule
from capitate.runtime.joint_boxes import find_peaks, on_film
from capitate.runtime.session import Session
from capitate.types import Box

__all__ = ["FractureLocaliser", "Mark"]


@dataclass(frozen=True)
class Mark:
    """A place to look at.

    Attributes:
        box: film pixels, clipped to the film.
        score: 0 to 1; no probability.
    """

    box: Box
    score: float


class FractureLocaliser:
    """A bundle of the task `fractures`, loaded once.

    Attributes:
        bundle: that was loaded.
        rule: by which its pictures are made.
        threshold: score from which on a mark is shown; the card says how it was chosen.
    """

    def __init__(self, bundle: Bundle, *, threads: int | None = None, member: int | None = None) -> None:
        """Load the network.

        Args:
            bundle: of the task `fractures`; it may hold networks of folds beside the one that is released.
            threads: for one run, `capitate.runtime.session.default_threads` if None.
            member: use the network that held out this fold (out-of-fold evaluation).

        Raises:
            UsageError: if the bundle is of another task.
            BundleDamagedError: if the network or the card cannot be used.
        """
        if bundle.card["task"] != "fractures":
            raise UsageError(f"bundle {bundle.name!r} does {bundle.card['task']}, not fractures; choose another")
        self.bundle = bundle
        self.rule = FilledFilmRule.from_card(bundle.card)
        self.classes: tuple[str, ...] = tuple(bundle.card["classes"])
        held_out = bundle.held_out
        chosen = held_out.index(member) if member in held_out else 0
        thresholds = bundle.card["threshold"]
        self.threshold = float(thresholds["of_networks"][chosen])
        self._session = Session(bundle.networks[chosen], threads=threads)

    def marks(self, pixels: NDArray[np.float32], *, threshold: float | None = None) -> tuple[Mark, ...]:
        """Find fractures.

        Args:
            pixels: float32 (height, width) in [0, 1], bone bright, as `Radiograph.pixels`.
            threshold: least score, the bundle's if None.

        Returns:
            Marks by falling score.
        """
        fitted = self.rule.fitted(pixels)
        heat, boxes = self._session.run({"picture": fitted.pixels[None, None]})
        peaks = find_peaks(heat[0], boxes[0], threshold=self.threshold if threshold is None else threshold)
        found = on_film(peaks, fitted, classes=self.classes, shape=(pixels.shape[0], pixels.shape[1]))
        return tuple(Mark(one.box, one.score) for one in found)
