"""Boxes and joints brought together: one assignment of all, judged by the plan of the hand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from capitate.hand.affine import Affine, fit_affine, fit_similarity
from capitate.hand.detection import Detection, centres
from capitate.hand.joints import BoneClass, bone_class_of
from capitate.hand.plan import JOINTS, Expected, HandPlan

__all__ = ["LEAST_JOINTS", "Match", "best_match"]

Array = NDArray[np.float64]
Ints = NDArray[np.int64]

LEAST_JOINTS = 8
"""Joints below which no hand is named: an affine map fits any three, so that a few prove nothing."""

_MISSING = 20.0
_LEFT_OVER = 15.0
"""Costs, in squared standard deviations, of a joint without box and of a box without joint. A box farther than their
sum from a joint's place, 5.9 deviations, is not that joint's: by chance one of 4e7 is (chi-square, 2 degrees)."""
_OTHER_CLASS = 12.0
"""Cost of taking a box for a joint of another class than it was detected as. Neighbouring joints lie 0.095 plan units
apart or more, eight deviations: place outweighs a wrong class, and a class decides between places that are alike."""
_DOUBT = 2.0
"""Cost of a score of 0, in proportion: between two boxes that fit alike the better one is taken."""
_BLURS = (0.10, 0.05, 0.02, 0.0, 0.0, 0.0, 0.0)
"""Added standard deviation of each round, plan units: a rough registration may be off by a finger's breadth."""
_SQUASH_SD = 0.3
"""Of the log of the hand's anisotropy. Of 1,349 films with their aspect the middle 90 % have 0.64 to 0.98, so that
squashing them to squares stretches hands by factors up to 1.6; sd 0.3 allows 1.8 at two deviations."""
_TURNS = (0.0, -0.5, 0.5)
"""Radians by which the first registration is turned where it led to no good reading."""
_GOOD = 77.0
"""Energy of a reading that is not doubted: that of a mean hand, 42, with a joint and a box that do not fit."""
_FITS = {bone: np.array([bone_class_of(joint) is bone for joint in JOINTS]) for bone in BoneClass}
_NEVER = 1e6


@dataclass(frozen=True, eq=False)
class Match:
    """One way to read boxes as a hand.

    Attributes:
        to_plan: map from film pixels to the plan.
        boxes: (21,) number of each joint's box, -1 where it has none.
        costs: (21, n) of every box as every joint.
        expected: where the others put each joint.
        energy: cost of the whole; lower is better.
    """

    to_plan: Affine
    boxes: Ints
    costs: Array
    expected: Expected
    energy: float

    @property
    def seen(self) -> NDArray[np.bool_]:
        """Which joints have a box, (21,)."""
        return self.boxes >= 0

    @property
    def misfit(self) -> float:
        """Mean squared deviation of the seen joints' coordinates, in variances."""
        return self.expected.misfit / (2 * int(self.seen.sum()))


def best_match(detections: Sequence[Detection], *, plan: HandPlan) -> tuple[Match | None, Match | None]:
    """Find the best reading of boxes as a left hand and as a right one.

    Args:
        detections: any number.
        plan: what a hand looks like.

    Returns:
        The best of each, None where the boxes cannot be a hand of that side.
    """
    best: list[Match | None] = [None, None]
    starts = [_starts(detections, plan=plan, mirrored=mirrored) for mirrored in (False, True)]
    for turned in zip(*starts, strict=True):
        for side, start in enumerate(turned):
            match, before = _settle(detections, start, plan=plan), best[side]
            if match is not None and (before is None or match.energy < before.energy):
                best[side] = match
        if min((one.energy for one in best if one is not None), default=_NEVER) < _GOOD:
            break
    return best[0], best[1]


