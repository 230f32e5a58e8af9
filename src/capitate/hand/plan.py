"""The plan of a hand: where its 21 joints lie on the mean left hand, and how they vary together.

The plan is upright, x towards the thumb and y downwards; its origin is midway between radius and ulna, and its unit the
distance from there to the third finger's distal joint. What varies is told by one covariance of all 42 coordinates, so
that every joint's place follows from the others': a finger is a chain in it, since a bone's length and direction vary
far less than the place of its ends.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from capitate.hand.joints import FINGERS, Joint

__all__ = ["JOINTS", "Expected", "HandPlan", "hand_plan", "pose_modes"]

Array = NDArray[np.float64]

JOINTS = tuple(Joint)
_POSE_SD = 0.3
"""How far a hand may still lie from where it was registered: standard deviation of shift (plan units) and of each
element of the matrix. Wide against what is left after a registration, so that it never decides."""


class Expected(NamedTuple):
    """Where joints are to be expected, given others.

    Attributes:
        places: (21, 2) plan units.
        covariances: (21, 2, 2).
        misfit: squared Mahalanobis distance of all joints that were given, as one.
    """

    places: Array
    covariances: Array
    misfit: float


@dataclass(frozen=True, eq=False)
class HandPlan:
    """Mean places and their variation.

    Attributes:
        places: (21, 2) in the order of `JOINTS`.
        covariance: (42, 42) of x and y of joint after joint, once shift, turn, size and squash were taken away.
        fingertips: (5, 2) from the thumb's to the little finger's.
        hands: number of labelled hands that it was measured on.
    """

    places: Array
    covariance: Array
    fingertips: Array
    hands: int

    def expected(self, seen: NDArray[np.bool_], *, at: Array, blur: float = 0.0) -> Expected:
        """Tell where each joint is to be expected, given all the other joints that were seen.

        This is the conditional Gaussian, of a seen joint with itself left out (Bishop, Pattern Recognition and Machine
        Learning, 2006, 2.3.1).

        Args:
            seen: bool (21,).
            at: (21, 2) plan units, used where seen.
            blur: standard deviation that is added to every coordinate, plan units.
        """
        covariance = self._free_covariance + blur**2 * np.eye(42)
        rows = np.flatnonzero(np.repeat(seen, 2))
        residual = (at - self.places).reshape(-1)[rows]
        precision = np.linalg.inv(covariance[np.ix_(rows, rows)])
        pulled = precision @ residual
        across = covariance[:, rows]
        moved = (across @ pulled).reshape(-1, 2)
        spread = covariance - across @ precision @ across.T
        each = np.arange(42).reshape(21, 2)
        spreads = spread[each[:, :, None], each[:, None, :]]
        own = np.arange(len(rows)).reshape(-1, 2)
        spreads[seen] = np.linalg.inv(precision[own[:, :, None], own[:, None, :]])
        moved[seen] = residual.reshape(-1, 2) - np.einsum("nij,nj->ni", spreads[seen], pulled.reshape(-1, 2))
        return Expected(self.places + moved, spreads, float(residual @ pulled))

    @cached_property
    def _free_covariance(self) -> Array:
        """Covariance of a hand that was registered roughly."""
        modes = pose_modes(self.places)
        free: Array = self.covariance + _POSE_SD**2 * modes @ modes.T
        return free

    def to_json(self) -> dict[str, Any]:
        """Write the plan as a table; the covariance as its lower triangle, row by row."""
        low = np.tril_indices(42)
        tips = zip(FINGERS, self.fingertips, strict=True)
        return {
            "hands": self.hands,
            "joints": {joint.value: _rounded(place) for joint, place in zip(JOINTS, self.places, strict=True)},
            "fingertips": {finger: _rounded(place) for finger, place in tips},
            "covariance_1e6": [round(float(value) * 1e6) for value in self.covariance[low]],
        }

    @classmethod
    def from_json(cls, table: dict[str, Any]) -> HandPlan:
        """Read what `to_json` wrote."""
        covariance = np.zeros((42, 42))
        covariance[np.tril_indices(42)] = np.array(table["covariance_1e6"]) / 1e6
        covariance = covariance + np.tril(covariance, -1).T
        places = np.array([table["joints"][joint] for joint in JOINTS])
        return cls(places, covariance, np.array([table["fingertips"][finger] for finger in FINGERS]), table["hands"])


@cache
def hand_plan() -> HandPlan:
    """Return the plan that ships with Capitate; its source stands in `tables/plan.json`."""
    text = files("capitate.hand").joinpath("tables", "plan.json").read_text(encoding="utf-8")
    return HandPlan.from_json(json.loads(text))


def pose_modes(places: Array) -> Array:
    """Return how joints (21, 2) move when the whole hand is shifted, turned, stretched or sheared, (42, 6)."""
    about = np.column_stack([np.ones(len(places)), places - places.mean(axis=0)])
    modes = np.zeros((len(places), 2, 6))
    modes[:, 0, :3] = modes[:, 1, 3:] = about
    return modes.reshape(-1, 6)


def _rounded(place: Array) -> list[float]:
    return [round(float(value), 4) for value in place]
