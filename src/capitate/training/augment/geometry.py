"""Mirror images, rotation, scale, shear, shift and crops as one map, so that a view is resampled once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from kornia.geometry.conversions import convert_affinematrix_to_homography, denormalize_homography
from kornia.geometry.transform import warp_affine
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig, Edge

__all__ = ["Geometry", "warp"]

_CROP_RATIO = math.log(1.1)
"""Logarithm of the largest ratio by which a crop is wider or higher than the view: 0.9 to 1.1 in system 003."""
_PADDING = {Edge.BLACK: "zeros", Edge.MIRROR: "reflection"}


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where every view is sampled.

    Attributes:
        affine: (n, 2, 3) map from output to input coordinates, both from -1 to 1 across the view, so it holds at any
            resolution.
        mirrored: bool (n,), whether the view mirrored at its edge comes in from outside, or black.
    """

    affine: Tensor
    mirrored: Tensor

    COLUMNS: ClassVar[int] = 13

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Geometry:
        """Draw a map a view."""
        angle = torch.deg2rad((chances.even() + chances.even()) * config.rotation)
        scale, aspect = torch.exp(chances.even() * config.scale), torch.exp(chances.even() * config.aspect)
        shear = chances.even() * config.shear
        shift = (chances.take(2) * 2 - 1) * 2 * config.shift
        mirror, upset = (1.0 - 2.0 * chances.below(p).float() for p in (config.flip, config.flip_vertical))
        cos, sin = torch.cos(angle), torch.sin(angle)
        across = torch.stack([cos * scale * aspect * mirror, sin * scale * aspect * mirror], 1)
        down = torch.stack([-sin * scale / aspect + shear, cos * scale / aspect], 1) * upset[:, None]
        affine = _cropped(torch.stack([across, down, shift], 2), chances, config.crop)
        return cls(affine, torch.full((len(affine),), config.edge is Edge.MIRROR))

    def apply(self, x: Tensor) -> Tensor:
        """Resample views (n, 1, height, width) bilinearly."""
        if self.mirrored.all():
            return warp(x, self.affine, edge=Edge.MIRROR)
        black = warp(x, self.affine)
        if self.mirrored.any():
            black[self.mirrored] = warp(x[self.mirrored], self.affine[self.mirrored], edge=Edge.MIRROR)
        return black


def _cropped(affine: Tensor, chances: Chances, most: float) -> Tensor:
    """Let maps begin from a part of the output: area 1 - `most` to 1, ratio as stated, anywhere inside."""
    area = 1 - chances.take(1) * most
    ratio = torch.exp((chances.take(1) * 2 - 1) * (_CROP_RATIO if most else 0.0))
    sides = torch.cat([(area * ratio).sqrt(), (area / ratio).sqrt()], 1).clamp(max=1)
    place = (chances.take(2) * 2 - 1) * (1 - sides)
    turned = affine[:, :, :2]
    return torch.cat([turned * sides[:, None, :], turned @ place[:, :, None] + affine[:, :, 2:]], 2)


def warp(x: Tensor, affine: Tensor, *, edge: Edge = Edge.BLACK) -> Tensor:
    """Resample pictures by maps from output to input coordinates.

    Args:
        x: float (n, channels, height, width).
        affine: (n, 2, 3), coordinates from -1 to 1 between the outer edges of the outer pixels.
        edge: what stands where a map leads outside.

    Returns:
        As `x`.
    """
    size = (x.shape[2], x.shape[3])
    forward = torch.linalg.inv(convert_affinematrix_to_homography(affine))
    pixels = denormalize_homography(forward, size, size, align_corners=False)[:, :2].to(x.device)
    return warp_affine(x, pixels, size, mode="bilinear", padding_mode=_PADDING[edge], align_corners=False)
