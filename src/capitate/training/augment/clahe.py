"""Contrast-limited adaptive histogram equalisation of some views, at a clip limit of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from kornia.enhance import equalize_clahe
from torch import Tensor

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Clahe"]


@dataclass(frozen=True, eq=False)
class Clahe:
    """CLAHE (Zuiderveld, Graphics Gems IV, 1994), computed by kornia as OpenCV does it.

    Attributes:
        clip: (n,) clip limits in multiples of the count that an even histogram has in a bin; 0 for none.
        tiles: int64 (n,), tiles along each side.
    """

    clip: Tensor
    tiles: Tensor

    COLUMNS: ClassVar[int] = 2

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Clahe:
        """Draw a clip limit between 1 and the largest for the chosen share of views."""
        chosen, clip = chances.below(config.clahe), 1 + (config.clahe_clip - 1) * chances.take(1)[:, 0]
        clip = torch.where(chosen, clip, torch.zeros_like(clip))
        return cls(clip, torch.full_like(clip, config.clahe_tiles, dtype=torch.int64))

    def apply(self, x: Tensor) -> Tensor:
        """Equalise views (n, 1, height, width) in [0, 1]."""
        chosen = (self.clip > 0).nonzero()[:, 0].tolist()
        if not chosen:
            return x
        x = x.clone()
        for k in chosen:
            tiles = int(self.tiles[k])
            x[k : k + 1] = equalize_clahe(x[k : k + 1], float(self.clip[k]), (tiles, tiles))
        return x
