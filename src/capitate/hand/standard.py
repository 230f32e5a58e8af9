"""The standard hand: every film's hand brought upright as a left one, and every point of that view back to the film."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.errors import NoHandError, UsageError
from capitate.hand.affine import Affine, fit_affine, fit_similarity
from capitate.hand.joints import Joint
from capitate.hand.named import JointStatus, NamedHand
from capitate.hand.plan import JOINTS, hand_plan
from capitate.types import Side

__all__ = ["Fit", "StandardHand", "standard_hand"]

Array = NDArray[np.float64]

_LEAST = 4
_MARGINS = (0.08, 0.06, 0.12, 0.20)
"""Room beyond the mean hand at left, top, right and bottom, plan units: twice the standard deviation of the outermost
joints and half a box, below it what wrist the radius and ulna need."""


class Fit(StrEnum):
    """What may be done to the hand: a similarity keeps its proportions, an affine map undoes a squashed film."""

    SIMILARITY = "similarity"
    AFFINE = "affine"


@dataclass(frozen=True, eq=False)
class StandardHand:
    """The upright left-hand view of one hand.

    Attributes:
        to_view: map from film pixels to view pixels; its inverse leads back.
        height: rows of the view.
        width: columns of the view.
        mirrored: whether the hand is a right one, which the view shows mirrored.
        error: root mean square distance of the joints from the mean hand's, as a fraction of the view's height.
        joints: number of joints that the map was fitted to.
    """

    to_view: Affine
    height: int
    width: int
    mirrored: bool
    error: float
    joints: int

    def points_to_view(self, points: Array) -> Array:
        """Map film points (..., 2) to the view."""
        return self.to_view(points)

    def points_to_film(self, points: Array) -> Array:
        """Map view points (..., 2) to the film."""
        return self.to_view.inverse(points)

    def cut(self, pixels: NDArray[np.float32]) -> NDArray[np.float32]:
        """Cut the view from a film, bilinear, black beyond the film's edge.

        A film with more pixels than the view is first averaged down by a Gaussian of half the ratio, so that fine
        structure does not alias.

        Args:
            pixels: film, shape (height, width).

        Returns:
            float32 (height, width) of the view.
        """
        back = self.to_view.inverse
        ratio = float(np.sqrt(abs(np.linalg.det(back.matrix))))
        smooth = ndimage.gaussian_filter(pixels, 0.5 * np.sqrt(max(ratio**2 - 1, 0.0))) if ratio > 1 else pixels
        order = back.matrix[::-1, ::-1]
        offset = (back(np.array([0.5, 0.5])) - 0.5)[::-1]
        cut = ndimage.affine_transform(
            smooth.astype(np.float32), order, offset=offset, output_shape=(self.height, self.width), order=1
        )
        return np.asarray(cut, dtype=np.float32)


def standard_hand(
    hand: NamedHand | Mapping[Joint, tuple[float, float]],
    *,
    height: int = 512,
    width: int = 384,
    fit: Fit = Fit.SIMILARITY,
    side: Side | None = None,
) -> StandardHand:
    """Fit the standard view to named joints by least squares over all of them.

    Args:
        hand: a named hand, of which the joints that were found count (uncertain ones where these are too few), or the
            joints' centres in film pixels.
        height: rows of the view.
        width: columns of the view.
        fit: what the map may do.
        side: the hand's side; what naming found, or what fits better, if None.

    Raises:
        NoHandError: if fewer than four joints are named, or they lie on one line.
        UsageError: if the view has no pixels.
    """
    if min(height, width) < 1:
        raise UsageError(f"a view needs rows and columns, got {height} x {width}; give 1 or more of each")
    centres = _centres(hand) if isinstance(hand, NamedHand) else dict(hand)
    if len(centres) < _LEAST:
        told = ", ".join(centres) or "none"
        raise NoHandError(
            f"the upright view needs {_LEAST} named joints, got {len(centres)} ({told}); assess the film by hand"
        )
    if side is None and isinstance(hand, NamedHand):
        side = hand.side
    film = np.array(list(centres.values()), dtype=float)
    into = _plan_to_view(height=height, width=width)
    wanted = into(hand_plan().places[[JOINTS.index(joint) for joint in centres]])
    fits = [_fit(film, wanted, mirrored=flip, fit=fit) for flip in _sides(side)]
    to_view, error = min(fits, key=lambda one: one[1])
    return StandardHand(to_view, height, width, to_view.mirrored, error / height, len(centres))


def _centres(hand: NamedHand) -> dict[Joint, tuple[float, float]]:
    """Take the joints that were found; where these are too few, uncertain ones with them."""
    for statuses in ({JointStatus.FOUND}, {JointStatus.FOUND, JointStatus.UNCERTAIN}):
        taken = {one.joint: one.detection.centre for one in hand.joints if one.detection and one.status in statuses}
        if len(taken) >= _LEAST:
            break
    return taken


def _sides(side: Side | None) -> tuple[bool, ...]:
    if side in (None, Side.UNKNOWN):
        return False, True
    return (side is Side.RIGHT,)


def _fit(film: Array, wanted: Array, *, mirrored: bool, fit: Fit) -> tuple[Affine, float]:
    """Fit one side; the error is in view pixels."""
    try:
        map_ = fit_similarity(film, wanted, mirrored=mirrored)
        if fit is Fit.AFFINE:
            map_ = fit_affine(film, wanted)
    except ValueError as error:
        raise NoHandError(f"the named joints settle no upright view: {error}") from error
    return map_, float(np.sqrt(((map_(film) - wanted) ** 2).sum(axis=1).mean()))


def _plan_to_view(*, height: int, width: int) -> Affine:
    """Place the mean hand, its fingertips and margins in the middle of a view."""
    plan = hand_plan()
    points = np.vstack([plan.places, plan.fingertips])
    low, high = points.min(axis=0) - _MARGINS[:2], points.max(axis=0) + _MARGINS[2:]
    size = float(min(np.array([width, height]) / (high - low)))
    return Affine(np.eye(2) * size, np.array([width, height]) / 2 - size * (low + high) / 2)
