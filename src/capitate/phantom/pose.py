"""How the hand lies on the film: the caller's pose, and the transform from hand plan to film pixels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from capitate.types import Side

__all__ = ["Placement", "Pose", "place"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Pose:
    """How the child holds the hand and where it lies on the film.

    Attributes:
        rotation_degrees: clockwise turn of the hand on the film; an anticlockwise turn of as much brings the fingers
            upright.
        shift: (x, y) displacement from the centred position, fractions of the film's width and height.
        scale: size over the size that fits the film at this age; 0.2 to 3.
        spread_degrees: opening of the fan of fingers II to V beyond the usual, from the second to the fifth; -25 to 40.
        thumb_degrees: abduction of the thumb beyond the usual; -35 to 35.
        flexion: bending of the fingers out of the film's plane, 0 to 1; shortens the phalanges on the film.
    """

    rotation_degrees: float = 0.0
    shift: tuple[float, float] = (0.0, 0.0)
    scale: float = 1.0
    spread_degrees: float = 0.0
    thumb_degrees: float = 0.0
    flexion: float = 0.0

    def __post_init__(self) -> None:
        """Check the ranges."""
        limits = {
            "scale": (0.2, 3.0),
            "spread_degrees": (-25.0, 40.0),
            "thumb_degrees": (-35.0, 35.0),
            "flexion": (0.0, 1.0),
        }
        for name, (low, high) in limits.items():
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"pose {name} must be between {low:g} and {high:g}, got {value!r}")
        if not np.isfinite([self.rotation_degrees, *self.shift]).all():
            raise ValueError(f"pose rotation and shift must be finite, got {self.rotation_degrees!r}, {self.shift!r}")


@dataclass(frozen=True)
class Placement:
    """Similarity from the plan of a left hand (see `tables/anatomy.json`) to film pixels.

    Attributes:
        matrix: shape (2, 2); film = matrix @ plan + origin, both (x, y), pixel centres at integers plus one half.
        origin: film position of the wrist, pixels.
    """

    matrix: Array
    origin: Array

    @property
    def pixels_per_unit(self) -> float:
        """Film pixels per plan unit."""
        return float(np.sqrt(abs(np.linalg.det(self.matrix))))

    def to_film(self, points: Array) -> Array:
        """Map plan points of shape (..., 2) to film pixels."""
        mapped: Array = np.asarray(points, dtype=float) @ self.matrix.T + self.origin
        return mapped

    def zoomed(self, factor: float) -> Placement:
        """Return the same placement on a film of `factor` times the pixels."""
        return Placement(self.matrix * factor, self.origin * factor)


def turn(degrees: float) -> Array:
    """Return the matrix of a clockwise turn on a film (x right, y down)."""
    a = np.deg2rad(degrees)
    return np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])


def place(outline: Array, *, side: Side, pose: Pose, height: int, width: int, fill: float) -> Placement:
    """Fit the hand into the film.

    Args:
        outline: plan points that should stay on the film, shape (n, 2).
        side: a right hand is the mirror image of a left one.
        pose: the caller's pose.
        height: film rows.
        width: film columns.
        fill: fraction of the film that the hand fills in its tighter direction.
    """
    mirror = np.diag([-1.0 if side is Side.RIGHT else 1.0, 1.0])
    linear = turn(pose.rotation_degrees) @ mirror
    laid = outline @ linear.T
    low, high = laid.min(axis=0), laid.max(axis=0)
    film = np.array([width, height], dtype=float)
    size = float(np.min(fill * film / (high - low))) * pose.scale
    origin = film / 2 + np.asarray(pose.shift) * film - size * (low + high) / 2
    return Placement(linear * size, origin)
