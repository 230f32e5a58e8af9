"""Weak labels: what a hand's bone age says of the grade of each of its joints.

Nobody graded these joints. RUS-CHN's own tables tie grades to an age: `capitate.phantom.reference.grade_onsets` gives
the age at which a joint reaches each grade, by the points of the grade and the age of that total. A joint of a hand of
known bone age then has each grade with the probability that its own age lies between two onsets, where its own age
scatters around the hand's.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.stats import norm

from capitate.errors import TableError
from capitate.phantom.reference import grade_onsets
from capitate.runtime.grade_categories import MOST_GRADES
from capitate.types import Sex

__all__ = ["age_targets", "believed"]

_LEAST = 1e-6


def age_targets(
    joints: Sequence[str], sexes: Sequence[str], ages: NDArray[np.float64], *, spread: float
) -> NDArray[np.float32]:
    """Give the probability of every grade of joints whose hand's bone age is known.

    Args:
        joints: names of the 21 joints, n of them.
        sexes: `female` or `male`.
        ages: bone ages, months (n,).
        spread: standard deviation of a joint's own age around the hand's, months.

    Returns:
        float32 (n, 15), sum 1 a row.

    Raises:
        TableError: if a sex is not known, by which the tables go.
    """
    targets = np.zeros((len(joints), MOST_GRADES + 1), dtype=np.float32)
    for row, (joint, sex, age) in enumerate(zip(joints, sexes, ages.tolist(), strict=True)):
        if sex not in (Sex.FEMALE, Sex.MALE):
            raise TableError(f"the tables go by sex, got {sex!r} for a {joint}; leave crops of unknown sex out")
        onsets = np.array(grade_onsets(joint, Sex(sex)))
        reached = norm.cdf((age - onsets) / spread)
        shares = -np.diff(np.concatenate([[1.0], reached, [0.0]]))
        targets[row, : shares.size] = shares / shares.sum()
    return targets


def believed(targets: NDArray[np.float32], beliefs: NDArray[np.float64], *, power: float) -> NDArray[np.float32]:
    """Sharpen weak labels by what a network that never saw the hand reads from the joint itself.

    The label becomes proportional to label times belief to `power`: a joint that is behind or ahead of its hand moves
    within what the hand's age leaves open.

    Args:
        targets: float32 (n, 15).
        beliefs: probabilities (n, 15), NaN where there is none.
        power: 0 leaves the label alone.
    """
    known = np.isfinite(beliefs).all(axis=1)
    product = targets[known] * np.maximum(beliefs[known], _LEAST) ** power
    total = product.sum(axis=1, keepdims=True)
    out = targets.copy()
    out[known] = np.where(total > 0, product / np.maximum(total, 1e-30), targets[known])
    return out
