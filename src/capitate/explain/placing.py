"""Cells of feature maps brought back to the film: by area, with their sum kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["LONG_SIDE", "PlacedCells", "grid_shape", "spread"]

LONG_SIDE = 96
"""Cells of a map's long side. A hand has five to ten feature cells along it, test views shift them by a tenth of one;
finer cells would show nothing more."""
_SPACING = 0.5
"""Distance of the points that stand for a feature cell's area, in cells of the map."""
_MOST_POINTS = 512


class PlacedCells(NamedTuple):
    """Contributions of the cells of one picture, and where it lies on the film.

    Attributes:
        cells: float64 (rows, columns); they divide the picture evenly.
        picture: its height and width in pixels.
        to_film: float64 (2, 3), affine map from its pixels to the film's; pixel centres at integers plus one half.
    """

    cells: NDArray[np.float64]
    picture: tuple[int, int]
    to_film: NDArray[np.float64]


def grid_shape(film: tuple[int, int], *, long_side: int = LONG_SIDE) -> tuple[int, int]:
    """Give rows and columns of a map of a film (rows, columns), with cells about as wide as high."""
    share = long_side / max(film)
    return max(1, round(film[0] * share)), max(1, round(film[1] * share))


def spread(placed: Iterable[PlacedCells], film: tuple[int, int], *, long_side: int = LONG_SIDE) -> NDArray[np.float32]:
    """Add up pictures' contributions on the film.

    A cell's contribution goes to where its picture shows the film, weighted with a tent as wide as two cells, because
    neighbouring cells see overlapping parts of the picture. What a picture shows beyond the film gets nothing; a cell
    that lies beyond it wholly gives its contribution to the nearest edge.

    Args:
        placed: see `PlacedCells`.
        film: rows and columns, pixels.
        long_side: cells of the map's long side.

    Returns:
        float32 map, see `grid_shape`; its sum is that of all cells.
    """
    rows, columns = grid_shape(film, long_side=long_side)
    total = np.zeros(rows * columns)
    to_grid = np.array([[columns / film[1]], [rows / film[0]]])
    for one in placed:
        affine = one.to_film * to_grid
        down, across = _points(one, affine)
        x, y = (affine[k, 0] * across[None, :] + affine[k, 1] * down[:, None] + affine[k, 2] for k in (0, 1))
        inside = (x >= 0) & (x < columns) & (y >= 0) & (y < rows)
        amounts = _amounts(one, down, across, inside)
        places = np.clip(y, 0, rows - 1).astype(np.int64) * columns + np.clip(x, 0, columns - 1).astype(np.int64)
        total += np.bincount(places.ravel(), amounts.ravel(), minlength=total.size)
    return total.reshape(rows, columns).astype(np.float32)


def _points(one: PlacedCells, affine: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Lay rows and columns of points over a picture, close enough for the map; pixels of the picture."""
    lines = []
    for side, cells, step in zip(one.picture, one.cells.shape, (affine[:, 1], affine[:, 0]), strict=True):
        wanted = math.ceil(side * float(np.hypot(*step)) / _SPACING)
        count = min(_MOST_POINTS, max(2 * cells, wanted))
        lines.append((np.arange(count) + 0.5) * (side / count))
    return lines[0], lines[1]


def _amounts(
    one: PlacedCells, down: NDArray[np.float64], across: NDArray[np.float64], inside: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Share each cell's contribution out among the points in its tent that lie on the film."""
    height, width = one.picture
    tall, wide = _tents(down / height, one.cells.shape[0]), _tents(across / width, one.cells.shape[1])
    everywhere = np.outer(tall.sum(axis=0), wide.sum(axis=0))
    on_film = tall.T @ inside @ wide
    seen = on_film > 1e-3 * everywhere
    shares = np.divide(one.cells, on_film, out=np.zeros_like(on_film), where=seen)
    amounts = tall @ shares @ wide.T * inside
    if not seen.all():
        amounts += tall @ np.where(seen, 0.0, one.cells / everywhere) @ wide.T
    return amounts


def _tents(places: NDArray[np.float64], cells: int) -> NDArray[np.float64]:
    """Weight of each of so many cells at places from 0 to 1 along a side, (places, cells); 1 between them all."""
    centres = (np.arange(cells) + 0.5) / cells
    return np.column_stack([np.interp(places, centres, one) for one in np.eye(cells)])
