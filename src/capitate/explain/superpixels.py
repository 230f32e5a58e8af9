"""Superpixels of a film: patches of like grey, by simple linear iterative clustering.

After Achanta et al., IEEE Trans Pattern Anal Mach Intell 2012;34(11):2274-2282, with the search of Ren and Reid (gSLIC,
University of Oxford 2011): a pixel belongs to one of the nine centres that lay nearest on the first grid.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError

__all__ = ["superpixels"]

_ITERATIONS = 10
"""Enough for most pictures after Achanta et al., section 3.1."""
_COMPACTNESS = 0.1
"""Grey levels, in shares of the film's range, that count as much as a superpixel's width: 10 of 100 as there."""
_NEIGHBOURS = tuple((down, across) for down in (-1, 0, 1) for across in (-1, 0, 1))


def superpixels(film: NDArray[np.float32], *, count: int) -> NDArray[np.int64]:
    """Cut a film into about `count` superpixels.

    Args:
        film: float32 (rows, columns).
        count: wanted; the number made is that of a grid of squarish cells.

    Returns:
        int64 (rows, columns), numbers from 0; superpixels that lost all their pixels have no number.

    Raises:
        UsageError: if `count` is less than 2 or more than a quarter of the pixels.
    """
    rows, columns = film.shape
    if not 2 <= count <= film.size // 4:
        raise UsageError(f"a film of {columns} x {rows} is cut into 2 to {film.size // 4} superpixels, got {count}")
    step = float(np.sqrt(film.size / count))
    down, across = max(1, round(rows / step)), max(1, round(columns / step))
    grey = (film - film.min()) / max(float(np.ptp(film)), 1e-6) / _COMPACTNESS * step
    y, x = np.indices(film.shape, dtype=np.float64)
    pixels = np.stack([grey, y, x])
    home = (np.arange(rows) * down // rows)[:, None], (np.arange(columns) * across // columns)[None]
    labels = home[0] * across + home[1]
    for _ in range(_ITERATIONS):
        centres = _centres(pixels, labels, down * across)
        labels = _nearest(pixels, centres, home=home, grid=(down, across))
    numbers: NDArray[np.int64] = np.unique(labels, return_inverse=True)[1].reshape(film.shape).astype(np.int64)
    return numbers


def _centres(pixels: NDArray[np.float64], labels: NDArray[np.int64], count: int) -> NDArray[np.float64]:
    """Give the mean grey, row and column of every superpixel, (3, count); infinite for one without pixels."""
    sizes = np.bincount(labels.ravel(), minlength=count)
    sums = np.stack([np.bincount(labels.ravel(), one.ravel(), minlength=count) for one in pixels])
    return np.where(sizes, sums / np.maximum(sizes, 1), np.inf)


def _nearest(
    pixels: NDArray[np.float64],
    centres: NDArray[np.float64],
    *,
    home: tuple[NDArray[np.int64], NDArray[np.int64]],
    grid: tuple[int, int],
) -> NDArray[np.int64]:
    """Give every pixel the nearest of the centres around its cell of the first grid."""
    best = np.full(pixels.shape[1:], np.inf)
    labels = np.zeros(pixels.shape[1:], dtype=np.int64)
    for down, across in _NEIGHBOURS:
        row, column = (np.clip(one + move, 0, n - 1) for one, move, n in zip(home, (down, across), grid, strict=True))
        number = row * grid[1] + column
        distance = np.square(pixels - centres[:, number]).sum(axis=0)
        closer = distance < best
        best[closer], labels[closer] = distance[closer], number[closer]
    return labels
