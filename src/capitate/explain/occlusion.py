"""Occlusion maps: how far the answer falls when a part of the film is hidden.

After Zeiler and Fergus, ECCV 2014, pages 818-833. Any model can be asked; nothing of its inside is needed.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from capitate.errors import UsageError
from capitate.explain.activation import ActivationMap
from capitate.explain.black_box import Ask, Meaning, answers, shrunk, softened

__all__ = ["CELLS", "occlusion_map"]

CELLS = 16
"""Cells on a film's longer side unless told: the last feature maps of the released networks have 5 to 10."""
_LEAST = 4
_MOST = 128
_OVERLAP = 2
"""Cells that an occluder is long, so that the film's parts are hidden with one another as well as alone."""


def occlusion_map(film: NDArray[np.float32], ask: Ask, *, meaning: Meaning, cells: int = CELLS) -> ActivationMap:
    """Hide each place of a film in turn and ask what the answer is without it.

    A cell's value is the answer less the mean answer over the occluders that hide it, so a positive cell holds what
    pushes the answer up. Such values do not sum to the answer: `base` is what they leave of it.

    Args:
        film: float32 (rows, columns), bone bright.
        ask: gives answers for films of this shape.
        meaning: whose answers these are.
        cells: on the longer side; the time needed grows with their square.

    Raises:
        UsageError: if there are fewer than 4 or more than 128 cells.
    """
    if not _LEAST <= cells <= _MOST:
        raise UsageError(f"occlusion takes {_LEAST} to {_MOST} cells on the film's longer side, got {cells}")
    film = shrunk(film)
    side = max(film.shape) / cells
    grid = tuple(max(1, round(length / side)) for length in film.shape)
    answer = float(ask(film[None])[0])
    starts = [(row, column) for row in range(1 - _OVERLAP, grid[0]) for column in range(1 - _OVERLAP, grid[1])]
    drops = answer - answers(_hidden(film, starts, grid=grid, soft=softened(film, width=_OVERLAP * side)), ask)
    sums, counts = np.zeros(grid), np.zeros(grid)
    for (row, column), drop in zip(starts, drops, strict=True):
        where = _cells(row, column)
        sums[where] += drop
        counts[where] += 1
    return meaning.map(sums / counts, answer=answer)


def _hidden(
    film: NDArray[np.float32], starts: list[tuple[int, int]], *, grid: tuple[int, ...], soft: NDArray[np.float32]
) -> Iterator[NDArray[np.float32]]:
    """Give the film with one occluder after the other on it."""
    rows, columns = (
        np.round(np.linspace(0, length, n + 1)).astype(int) for length, n in zip(film.shape, grid, strict=True)
    )
    for row, column in starts:
        one = film.copy()
        down, across = _cells(row, column)
        where = (slice(*_ends(rows, down)), slice(*_ends(columns, across)))
        one[where] = soft[where]
        yield one


def _cells(row: int, column: int) -> tuple[slice, slice]:
    """Give the cells that the occluder with this upper left cell hides; some may lie beyond the film."""
    return slice(max(0, row), row + _OVERLAP), slice(max(0, column), column + _OVERLAP)


def _ends(edges: NDArray[np.int_], cells: slice) -> tuple[int, int]:
    last = len(edges) - 1
    return int(edges[cells.start]), int(edges[min(cells.stop, last)])