def _starts(detections: Sequence[Detection], *, plan: HandPlan, mirrored: bool) -> list[Affine]:
    """Register the middles of the classes, which need no finger's name."""
    at = centres(detections)
    kinds = np.array([one.bone for one in detections])
    present = [bone for bone in BoneClass if (kinds == bone).any()]
    film = np.array([at[kinds == bone].mean(axis=0) for bone in present])
    wanted = np.array([plan.places[_FITS[bone]].mean(axis=0) for bone in present])
    try:
        first = fit_similarity(film, wanted, mirrored=mirrored)
    except ValueError:
        return []
    middle = wanted.mean(axis=0)
    turned = []
    for angle in _TURNS:
        c, s = np.cos(angle), np.sin(angle)
        matrix = np.array([[c, -s], [s, c]])
        turned.append(first.then(Affine(matrix, middle - matrix @ middle)))
    return turned


def _settle(detections: Sequence[Detection], start: Affine, *, plan: HandPlan) -> Match | None:
    """Assign, register anew, and assign again by what the others say, until nothing changes."""
    film, map_ = centres(detections), start
    boxes: Ints | None = None
    classes = _class_costs(detections)
    for blur in _BLURS:
        at = map_(film)
        expected = _expected(plan, boxes, at, blur=blur)
        costs = classes + _distances(expected, at)
        before, boxes = boxes, _assign(costs)
        if (boxes >= 0).sum() < LEAST_JOINTS:
            return None
        if blur == 0 and before is not None and np.array_equal(before, boxes):
            break
        fitted = _register(boxes, film, plan=plan)
        if fitted is None or fitted.mirrored != start.mirrored:
            return None
        map_ = fitted
    return None if boxes is None else _judge(plan, boxes, film=film, map_=map_, classes=classes)


def _register(boxes: Ints, film: Array, *, plan: HandPlan) -> Affine | None:
    """Fit the plan to the joints that have a box."""
    seen = boxes >= 0
    try:
        return fit_affine(film[boxes[seen]], plan.places[seen])
    except ValueError:
        return None


def _judge(plan: HandPlan, boxes: Ints, *, film: Array, map_: Affine, classes: Array) -> Match:
    """Add up what a reading costs."""
    at = map_(film)
    expected = _expected(plan, boxes, at, blur=0.0)
    joints = np.flatnonzero(boxes >= 0)
    energy = expected.misfit + float(classes[joints, boxes[joints]].sum())
    energy += _MISSING * (len(JOINTS) - len(joints)) + _LEFT_OVER * (len(film) - len(joints))
    energy += float(np.log(map_.anisotropy) / _SQUASH_SD) ** 2
    return Match(map_, boxes, classes + _distances(expected, at), expected, energy)


def _expected(plan: HandPlan, boxes: Ints | None, at: Array, *, blur: float) -> Expected:
    if boxes is None:
        own = np.stack([plan.covariance[k : k + 2, k : k + 2] for k in range(0, 42, 2)])
        return Expected(plan.places, own + blur**2 * np.eye(2), 0.0)
    return plan.expected(boxes >= 0, at=at[boxes], blur=blur)


def _distances(expected: Expected, at: Array) -> Array:
    """Squared Mahalanobis distance of every box from every joint's place, (21, n)."""
    apart = at[None] - expected.places[:, None]
    distances: Array = np.einsum("jni,jik,jnk->jn", apart, np.linalg.inv(expected.covariances), apart)
    return distances


def _class_costs(detections: Sequence[Detection]) -> Array:
    """Cost of every box as every joint without regard to its place, (21, n)."""
    fits = np.column_stack([_FITS[one.bone] for one in detections])
    doubt = np.array([_DOUBT * (1 - one.score) for one in detections])
    costs: Array = np.where(fits, 0.0, _OTHER_CLASS) + doubt
    return costs


def _assign(costs: Array) -> Ints:
    """Give each joint a box, or none where that is cheaper."""
    joints, boxes = costs.shape
    table = np.zeros((joints + boxes, boxes + joints))
    table[:joints, :boxes] = np.minimum(costs, _NEVER)
    table[:joints, boxes:] = np.where(np.eye(joints, dtype=bool), _MISSING, _NEVER)
    table[joints:, :boxes] = np.where(np.eye(boxes, dtype=bool), _LEFT_OVER, _NEVER)
    rows, columns = linear_sum_assignment(table)
    given = np.full(joints, -1, dtype=np.int64)
    real = (rows < joints) & (columns < boxes)
    given[rows[real]] = columns[real]
    return given
