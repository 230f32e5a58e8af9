"""Finding the joints of a hand: maps of scores and boxes from the network, peaks of these as boxes on the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.errors import UsageError
from capitate.runtime.bundle import Bundle
from capitate.runtime.film_rule import FilmRule, Fitted
from capitate.runtime.hand_view import HandView, detector_rule
from capitate.runtime.session import Session
from capitate.runtime.views import HandFrame
from capitate.types import Box

__all__ = ["FoundJoint", "JointDetector", "Peaks", "find_peaks", "on_film"]

_NEIGHBOURS = 3
_APART = 0.4
"""Distance, in mean sides of a box, within which two peaks of a class are one joint: the boxes of two fingers' joints
of a class lie more than a whole side apart, or they cover each other."""


@dataclass(frozen=True)
class FoundJoint:
    """One joint on a film.

    Attributes:
        joint: class, such as `Radius` or `MiddlePhalanx`; which finger's it is, geometry has to say.
        score: 0 to 1.
        box: film pixels, clipped to the film.
        centre: (x, y) of the box before it was clipped, film pixels.
    """

    joint: str
    score: float
    box: Box
    centre: tuple[float, float]


@dataclass(frozen=True, eq=False)
class Peaks:
    """Joints of one picture, by falling score.

    Attributes:
        classes: int64 (k,).
        scores: float32 (k,).
        boxes: float32 (k, 4), centre x, y, width and height in pixels of the picture.
    """

    classes: NDArray[np.int64]
    scores: NDArray[np.float32]
    boxes: NDArray[np.float32]


class JointDetector:
    """A joint-detector bundle, loaded once."""

    def __init__(self, bundle: Bundle, *, threads: int | None = None) -> None:
        """Load the network.

        Args:
            bundle: of the task `joint-detector`.
            threads: for one run, `capitate.runtime.session.default_threads` if None.
        """
        self.bundle = bundle
        self.rule = detector_rule(bundle.card)
        self.classes: tuple[str, ...] = tuple(bundle.card["classes"])
        detect = bundle.card["detect"]
        self.threshold = float(detect["threshold"])
        self.counts: tuple[int, ...] | None = tuple(detect["counts"]) if detect["counts"] else None
        self._session = Session(bundle.networks[0], threads=threads)

    def detect(
        self,
        pixels: NDArray[np.float32],
        frame: HandFrame | None = None,
        *,
        square: NDArray[np.float32] | None = None,
        threshold: float | None = None,
    ) -> list[FoundJoint]:
        """Find joints.

        Args:
            pixels: float32 (height, width) in [0, 1], as `Radiograph.pixels`.
            frame: the hand that the locator found, for a detector that looks at the hand's view.
            square: `capitate.runtime.views.squash` of the film, where that is there already.
            threshold: least score, the bundle's if None.

        Returns:
            Joints by falling score; where the bundle knows how many of a class a hand has, no more than that.

        Raises:
            UsageError: if the detector needs the hand's frame and got none.
        """
        fitted = self.fitted(pixels, frame, square=square)
        heat, boxes = self._session.run({"picture": fitted.pixels[None, None]})
        least = self.threshold if threshold is None else threshold
        peaks = find_peaks(heat[0], boxes[0], threshold=least, counts=self.counts)
        return on_film(peaks, fitted, classes=self.classes, shape=(pixels.shape[0], pixels.shape[1]))

    def fitted(
        self, pixels: NDArray[np.float32], frame: HandFrame | None, *, square: NDArray[np.float32] | None = None
    ) -> Fitted | HandView:
        """Make the network's picture of a film; arguments and errors as of `detect`."""
        if isinstance(self.rule, FilmRule):
            return self.rule.fitted(pixels)
        if frame is None:
            raise UsageError(f"{self.bundle.name!r} looks at the hand that the locator found, got no frame; locate it")
        return self.rule.cut(pixels, frame, square=square)


def find_peaks(
    heat: NDArray[np.float32],
    boxes: NDArray[np.float32],
    *,
    threshold: float,
    counts: Sequence[int] | None = None,
) -> Peaks:
    """Read joints from the maps of one picture.

    A joint is a cell whose score no neighbour exceeds. Of two peaks of a class that lie within `_APART` of a box's mean
    side the weaker one is dropped.

    Args:
        heat: float32 (classes, rows, columns), scores 0 to 1.
        boxes: float32 (4, rows, columns), centre x, y, width and height of the joint centred in that cell, pixels.
        threshold: least score.
        counts: most joints of each class; any number if None.
    """
    highest = ndimage.maximum_filter(heat, size=(1, _NEIGHBOURS, _NEIGHBOURS), mode="constant")
    found, rows, columns = np.nonzero((heat == highest) & (heat >= threshold))
    order = np.argsort(-heat[found, rows, columns], kind="stable")
    found, rows, columns = (one[order] for one in (found, rows, columns))
    scores, places = heat[found, rows, columns], boxes[:, rows, columns].T
    kept: list[int] = []
    for k in range(len(found)):
        same = [j for j in kept if found[j] == found[k]]
        full = counts is not None and len(same) >= counts[found[k]]
        if not full and not any(_one_joint(places[j], places[k]) for j in same):
            kept.append(k)
    return Peaks(found[kept].astype(np.int64), scores[kept], places[kept].reshape(-1, 4))


def _one_joint(first: NDArray[np.float32], second: NDArray[np.float32]) -> bool:
    side = float(np.mean([first[2:], second[2:]]))
    return bool(np.hypot(*(first[:2] - second[:2])) < _APART * side)


def on_film(
    peaks: Peaks, fitted: Fitted | HandView, *, classes: Sequence[str], shape: tuple[int, int]
) -> list[FoundJoint]:
    """Bring peaks back to the film.

    Args:
        peaks: of its picture.
        fitted: how it became the picture.
        classes: names in the order of the maps.
        shape: rows and columns of the film.
    """
    rows, columns = shape
    centres = fitted.to_film(peaks.boxes[:, :2])
    sides = fitted.sides_on_film(peaks.boxes[:, 2:])
    low = np.clip(centres - sides / 2, 0, [columns, rows])
    high = np.clip(centres + sides / 2, 0, [columns, rows])
    joints = []
    for k, kind in enumerate(peaks.classes.tolist()):
        (left, top), (wide, tall) = low[k].tolist(), (high[k] - low[k]).tolist()
        x, y = centres[k].tolist()
        joints.append(FoundJoint(classes[kind], float(peaks.scores[k]), Box(left, top, wide, tall), (x, y)))
    return joints
