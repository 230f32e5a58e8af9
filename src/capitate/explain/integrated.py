"""Which cells of the feature maps moved an answer away from its base: integrated gradients through the heads.

Sundararajan, Taly & Yan (2017, ICML, PMLR 70:3319) follow the straight path from a base input to the one at hand and
sum what each part adds, gradient times step; the parts then sum to the difference of the two answers. Here the inputs
are the last feature maps and the path goes through pooling and head alone. The base is one vector of features, the same
in every cell and view. Since features are averaged over cells before the head, the gradient is the same for all cells
of a channel, and the map is a class activation map (Zhou et al. 2016, CVPR) with weights averaged along the path.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.errors import NoMapError
from capitate.explain.head import Head
from capitate.explain.readings import Reading

__all__ = ["STEPS", "Contributions", "Seen", "contributions"]

STEPS = (8, 32, 128, 512)
"""Points of the Gauss-Legendre rule along the path: the first that sums up within the tolerance is kept."""


@dataclass(frozen=True, eq=False)
class Seen:
    """What one network saw.

    Attributes:
        head: of the network.
        features: float32 (views, channels, rows, columns), its last feature maps.
        base: float32 (channels,), the reference.
        code: sex or category that the head is told.
    """

    head: Head
    features: NDArray[np.float32]
    base: NDArray[np.float32]
    code: int = 0


@dataclass(frozen=True, eq=False)
class Contributions:
    """What each cell adds to an answer.

    Attributes:
        cells: a network each, float64 (views, rows, columns); all of them sum to the answer minus `base`.
        base: answer to the bases.
        steps: points along the path that were needed.
    """

    cells: tuple[NDArray[np.float64], ...]
    base: float
    steps: int


def contributions(
    seen: Sequence[Seen], reading: Reading, *, tolerance: float, steps: Sequence[int] = STEPS
) -> Contributions:
    """Share an answer out among the cells that its networks saw.

    Args:
        seen: a network each, with as many views.
        reading: what the answer is.
        tolerance: by how much the sum of all cells may miss the answer minus its base, in the answer's unit.
        steps: points along the path to try, in this order.

    Raises:
        NoMapError: if the sum misses by more with the most points.
    """
    ends = [one.features.mean(axis=(2, 3), dtype=np.float64) for one in seen]
    values, _ = _along(seen, ends, reading, np.array([0.0, 1.0]))
    wanted, found, count = float(values[1] - values[0]), float("nan"), 0
    for count in steps:
        places, weights = np.polynomial.legendre.leggauss(count)
        _, slopes = _along(seen, ends, reading, (places + 1) / 2)
        mean_slopes = [np.tensordot(weights / 2, one.astype(np.float64), axes=1) for one in slopes]
        found = sum(
            float(((end - one.base) * slope).sum()) for end, one, slope in zip(ends, seen, mean_slopes, strict=True)
        )
        if abs(found - wanted) <= tolerance:
            cells = tuple(_cells(one, slope) for one, slope in zip(seen, mean_slopes, strict=True))
            return Contributions(cells, float(values[0]), count)
    raise NoMapError(
        f"the parts of the map sum to {found:.3f} where the answer is {wanted:.3f} from its base, after {count} points "
        f"along the path; more than {tolerance:g} apart is no map, the answer stands without one"
    )


def _along(
    seen: Sequence[Seen], ends: Sequence[NDArray[np.float64]], reading: Reading, places: NDArray[np.float64]
) -> tuple[NDArray[np.float64], list[NDArray[np.float32]]]:
    """Give the answers at places of the path, and by network their gradient (places, views, channels)."""
    raws, backs = [], []
    for one, end in zip(seen, ends, strict=True):
        path = one.base + places[:, None, None] * (end - one.base)
        rows = path.reshape(-1, path.shape[2]).astype(np.float32)
        raw, back = one.head.forward(rows, np.full(len(rows), one.code))
        raws.append(raw.reshape(len(places), len(end), -1))
        backs.append(back)
    values, gradient = reading(np.concatenate(raws, axis=1))
    parts = np.split(gradient, np.cumsum([len(end) for end in ends])[:-1], axis=1)
    flat = (part.reshape(-1, part.shape[2]) for part in parts)
    slopes = [back(part) for back, part in zip(backs, flat, strict=True)]
    return values, [slope.reshape(len(places), len(end), -1) for slope, end in zip(slopes, ends, strict=True)]


def _cells(one: Seen, slope: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share a view's part out among its cells: each holds the same share of the mean that is pooled."""
    apart = one.features - one.base[:, None, None]
    rows, columns = one.features.shape[2:]
    shared: NDArray[np.float64] = np.einsum("vkrc,vk->vrc", apart, slope, dtype=np.float64) / (rows * columns)
    return shared
