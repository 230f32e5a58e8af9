"""Outlined areas parted into bones: connected pieces, and those that only touch each other cut at their necks."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

__all__ = ["NECK", "part"]

Mask = NDArray[np.bool_]
Labels = NDArray[np.int64]

NECK = 0.72
"""Two bones touch where the neck between them is narrower than this share of the narrower one's width."""


def part(mask: Mask, *, neck: float = NECK) -> Labels:
    """Number the bones of an outlined area.

    The area falls into the basins of the distance from its edge (watershed; Vincent and Soille, IEEE PAMI
    1991;13:583-598), which are joined again unless the neck between them is narrow.

    Args:
        mask: outlined area, (rows, columns).
        neck: narrowest share of the narrower bone's width at which two basins are one bone.

    Returns:
        int64 (rows, columns): 0 outside, bones from 1 on.
    """
    if not mask.any():
        return np.zeros(mask.shape, dtype=np.int64)
    window = ndimage.find_objects(mask.astype(np.int8))[0]
    numbers = np.zeros(mask.shape, dtype=np.int64)
    numbers[window] = _parted(mask[window], neck=neck)
    return numbers


def _parted(mask: Mask, *, neck: float) -> Labels:
    """Number the bones of an area that fills its window."""
    depth = ndimage.gaussian_filter(ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1], 1.0) * mask
    basins = _basins(depth, mask)
    joined = _joined(basins, depth, neck=neck)
    used = np.bincount(joined.ravel()) > 0
    used[0] = False
    return np.where(used, np.cumsum(used), 0)[joined]


def _basins(depth: NDArray[np.float64], mask: Mask) -> Labels:
    """Number the peaks of a field, and give each pixel the peak that the steepest way up leads to."""
    rows, columns = depth.shape
    around = np.pad(np.where(mask, depth, -1.0), 1, constant_values=-1.0)
    index = np.arange(rows * columns).reshape(rows, columns)
    steps = [(0, 0), *((dy, dx) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if (dy, dx) != (0, 0))]
    heights = np.stack([around[1 + dy : 1 + dy + rows, 1 + dx : 1 + dx + columns] for dy, dx in steps])
    ahead = np.array([dy * columns + dx for dy, dx in steps])[heights.argmax(axis=0)]
    way = np.where(mask, index + ahead, index).ravel()
    while not np.array_equal(way, way[way]):
        way = way[way]
    tops = np.zeros(rows * columns, dtype=np.int64)
    ends = np.unique(way[mask.ravel()])
    tops[ends] = np.arange(1, len(ends) + 1)
    return np.where(mask, tops[way].reshape(rows, columns), 0)


def _joined(basins: Labels, depth: NDArray[np.float64], *, neck: float) -> Labels:
    """Join neighbouring basins, the widest necks first."""
    count = int(basins.max())
    tops = np.concatenate([[0.0], ndimage.maximum(depth, basins, range(1, count + 1))])
    into, necks = np.arange(count + 1), _necks(basins, depth)
    while necks:
        (one, other), width = max(necks.items(), key=lambda each: each[1] / min(tops[each[0][0]], tops[each[0][1]]))
        if width < neck * min(tops[one], tops[other]):
            break
        into[into == other] = one
        tops[one] = max(tops[one], tops[other])
        necks = _renamed(necks, other, one)
    return into[basins]


def _necks(basins: Labels, depth: NDArray[np.float64]) -> dict[tuple[int, int], float]:
    """Give half the widest place at which two basins meet, by their numbers, the smaller first."""
    found: dict[tuple[int, int], float] = {}
    for axis in (0, 1):
        ahead = [slice(1, None) if k == axis else slice(None) for k in (0, 1)]
        behind = [slice(None, -1) if k == axis else slice(None) for k in (0, 1)]
        a, b = basins[tuple(behind)], basins[tuple(ahead)]
        width = np.minimum(depth[tuple(behind)], depth[tuple(ahead)])
        meet = (a != b) & (a > 0) & (b > 0)
        for one, other, wide in zip(a[meet].tolist(), b[meet].tolist(), width[meet].tolist(), strict=True):
            pair = (min(one, other), max(one, other))
            found[pair] = max(found.get(pair, 0.0), wide)
    return found


def _renamed(necks: dict[tuple[int, int], float], old: int, new: int) -> dict[tuple[int, int], float]:
    """Call a basin by the number of the one that it joined."""
    renamed: dict[tuple[int, int], float] = {}
    for (one, other), width in necks.items():
        a, b = (new if k == old else k for k in (one, other))
        if a != b:
            pair = (min(a, b), max(a, b))
            renamed[pair] = max(renamed.get(pair, 0.0), width)
    return renamed
