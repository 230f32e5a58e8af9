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

__all__ = ["POINTS", "Contributions", "Seen", "contributions"]

POINTS = 8
"""Of the Gauss-Legendre rule on a piece of the path; docs/maps.md has what 8, 16 and 32 miss."""
_MOST_PIECES = 64


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
        pieces: into which the path was cut.
    """

    cells: tuple[NDArray[np.float64], ...]
    base: float
    pieces: int


@dataclass(frozen=True, eq=False)
class _Piece:
    """A piece of the path.

    Attributes:
        low: where it begins, 0 for the base.
        high: where it ends, 1 for the film.
        values: answers there.
        slopes: by network float64 (views, channels), the gradient's integral over the piece.
        error: by how much what the features add differs from what the answer does.
    """

    low: float
    high: float
    values: tuple[float, float]
    slopes: tuple[NDArray[np.float64], ...]
    error: float


def contributions(
    seen: Sequence[Seen], reading: Reading, *, tolerance: float, points: int = POINTS, most_pieces: int = _MOST_PIECES
) -> Contributions:
    """Share an answer out among the cells that its networks saw.

    What the answer gains over a piece of the path is known at its ends, so that every piece has its error; the worst is
    halved until the sum is within the tolerance. Where a distribution has two humps its median leaps from
    one to the other, and the pieces gather there.

    Args:
        seen: a network each, with as many views.
        reading: what the answer is.
        tolerance: by how much the sum of all cells may miss the answer minus its base, in the answer's unit.
        points: on each piece.
        most_pieces: into which the path may be cut.

    Raises:
        NoMapError: if the sum misses by more with so many pieces.
    """
    pieces = [_piece(seen, reading, 0.0, 1.0, points=points)]
    base, answer = pieces[0].values
    while abs(sum(one.error for one in pieces)) > tolerance:
        if len(pieces) == most_pieces:
            found = answer - base + sum(one.error for one in pieces)
            raise NoMapError(
                f"the parts of the map sum to {found:.3f} where the answer is {answer - base:.3f} from its base, with "
                f"{len(pieces)} pieces of the path; more than {tolerance:g} apart is no map, the answer stands without"
            )
        worst = max(pieces, key=lambda one: abs(one.error))
        middle = (worst.low + worst.high) / 2
        ends = ((worst.low, middle), (middle, worst.high))
        pieces.remove(worst)
        pieces += [_piece(seen, reading, low, high, points=points) for low, high in ends]
    slopes = [np.sum(parts, axis=0) for parts in zip(*(one.slopes for one in pieces), strict=True)]
    cells = tuple(_cells(one, slope) for one, slope in zip(seen, slopes, strict=True))
    return Contributions(cells, base, len(pieces))


def _piece(seen: Sequence[Seen], reading: Reading, low: float, high: float, *, points: int) -> _Piece:
    """Integrate the gradient over a piece of the path."""
    ends = [one.features.mean(axis=(2, 3), dtype=np.float64) for one in seen]
    places, weights = np.polynomial.legendre.leggauss(points)
    inside = low + (high - low) * (places + 1) / 2
    values, slopes = _along(seen, ends, reading, np.concatenate([[low], inside, [high]]))
    scaled = weights * (high - low) / 2
    sums = tuple(np.tensordot(scaled, one[1:-1].astype(np.float64), axes=1) for one in slopes)
    added = sum(float(((end - one.base) * slope).sum()) for end, one, slope in zip(ends, seen, sums, strict=True))
    return _Piece(low, high, (float(values[0]), float(values[-1])), sums, added - float(values[-1] - values[0]))


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
