"""Affine maps of the plane, fitted by least squares and always invertible."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Affine", "fit_affine", "fit_similarity"]

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Affine:
    """Map of points (x, y), x right and y down: `matrix @ point + origin`.

    Attributes:
        matrix: float64 (2, 2), not singular.
        origin: float64 (2,), where (0, 0) goes.
    """

    matrix: Array
    origin: Array

    def __post_init__(self) -> None:
        """Refuse what has no inverse."""
        if not np.isfinite(self.matrix).all() or abs(np.linalg.det(self.matrix)) < 1e-18:
            raise ValueError(f"an affine map needs a finite matrix with an inverse, got {self.matrix.tolist()!r}")

    def __call__(self, points: Array) -> Array:
        """Map points of shape (..., 2)."""
        mapped: Array = np.asarray(points, dtype=float) @ self.matrix.T + self.origin
        return mapped

    @property
    def inverse(self) -> Affine:
        """The way back."""
        back: Array = np.linalg.inv(self.matrix).astype(np.float64)
        return Affine(back, -back @ self.origin)

    def then(self, after: Affine) -> Affine:
        """Return this map followed by another."""
        return Affine(after.matrix @ self.matrix, after.matrix @ self.origin + after.origin)

    @property
    def mirrored(self) -> bool:
        """Whether the map turns a right hand into a left one."""
        return bool(np.linalg.det(self.matrix) < 0)

    @property
    def turn_degrees(self) -> float:
        """Anticlockwise turn of what is mapped, as seen, -180 to 180: the nearest turn (polar decomposition).

        Where the map mirrors, it is the turn before a mirror image across the vertical.
        """
        plain = np.diag([-1.0 if self.mirrored else 1.0, 1.0]) @ self.matrix
        u, _, v = np.linalg.svd(plain)
        turned = u @ v
        return -math.degrees(math.atan2(turned[1, 0], turned[0, 0]))

    @property
    def anisotropy(self) -> float:
        """Larger over smaller stretch, 1 or more."""
        most, least = np.linalg.svd(self.matrix, compute_uv=False)
        return float(most / least)


def fit_affine(source: Array, target: Array) -> Affine:
    """Fit the affine map that brings points (n, 2) closest to their targets (n, 2), n at least 3 and not on a line.

    Raises:
        ValueError: if the points do not settle a map that can be inverted.
    """
    about = np.column_stack([source, np.ones(len(source))])
    solved, _, rank, _ = np.linalg.lstsq(about, np.asarray(target, dtype=np.float64), rcond=1e-9)
    if rank < 3:
        raise ValueError(f"three points off one line settle an affine map, got {len(source)} points of rank {rank}")
    return Affine(solved[:2].T.astype(np.float64), solved[2].astype(np.float64))


def fit_similarity(source: Array, target: Array, *, mirrored: bool) -> Affine:
    """Fit the turn, size and shift (Umeyama, IEEE PAMI 1991;13:376-380) that bring points closest to their targets.

    Args:
        source: (n, 2), n at least 2.
        target: (n, 2).
        mirrored: whether the points are first mirrored across the vertical.

    Raises:
        ValueError: if all points lie in one place.
    """
    flip = np.array([-1.0 if mirrored else 1.0, 1.0])
    start, end = source.mean(axis=0) * flip, target.mean(axis=0)
    a, b = source * flip - start, target - end
    spread = float((a**2).sum())
    cosine = float((a * b).sum()) / max(spread, 1e-18)
    sine = float((a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]).sum()) / max(spread, 1e-18)
    if spread < 1e-18 or np.hypot(cosine, sine) < 1e-9:
        raise ValueError(f"points in one place settle no similarity, got {len(source)} points of spread {spread:g}")
    turned: Array = np.array([[cosine, -sine], [sine, cosine]])
    matrix: Array = (turned * flip).astype(np.float64)
    return Affine(matrix, end - turned @ start)
