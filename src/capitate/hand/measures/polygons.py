"""Outlines as polygons: where a field crosses one half, with few enough corners for a report."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

__all__ = ["Polygon", "area_within", "contours", "outline", "simplified"]

Array = NDArray[np.float64]

Polygon = tuple[tuple[float, float], ...]
"""Corners (x, y) of an outline in film pixels, three or more; the last is joined to the first."""

_LEVEL = 0.5
_EDGES = {
    1: ((3, 0),), 2: ((0, 1),), 3: ((3, 1),), 4: ((1, 2),), 5: ((3, 0), (1, 2)), 6: ((0, 2),), 7: ((3, 2),),
    8: ((2, 3),), 9: ((2, 0),), 10: ((0, 1), (2, 3)), 11: ((2, 1),), 12: ((1, 3),), 13: ((1, 0),), 14: ((0, 3),),
}  # fmt: skip
"""From which side of a cell to which a contour runs, high values at its left, by which corners are high: 1 upper left,
2 upper right, 4 lower right, 8 lower left; sides 0 top, 1 right, 2 bottom, 3 left. Where opposite corners are high the
two are kept apart."""


def outline(field: NDArray[np.floating], *, to_film: Callable[[Array], Array], tolerance: float) -> tuple[Polygon, ...]:
    """Draw polygons around what is above one half.

    Args:
        field: (rows, columns), such as a probability or a mask.
        to_film: map of points (n, 2), column and row of pixel centres, to film pixels.
        tolerance: how far the polygons may run from the contour, film pixels.

    Returns:
        Polygons in film pixels, to a tenth; holes are left out.
    """
    made = []
    for contour in contours(field):
        corners = simplified(to_film(contour), tolerance=tolerance)
        if len(corners) >= 3:
            made.append(tuple((round(float(x), 1), round(float(y), 1)) for x, y in corners))
    return tuple(made)


def contours(field: NDArray[np.floating]) -> list[Array]:
    """Follow the lines at which a field crosses one half (marching squares; Lorensen and Cline, SIGGRAPH 1987).

    Args:
        field: (rows, columns); beyond its border it counts as 0.

    Returns:
        Closed outer lines, clockwise, (n, 2) columns and rows of pixel centres, the longest first.
    """
    padded = np.pad(np.asarray(field, dtype=np.float64), 1)
    high = padded > _LEVEL
    corners = high[:-1, :-1] + 2 * high[:-1, 1:] + 4 * high[1:, 1:] + 8 * high[1:, :-1]
    after: dict[tuple[int, int, int], tuple[int, int, int]] = {}
    for row, column in np.argwhere((corners > 0) & (corners < 15)).tolist():
        for start, end in _EDGES[int(corners[row, column])]:
            after[_side(row, column, start)] = _side(row, column, end)
    lines = []
    while after:
        first, at = after.popitem()
        line = [first]
        while at != first:
            line.append(at)
            at = after.pop(at)
        points = np.array([_crossing(padded, *each) for each in line[::-1]])
        if area_within(points) > 0:
            lines.append(points - 1)
    return sorted(lines, key=len, reverse=True)


def area_within(points: Array) -> float:
    """Give the area inside a closed line (n, 2), positive where it runs clockwise with y downwards."""
    x, y = points[:, 0], points[:, 1]
    return float(np.sum(x * np.roll(y, -1) - y * np.roll(x, -1)) / 2)


def simplified(line: Array, *, tolerance: float) -> Array:
    """Leave out points of a closed line (n, 2) that lie within a distance of it (Douglas and Peucker, 1973)."""
    if len(line) < 4:
        return line
    far = int(np.argmax(((line - line[0]) ** 2).sum(axis=1)))
    there, back = line[: far + 1], np.vstack([line[far:], line[:1]])
    return np.vstack([_thinned(there, tolerance)[:-1], _thinned(back, tolerance)[:-1]])


def _thinned(line: Array, tolerance: float) -> Array:
    """Leave out points of an open line, its ends stay."""
    kept = np.zeros(len(line), dtype=bool)
    kept[[0, -1]] = True
    parts = [(0, len(line) - 1)]
    while parts:
        first, last = parts.pop()
        chord = line[last] - line[first]
        apart = line[first : last + 1] - line[first]
        length = float(np.hypot(*chord))
        off = np.abs(apart @ np.array([-chord[1], chord[0]])) / length if length > 1e-9 else np.hypot(*apart.T)
        worst = int(np.argmax(off))
        if off[worst] > tolerance:
            kept[first + worst] = True
            parts += [(first, first + worst), (first + worst, last)]
    thin: Array = line[kept]
    return thin


def _side(row: int, column: int, side: int) -> tuple[int, int, int]:
    """Name a side of a cell: of the pixel at its upper or left end, and 0 for across, 1 for down."""
    return {0: (row, column, 0), 1: (row, column + 1, 1), 2: (row + 1, column, 0), 3: (row, column, 1)}[side]


def _crossing(field: Array, row: int, column: int, down: int) -> tuple[float, float]:
    """Say where between two pixels the field crosses one half: column and row."""
    here, there = field[row, column], field[row + down, column + 1 - down]
    share = (_LEVEL - here) / (there - here)
    return (column, row + share) if down else (column + share, row)
