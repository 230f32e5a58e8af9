"""One joint upright: film and outlines sampled along the axis of its bone, the shaft downwards."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from capitate.hand.affine import Affine
from capitate.hand.measures.axis import BoneAxis

__all__ = ["PIXELS_A_SIDE", "JointView", "OutlinePicture", "cut_view", "sampled"]

Array = NDArray[np.float64]
Floats = NDArray[np.float32]

PIXELS_A_SIDE = 120
_ACROSS, _BEFORE, _BEHIND = 0.7, 0.4, 0.8
"""What is seen to both sides, before and behind the epiphysis' place, in sides of the joint's box."""


@dataclass(frozen=True, eq=False)
class OutlinePicture:
    """Where epiphyses and carpal bones are in a picture of a joint or of a whole film.

    Attributes:
        bone: float32 (height, width), probability of an epiphysis or carpal bone; a mask as 0 and 1.
        to_film: map from the picture's pixels to the film's, both with pixel centres at integers plus one half.
    """

    bone: Floats
    to_film: Affine

    @classmethod
    def of_mask(cls, mask: NDArray[np.bool_]) -> OutlinePicture:
        """Take a mask of the film's own size."""
        return cls.placed(mask.astype(np.float32), scale=(1.0, 1.0), origin=(0.0, 0.0))

    @classmethod
    def placed(cls, bone: Floats, *, scale: tuple[float, float], origin: tuple[float, float]) -> OutlinePicture:
        """Take a picture cut from a film, as `capitate.runtime.outlines.Outlined` has it.

        Args:
            bone: probability of an epiphysis or carpal bone, (height, width).
            scale: picture pixels a film pixel, across and down.
            origin: where the film's upper left corner lies in the picture, (x, y) in its pixels.
        """
        across, down = 1 / scale[0], 1 / scale[1]
        return cls(bone, Affine(np.diag([across, down]), np.array([-origin[0] * across, -origin[1] * down])))


@dataclass(frozen=True, eq=False)
class JointView:
    """A joint, upright.

    Attributes:
        pixels: float32 (rows, columns), the film; the shaft lies at the bottom.
        bone: float32 of that shape, probability of an epiphysis or carpal bone.
        axis: by which it was cut.
    """

    pixels: Floats
    bone: Floats
    axis: BoneAxis

    def sides(self, points: Array) -> Array:
        """Bring points (..., 2), column and row of the view, to across and along the bone in sides of its box."""
        moved: Array = (np.asarray(points, dtype=np.float64) + 0.5) / PIXELS_A_SIDE - np.array([_ACROSS, _BEFORE])
        return moved

    def to_film(self, points: Array) -> Array:
        """Bring points (..., 2), column and row of the view, to film pixels."""
        return self.axis.to_film(self.sides(points))

    @property
    def middle(self) -> tuple[float, float]:
        """Column and row where the middle of the epiphysis is to be expected."""
        return _ACROSS * PIXELS_A_SIDE - 0.5, _BEFORE * PIXELS_A_SIDE - 0.5


def cut_view(pixels: Floats, outlined: OutlinePicture, *, axis: BoneAxis) -> JointView:
    """Sample film and outlines along a bone's axis.

    Args:
        pixels: film, float32 (height, width), bone bright.
        outlined: of the joint or the film.
        axis: of the bone.
    """
    shape = round((_BEFORE + _BEHIND) * PIXELS_A_SIDE), round(2 * _ACROSS * PIXELS_A_SIDE)
    rows, columns = np.indices(shape)
    grid = (np.stack([columns, rows], axis=-1) + 0.5) / PIXELS_A_SIDE - np.array([_ACROSS, _BEFORE])
    film = axis.to_film(grid)
    fine = axis.side / PIXELS_A_SIDE
    bone = sampled(outlined.bone, outlined.to_film.inverse(film), fine=1.0, mode="constant")
    return JointView(sampled(pixels, film, fine=fine, mode="nearest"), bone, axis)


def sampled(values: Floats, points: Array, *, fine: float, mode: str) -> Floats:
    """Sample a field bilinearly; one finer than the sampling is first averaged down.

    Args:
        values: (rows, columns).
        points: (height, width, 2), a grid, perhaps turned and stretched; pixel centres at integers plus one half.
        fine: pixels of the field from one point to the next.
        mode: of scipy, what lies beyond the field.
    """
    corners = points[[0, 0, -1, -1], [0, -1, 0, -1]]
    low, high = np.floor(corners.min(axis=0)).astype(int) - 8, np.ceil(corners.max(axis=0)).astype(int) + 8
    rows, columns = values.shape
    left, top = (min(max(int(one), 0), size - 1) for one, size in zip(low, (columns, rows), strict=True))
    right, bottom = (min(max(int(one), 1), size) for one, size in zip(high, (columns, rows), strict=True))
    part = values[top : max(bottom, top + 1), left : max(right, left + 1)].astype(np.float32)
    if fine > 1:
        part = ndimage.gaussian_filter(part, 0.5 * np.sqrt(fine**2 - 1), mode="nearest")
    at = np.moveaxis(points - 0.5 - np.array([left, top]), -1, 0)[::-1]
    return np.asarray(ndimage.map_coordinates(part, at, order=1, mode=mode), dtype=np.float32)
