"""Loss of detail, as films have it that were stored small."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from capitate.training.augment.chances import Chances
from capitate.training.settings.augment import AugmentConfig

__all__ = ["Blur"]

_LEAST, _MOST = 0.65, 0.75
"""Range of the coarser grid. The released networks saw the mean of some 19 draws of 0.5 to 0.9 in every batch of 64:
0.7 with a standard deviation of 0.03, which an even draw of this range has a view, whatever the batch."""


@dataclass(frozen=True, eq=False)
class Blur:
    """Resampling through a coarser grid and back.

    Attributes:
        side: (n,) side of the coarser grid as a share of the view's, 1 for none.
    """

    side: Tensor

    COLUMNS: ClassVar[int] = 2

    @classmethod
    def draw(cls, chances: Chances, config: AugmentConfig) -> Blur:
        """Draw a grid for the chosen share of views."""
        chosen, side = chances.below(config.blur), _LEAST + (_MOST - _LEAST) * chances.take(1)[:, 0]
        return cls(torch.where(chosen, side, torch.ones_like(side)))

    def apply(self, x: Tensor) -> Tensor:
        """Soften views (n, 1, height, width)."""
        chosen = (self.side < 1).nonzero()[:, 0].tolist()
        if not chosen:
            return x
        x = x.clone()
        whole = list(x.shape[2:])
        for k in chosen:
            size = [max(8, round(s * float(self.side[k]))) for s in whole]
            small = functional.interpolate(x[k : k + 1], size, mode="bilinear", antialias=True)
            x[k : k + 1] = functional.interpolate(small, whole, mode="bilinear")
        return x
