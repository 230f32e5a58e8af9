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
_ALL_AROUND = np.ones((3, 3), dtype=bool)


def part(mask: Mask, *, neck: float = NECK) -> Labels:
    """Number the bones of an outlined area.

    Basins of the distance from the edge (watershed; Meyer, Signal Processing 1994;38:113-125) are joined again unless
    the neck between them is narrow.

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
    peaks = (depth == ndimage.maximum_filter(depth, size=5)) & mask
    seeds, _ = ndimage.label(peaks, structure=_ALL_AROUND)
    cost = np.rint((1 - depth / depth.max()) * 60000).astype(np.uint16)
    markers = np.where(mask, seeds, -1).astype(np.int32)
    basins = np.where(mask, ndimage.watershed_ift(cost, markers, structure=_ALL_AROUND), 0)
    basins = np.where(basins > 0, basins, 0).astype(np.int64)
    joined = _joined(basins, depth, neck=neck)
    used = np.bincount(joined.ravel()) > 0
    used[0] = False
    return np.where(used, np.cumsum(used), 0)[joined]


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
