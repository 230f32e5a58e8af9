"""Augmentation of views in batches: parameters are drawn by one function and applied by another.

Every range keeps a hand anatomically possible. Surroundings (letters, collimation edges, neighbours) are replaced or
overlaid so that the network cannot rest on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.settings.augment import AugmentConfig

__all__ = ["Drawn", "apply", "draw"]


@dataclass(frozen=True)
class Drawn:
    """What was drawn for a batch of n views.

    Attributes:
        affine: (n, 2, 3) map from output to input coordinates in [-1, 1].
        gamma, gain, offset, noise: (n,) exponents, factors, grey levels / 255, standard deviations in grey levels.
        blur: (n,) side of the coarser grid as a fraction of the view's, 1 for none.
        surroundings: (n,) grey level that replaces everything outside the hand, or -1.
        patches: (n, 2, 5) rectangles x, y, width, height in fractions and grey level; width 0 for none.
        seed: for the noise itself.
    """

    affine: Tensor
    gamma: Tensor
    gain: Tensor
    offset: Tensor
    noise: Tensor
    blur: Tensor
    surroundings: Tensor
    patches: Tensor
    seed: int


def draw(n: int, config: AugmentConfig, *, generator: torch.Generator) -> Drawn:
    """Draw the parameters for `n` views."""

    def even(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator) * 2 - 1

    def chance(p: float) -> Tensor:
        return torch.rand(n, generator=generator) < p

    angle = torch.deg2rad((even(n) + even(n)) * config.rotation)
    scale, aspect = torch.exp(even(n) * config.scale), torch.exp(even(n) * config.aspect)
    mirror = 1.0 - 2.0 * chance(config.flip).float()
    cos, sin = torch.cos(angle), torch.sin(angle)
    sx, sy = scale * aspect, scale / aspect
    first = torch.stack([cos * sx * mirror, -sin * sy + even(n) * config.shear], 1)
    second = torch.stack([sin * sx * mirror, cos * sy], 1)
    affine = torch.cat([torch.stack([first, second], 1), (even(n, 2) * 2 * config.shift)[:, :, None]], 2)
    patches = torch.rand(n, 2, 5, generator=generator)
    patches[:, :, 2:4] = patches[:, :, 2:4] * 0.2 + 0.02
    patches[:, :, 2] *= (torch.rand(n, 2, generator=generator) < config.patches).float()
    grey = torch.rand(n, generator=generator) * 0.7 * (torch.rand(n, generator=generator) < 0.6).float()
    return Drawn(
        affine=affine,
        gamma=torch.exp(even(n) * config.gamma),
        gain=1 + even(n) * config.contrast,
        offset=even(n).clamp(min=-0.4) * config.contrast * 0.4,
        noise=torch.rand(n, generator=generator) ** 2 * config.noise,
        blur=torch.where(chance(config.blur), 0.5 + 0.4 * torch.rand(n, generator=generator), torch.ones(n)),
        surroundings=torch.where(chance(config.surroundings), grey, torch.full((n,), -1.0)),
        patches=patches,
        seed=int(torch.randint(2**31, (1,), generator=generator)),
    )


def apply(views: Tensor, masks: Tensor, drawn: Drawn) -> Tensor:
    """Apply what was drawn.

    Args:
        views: uint8 or float (n, 1, height, width), 0 to 255.
        masks: bool (n, 1, height, width), the dilated hand.
        drawn: from `draw`.

    Returns:
        float32 (n, 1, height, width), 0 to 255.
    """
    x = views.float() / 255
    kept = (drawn.surroundings < 0)[:, None, None, None]
    x = torch.where(masks | kept, x, drawn.surroundings[:, None, None, None])
    x = _patch(x, masks, drawn.patches)
    x = _soften(x, drawn.blur)
    grid = functional.affine_grid(drawn.affine, list(x.shape), align_corners=False)
    x = functional.grid_sample(x, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
    column = (slice(None), None, None, None)
    x = x.clamp(0, 1) ** drawn.gamma[column] * drawn.gain[column] + drawn.offset[column]
    generator = torch.Generator().manual_seed(drawn.seed)
    noise = torch.randn(x.shape, generator=generator) * (drawn.noise[column] / 255)
    return (x + noise).clamp(0, 1) * 255


def _patch(x: Tensor, masks: Tensor, patches: Tensor) -> Tensor:
    """Lay grey rectangles over the surroundings, behind the hand, as letters and plates lie."""
    height, width = x.shape[2:]
    rows = (torch.arange(height) / height)[None, None, :, None]
    columns = (torch.arange(width) / width)[None, None, None, :]
    for k in range(patches.shape[1]):
        left, top, w, h, grey = (patches[:, k, j][:, None, None, None] for j in range(5))
        inside = (columns >= left) & (columns < left + w) & (rows >= top) & (rows < top + h) & (w >= 0.02)
        x = torch.where(inside & ~masks, grey, x)
    return x


def _soften(x: Tensor, blur: Tensor) -> Tensor:
    """Resample the chosen views through a coarser grid, one size a batch."""
    chosen = blur < 1
    if not bool(chosen.any()):
        return x
    share = float(blur[chosen].mean())
    size = [max(8, round(s * share)) for s in x.shape[2:]]
    small = functional.interpolate(x[chosen], size, mode="bilinear", antialias=True)
    x = x.clone()
    x[chosen] = functional.interpolate(small, list(x.shape[2:]), mode="bilinear")
    return x
